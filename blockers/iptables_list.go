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

func (h *chainHeld) notes() []string {
	notes := h.jumps.notes(h.title(), h.lines)
	if len(h.list) > slowChain {
		notes = append(notes, fmt.Sprintf("%s: %d rules in one chain slow every packet down; the blockers nftables and ipset do not", h.title(), len(h.list)))
	}
	return notes
}

// parse reads the output of -S: one line for each policy (-P), chain (-N) and
// rule (-A).
func (c *chain) parse(out string) (*chainHeld, error) {
	h := &chainHeld{chain: c, broken: true}
	found := map[entry]uint8{} // which of its rules an entry has
	ours := "-A " + c.to + " "
	foreign := false
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\r\n")
		rule, ok := strings.CutPrefix(line, ours)
		if !ok {
			h.exists = h.exists || line == "-N "+c.to
			h.lines = append(h.lines, line)
			continue
		}
		e, bit, ok := c.parseRule(rule)
		foreign = foreign || !ok || found[e]&bit != 0
		if ok {
			found[e] |= bit
		}
	}
	if !slices.ContainsFunc(h.lines, func(s string) bool { return strings.HasPrefix(s, "-P ") }) {
		return nil, &toolError{tool: c.title(), cause: errNoTable.Error(), words: out, cure: "see what it prints for -S"}
	}
	h.broken = foreign || !h.exists
	for e, bits := range found {
		if bits+1 == 1<<len(c.targetsFor(e.part)) {
			h.list = append(h.list, e)
		} else {
			h.broken = true
		}
	}
	slices.SortFunc(h.list, compareEntries)
	return h, nil
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
