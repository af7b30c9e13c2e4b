package rules

import "strings"

// literals returns the text that every match begins with, and the longest
// text that every match has in it; empty where there is none.
func literals(tree *node, begins bool) (prefix, longest string) {
	var c runs
	c.walk(tree)
	c.cut()
	atStart := begins || len(tree.subs) > 0 && tree.kind == kCat && tree.subs[0].kind == kBegin
	for i, s := range c.all {
		if i == 0 && atStart && c.leading {
			prefix = s
		}
		if len(s) > len(longest) {
			longest = s
		}
	}
	return prefix, longest
}

// runs collects the literal runs that a pattern cannot do without.
type runs struct {
	all     []string
	run     strings.Builder
	leading bool // the first run stands at the very beginning
	moved   bool // something that takes characters came before the present run
}

// cut ends the present run.
func (c *runs) cut() {
	if c.run.Len() > 0 {
		if len(c.all) == 0 {
			c.leading = !c.moved
		}
		c.all = append(c.all, c.run.String())
		c.run.Reset()
	}
	c.moved = true
}

func (c *runs) walk(n *node) {
	switch n.kind {
	case kLit:
		c.run.WriteRune(n.lit)
	case kCat:
		for _, s := range n.subs {
			c.walk(s)
		}
	case kGroup:
		c.walk(n.subs[0])
	case kBegin, kEnd, kZero, kLook: // they take no character
	case kRepeat:
		c.cut()
		if n.min > 0 {
			c.walk(n.subs[0])
			c.cut()
		}
	default:
		c.cut()
	}
}
