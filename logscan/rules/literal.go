package rules

import (
	"slices"
	"strings"
)

// maxHeads is how many beginnings of a pattern are told apart; more would
// cost a line more than they save.
const maxHeads = 16

// heads returns texts of which every match begins with one, for a pattern
// that begins where the text does; nil where it may begin with anything.
func heads(tree *node, begins bool) []string {
	if !begins && (tree.kind != kCat || len(tree.subs) == 0 || tree.subs[0].kind != kBegin) {
		return nil
	}
	all, _ := begin(tree, []string{""})
	slices.Sort(all)
	all = slices.Compact(all)
	var short []string // one that begins with another says no more than that
	for _, s := range all {
		if s == "" {
			return nil
		}
		if len(short) == 0 || !strings.HasPrefix(s, short[len(short)-1]) {
			short = append(short, s)
		}
	}
	return short
}

// begin appends what n may begin with to each of the texts in front of it.
// It is closed, false, where more may follow that is not told.
func begin(n *node, front []string) (all []string, open bool) {
	switch n.kind {
	case kLit:
		return follow(front, string(n.lit)), true
	case kSet:
		chars := few(n.set)
		if chars == "" || len(chars)*len(front) > maxHeads {
			return front, false
		}
		for _, c := range chars {
			all = append(all, follow(front, string(c))...)
		}
		return all, true
	case kCat:
		for _, s := range n.subs {
			if front, open = begin(s, front); !open {
				return front, false
			}
		}
		return front, true
	case kGroup:
		return begin(n.subs[0], front)
	case kAlt:
		return either(n.subs, front)
	case kRepeat:
		if n.min == 0 && n.max == 1 {
			return either([]*node{n.subs[0], {kind: kCat}}, front)
		}
		if n.min > 0 {
			all, _ = begin(n.subs[0], front)
			return all, false
		}
		return front, false
	case kBegin, kEnd, kZero, kLook: // they take no character
		return front, true
	}
	return front, false
}

func either(subs []*node, front []string) (all []string, open bool) {
	open = true
	for _, s := range subs {
		more, o := begin(s, front)
		all, open = append(all, more...), open && o
	}
	if len(all) > maxHeads {
		return front, false
	}
	return all, open
}

func follow(front []string, s string) []string {
	all := make([]string, len(front))
	for i, f := range front {
		all[i] = f + s
	}
	return all
}

// few returns the characters of a small set.
func few(s charset) string {
	var b strings.Builder
	for r := rune(0); r < 128; r++ {
		if s.has(r) {
			b.WriteRune(r)
		}
	}
	if s.other || b.Len() > 3 {
		return ""
	}
	return b.String()
}

// literal returns the longest text that every match has in it.
func literal(tree *node) string {
	var r runs
	r.walk(tree)
	r.cut()
	return r.longest
}

// runs collects the literal runs that a pattern cannot do without.
type runs struct {
	run     strings.Builder
	longest string
}

// cut ends the present run.
func (r *runs) cut() {
	if r.run.Len() > len(r.longest) {
		r.longest = r.run.String()
	}
	r.run.Reset()
}

func (r *runs) walk(n *node) {
	switch n.kind {
	case kLit:
		r.run.WriteRune(n.lit)
	case kCat:
		for _, s := range n.subs {
			r.walk(s)
		}
	case kGroup:
		r.walk(n.subs[0])
	case kBegin, kEnd, kZero, kLook: // they take no character
	case kRepeat:
		r.cut()
		if n.min > 0 {
			r.walk(n.subs[0])
			r.cut()
		}
	default:
		r.cut()
	}
}

// beside returns the literal text that stands directly on either side of
// every {HOST_IP}; empty where there is none, or not the same.
func beside(tree *node) (before, after string) {
	var befores, afters []string
	neighbours(tree, "", "", func(b, a string) {
		befores, afters = append(befores, b), append(afters, a)
	})
	for i := range befores {
		if i == 0 {
			before, after = befores[0], afters[0]
		}
		for !strings.HasSuffix(befores[i], before) {
			before = before[1:]
		}
		for !strings.HasPrefix(afters[i], after) {
			after = after[:len(after)-1]
		}
	}
	return before, after
}

// neighbours yields the literal text on either side of each {HOST_IP} in n,
// where before and after are what stands on either side of n.
func neighbours(n *node, before, after string, yield func(before, after string)) {
	switch n.kind {
	case kHost:
		yield(before, after)
	case kCat:
		for i, s := range n.subs {
			neighbours(s, lits(n.subs[:i], before, true), lits(n.subs[i+1:], after, false), yield)
		}
	case kAlt, kGroup:
		for _, s := range n.subs {
			neighbours(s, before, after, yield)
		}
	case kRepeat, kLook:
		neighbours(n.subs[0], "", "", yield)
	}
}

// lits returns the literal text at the end of nodes, or at their beginning,
// with what stands beyond where they are literal throughout.
func lits(nodes []*node, beyond string, end bool) string {
	var text string
	for i := range nodes {
		n := nodes[i]
		if end {
			n = nodes[len(nodes)-1-i]
		}
		if n.kind != kLit {
			return text
		}
		if end {
			text = string(n.lit) + text
		} else {
			text += string(n.lit)
		}
	}
	if end {
		return beyond + text
	}
	return text + beyond
}
