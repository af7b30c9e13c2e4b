package blockers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// setName is what nft takes for a table or set without quotes.
const setName = `^[A-Za-z][A-Za-z0-9_]{0,30}$`

// newNftables makes the back end for nftables: a table of our own, with chains
// of our own at the hooks, so that nothing of anybody else is ever touched.
// Addresses are in hash sets, which cost a packet the same at any size. Each
// prefix length has a set of its own and a rule that masks the source first:
// an interval set would do, but removing one element of it takes 29 ms at
// 50,000, and it refuses overlapping prefixes.
func newNftables(c Config, o *options, run runner) (Blocker, error) {
	n := &nft{
		table: o.word("table", "blockhosts", setName, "a table's name of letters, digits and _"),
		hooks: o.list("hooks", []string{"input", "forward"}, `^(prerouting|input|forward)$`, "prerouting, input, forward"),
		prio:  o.number("priority", -10, -400, 400),
		after: o.choice("position", "first", "after-established") == "after-established",
	}
	n.verdict = map[string]string{
		"drop": "drop", "reject": "reject with icmpx type port-unreachable", "tcp-reset": "reject with tcp reset",
	}[o.choice("action", "drop", "reject", "tcp-reset")]
	b := Blocker{run: run, tables: []table{n}, names: map[string]string{"table": n.table}}
	if o.choice("scope", "all", "service") == "service" {
		b.parts = byPort(c.Ports)
		b.names["scope"] = "service"
	}
	return b, nil
}

// nft is our table.
type nft struct {
	table   string
	hooks   []string
	prio    int
	after   bool
	verdict string
}

func (n *nft) title() string       { return "nft" }
func (n *nft) takes(entry) bool    { return true }
func (n *nft) cannot(entry) string { return "" }
func (n *nft) blank() held         { return &nftHeld{nft: n} }

// An nftSet holds the prefixes of one length in one family, or these with TCP
// ports. Its name is v4, v6_64, v4_port, v6_64_port.
type nftSet struct {
	family, bits int
	port         bool
}

func (s nftSet) single() bool { return s.bits == 32 && s.family == 4 || s.bits == 128 }

func (s nftSet) name() string {
	name := fmt.Sprintf("v%d", s.family)
	if !s.single() {
		name += fmt.Sprintf("_%d", s.bits)
	}
	if s.port {
		name += "_port"
	}
	return name
}

func parseNftSet(name string) (s nftSet, ok bool) {
	rest, port := strings.CutSuffix(name, "_port")
	version, bits, some := strings.Cut(rest, "_")
	s = nftSet{family: 4, bits: 32, port: port}
	if version == "v6" {
		s = nftSet{family: 6, bits: 128, port: port}
	}
	if some {
		s.bits, _ = strconv.Atoi(bits)
	}
	return s, s.name() == name && s.bits > 0 && (s.family == 6 && s.bits <= 128 || s.bits <= 32)
}

func (s nftSet) types() string {
	t := map[int]string{4: "ipv4_addr", 6: "ipv6_addr"}[s.family]
	if s.port {
		t += " . inet_service"
	}
	return t
}

// match writes the expression that looks a packet up in the set.
func (s nftSet) match() string {
	m := map[int]string{4: "ip saddr", 6: "ip6 saddr"}[s.family]
	if !s.single() {
		m += " & " + s.mask()
	}
	if s.port {
		m += " . tcp dport"
	}
	return m + " @" + s.name()
}

// mask writes the netmask of the set's length.
func (s nftSet) mask() string {
	ones := netip.AddrFrom16([16]byte(slices.Repeat([]byte{0xff}, 16)))
	if s.family == 4 {
		ones = netip.AddrFrom4([4]byte{0xff, 0xff, 0xff, 0xff})
	}
	return netip.PrefixFrom(ones, s.bits).Masked().Addr().String()
}

func setOf(e entry) nftSet { return nftSet{family(e.net), e.net.Bits(), e.part != ""} }

// write writes an entry as its set's element.
func (s nftSet) write(b *strings.Builder, e entry) {
	var text [64]byte
	b.Write(e.net.Addr().AppendTo(text[:0]))
	if s.port {
		b.WriteString(" . ")
		b.WriteString(e.part)
	}
}

// setsFor returns the sets that entries need; the two for single addresses are
// always there.
func setsFor(list []entry) []nftSet {
	needed := map[nftSet]bool{{4, 32, false}: true, {6, 128, false}: true}
	var last nftSet
	for _, e := range list {
		if s := setOf(e); s != last {
			needed[s], last = true, s
		}
	}
	return inOrder(slices.Collect(maps.Keys(needed)))
}

