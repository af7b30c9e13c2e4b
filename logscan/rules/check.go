package rules

import (
	"fmt"

	"blockhosts/internal/record"
)

// Check holds a rule against its own samples and ignores, and lints it unless
// it is unpinned. parse takes a line apart, as logscan.ParseLine does. The
// samples of a shipped rule come from Documented.
func Check(d Def, parse func([]byte) record.Line) []record.Problem {
	var found []record.Problem
	report := func(format string, args ...any) {
		text := d.where() + ": " + fmt.Sprintf(format, args...)
		found = append(found, record.Problem{Key: "rule " + d.Name, Text: text, Fails: true})
	}
	if d.ready = nil; !d.Unpinned {
		if err := Lint(d); err != nil {
			report("%v", err)
		}
	}
	d.Unpinned = true // said already
	set, problems := Compile([]Def{d}, nil, Options{})
	if len(problems) > 0 {
		return append(found, problems...)
	}
	for i, s := range d.Samples {
		l := parse([]byte(s.Line))
		if fault := s.fault(set, &l); fault != "" {
			report("sample %d, %.200q: %s", i+1, s.Line, fault)
		}
	}
	for i, line := range d.Ignores {
		l := parse([]byte(line))
		if m := set.Match(&l); m.Matched {
			report("ignore %d, %.200q: it blames %v", i+1, line, m.Addr)
		}
	}
	return found
}

// fault says what is wrong with what a set of one rule makes of the sample.
func (s Sample) fault(set *Set, l *record.Line) string {
	want, err := record.ParseAddr(s.Address)
	if err != nil {
		return fmt.Sprintf("its address %.60q is none", s.Address)
	}
	m := set.Match(l)
	switch {
	case !m.Matched:
		return set.Trace(l)[0].explain()
	case m.Addr != want:
		return fmt.Sprintf("it blames %v, not %v", m.Addr, want)
	case m.User != s.User:
		return fmt.Sprintf("it finds the user %.60q, not %.60q", m.User, s.User)
	}
	return ""
}

func (t Tried) explain() string {
	if t.Ambiguous {
		return fmt.Sprintf("it can be read as %v and as %v", t.Addr, t.Other)
	}
	return "no match: " + t.Why
}
