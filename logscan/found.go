package logscan

import (
	"net/netip"
	"sort"

	"blockhosts/internal/record"
)

// found gathers what the workers find, in the order of the lines. Texts nearby
// are kept once, and lines only as far as a mail can tell them.
type found struct {
	failures record.Failures
	accused  accused            // numbers are places in failures
	kept     map[netip.Addr]int // lines of an address
}

// meet adds the blames that a worker has met for the first time to those whose
// places are known by its numbers.
func (f *found) meet(known []int, fresh []*record.Blame) []int {
	for _, b := range fresh {
		place, fresh := f.accused.number(b.Addr, b.Rule, []byte(b.Program))
		if fresh {
			f.failures.AddBlame(b)
		}
		known = append(known, int(place))
	}
	return known
}

// add keeps failures, and of each address the lines of the first ones as
// evidence; share is how much of all was read so far.
func (f *found) add(finds []find, places []int, share float64, evidence int) {
	if f.failures.Room() < len(finds) {
		f.grow(len(finds), share)
	}
	for i := range finds {
		x := &finds[i]
		place, text := places[x.blame], ""
		if evidence > 0 {
			text = f.evidence(place, x.line, evidence)
		}
		f.failures.Add(place, x.at, x.pid, x.user, int(x.repeat), text)
	}
}

// evidence returns a line of a blame's address as it is kept, empty where there
// are enough.
func (f *found) evidence(place int, line []byte, most int) string {
	if f.kept == nil {
		f.kept = map[netip.Addr]int{}
	}
	addr := f.failures.Blames()[place].Addr
	if f.kept[addr] == most {
		return ""
	}
	f.kept[addr]++
	return cutText(line)
}

// grow makes room for as many failures as are to be expected, not many times as
// many as there are: to move them costs more than room that is not used.
func (f *found) grow(least int, share float64) {
	n := f.failures.Len()
	rest := int(float64(n) * (1.05/max(share, 0.001) - 1))
	f.failures.Grow(max(least, n/4, min(rest, max(4*n, manyFailures))))
}

// manyFailures take 24 MB, which nobody misses.
const manyFailures = 1 << 20

// cutText returns a line as evidence, at most record.MaxEvidence bytes.
func cutText(b []byte) string { return string(b[:min(len(b), record.MaxEvidence)]) }

// programs are the programs that some rule reads, with what they wrote.
type programs struct {
	all    map[string]*ProgramReport
	recent [64]*ProgramReport // those met last, at a place that their name tells
}

func (p *programs) of(name []byte) *ProgramReport {
	at := &p.recent[0]
	if n := len(name); n > 0 {
		at = &p.recent[(uint(name[0])*31+uint(name[n-1])*37+uint(n)*7)%uint(len(p.recent))]
	}
	if *at == nil || (*at).Program != string(name) {
		*at = p.find(name)
	}
	return *at
}

func (p *programs) find(name []byte) *ProgramReport {
	r := p.all[string(name)]
	if r == nil {
		if p.all == nil {
			p.all = map[string]*ProgramReport{}
		}
		r = &ProgramReport{Program: string(name)}
		p.all[r.Program] = r
	}
	return r
}

// programReports returns the counts of all workers by name.
func (s *scan) programReports() []ProgramReport {
	var sums programs
	for _, w := range s.workers {
		for _, p := range w.programs.all {
			sum := sums.find([]byte(p.Program))
			sum.Lines += p.Lines
			sum.Matched += p.Matched
		}
	}
	var all []ProgramReport
	for _, p := range sums.all {
		all = append(all, *p)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Program < all[j].Program })
	return all
}
