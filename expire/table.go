package expire

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"net/netip"
)

// A table finds places in a list by hash: open addressing, a power of two of
// cells of which at most half are in use. What a flood looks up is in the
// list, so that beside it a cell of four bytes is enough, and the table stays
// in the processor's cache where a map of Go's does not.
type table struct {
	cells []int32 // place + 1; 0: free
	used  int
	seed  uint64 // nobody may know which addresses share a cell
}

func newTable() table { return table{cells: make([]int32, 256), seed: rand.Uint64() | 1} }

// mix makes a hash of which every bit depends on all of a and b.
func (t *table) mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a^t.seed, b^0x9e3779b97f4a7c15)
	return high ^ low
}

func (t *table) hashAddr(a netip.Addr) uint64 {
	b := a.As16()
	return t.mix(binary.LittleEndian.Uint64(b[:]), bits.RotateLeft64(binary.LittleEndian.Uint64(b[8:])^t.seed, 32))
}

// cell returns the first cell to look at for hash; next the one after i.
func (t *table) cell(hash uint64) int { return int(hash) & (len(t.cells) - 1) }
func (t *table) next(i int) int       { return (i + 1) & (len(t.cells) - 1) }

// put adds a place that is not in t.
func (t *table) put(hash uint64, place int32) {
	i := t.cell(hash)
	for t.cells[i] != 0 {
		i = t.next(i)
	}
	t.cells[i] = place + 1
	t.used++
}

// isFull tells that there must be more cells before the next put.
func (t *table) isFull() bool { return 2*t.used >= len(t.cells) }

// clear empties t, with room for n.
func (t *table) clear(n int) {
	size := 256
	for size < 2*n+2 {
		size *= 2
	}
	if t.used = 0; size == len(t.cells) {
		clear(t.cells)
	} else {
		t.cells = make([]int32, size)
	}
}
