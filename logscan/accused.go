package logscan

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
)

// accused numbers blames in the order in which they are met.
// A flood brings hundreds of thousands of failures from thousands of addresses:
// what finds the number of one again has to stay in the processor's cache.
type accused struct {
	rulings []ruling
	v4      cells // the places of IPv4 addresses in few
	few     []numbers
	others  map[other]uint32 // numbers of what has no place in few
	next    uint32           // number

	addr netip.Addr // the one before, if it has a place in few
	at   uint32
}

// A ruling is what blames have in common that name different addresses.
type ruling struct{ rule, program string }

// maxRulings is how many rulings are told apart: more rules and programs than a log
// has, unless a local user makes programs up. Failures of others share nothing.
const maxRulings = 64

// numbers are those of one address's blames of the first rulings, +1; 0: not met.
type numbers [4]uint32

// An other is a blame that is found by all of it.
type other struct {
	addr   netip.Addr
	ruling int
}

// number returns the number of what a rule says of a program's lines about addr;
// fresh, where that is a new one. Without addr, where a host name stands for it,
// nothing is shared.
func (a *accused) number(addr netip.Addr, rule string, program []byte) (n uint32, fresh bool) {
	k := a.ruling(rule, program)
	if k < 0 || !addr.IsValid() {
		return a.add(), true
	}
	if k < len(numbers{}) && addr.Is4() {
		known := &a.few[a.place(addr)][k]
		if fresh = *known == 0; fresh {
			*known = a.add() + 1
		}
		return *known - 1, fresh
	}
	n, known := a.others[other{addr, k}]
	if known {
		return n, false
	}
	if a.others == nil {
		a.others = map[other]uint32{}
	}
	n = a.add()
	a.others[other{addr, k}] = n
	return n, true
}

func (a *accused) add() uint32 {
	a.next++
	return a.next - 1
}

// ruling returns the place in rulings, -1 where there are too many.
func (a *accused) ruling(rule string, program []byte) int {
	for i := range a.rulings {
		if k := &a.rulings[i]; k.rule == rule && k.program == string(program) {
			return i
		}
	}
	if len(a.rulings) == maxRulings {
		return -1
	}
	a.rulings = append(a.rulings, ruling{rule, string(program)})
	return len(a.rulings) - 1
}

// place returns that of an IPv4 address in few.
func (a *accused) place(addr netip.Addr) uint32 {
	if a.addr == addr {
		return a.at
	}
	b := addr.As4()
	at := a.v4.place(binary.BigEndian.Uint32(b[:]))
	if int(at) == len(a.few) {
		a.few = append(a.few, numbers{})
	}
	a.addr, a.at = addr, at
	return at
}

// cells number IPv4 addresses, by open addressing: of a flood's, one is found
// with one look at memory, a map of Go's takes three.
type cells struct {
	all  []cell // a power of two, half of them in use at most
	used uint32
	seed uint64 // nobody may know which addresses share a cell
}

type cell struct{ addr, place uint32 } // place + 1; 0: free

// place returns the number of an address; that of a new one is how many there
// were.
func (c *cells) place(addr uint32) uint32 {
	if 2*int(c.used) >= len(c.all) {
		c.grow()
	}
	at := c.find(addr)
	if at.place == 0 {
		c.used++
		*at = cell{addr, c.used}
	}
	return at.place - 1
}

// find returns the cell of an address, or the free one where it would be.
func (c *cells) find(addr uint32) *cell {
	mask := uint32(len(c.all) - 1)
	for i := uint32(uint64(addr)*c.seed>>32) & mask; ; i = (i + 1) & mask {
		if at := &c.all[i]; at.place == 0 || at.addr == addr {
			return at
		}
	}
}

func (c *cells) grow() {
	old := c.all
	if c.all = make([]cell, max(256, 2*len(old))); c.seed == 0 {
		c.seed = rand.Uint64() | 1
	}
	for _, o := range old {
		if o.place != 0 {
			*c.find(o.addr) = o
		}
	}
}
