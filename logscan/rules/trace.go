package rules

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"blockhosts/internal/record"
)

// Tried is what one rule made of one line, for people who write rules.
type Tried struct {
	Rule      string
	Matched   bool
	Ambiguous bool
	TimedOut  bool
	Addr      netip.Addr
	Other     netip.Addr // of the other reading, where Ambiguous
	User      string     // foreign text
	Why       string     // where it did not match
	AddrAt    Span       // in the line
	UserAt    Span       // in the line
}

// A Span is a part of a line in bytes; empty where there is none.
type Span struct{ From, To int }

// Trace holds a line against every rule of the set, and says of each what came
// of it, sorted by name. It is slow.
func (s *Set) Trace(l *record.Line) []Tried {
	readers := s.reading(l)
	s.scratch.reset()
	var all []Tried
	for _, r := range s.rules {
		if r.program != nil && !readers.group.has(r) {
			all = append(all, Tried{Rule: r.name, Why: "it reads the lines of " + r.program.pattern})
			continue
		}
		all = append(all, s.tried(r, l))
	}
	return all
}

func (s *Set) tried(r *rule, l *record.Line) Tried {
	text := s.scratch.text(r.program != nil, l)
	v := &verdict{why: r.sift(text.bytes)}
	if v.why == 0 {
		v = s.try(r, text)
	}
	t := Tried{Rule: r.name, Matched: v.matched, Ambiguous: v.ambiguous, TimedOut: v.timedOut,
		Addr: v.addr, Other: v.other, User: v.user, Why: r.why(v.why)}
	if !v.matched || !v.addr.IsValid() {
		t.Matched = false
		return t
	}
	base := max(bytes.LastIndex(l.Raw, text.bytes), 0)
	t.AddrAt = Span{base + v.at.start, base + v.at.end}
	if v.userAt[0] >= 0 {
		t.UserAt = Span{base + text.offset(v.at, v.userAt[0]), base + text.offset(v.at, v.userAt[1])}
	}
	return t
}

// why says in words why the rule blames nobody.
func (r *rule) why(m miss) string {
	switch m {
	case tooLong:
		return fmt.Sprintf("the line is longer than %d bytes", maxText)
	case noHead:
		return fmt.Sprintf("the text does not begin with %s", quoted(r.heads))
	case noLiteral:
		return fmt.Sprintf("%q is not in the text", r.literal)
	case noPattern:
		return "the pattern does not compile"
	case noAddress:
		return "there is no address in the text"
	case noMatch:
		return "the pattern does not match"
	case tooSlow:
		return "it took too long"
	case perhapsCut:
		return "a line of this length may have been cut, and the address is pinned to its end"
	case twoWays:
		return "the line can be read in two ways"
	}
	return ""
}

func quoted(all []string) string {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = strconv.Quote(s)
	}
	return strings.Join(words, " or ")
}

// offset returns where in the text's bytes a rune stands, counted with
// hostRune in the place of the address at p.
func (t *text) offset(p *reading, n int) int {
	if n > p.from {
		n += p.to - p.from - 1
	}
	at := 0
	for ; n > 0 && at < len(t.bytes); n-- {
		_, size := utf8.DecodeRune(t.bytes[at:])
		at += size
	}
	return at
}
