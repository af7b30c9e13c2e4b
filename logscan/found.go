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
// few addresses and programs: each text is kept once, and lines only as far
// as a mail can tell them.
type found struct {
	failures []record.Failure
	texts    map[string]string
	evidence map[netip.Addr]int // lines kept of an address
	programs map[string]*ProgramReport
	latest   *ProgramReport // the program of the line before

	stamped []byte // the stamp of the line before, as written, and its time
	at      time.Time
}

func newFound() *found {
	return &found{texts: map[string]string{}, evidence: map[netip.Addr]int{}, programs: map[string]*ProgramReport{}}
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
	if n := len(f.failures); n == cap(f.failures) { // room for as many as are to be expected, and no more
		f.failures = slices.Grow(f.failures, max(16, n/4, min(n*4, int(float64(n)*(1.05/max(share, 0.01)-1)))))
	}
	fail := record.Failure{
		Time: at, Addr: m.Addr, Host: f.onceString(m.Host), Service: m.Service, Rule: m.Rule,
		Program: f.once(line.Program), PID: f.once(line.PID), User: f.onceString(m.User),
		Repeat: max(line.Repeat, 1),
	}
	if n := f.evidence[m.Addr]; n < record.EvidenceLines {
		f.evidence[m.Addr] = n + 1
		fail.Text = cutText(line.Raw)
	}
	f.failures = append(f.failures, fail)
}

// maxTexts is how many texts are remembered: a flood brings as many process
// numbers and names as it likes, of which those nearby are alike.
const maxTexts = 4096

// once returns b as a string that shares its bytes with equal ones.
func (f *found) once(b []byte) string {
	if s, ok := f.texts[string(b)]; ok {
		return s
	}
	return f.remember(string(b))
}

func (f *found) onceString(s string) string {
	if t, ok := f.texts[s]; ok {
		return t
	}
	return f.remember(strings.Clone(s)) // it may be part of a longer one
}

func (f *found) remember(s string) string {
	if len(f.texts) >= maxTexts {
		clear(f.texts)
	}
	f.texts[s] = s
	return s
}

// cutText returns a line as evidence, at most record.MaxEvidence bytes.
func cutText(b []byte) string { return string(b[:min(len(b), record.MaxEvidence)]) }

// program counts a line of a program that some rule reads.
func (f *found) program(name []byte, hit bool) {
	p := f.latest
	if p == nil || p.Program != string(name) {
		if p = f.programs[string(name)]; p == nil {
			p = &ProgramReport{Program: string(name)}
			f.programs[p.Program] = p
		}
		f.latest = p
	}
	p.Lines++
	if hit {
		p.Matched++
	}
}

// programReports returns the counts by name.
func (f *found) programReports() []ProgramReport {
	var all []ProgramReport
	for _, p := range f.programs {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b ProgramReport) int { return strings.Compare(a.Program, b.Program) })
	return all
}
