package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Hole is a part of a pattern in which a client could put an address of its
// own choice, so that what stands beyond it pins nothing.
type Hole struct {
	Column int    // in the pattern, in bytes, from 1; 0 where it is something missing
	Text   string // that part of the pattern; empty where it is something missing
	Why    string
}

func (h Hole) String() string {
	if h.Text == "" {
		return h.Why
	}
	return fmt.Sprintf("%.60q at byte %d %s", h.Text, h.Column, h.Why)
}

// Unpinned is the error of a rule whose address is pinned to neither end of
// the message: the hole nearest to {HOST_IP} on either side.
type Unpinned struct{ Left, Right Hole }

func (u *Unpinned) Error() string {
	return fmt.Sprintf("the address is not pinned to one end: on its left, %s; on its right, %s", u.Left, u.Right)
}

// Lint holds d's pattern against Promise 1: the address is pinned to one end
// of the message by text that a client cannot choose. It returns *Unpinned, or
// another error where the pattern cannot be judged; what it does not understand
// is refused. Unpinned of d is not looked at.
func Lint(d Def) error {
	s, err := cutPrefix(d.Pattern)
	if err != nil {
		return err
	}
	tree, _, err := parse(s.body)
	if err != nil {
		return fmt.Errorf("the pattern cannot be judged: %w", err)
	}
	if err := hosted(tree); err != nil {
		return err
	}
	l := linter{shape: s, between: d.Between}
	return l.check(tree, nil, nil)
}

// hosted refuses a pattern that can match without its {HOST_IP}.
func hosted(n *node) error {
	ever, always := hasHost(n)
	if !ever {
		return errors.New("the pattern has no {HOST_IP}")
	}
	if !always {
		return errors.New("the pattern can match without its {HOST_IP}, or repeats it")
	}
	return nil
}

// hasHost reports whether n can match an address, and whether it always does.
func hasHost(n *node) (ever, always bool) {
	always = n.kind == kAlt && len(n.subs) > 0
	for _, s := range n.subs {
		e, a := hasHost(s)
		ever = ever || e
		if n.kind == kAlt {
			always = always && a
		} else {
			always = always || a
		}
	}
	switch n.kind {
	case kHost:
		return true, true
	case kLook, kRepeat: // an address looked at, or taken several times, is not blamed
		return ever, false
	}
	return ever, always
}

func blames(n *node) bool {
	ever, _ := hasHost(n)
	return ever
}

type linter struct {
	shape
	between bool
	firm    bool // only what is surely no word of a client's pins
	front   bool // only what stands in front of the address pins it
}

// firm reports whether Lint, having passed a pattern, would do so if only
// literal text and numbers pinned an address.
func firm(d Def) bool {
	s, err := cutPrefix(d.Pattern)
	if err != nil {
		return false
	}
	tree, _, err := parse(s.body)
	l := linter{shape: s, firm: true}
	return err == nil && l.check(tree, nil, nil) == nil
}

