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
// order, as we wrote them: then nothing has to be looked up.
type chainReader struct {
	*chainHeld
	ours    string  // how the rules of our chain begin
	rules   []uint8 // which of its rules an entry of the list has, as bits
	foreign bool
	apart   bool // the list is not in order: an entry may be there twice
}

func (c *chain) reader() *chainReader {
	return &chainReader{chainHeld: &chainHeld{chain: c, broken: true}, ours: "-A " + c.to + " "}
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
	if last := len(r.list) - 1; last >= 0 {
		c := compareEntries(r.list[last], e)
		if c == 0 {
			r.merge(last, bit)
			return
		}
		r.apart = r.apart || c > 0
	}
	if len(r.list) == cap(r.list) { // doubled: append grows long slices by a quarter, and copies each entry four times
		r.list, r.rules = slices.Grow(r.list, len(r.list)+64), slices.Grow(r.rules, len(r.list)+64)
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
	whole := r.list[:0]
	for i, e := range r.list {
		if r.rules[i]+1 == 1<<len(r.targetsFor(e.part)) {
			whole = append(whole, e)
		}
	}
	r.broken = r.foreign || !r.exists || len(whole) < len(r.list)
	r.list = whole
	return r.chainHeld, nil
}

// gather puts the rules of each entry together where they stand apart.
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
	p, err := netip.ParsePrefix(source)
	if err != nil || p != p.Masked() || family(p) != c.family {
		return e, 0, false
	}
	e.net = p
	if port, ok := strings.CutPrefix(rest, "-p tcp -m tcp --dport "); ok {
		e.part, _, _ = strings.Cut(port, " ")
		if !validPort(e.part) {
			return e, 0, false
		}
	}
	i := slices.Index(c.targetsFor(e.part), rest)
	return e, 1 << max(i, 0), i >= 0
}

func validPort(s string) bool {
	return len(s) > 0 && len(s) <= 5 && s[0] != '0' && strings.Trim(s, "0123456789") == "" && (len(s) < 5 || s <= "65535")
}
