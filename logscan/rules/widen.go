package rules

import (
	"slices"
	"strings"
)

// widen rewrites a pattern so that it takes anything where a word stands: each
// repetition that is more than a number becomes .*, and what looks around or
// is never taken back goes. Lint takes [\w.-]+ for a word of the daemon's; in a
// local rule it may well be a user name, and a client's user name with a blank
// in it then keeps the pattern from the true address, but not the wide one.
// Authors of shipped rules have to know, and are spared the cost.
func widen(pattern string) (string, error) {
	s, err := cutPrefix(pattern)
	if err != nil {
		return "", err
	}
	tree, _, err := parse(s.body)
	if err != nil {
		return "", err
	}
	w := widener{body: s.body}
	w.walk(tree)
	if s.prefixed {
		return "^(?:" + w.out.String() + ")", nil
	}
	return w.out.String(), nil
}

type widener struct {
	body string
	out  strings.Builder
	took bool // something that takes characters was walked
	wild bool // .* was written last
}

func (w *widener) write(s string) {
	w.out.WriteString(s)
	w.took, w.wild = w.took || s != "", w.wild && s == ""
}

func (w *widener) walk(n *node) {
	switch {
	case n.kind == kHost:
		w.write(hostGroup)
	case n.kind == kBegin:
		w.out.WriteString(w.body[n.pos:n.end])
	case n.kind == kLook && n.ahead && !w.took: // it judges the line, not a reading
		w.out.WriteString(w.body[n.pos:n.end])
	case n.kind == kLook || n.kind == kZero:
	case n.kind != kCat && wordy(n) && !blames(n):
		if !w.wild {
			w.write(".*")
		}
		w.wild = true
	case n.subs == nil:
		w.write(w.body[n.pos:n.end])
	default:
		w.parts(n)
	}
}

// wordy reports whether n can repeat more than a number.
func wordy(n *node) bool {
	if n.kind == kRepeat && n.max != 1 && !alphabet(n.subs[0]).numeric() {
		return true
	}
	return n.kind != kLook && slices.ContainsFunc(n.subs, wordy)
}

// parts writes n's parts, and what stands before, between and behind them.
func (w *widener) parts(n *node) {
	from, end := n.pos, n.end
	if n.kind == kRepeat && n.atomic { // possessive: the + at its end
		end--
	}
	for _, s := range n.subs {
		gap := strings.Replace(w.body[from:s.pos], "(?P<", "(?<", 1)
		if n.kind == kGroup && n.atomic {
			gap = "(?:"
		}
		w.gap(gap)
		w.walk(s)
		from = s.end
	}
	w.gap(w.body[from:end])
}

// gap writes what groups and repeats: it takes no characters by itself, but
// keeps two .* apart.
func (w *widener) gap(s string) {
	took := w.took
	w.write(s)
	w.took = took
}
