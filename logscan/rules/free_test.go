package rules

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"github.com/dlclark/regexp2/v2"
)

var forged = netip.MustParseAddr("192.0.2.66")

// free finds the free parts of a line by putting a group around each part of
// the pattern that can hold a client's text.
func free(d Def, s *Set, raw, line []byte) []Span {
	shape, err := cutPrefix(d.Pattern)
	if err != nil {
		panic(err)
	}
	tree, _, err := parse(shape.body)
	if err != nil {
		panic(err)
	}
	marked, n := grouped(shape.body, tree)
	marked = strings.ReplaceAll(strings.ReplaceAll(marked, "(?P<", "(?<"), keyHost, hostGroup)
	if shape.prefixed {
		marked = "^(?:" + marked + ")"
	}
	re := regexp2.MustCompile(marked)
	t := text{bytes: bytes.TrimRight(line, " \t\r\n\x00")}
	base := bytes.LastIndex(raw, t.bytes)
	var spans []Span
	for _, p := range t.addresses() {
		t.spell()
		runes := append(append(append([]rune{}, t.runes[:p.from]...), hostRune), t.runes[p.to:]...)
		m, err := re.FindRunesMatch(runes)
		if m == nil || err != nil || p.addr == forged { // the true reading tells what is free
			continue
		}
		for i := range n {
			g := m.GroupByName(fmt.Sprintf("free%d", i))
			if g == nil || len(g.Captures) == 0 {
				continue
			}
			spans = append(spans, Span{base + t.offset(&p, g.RuneIndex), base + t.offset(&p, g.RuneIndex+g.RuneLength)})
		}
		break
	}
	return spans
}

// grouped puts a group around each repetition that Lint would call a hole.
func grouped(body string, tree *node) (string, int) {
	var at []*node
	var find func(n *node)
	find = func(n *node) {
		if n.kind == kLook {
			return
		}
		if n.kind == kRepeat && n.max != 1 && !alphabet(n.subs[0]).narrow() {
			at = append(at, n)
			return
		}
		for _, s := range n.subs {
			find(s)
		}
	}
	find(tree)
	var b strings.Builder
	done := 0
	for i, n := range at {
		fmt.Fprintf(&b, "%s(?<free%d>%s)", body[done:n.pos], i, body[n.pos:n.end])
		done = n.end
	}
	return b.String() + body[done:], len(at)
}