// inOrder sorts a handful of sets by name.
func inOrder(sets []nftSet) []nftSet {
	sort.Slice(sets, func(i, j int) bool { return sets[i].name() < sets[j].name() })
	return sets
}

// rules writes the rules of each chain. A reset answers TCP alone: a second
// rule drops what is left.
func (n *nft) rules(sets []nftSet) []string {
	var list []string
	if n.after {
		list = append(list, "ct state established,related accept")
	}
	for _, s := range sets {
		if n.verdict == "reject with tcp reset" && !s.port {
			list = append(list, "meta l4proto tcp "+s.match()+" counter "+n.verdict, s.match()+" counter drop")
			continue
		}
		list = append(list, s.match()+" counter "+n.verdict)
	}
	return list
}

// skeleton writes the table with its sets, chains and rules. A comment repeats
// each rule's text: how a rule is listed differs between versions of nft, its
// comment does not.
func (n *nft) skeleton(b *strings.Builder, sets []nftSet) {
	fmt.Fprintf(b, "add table inet %s\n", n.table)
	for _, s := range sets {
		fmt.Fprintf(b, "add set inet %s %s { type %s; }\n", n.table, s.name(), s.types())
	}
	for _, h := range n.hooks {
		fmt.Fprintf(b, "add chain inet %s %s { type filter hook %s priority %d; policy accept; }\n", n.table, h, h, n.prio)
		fmt.Fprintf(b, "flush chain inet %s %s\n", n.table, h)
		for _, r := range n.rules(sets) {
			fmt.Fprintf(b, "add rule inet %s %s %s comment %q\n", n.table, h, r, r)
		}
	}
}

// list fails on a table that is not there: that is no error.
func (n *nft) list(ctx context.Context, run runner, _ []entry) (held, []string, error) {
	if run.direct("nft") {
		if h, err := n.ask(ctx, run); err == nil {
			return h, nil, nil
		}
	}
	out, warnings, err := run.do(ctx, Command{Args: []string{"nft", "-j", "list", "table", "inet", n.table}})
	if err != nil {
		if t, ok := err.(*toolError); ok && strings.Contains(t.words, "No such file or directory") {
			return n.blank(), nil, nil
		}
		return nil, nil, err
	}
	h, err := n.parse(out)
	return h, warnings, err
}

// change sends the difference; where chains, rules or sets are not as they
// must be also these; and all anew where something there cannot become ours.
func (h *nftHeld) change(want, add, del []entry) []Command {
	needed := setsFor(want)
	missing := slices.ContainsFunc(needed, func(s nftSet) bool { return !h.sets[s.name()] })
	var b strings.Builder
	switch {
	case h.foreign != "":
		fmt.Fprintf(&b, "add table inet %[1]s\ndelete table inet %[1]s\n", h.table)
		h.skeleton(&b, needed)
		add, del = want, nil
	case missing || h.fault() != "":
		for name := range h.sets {
			if s, _ := parseNftSet(name); !slices.Contains(needed, s) {
				needed = append(needed, s)
			}
		}
		h.skeleton(&b, inOrder(needed))
	}
	h.elements(&b, "delete", del)
	h.elements(&b, "add", add)
	if b.Len() == 0 {
		return nil
	}
	return []Command{{Args: []string{"nft", "-f", "-"}, Stdin: b.String()}}
}

// elements writes one command for each set; an empty list is a syntax error.
func (n *nft) elements(b *strings.Builder, verb string, list []entry) {
	if len(list) == 0 {
		return
	}
	b.Grow(18 * len(list))            // "255.255.255.255, "
	for _, s := range setsFor(list) { // few: a pass for each is cheaper than a map of all
		first := true
		for _, e := range list {
			if setOf(e) != s {
				continue
			}
			if first {
				fmt.Fprintf(b, "%s element inet %s %s { ", verb, n.table, s.name())
				first = false
			} else {
				b.WriteString(", ")
			}
			s.write(b, e)
		}
		if !first {
			b.WriteString(" }\n")
		}
	}
}

func (h *nftHeld) clear() []Command {
	if !h.exists {
		return nil
	}
	return []Command{{Args: []string{"nft", "-f", "-"}, Stdin: "delete table inet " + h.table + "\n"}}
}

// An nftHeld is our table as "nft -j list table" printed it.
type nftHeld struct {
	*nft
	exists  bool
	own     []entry
	sets    map[string]bool
	chains  map[string][]string // hook → the comments of its rules
	foreign string              // what cannot become ours by adding to it
}

