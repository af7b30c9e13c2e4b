package rules

import (
	"slices"
	"strings"
)

// A net is what the patterns of several rules can have one after the other:
// places in a text, each before a byte or done. Of a pattern it keeps what
// tells lines apart by their beginnings, and is more generous in the rest.
// Look-around takes no character and is passed over, so is the end of the text;
// an address is any run of what addresses are made of; a set takes every
// character beyond ASCII, and each byte of it; behind a repetition of nearly
// anything, such as ".*", a pattern is done.
type net struct {
	places []place
	starts []int32
	sets   []byteSet
	width  int        // kinds of bytes: those of a kind are in the same sets
	kinds  [256]uint8 // of a byte
	names  bool       // a host name may stand where {HOST_IP} does
	rule   uint32     // that is being added

	round []int32 // by place: the latest reach that has come by
	now   int32
	found []int32
	next  []int32
	todo  []int32
}

type byteSet [4]uint64

func (s *byteSet) add(from, to int) {
	for c := from; c <= to; c++ {
		s[c>>6] |= 1 << (c & 63)
	}
}

func (s *byteSet) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }

// A place is where a pattern can be.
type place struct {
	to   int32  // of atByte: behind it; of atFork: one way
	or   int32  // of atFork: the other
	rule uint32 // there may be more than 65,536
	set  uint16 // of atByte: index in sets
	op   placeOp
}

type placeOp uint8

const (
	atByte placeOp = iota
	atFork
	atDone
)

// maxCopies is how often a repetition is written out; one that is counted
// further is taken for one without end.
const maxCopies = 8

func (n *net) build(rules []*rule, names bool) {
	n.names = names
	n.places = make([]place, 0, 128*len(rules))
	for i, r := range rules {
		n.rule = uint32(i)
		done := n.add(place{op: atDone})
		tree, _, err := parse(strings.ReplaceAll(r.source, hostGroup, keyHost))
		if err != nil || !startsAtBegin(tree) { // beyond the parser, or anywhere in the text
			n.starts = append(n.starts, done)
			continue
		}
		n.starts = append(n.starts, n.of(tree, done))
	}
	n.round = make([]int32, len(n.places))
	n.sortBytes()
}

func (n *net) add(p place) int32 {
	p.rule = n.rule
	n.places = append(n.places, p)
	return int32(len(n.places) - 1)
}

// of adds a node of a pattern in front of the place to.
func (n *net) of(t *node, to int32) int32 {
	switch t.kind {
	case kLit, kSet:
		return n.one(t, to)
	case kHost:
		return n.host(to)
	case kCat:
		last := slices.IndexFunc(t.subs, endsHere)
		if last < 0 {
			last = len(t.subs) - 1
		}
		for i := last; i >= 0; i-- {
			to = n.of(t.subs[i], to)
		}
		return to
	case kAlt:
		at := n.of(t.subs[len(t.subs)-1], to)
		for i := len(t.subs) - 2; i >= 0; i-- {
			at = n.add(place{op: atFork, to: n.of(t.subs[i], to), or: at})
		}
		return at
	case kGroup:
		return n.of(t.subs[0], to)
	case kRepeat:
		return n.repeat(t, to)
	}
	return to // kBegin, kEnd, kZero, kLook
}

// one adds a character.
func (n *net) one(t *node, to int32) int32 {
	var s byteSet
	if t.kind == kLit && t.lit < 0x80 {
		s.add(int(t.lit), int(t.lit))
		return n.add(place{set: n.set(s), to: to})
	}
	if t.kind == kSet {
		s[0], s[1] = t.set.ascii[0], t.set.ascii[1]
	}
	s.add('\n', '\n') // patterns see it as a character beyond ASCII
	s.add('\r', '\r')
	s[2], s[3] = ^uint64(0), ^uint64(0)
	high := byteSet{2: ^uint64(0), 3: ^uint64(0)} // beyond ASCII
	more := n.add(place{op: atFork, to: to})
	n.places[more].or = n.add(place{set: n.set(high), to: more})
	return n.add(place{set: n.set(s), to: more})
}

// host adds an address.
func (n *net) host(to int32) int32 {
	var first, more byteSet
	for c := range 0x80 {
		b := byte(c)
		if class[b]&inAddr != 0 || n.names && class[b]&inWord != 0 {
			first.add(c, c)
		}
		if class[b] != 0 || b == '%' || b == '-' {
			more.add(c, c)
		}
	}
	loop := n.add(place{op: atFork, to: to})
	n.places[loop].or = n.add(place{set: n.set(more), to: loop})
	return n.add(place{set: n.set(first), to: loop})
}

func (n *net) repeat(t *node, to int32) int32 {
	if endsHere(t) {
		to = n.add(place{op: atDone})
	} else if t.max < 0 || t.max > maxCopies {
		loop := n.add(place{op: atFork, to: to})
		or := n.of(t.subs[0], loop) // adds places: not in one line with the next
		n.places[loop].or = or
		to = loop
	} else {
		end := to
		for range t.max - t.min {
			to = n.add(place{op: atFork, to: n.of(t.subs[0], to), or: end})
		}
	}
	for range min(t.min, maxCopies) {
		to = n.of(t.subs[0], to)
	}
	return to
}

// endsHere tells whether a node repeats nearly anything: a pattern is not
// followed beyond.
func endsHere(t *node) bool {
	if t.kind != kRepeat || t.max >= 0 && t.max <= maxCopies {
		return false
	}
	s, ok := single(t.subs[0])
	few := 0
	for c := range rune(0x80) {
		if !s.has(c) {
			few++
		}
	}
	return ok && few < 16
}

func (n *net) set(s byteSet) uint16 {
	i := slices.Index(n.sets, s)
	if i < 0 {
		i = len(n.sets)
		n.sets = append(n.sets, s)
	}
	return uint16(i)
}

// sortBytes finds the kinds of bytes.
func (n *net) sortBytes() {
	kinds := map[string]uint8{}
	in := make([]byte, len(n.sets))
	for c := range 256 {
		for i := range n.sets {
			in[i] = 0
			if n.sets[i].has(byte(c)) {
				in[i] = 1
			}
		}
		k, ok := kinds[string(in)]
		if !ok {
			k = uint8(len(kinds))
			kinds[string(in)] = k
		}
		n.kinds[c] = k
	}
	n.width = len(kinds)
}

// after returns the places behind byte c of those at which it can stand. One
// that is done stays so.
func (n *net) after(places []int32, c byte) []int32 {
	n.next = n.next[:0]
	for _, i := range places {
		if p := &n.places[i]; p.op == atDone {
			n.next = append(n.next, i)
		} else if n.sets[p.set].has(c) {
			n.next = append(n.next, p.to)
		}
	}
	return n.next
}

// reach returns the places to which forks lead from those in from, and those
// of them that are no forks.
func (n *net) reach(from []int32) []int32 {
	n.now++
	n.found = n.found[:0]
	todo := append(n.todo[:0], from...)
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if n.round[i] == n.now {
			continue
		}
		n.round[i] = n.now
		if p := &n.places[i]; p.op == atFork {
			todo = append(todo, p.to, p.or)
		} else {
			n.found = append(n.found, i)
		}
	}
	n.todo = todo
	return n.found
}
