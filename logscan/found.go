package logscan

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// found gathers failures. A flood brings hundreds of thousands of them from
// few addresses and programs: texts nearby are kept once, and lines only as far
// as a mail can tell them.
type found struct {
	failures  record.Failures
	offenders map[netip.Addr]*offender
	latest    *offender // of the failure before
	programs  programs

	stamped []byte // the stamp of the line before, as written, and its time
	at      time.Time
}

func newFound() *found {
	return &found{offenders: map[netip.Addr]*offender{}, programs: programs{}}
}

// newStretch forgets what holds for one file's lines alone.
func (f *found) newStretch() { f.stamped = f.stamped[:0] }

// stamp is Stamp, but reads a stamp once where many lines in a row have the
// same.
func (f *found) stamp(line *record.Line, now time.Time, zone *time.Location) (time.Time, bool) {
	if line.Form == record.FormNone || line.Form == record.FormBare {
		return Stamp(line, now, zone)
	}
	if n := len(f.stamped); n > 0 && bytes.HasPrefix(line.Raw, f.stamped) {
		return f.at, true
	}
	m := moment{year: noYear}
	_, end := prefixStamp(line.Raw, &m)
	at, ok := m.time(now, zone)
	if ok && end < len(line.Raw) {
		f.stamped, f.at = append(f.stamped[:0], line.Raw[:end+1]...), at // with the blank that ends it
	}
	return at, ok
}

// add keeps a failure; share is how much of all was read so far.
func (f *found) add(line *record.Line, m *record.Match, at time.Time, share float64) {
	if f.failures.Room() == 0 {
		f.grow(share)
	}
	by, text := f.by(m.Addr), ""
	if by.evidence < record.EvidenceLines {
		by.evidence++
		text = cutText(line.Raw)
	}
	f.failures.Add(f.blame(by, line, m), at, line.PID, m.User, max(line.Repeat, 1), text)
}

// by returns what was found of an address.
func (f *found) by(a netip.Addr) *offender {
	if f.latest != nil && f.latest.addr == a {
		return f.latest
	}
	o := f.offenders[a]
	if o == nil {
		o = &offender{addr: a}
		f.offenders[a] = o
	}
	f.latest = o
	return o
}

// An offender is an address with what its failures have in common.
type offender struct {
	addr     netip.Addr // not valid for all who have a name instead
	blames   []int      // places in failures
	evidence int        // lines kept
}

// blame returns the place of what m says, shared with the failures before of
// which it says the same.
func (f *found) blame(o *offender, line *record.Line, m *record.Match) int {
	for _, i := range o.blames {
		if b := f.failures.Blames()[i]; b.Rule == m.Rule && b.Program == string(line.Program) && m.Host == "" {
			return i
		}
	}
	i := f.failures.AddBlame(&record.Blame{Addr: m.Addr, Host: m.Host, Service: m.Service, Rule: m.Rule, Program: string(line.Program)})
	if len(o.blames) < maxBlames && m.Host == "" {
		o.blames = append(o.blames, i)
	}
	return i
}

// maxBlames is how many of one address are shared: more rules never meet.
const maxBlames = 8

// grow makes room for as many failures as are to be expected, and no more.
func (f *found) grow(share float64) {
	n := f.failures.Len()
	f.failures.Grow(max(16, n/4, min(n*4, int(float64(n)*(1.05/max(share, 0.01)-1)))))
}

// cutText returns a line as evidence, at most record.MaxEvidence bytes.
func cutText(b []byte) string { return string(b[:min(len(b), record.MaxEvidence)]) }

// program counts a failure of a program that some rule reads.
func (f *found) program(name []byte) { f.programs.of(name).Matched++ }

// programs are the programs that some rule reads, with what they wrote.
type programs map[string]*ProgramReport

func (p programs) of(name []byte) *ProgramReport {
	r := p[string(name)]
	if r == nil {
		r = &ProgramReport{Program: string(name)}
		p[r.Program] = r
	}
	return r
}

// programReports returns the counts of all workers by name.
func (s *scan) programReports() []ProgramReport {
	for _, w := range s.workers {
		for _, p := range w.programs {
			s.found.programs.of([]byte(p.Program)).Lines += p.Lines
		}
	}
	var all []ProgramReport
	for _, p := range s.found.programs {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b ProgramReport) int { return strings.Compare(a.Program, b.Program) })
	return all
}
