package rules

import "bytes"

// A must is texts of which every match of a pattern has one. A rule that did not
// match the text before mostly does not match this one either, and to look for
// the must costs a tenth of what it takes to find out with the pattern
// (BenchmarkQuiet).
type must [][]byte

// maxMust is how many texts are worth looking for.
const maxMust = 4

// shortestMust is how many bytes a text has that is not in every other line.
const shortestMust = 3

// in tells whether one of the texts is in b; true where there are none.
func (m must) in(b []byte) bool {
	for _, text := range m {
		if bytes.Contains(b, text) {
			return true
		}
	}
	return len(m) == 0
}

// mustOf returns the last of what every match has: the automaton has seen how the
// text begins.
func mustOf(n *node) (last must) {
	switch n.kind {
	case kLit:
		return mustOf(&node{kind: kCat, subs: []*node{n}})
	case kCat:
		return mustOfAll(n.subs)
	case kAlt:
		for _, s := range n.subs {
			one := mustOf(s)
			if last = append(last, one...); one == nil || len(last) > maxMust {
				return nil
			}
		}
		return last
	case kGroup:
		return mustOf(n.subs[0])
	case kRepeat:
		if n.min > 0 {
			return mustOf(n.subs[0])
		}
	case kLook:
		if n.ahead && !n.not {
			return mustOf(n.subs[0])
		}
	}
	return nil
}

// mustOfAll is mustOf for nodes one behind the other.
func mustOfAll(nodes []*node) (last must) {
	var text []byte
	for _, s := range nodes {
		if s.kind == kLit && s.lit < 0x80 {
			if text = append(text, byte(s.lit)); len(text) >= shortestMust {
				last = must{text}
			}
			continue
		}
		text = nil
		if s.kind != kLit {
			if m := mustOf(s); m != nil {
				last = m
			}
		}
	}
	return last
}
