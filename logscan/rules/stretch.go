package rules

import "encoding/binary"

// Lines of one program begin alike: a stamp, in which only digits differ, the
// host's name, the program's. So for each program the way of the automaton
// through the latest such beginning is kept, and eight bytes are one step. In a
// log of many programs a line of which no pattern for whole lines can be is
// dropped in five steps in place of thirty; and so are many messages
// (BenchmarkQuiet).

// maxStretch is how many steps of eight bytes are kept: up to behind the
// program's name, with the longest stamp, and a host's name of some length.
const maxStretch = 8

// A stretch is a way that the automaton has gone from its first state.
type stretch struct {
	eights []eight
	round  int  // of the sieve: its states have other numbers in the next
	drops  bool // what begins so is no rule's
	credit int
}

// An eight is its way through eight bytes, or less where it ends there.
type eight struct {
	text   uint64 // of those of the bytes that matter
	mask   uint64 // the bits of them that do
	digits uint64 // the lower halves of those for which any digit will do
	to     int32  // as in steps of a sieve
}

// What it costs to note a stretch, in lines that went along one: where each line
// begins in a way of its own, it is seldom tried. The first ones are on credit.
const (
	stretchCost   = 16
	firstCredit   = 8 * stretchCost
	highestCredit = 64 * stretchCost
)

// What a digit and six make is less than sixteen, for eight bytes at a time.
const sixes, tens = 0x0606060606060606, 0x1010101010101010

// whole tells whether b begins as all of the stretch does. Most texts do, so it
// looks at all of it, and decides once.
func (k *stretch) whole(s *sieve, b []byte) bool {
	if k.round != s.rounds || len(k.eights) == 0 {
		return false
	}
	differ := uint64(0)
	for i := range k.eights {
		if len(b) < 8 {
			return false
		}
		e, x := &k.eights[i], binary.LittleEndian.Uint64(b)
		differ |= (x^e.text)&e.mask | (x&e.digits+sixes)&tens
		b = b[8:]
	}
	if differ != 0 {
		return false
	}
	if k.credit < highestCredit {
		k.credit++
	}
	return true
}

// along returns where the automaton is behind n bytes of b, as far as b begins
// as the stretch does.
func (k *stretch) along(s *sieve, b []byte) (at int32, n int) {
	at = int32(s.width * first)
	if k.round != s.rounds {
		return at, 0
	}
	for i := range k.eights {
		if len(b) < n+8 {
			break
		}
		e, x := &k.eights[i], binary.LittleEndian.Uint64(b[n:])
		if (x^e.text)&e.mask|(x&e.digits+sixes)&tens != 0 {
			break
		}
		at, n = e.to, n+8
	}
	return at, n
}

// note keeps the way through b.
func (k *stretch) note(s *sieve, b []byte) {
	k.credit -= stretchCost
	k.eights, k.round, k.drops = k.eights[:0], s.rounds, false
	at := int32(s.width * first)
	for n := 0; n+8 <= len(b) && n < 8*maxStretch && !ended(at); n += 8 {
		var e eight
		for i := 0; i < 8 && !ended(at); i++ {
			c := b[n+i]
			any := c >= '0' && c <= '9' && s.sameForDigits(at)
			if s.rounds == k.round {
				at = s.along(int(at), b[n+i:n+i+1])
			}
			if s.rounds != k.round { // its states are not these any more
				k.eights = k.eights[:0]
				return
			}
			e.add(c, 8*i, any)
		}
		e.to = at
		k.eights = append(k.eights, e)
	}
	k.drops = at == nowhere
}

// add takes a byte in; any: each digit will do in its place.
func (e *eight) add(c byte, shift int, any bool) {
	if any {
		e.digits |= 0x0f << shift
		e.mask |= 0xf0 << shift
		e.text |= '0' << shift
		return
	}
	e.mask |= 0xff << shift
	e.text |= uint64(c) << shift
}

// sameForDigits tells whether all digits lead to one state. It does not where one
// of them begins a round: at is the number of a state no more.
func (s *sieve) sameForDigits(at int32) bool {
	rounds, to := s.rounds, int32(unknown)
	for c := byte('0'); c <= '9'; c++ {
		next := s.along(int(at), []byte{c})
		if s.rounds != rounds || next != to && c > '0' {
			return false
		}
		to = next
	}
	return true
}

// Messages of one program begin in different ways: they are told apart by eight
// bytes behind their first four, which are often a word of several messages'.
const (
	likeFrom = 4
	likeSize = likeFrom + 8
	likeBits = 6
)

// likeHash returns a number for the beginning of a message, without regard to
// digits.
func likeHash(b []byte) uint {
	const ones = 0x0101010101010101
	x := binary.LittleEndian.Uint64(b[likeFrom:])
	letters := x >> 6 & ones * 0xff // those with the bit that digits and signs have not
	return uint(x&(letters|0x30*ones)*0x9e3779b97f4a7c15>>(64-likeBits)) % (1 << likeBits)
}
