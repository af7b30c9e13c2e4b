package expire

import (
	"net/netip"
	"slices"
	"sort"

	"blockhosts/internal/record"
)

// A kept is a list of the next state while it is made. As long as it goes on
// like that of the previous state, it is the beginning of that one: with
// 100,000 blocks of which none has changed, as in most runs, nothing is
// copied.
type kept[T any] struct {
	was []T
	n   int // of was, so far the same; while own is nil
	own []T
	new int // how many more than in was there may be
}

// add appends x, which same compares.
func (k *kept[T]) add(x *T, same func(a, b *T) bool) {
	if k.own == nil {
		if k.n < len(k.was) && same(&k.was[k.n], x) {
			k.n++
			return
		}
		k.own = append(make([]T, 0, len(k.was)+k.new), k.was[:k.n]...)
	}
	k.own = append(k.own, *x)
}

// list returns what was added: nil for nothing.
func (k *kept[T]) list() []T {
	switch {
	case k.own != nil:
		return k.own
	case k.n == 0:
		return nil
	}
	return k.was[:k.n:k.n]
}

// isWhole tells whether all that was added is the previous list.
func (k *kept[T]) isWhole() bool { return k.own == nil && k.n == len(k.was) }

// sort puts in order what was added. The previous list is in order already.
func (k *kept[T]) sort(order func(a, b T) int) {
	if k.own != nil && !slices.IsSortedFunc(k.own, order) {
		sort.Slice(k.own, func(i, j int) bool { return order(k.own[i], k.own[j]) < 0 })
	}
}

// seek finds key in a list that is in the order of byNet: its place, or where
// it belongs. Most questions come in order as well, so that the place of the
// one before, from, and the next are tried before a search.
func seek[T any](list []T, net func(*T) netip.Prefix, key netip.Prefix, from int) (int, bool) {
	low, high := 0, len(list)
	for at := from; at < min(from+2, high); at++ {
		switch c := byNet(net(&list[at]), key); {
		case c == 0:
			return at, true
		case c < 0:
			low = at + 1
		default:
			high = at
		}
	}
	for low < high {
		mid := int(uint(low+high) / 2)
		if byNet(net(&list[mid]), key) < 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(list) && byNet(net(&list[low]), key) == 0
}

func netOfHost(h *record.Host) netip.Prefix   { return h.Net }
func netOfBlock(b *record.Block) netip.Prefix { return b.Net }
func netOfPast(p *record.Past) netip.Prefix   { return p.Net }
