package blockers

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A chainHeld is one family's filter table as "iptables -S" printed it.
type chainHeld struct {
	*chain
	lines  []string // of the table, without our chain's rules
	list   []entry
	exists bool // our chain is there
	broken bool // it holds what is not ours, a rule twice, or half of an address's rules
}

func (h *chainHeld) entries() []entry { return h.list }

func (h *chainHeld) faults() []string {
	var list []string
	switch {
	case !h.exists:
		list = append(list, fmt.Sprintf("%s: chain %s is not there", h.title(), h.to))
	case h.broken:
		list = append(list, fmt.Sprintf("%s: chain %s was changed by somebody", h.title(), h.to))
	}
	return append(list, h.jumps.faults(h.title(), h.lines)...)
}

// notes warns of a chain that is too long, also where it is about to become
// so.
func (h *chainHeld) notes(want []entry) []string {
	notes := h.jumps.notes(h.title(), h.lines)
	if n := max(len(h.list), len(want)); n > slowChain {
		notes = append(notes, fmt.Sprintf("%s: %d addresses in one chain slow every packet down; the blockers nftables and ipset do not", h.title(), n))
	}
	return notes
}

// A chainReader reads the output of -S: one line for each policy (-P), chain
// (-N) and rule (-A). The rules of an address mostly stand together and in
// order, as we wrote them: then nothing has to be looked up, and as long as
// they are those of want, the list is the beginning of want itself. Pages that
// are not touched are the better part of what a reader of 10,000 costs
// (BenchmarkChain).
type chainReader struct {
	*chainHeld
	ours    string  // how the rules of our chain begin
	want    []entry // what is probably there; never written to
	shared  bool    // the list is the beginning of want
	rules   []uint8 // which of its rules an entry of the list has, as bits
	foreign bool
	apart   bool // the list is not in order: an entry may be there twice
}

func (c *chain) reader(want []entry) *chainReader {
	return &chainReader{chainHeld: &chainHeld{chain: c, broken: true}, ours: "-A " + c.to + " ", want: want, shared: true}
}

func (r *chainReader) take(line string) {
	rule, ok := strings.CutPrefix(line, r.ours)
	if !ok {
		r.exists = r.exists || line == "-N "+r.to
		r.lines = append(r.lines, strings.Clone(line))
		return
	}
	e, bit, ok := r.parseRule(rule)
	if !ok {
		r.foreign = true
		return
	}
	n := len(r.list)
	if r.shared && n < len(r.want) && same(r.want[n], e) {
		r.list, r.rules = r.want[:n+1:n+1], append(r.rules, bit) // whoever appends to the list copies it
		return
	}
	r.place(e, bit)
}

// place adds a rule of an entry that is not the next one wanted.
func (r *chainReader) place(e entry, bit uint8) {
	n := len(r.list)
	if n > 0 {
		c := compareEntries(r.list[n-1], e)
		if c == 0 {
			r.merge(n-1, bit)
			return
		}
		r.apart = r.apart || c > 0
	}
	r.shared = false
	if n == cap(r.list) { // doubled: append grows long slices by a quarter, and copies each entry four times
		r.list, r.rules = slices.Grow(r.list, n+64), slices.Grow(r.rules, n+64)
	}
	r.list, r.rules = append(r.list, e), append(r.rules, bit)
}

// merge adds rules to an entry's; one that is there already is not ours.
func (r *chainReader) merge(i int, bits uint8) {
	r.foreign = r.foreign || r.rules[i]&bits != 0
	r.rules[i] |= bits
}

// end returns what was read.
func (r *chainReader) end() (*chainHeld, error) {
	if !slices.ContainsFunc(r.lines, func(s string) bool { return strings.HasPrefix(s, "-P ") }) {
		return nil, &toolError{tool: r.title(), cause: errNoTable.Error(), words: strings.Join(r.lines, "\n"), cure: "see what it prints for -S"}
	}
	if r.apart {
		r.gather()
	}
	known := len(r.list)
	r.dropHalf()
	r.broken = r.foreign || !r.exists || len(r.list) < known
	return r.chainHeld, nil
}

// dropHalf keeps the entries that have all their rules: as a rule every one.
func (r *chainReader) dropHalf() {
	whole := func(i int) bool { return r.rules[i]+1 == 1<<len(r.targetsFor(r.list[i].part)) }
	n := 0
	for n < len(r.list) && whole(n) {
		n++
	}
	if n == len(r.list) {
		return
	}
	list := slices.Clone(r.list[:n])
	for i := n; i < len(r.list); i++ {
		if whole(i) {
			list = append(list, r.list[i])
		}
	}
	r.list = list
}

// gather puts the rules of each entry together where they stand apart: never
// in a list that is part of want, which is in order.
func (r *chainReader) gather() {
	list, rules := r.list, r.rules
	places := newIndex(list)
	r.list, r.rules = list[:0], rules[:0]
	for i, e := range list {
		if first := places.find(e); first >= 0 {
			r.merge(first, rules[i])
			continue
		}
		r.list, r.rules = append(r.list, e), append(r.rules, rules[i])
		places.add(len(r.list) - 1)
	}
}

// parseRule reads one rule of our chain, "-s 192.0.2.1/32 -j DROP"; bit tells
// which of the rules of its entry it is.
func (c *chain) parseRule(rule string) (e entry, bit uint8, ok bool) {
	source, ok := strings.CutPrefix(rule, "-s ")
	if !ok {
		return e, 0, false
	}
	source, rest, _ := strings.Cut(source, " ")
	if e.net, ok = c.parseNet(source); !ok {
		return e, 0, false
	}
	if port, ok := strings.CutPrefix(rest, "-p tcp -m tcp --dport "); ok {
		e.part, _, _ = strings.Cut(port, " ")
		if !validPort(e.part) {
			return e, 0, false
		}
	}
	i := slices.Index(c.targetsFor(e.part), rest)
	return e, 1 << max(i, 0), i >= 0
}

// parseNet reads the source of a rule: no host bits, and of the chain's family.
// Nearly all are single addresses, which half of the steps are enough for.
func (c *chain) parseNet(source string) (p netip.Prefix, ok bool) {
	if addr, single := strings.CutSuffix(source, c.bits()); single {
		a, err := netip.ParseAddr(addr)
		return netip.PrefixFrom(a, a.BitLen()), err == nil && a.Is4() == (c.family == 4) && a.Zone() == ""
	}
	p, err := netip.ParsePrefix(source)
	return p, err == nil && p == p.Masked() && family(p) == c.family
}

func validPort(s string) bool {
	return len(s) > 0 && len(s) <= 5 && s[0] != '0' && strings.Trim(s, "0123456789") == "" && (len(s) < 5 || s <= "65535")
}
