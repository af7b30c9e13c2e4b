package rules

// A choice of many words, as the agents of scanners are, costs a try of each on
// every line of an access log. So it is made a table: for each byte, the ways
// that can begin with it.

// fewWays is up to how many ways are simply tried.
const fewWays = 3

// branches are the ways of a choice by the character at which they begin, in
// their order; the last one is for the address, and for no character of ASCII.
type branches [0x80 + 1][]uint8

// branchesOf returns nil where there are few ways, or where one of them may
// take no character at all.
func branchesOf(ways []*node) *branches {
	if len(ways) <= fewWays || len(ways) > 0xff {
		return nil
	}
	var all branches
	for i, w := range ways {
		f, more := firstOf(w)
		if more {
			return nil
		}
		for c := range rune(0x80) {
			if f.set.has(c) {
				all[c] = append(all[c], uint8(i))
			}
		}
		if f.host || f.set.other {
			all[0x80] = append(all[0x80], uint8(i))
		}
	}
	return &all
}

// A beginning is the characters that can come first.
type beginning struct {
	set  charset
	host bool // the address, too
}

func (b *beginning) join(o beginning) {
	b.set.join(o.set)
	b.host = b.host || o.host
}

// firstOf returns what a node begins with; more where it may match without
// taking a character, so that what follows can come first, too.
func firstOf(n *node) (b beginning, more bool) {
	switch n.kind {
	case kLit:
		b.set.add(n.lit, n.lit)
		return b, false
	case kSet:
		return beginning{set: n.set}, false
	case kHost:
		return beginning{host: true}, false
	case kGroup:
		return firstOf(n.subs[0])
	case kRepeat:
		b, more = firstOf(n.subs[0])
		return b, more || n.min == 0
	case kCat:
		for _, s := range n.subs {
			f, goesOn := firstOf(s)
			if b.join(f); !goesOn {
				return b, false
			}
		}
		return b, true
	case kAlt:
		for _, s := range n.subs {
			f, goesOn := firstOf(s)
			b.join(f)
			more = more || goesOn
		}
		return b, more
	}
	return b, true // kBegin, kEnd, kZero, kLook
}

// branch writes a choice with its table.
func (c *fastCompiler) branch(ways []*node, table *branches) {
	at := c.add(instruction{op: opBranch, table: table, ways: make([]int, len(ways))})
	var ends []int
	for i, w := range ways {
		if c.failed {
			return
		}
		c.code[at].ways[i] = len(c.code)
		if c.emit(w); i < len(ways)-1 {
			ends = append(ends, c.add(instruction{op: opJump}))
		}
	}
	for _, e := range ends {
		if !c.failed {
			c.code[e].to = len(c.code)
		}
	}
}

// branch returns where the first way begins that can do so at a place, and
// notes the others; false where there is none.
func (m *machine) branch(in *instruction, at int) (pc int, ok bool) {
	if at == len(m.text) {
		return 0, false
	}
	c := m.text[at]
	if at == m.host.start {
		c = 0x80
	}
	ways := in.table[c]
	for i := len(ways) - 1; i > 0; i-- {
		m.stack = append(m.stack, way{pc: in.ways[ways[i]], at: at, low: -1, user: m.user})
	}
	if len(ways) == 0 {
		return 0, false
	}
	return in.ways[ways[0]], true
}