func (h *nftHeld) entries() []entry       { return h.own }
func (h *nftHeld) notes([]entry) []string { return nil }

func (h *nftHeld) faults() []string {
	if f := h.fault(); f != "" {
		return []string{"nft: " + f}
	}
	return nil
}

// fault tells what keeps the sets from working. Sets that are empty may stay.
func (h *nftHeld) fault() string {
	if !h.exists {
		return "table inet " + h.table + " is not there"
	}
	if h.foreign != "" {
		return h.foreign
	}
	var sets []nftSet
	for name := range h.sets {
		s, _ := parseNftSet(name)
		sets = append(sets, s)
	}
	sets = inOrder(sets)
	for _, hook := range h.hooks {
		if !slices.Equal(h.chains[hook], h.rules(sets)) {
			return fmt.Sprintf("the rules of chain %s in table inet %s were changed by somebody", hook, h.table)
		}
	}
	return ""
}

// nftObjects is the part of libnftables-json(5) that is read here.
type nftObjects struct {
	Nftables []struct {
		Table *struct{}     `json:"table"`
		Set   *nftSetObject `json:"set"`
		Chain *struct {
			Name, Type, Hook, Policy string
			Prio                     json.RawMessage
		} `json:"chain"`
		Rule *struct{ Chain, Comment string } `json:"rule"`
	} `json:"nftables"`
}

type nftSetObject struct {
	Name  string            `json:"name"`
	Type  json.RawMessage   `json:"type"` // a string, or a list of strings
	Flags json.RawMessage   `json:"flags"`
	Elem  []json.RawMessage `json:"elem"`
}

func (n *nft) parse(out []byte) (*nftHeld, error) {
	var doc nftObjects
	if err := json.Unmarshal(out, &doc); err != nil {
		return nil, &toolError{tool: "nft", cause: "its listing is not the JSON that is expected", words: err.Error()}
	}
	h := &nftHeld{nft: n, sets: map[string]bool{}, chains: map[string][]string{}}
	for _, o := range doc.Nftables {
		switch {
		case o.Table != nil:
			h.exists = true
		case o.Chain != nil:
			c := o.Chain
			if !slices.Contains(n.hooks, c.Name) || c.Type != "filter" || c.Hook != c.Name || c.Policy != "accept" || string(c.Prio) != strconv.Itoa(n.prio) {
				h.foreign = fmt.Sprintf("chain %.40q in table inet %s is not as it must be", c.Name, n.table)
			}
			h.chains[c.Name] = []string{}
		case o.Rule != nil:
			h.chains[o.Rule.Chain] = append(h.chains[o.Rule.Chain], o.Rule.Comment)
		case o.Set != nil:
			h.addSet(o.Set)
		}
	}
	return h, nil
}

// addSet reads a set with its elements: "192.0.2.1", or
// {"concat":["192.0.2.1",22]}. Anything else is not ours.
func (h *nftHeld) addSet(o *nftSetObject) {
	s, ok := parseNftSet(o.Name)
	types := strings.NewReplacer("[", "", "]", "", `"`, "", ", ", " . ", ",", " . ").Replace(string(o.Type))
	if !ok || types != s.types() || len(o.Flags) > 0 {
		h.foreign = fmt.Sprintf("set %.40q in table inet %s is not as it must be", o.Name, h.table)
		return
	}
	h.sets[o.Name] = true
	h.own = slices.Grow(h.own, len(o.Elem))
	for _, raw := range o.Elem {
		e, ok := s.parseElement(raw)
		if !ok {
			h.foreign = fmt.Sprintf("an element of set %s in table inet %s is not ours", o.Name, h.table)
			continue
		}
		h.own = append(h.own, e)
	}
}

func (s nftSet) parseElement(raw json.RawMessage) (e entry, ok bool) {
	addr := string(raw)
	if s.port {
		var concat struct{ Concat []json.RawMessage }
		if json.Unmarshal(raw, &concat) != nil || len(concat.Concat) != 2 {
			return e, false
		}
		addr, e.part = string(concat.Concat[0]), string(concat.Concat[1])
		if !validPort(e.part) {
			return e, false
		}
	}
	a, err := netip.ParseAddr(strings.Trim(addr, `"`))
	if err != nil || a.Zone() != "" || a.BitLen() != map[int]int{4: 32, 6: 128}[s.family] {
		return e, false
	}
	e.net = netip.PrefixFrom(a, s.bits)
	return e, e.net == e.net.Masked()
}
