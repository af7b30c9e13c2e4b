package blockers

import (
	"fmt"
	"hash/maphash"
	"math/bits"
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// An entry is one thing that a table holds for us.
type entry struct {
	net  netip.Prefix
	part string // "" all traffic, "22" one TCP port, or for command a service

	target *Target // for command, not compared: what the entry was made of; nil where it was listed
}

// compareEntries orders entries. Their nets have no host bits, so that this
// need not mask them as netip.Prefix.Compare does, three times the cost.
func compareEntries(a, b entry) int {
	if c := a.net.Addr().Compare(b.net.Addr()); c != 0 {
		return c
	}
	if c := a.net.Bits() - b.net.Bits(); c != 0 {
		return c
	}
	return strings.Compare(a.part, b.part)
}

// family is 4 or 6.
func family(p netip.Prefix) int {
	if p.Addr().Is4() {
		return 4
	}
	return 6
}

// text writes the entry's net as every tool takes it: a plain address, or
// address/len.
func (e entry) text() string {
	var b strings.Builder
	e.write(&b)
	return b.String()
}

// write writes the entry's text, without a string of its own.
func (e entry) write(b *strings.Builder) {
	var text [64]byte
	if e.net.IsSingleIP() {
		b.Write(e.net.Addr().AppendTo(text[:0]))
	} else {
		b.Write(e.net.AppendTo(text[:0]))
	}
}

// entriesOf turns targets into sorted entries without duplicates. What cannot
// be an entry is named in warnings: it stops nothing else.
func entriesOf(want []Target, parts partsOf) (list []entry, warnings []string) {
	list = make([]entry, 0, len(want))
	for i := range want {
		t := &want[i]
		p, err := plain(t.Net)
		if err != nil {
			warnings = append(warnings, err.Error())
			continue
		}
		for _, part := range parts.of(t.Services) {
			list = append(list, entry{net: p, part: part, target: t})
		}
	}
	return sorted(list), warnings
}

// plain returns p masked and unmapped. Everybody at once is never blocked:
// that is a mistake somewhere, and locks the administrator out.
func plain(p netip.Prefix) (netip.Prefix, error) {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	if !p.IsValid() || p.Bits() == 0 {
		return p, fmt.Errorf("%s is no address to block: passed over", p)
	}
	return p.Masked(), nil
}

// sorted sorts entries and drops those that are there twice. Long lists mostly
// come in order: what slices.SortFunc is faster, a fifth, is not worth its 20 kB.
func sorted(list []entry) []entry {
	ready := true
	for i := 1; i < len(list) && ready; i++ {
		ready = compareEntries(list[i-1], list[i]) < 0
	}
	if ready {
		return list
	}
	sort.Slice(list, func(i, j int) bool { return compareEntries(list[i], list[j]) < 0 })
	return slices.CompactFunc(list, func(a, b entry) bool { return compareEntries(a, b) == 0 })
}

// A partsOf tells which parts of a host's traffic the services of a target
// stand for; nil means all of it.
type partsOf func(services []string) []string

func (f partsOf) of(services []string) []string {
	if f != nil {
		if parts := f(services); len(parts) > 0 {
			return parts
		}
	}
	return []string{""}
}

// byPort are the ports that services listen on. All traffic is meant where a
// service without known ports is among them.
func byPort(ports map[string][]int) partsOf {
	return func(services []string) (parts []string) {
		for _, s := range services {
			if len(ports[s]) == 0 {
				return nil
			}
			for _, n := range ports[s] {
				parts = append(parts, strconv.Itoa(n))
			}
		}
		return parts
	}
}

// byName are the services themselves.
func byName(services []string) []string { return services }

// difference returns what of want is not in have, and what of have is not in
// want, both sorted and without duplicates. Want is so too; have comes in any
// order: that of a hash set is looked up in an index of want, since sorting it
// takes longer than the kernel takes to list it (BenchmarkCompare).
func difference(have, want []entry) (add, del []entry) {
	if len(have) == 0 || len(have) <= len(want) && &have[0] == &want[0] { // a listing may be the beginning of want itself
		return want[len(have):], nil
	}
	found := make([]bool, len(want))
	next := 0 // where the following entry is if have is sorted
	var places index
	for _, e := range have {
		i := next
		if i >= len(want) || !same(want[i], e) {
			if places.slots == nil {
				places = indexOf(want)
			}
			i = places.find(e)
		}
		if i < 0 {
			del = append(del, e)
			continue
		}
		found[i], next = true, i+1
	}
	for i, ok := range found {
		if !ok {
			add = append(add, want[i])
		}
	}
	return add, sorted(del)
}

// same tells whether two entries are the same thing to hold.
func same(a, b entry) bool { return a.net == b.net && a.part == b.part }

// An index finds the place of an entry in a list: a hash table of places,
// without the pointers and the growing of a map, which costs three times as
// much (BenchmarkCompare). Its seed is not known outside, so that nobody can choose addresses
// that collide.
type index struct {
	list  []entry
	seed  maphash.Seed
	slots []int32 // place+1; 0 where there is none
}

// indexOf makes the index of a list, which has no entry twice.
func indexOf(list []entry) index {
	x := newIndex(list)
	for i := range list {
		x.add(i)
	}
	return x
}

func newIndex(list []entry) index {
	return index{list: list, seed: maphash.MakeSeed(), slots: make([]int32, 1<<bits.Len(uint(2*len(list))))}
}

// add adds the entry at a place of the list.
func (x *index) add(place int) {
	slot := x.slot(x.list[place])
	for x.slots[slot] != 0 {
		slot = x.after(slot)
	}
	x.slots[slot] = int32(place + 1)
}

// find returns the place of an entry, or -1.
func (x *index) find(e entry) int {
	for slot := x.slot(e); x.slots[slot] != 0; slot = x.after(slot) {
		if i := int(x.slots[slot]) - 1; same(x.list[i], e) {
			return i
		}
	}
	return -1
}

// slot is where an entry is looked for first.
func (x *index) slot(e entry) int {
	a := e.net.Addr().As16()
	return int(maphash.Bytes(x.seed, a[:])) & (len(x.slots) - 1)
}

func (x *index) after(slot int) int { return (slot + 1) & (len(x.slots) - 1) }

// distinct tells whether no entry is there twice.
func distinct(list []entry) bool {
	x := newIndex(list)
	for i, e := range list {
		if x.find(e) >= 0 {
			return false
		}
		x.add(i)
	}
	return true
}

// countNets counts the distinct nets of sorted entries.
func countNets(list []entry) int {
	n := 0
	for i, e := range list {
		if i == 0 || e.net != list[i-1].net {
			n++
		}
	}
	return n
}
