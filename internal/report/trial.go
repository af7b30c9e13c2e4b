package report

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// Tried is what the rules made of one line, in a trial.
type Tried struct {
	N       int    // of the line, from 1
	Line    string // foreign text
	Program string // foreign text
	Match   record.Match
	Time    time.Time // the line's own, or the trial's
	Stamped bool      // the line has a time of its own
	Repeat  int
	Enabled bool     // the configuration runs the rule
	Marks   []Mark   // what to show of the line: address, user
	Rules   []string // each rule that was tried, and why it did not match; may be nil
}

// A Mark is a part of a line, in bytes; empty where there is nothing to mark.
type Mark struct{ From, To int }

// maxLineTried is the length in bytes at which a line of a trial is cut.
const maxLineTried = 500

// TrialText shows one line to people. With color the marks are set off, for a
// terminal.
func TrialText(w io.Writer, t Tried, color bool) error {
	var b strings.Builder
	m := t.Match
	switch {
	case m.Ambiguous:
		fmt.Fprintf(&b, "%d: ambiguous: rule %s matches, but nobody can tell the address for sure; it counts for nobody\n", t.N, m.Rule)
	case !m.Matched && m.Host != "":
		fmt.Fprintf(&b, "%d: no match: rule %s finds a host name, %s, and names are looked up only with \"resolve: true\"\n", t.N, m.Rule, Quote(m.Host, 100))
	case !m.Matched:
		fmt.Fprintf(&b, "%d: no match\n", t.N)
	default:
		fmt.Fprintf(&b, "%d: %s blames %s", t.N, m.Rule, m.Addr)
		if m.User != "" {
			fmt.Fprintf(&b, ", user %s", Quote(m.User, record.MaxUser))
		}
		if t.Repeat > 1 {
			fmt.Fprintf(&b, ", %d times", t.Repeat)
		}
		fmt.Fprintf(&b, ", %s", t.Time.Format(stampLayout))
		if !t.Stamped {
			b.WriteString(" (now: the line has no time that is known)")
		}
		if !t.Enabled {
			fmt.Fprintf(&b, "; not enabled here (class %s)", m.Class)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "   %s\n", marked(t.Line, t.Marks, color))
	for _, r := range t.Rules {
		fmt.Fprintf(&b, "     %s\n", Clean(r, maxLineTried))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// marked sets the marks of a line off in bold.
func marked(line string, marks []Mark, color bool) string {
	if !color || len(line) > maxLineTried {
		return Clean(line, maxLineTried)
	}
	marks = slices.Clone(marks)
	sort.SliceStable(marks, func(i, j int) bool { return marks[i].From < marks[j].From })
	var b strings.Builder
	at := 0
	for _, m := range marks {
		if m.From < at || m.To <= m.From || m.To > len(line) {
			continue
		}
		b.WriteString(Clean(line[at:m.From], maxLineTried) + "\x1b[1m" + Clean(line[m.From:m.To], maxLineTried) + "\x1b[0m")
		at = m.To
	}
	return b.String() + Clean(line[at:], maxLineTried)
}

// TrialJSON writes one line's object: the contract of "blockhosts test --json".
func TrialJSON(w io.Writer, t Tried) error {
	m := t.Match
	out := struct {
		N         int     `json:"n"`
		Matched   bool    `json:"matched"`
		Ambiguous bool    `json:"ambiguous,omitempty"`
		Rule      string  `json:"rule,omitempty"`
		Service   string  `json:"service,omitempty"`
		Address   string  `json:"address,omitempty"`
		User      *string `json:"user,omitempty"`
		Time      string  `json:"time,omitempty"`
		Repeat    int     `json:"repeat,omitempty"`
		Enabled   *bool   `json:"enabled,omitempty"`
	}{N: t.N, Matched: m.Matched}
	switch {
	case m.Ambiguous:
		out.Matched, out.Ambiguous, out.Rule = false, true, m.Rule
	case m.Matched:
		out.Rule, out.Service, out.Address, out.User = m.Rule, m.Service, m.Addr.String(), &m.User
		out.Time = t.Time.UTC().Format(time.RFC3339)
		if t.Repeat > 1 {
			out.Repeat = t.Repeat
		}
		if !t.Enabled {
			out.Enabled = &t.Enabled
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

// A TrialTotal sums a trial up.
type TrialTotal struct {
	Lines, Matched, Ambiguous int
	byRule                    map[string]int
	unknown                   map[string]int // lines that no rule matched, by program that some rule reads
	shapes                    map[string]int // of the same, by shape
}

// NewTrialTotal returns an empty sum.
func NewTrialTotal() TrialTotal {
	return TrialTotal{byRule: map[string]int{}, unknown: map[string]int{}, shapes: map[string]int{}}
}

// maxShapes bounds the shapes that a trial remembers: a log of random text has
// as many as lines.
const maxShapes = 10_000

// Add counts one line; message is what stands behind its prefix.
func (s *TrialTotal) Add(t Tried, message string) {
	switch {
	case t.Match.Ambiguous:
		s.Ambiguous++
	case t.Match.Matched:
		s.Matched++
		s.byRule[t.Match.Rule]++
	case t.Match.Known:
		s.unknown[t.Program]++
		shape := t.Program + ": " + shapeOf(message)
		if _, known := s.shapes[shape]; known || len(s.shapes) < maxShapes {
			s.shapes[shape]++
		}
	}
}

// varying is what differs between lines of one shape: quoted text, words with
// a digit, addresses.
var varying = regexp.MustCompile(`"[^"]*"|[^\s=,;()\[\]<>]*\d[^\s=,;()\[\]<>]*`)

// shapeOf replaces what varies in a message by "*".
func shapeOf(message string) string {
	return Clean(varying.ReplaceAllString(message[:min(len(message), maxLineTried)], "*"), 120)
}

// topShapes is how many of the most frequent shapes are shown.
const topShapes = 10

// TrialSummary tells people what a trial of several lines came to.
func TrialSummary(w io.Writer, s TrialTotal) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s, %d matched, %d ambiguous\n", plural(s.Lines, "line", "lines"), s.Matched, s.Ambiguous)
	counts(&b, "matched by rule", s.byRule, len(s.byRule))
	counts(&b, "programs with lines that no rule knows", s.unknown, topShapes)
	counts(&b, "most frequent unknown shapes", s.shapes, topShapes)
	_, err := io.WriteString(w, b.String())
	return err
}

// counts lists the most frequent entries.
func counts(b *strings.Builder, title string, n map[string]int, most int) {
	if len(n) == 0 {
		return
	}
	fmt.Fprintf(b, "%s:\n", title)
	names := slices.Sorted(maps.Keys(n))
	sort.SliceStable(names, func(i, j int) bool { return n[names[i]] > n[names[j]] })
	for _, name := range names[:min(len(names), most)] {
		fmt.Fprintf(b, "%8d  %s\n", n[name], Clean(name, 200))
	}
}
