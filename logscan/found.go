package logscan

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"

	"blockhosts/internal/record"
)

// A cause is what failures have in common, as one worker has found it: their
// address, and what is said of it. A flood brings hundreds of thousands of
// failures from few addresses and programs.
type cause struct {
	blame record.Blame

	// The rest is the scan's; see found.
	place int       // of the blame in the failures
	by    *offender // nil: not met yet
}

// offenders are the addresses that failures name. Most are IPv4, and such a key
// is found in half the time.
type offenders struct {
	v4     map[uint32]*offender
	others map[netip.Addr]*offender
	latest *offender // of the failure before
}

// An offender is an address with what its failures have in common.
type offender struct {
	addr     netip.Addr // not valid for all who have a name instead
	causes   []*cause
	evidence int // lines kept
}

// of returns what was found of an address.
func (os *offenders) of(a netip.Addr) *offender {
	if os.latest == nil || os.latest.addr != a {
		os.latest = os.find(a)
	}
	return os.latest
}

func (os *offenders) find(a netip.Addr) *offender {
	if a.Is4() {
		b := a.As4()
		return entryOf(&os.v4, binary.BigEndian.Uint32(b[:]), a)
	}
	return entryOf(&os.others, a, a)
}

func entryOf[K comparable](m *map[K]*offender, key K, a netip.Addr) *offender {
	o := (*m)[key]
	if o == nil {
		if *m == nil {
			*m = map[K]*offender{}
		}
		o = &offender{addr: a}
		(*m)[key] = o
	}
	return o
}

// maxCauses is how many of one address are shared: more rules never meet.
const maxCauses = 8

// cause returns what m says of a line, shared with the failures before of which
// it says the same.
func (os *offenders) cause(line *record.Line, m *record.Match) *cause {
	o := os.of(m.Addr)
	for _, c := range o.causes {
		if c.blame.Rule == m.Rule && c.blame.Program == string(line.Program) && m.Host == "" {
			return c
		}
	}
	return o.share(&cause{blame: record.Blame{Addr: m.Addr, Host: m.Host, Service: m.Service, Rule: m.Rule, Program: string(line.Program)}})
}

// share notes a cause for failures to come.
func (o *offender) share(c *cause) *cause {
	if len(o.causes) < maxCauses && c.blame.Host == "" {
		o.causes = append(o.causes, c)
	}
	return c
}

// found gathers what the workers find. Texts nearby are kept once, and lines
// only as far as a mail can tell them.
type found struct {
	failures  record.Failures
	offenders offenders
}

// add keeps failures, and of each address the lines of the first ones as
// evidence; share is how much of all was read so far.
func (f *found) add(finds []find, share float64, evidence int) {
	if f.failures.Room() < len(finds) {
		f.grow(len(finds), share)
	}
	for i := range finds {
		x := &finds[i]
		if x.by == nil {
			f.meet(x.cause)
		}
		text := ""
		if x.by.evidence < evidence {
			x.by.evidence++
			text = cutText(x.line)
		}
		f.failures.Add(x.place, x.at, x.pid, x.user, max(x.repeat, 1), text)
	}
}

// meet finds the place of a cause, which is that of another worker's that says
// the same.
func (f *found) meet(c *cause) {
	c.by = f.offenders.of(c.blame.Addr)
	for _, o := range c.by.causes {
		if o.blame == c.blame {
			c.place = o.place
			return
		}
	}
	c.place = f.failures.AddBlame(&c.blame)
	c.by.share(c)
}

// grow makes room for as many failures as are to be expected, and no more.
func (f *found) grow(least int, share float64) {
	n := f.failures.Len()
	f.failures.Grow(max(least, n/4, min(n*4, int(float64(n)*(1.05/max(share, 0.01)-1)))))
}

// cutText returns a line as evidence, at most record.MaxEvidence bytes.
func cutText(b []byte) string { return string(b[:min(len(b), record.MaxEvidence)]) }

// programs are the programs that some rule reads, with what they wrote.
type programs map[string]*ProgramReport

func (p programs) of(name string) *ProgramReport {
	r := p[name]
	if r == nil {
		r = &ProgramReport{Program: name}
		p[name] = r
	}
	return r
}

// programReports returns the counts of all workers by name.
func (s *scan) programReports() []ProgramReport {
	sums := programs{}
	for _, w := range s.workers {
		for _, p := range w.programs {
			sum := sums.of(p.Program)
			sum.Lines += p.Lines
			sum.Matched += p.Matched
		}
	}
	var all []ProgramReport
	for _, p := range sums {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b ProgramReport) int { return strings.Compare(a.Program, b.Program) })
	return all
}