// check judges every {HOST_IP} in n; left and right are what stands beside n.
func (l linter) check(n *node, left, right []*node) error {
	switch n.kind {
	case kHost:
		return l.judge(left, right)
	case kCat:
		at := slices.IndexFunc(n.subs, blames)
		if slices.ContainsFunc(n.subs[at+1:], blames) {
			return errors.New("the pattern has {HOST_IP} twice, and a text has one address to blame")
		}
		return l.check(n.subs[at], slices.Concat(left, n.subs[:at]), slices.Concat(n.subs[at+1:], right))
	case kAlt, kGroup:
		for _, s := range n.subs {
			if err := l.check(s, left, right); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l linter) judge(left, right []*node) error {
	u := &Unpinned{}
	var begins, ends bool
	left, begins = fromBegin(left, l.prefixed)
	right, ends = toEnd(right)
	if l.between {
		return l.whole(begins, ends, left, right)
	}
	for i := len(left) - 1; i >= 0 && u.Left.Why == ""; i-- {
		u.Left = l.hole(left[i])
	}
	if u.Left.Why == "" && !begins {
		u.Left.Why = "nothing holds the beginning (no ^)"
	}
	for i := 0; i < len(right) && u.Right.Why == ""; i++ {
		u.Right = l.hole(right[i])
	}
	if u.Right.Why == "" && !ends {
		u.Right.Why = "nothing holds the end (no $)"
	}
	if u.Left.Why == "" || u.Right.Why == "" && !l.front {
		return nil
	}
	return u
}

// fromBegin cuts off what stands in front of the last ^; the message of a rule
// with a prefix begins where its pattern does.
func fromBegin(left []*node, prefixed bool) ([]*node, bool) {
	for i := len(left) - 1; i >= 0; i-- {
		if left[i].kind == kBegin {
			return left[i+1:], true
		}
	}
	return left, prefixed
}

// toEnd cuts off what stands behind the first $.
func toEnd(right []*node) ([]*node, bool) {
	for i, n := range right {
		if n.kind == kEnd {
			return right[:i], true
		}
	}
	return right, false
}

// hole returns the first part of n that can hold a client's text.
func (l linter) hole(n *node) Hole {
	if n.kind == kGroup && n.user {
		return l.at(n, "is text of a client's")
	}
	if n.kind == kRepeat && n.max != 1 {
		s := alphabet(n.subs[0])
		if !s.narrow() || l.firm && !s.numeric() {
			return l.at(n, "may be text of a client's")
		}
	}
	for _, s := range n.subs {
		if h := l.hole(s); h.Why != "" && n.kind != kLook {
			return h
		}
	}
	return Hole{}
}

func (l linter) at(n *node, why string) Hole {
	return Hole{Column: n.pos + l.offset + 1, Text: l.body[n.pos:n.end], Why: why}
}

// alphabet is all the characters that n can take.
func alphabet(n *node) (s charset) {
	switch n.kind {
	case kLit:
		s.add(n.lit, n.lit)
	case kSet:
		return n.set
	case kHost:
		return anything
	}
	for _, sub := range n.subs {
		if n.kind != kLook {
			s.join(alphabet(sub))
		}
	}
	return s
}

// whole judges a rule that has clients' text on both sides: nothing in it may
// keep the true reading out.
func (l linter) whole(begins, ends bool, left, right []*node) error {
	if !begins || !ends {
		return errors.New(`"between" wants the pattern anchored at both ends, ^ and $`)
	}
	for len(left) > 0 && left[0].kind == kLook && left[0].ahead {
		left = left[1:] // it judges the line, not a reading
	}
	var holes []string
	for _, n := range append(left[:len(left):len(left)], right...) {
		if h := l.narrowing(n); h.Why != "" {
			holes = append(holes, h.String())
		}
	}
	if holes != nil {
		return fmt.Errorf(`"between" wants .* where a client's text can stand: %s`, strings.Join(holes, "; "))
	}
	return nil
}

// narrowing returns the first part of n that may keep the true reading out:
// a repetition that is neither .* nor narrow, a look-around, a choice that is
// not taken back.
func (l linter) narrowing(n *node) Hole {
	switch n.kind {
	case kLook, kZero, kBegin, kEnd:
		return l.at(n, "may keep the true address out")
	case kRepeat, kGroup:
		if n.atomic {
			return l.at(n, "is atomic and may keep the true address out")
		}
	}
	if n.kind == kRepeat && n.max != 1 {
		s := alphabet(n.subs[0])
		all := s == anything && n.min == 0 && n.max < 0
		if !all && !s.narrow() {
			return l.at(n, "may keep the true address out")
		}
		return Hole{}
	}
	for _, s := range n.subs {
		if h := l.narrowing(s); h.Why != "" {
			return h
		}
	}
	return Hole{}
}
