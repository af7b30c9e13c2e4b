package blockers

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ipsetName leaves room for the family and a "p" in the 31 characters that a
// set's name may have (IPSET_MAXNAMELEN is 32 with its NUL).
const ipsetName = `^[A-Za-z][A-Za-z0-9_.-]{0,28}$`

// maxElem is how many elements our sets take; memory grows with what is in
// them, not with this. ipset's own 65,536 are soon full.
const maxElem = 1 << 20

// newIpset makes the back end for ipset: a set of our own for each family, and
// a chain of our own that looks packets up in it. It is for hosts that live
// with iptables and have many addresses to block.
func newIpset(c Config, o *options, run runner) (Blocker, error) {
	set := o.word("set", "blockhosts", ipsetName, "a set's name of at most 29 letters, digits and _ . -")
	b, chains, err := newChains(c, o, run, "blockhosts-set")
	if err != nil {
		return Blocker{}, err
	}
	b.names["set"] = set
	for _, c := range chains {
		b.tables = append(b.tables, &ipset{chain: *c, base: fmt.Sprint(set, c.family), service: b.parts != nil})
	}
	return b, nil
}

// ipset is one family's sets of ours, and our chain in its filter table.
type ipset struct {
	chain
	base    string // the set's name
	service bool   // a second set holds addresses with ports
}

func (s *ipset) title() string { return "ipset" }
func (s *ipset) blank() held {
	return &ipsetHeld{ipset: s, missing: s.sets(), table: &chainHeld{chain: &s.chain, broken: true}}
}

// sets returns the names of the sets: "blockhosts4", "blockhosts4p".
func (s *ipset) sets() []string {
	if s.service {
		return []string{s.base, s.base + "p"}
	}
	return []string{s.base}
}

// setOf returns the set of an entry.
func (s *ipset) setOf(e entry) string {
	if e.part != "" {
		return s.base + "p"
	}
	return s.base
}

// header writes what creates a set. hash:net takes addresses and prefixes.
func (s *ipset) header(set string) string {
	return fmt.Sprintf("%s family %s", s.kind(set), map[int]string{4: "inet", 6: "inet6"}[s.family])
}

func (s *ipset) kind(set string) string {
	if set != s.base {
		return "hash:net,port"
	}
	return "hash:net"
}

// setRules writes the rules of our chain exactly as -S prints them.
func (s *ipset) setRules() []string {
	var list []string
	for _, set := range s.sets() {
		targets, match := s.targets, "src"
		if set != s.base {
			targets, match = s.targets[:1], "src,dst" // one rule is enough for TCP ports
		}
		for _, t := range targets {
			protocol := ""
			if rest, ok := strings.CutPrefix(t, "-p tcp "); ok {
				protocol, t = "-p tcp ", rest
			}
			list = append(list, fmt.Sprintf("-A %s %s-m set --match-set %s %s %s", s.to, protocol, set, match, t))
		}
	}
	return list
}

// An ipsetHeld is what "ipset save" and "iptables -S" printed.
type ipsetHeld struct {
	*ipset
	own     []entry
	missing []string // sets that are not there
	wrong   []string // sets that are there and are not as we make them
	table   *chainHeld
	rules   []string // of our chain
}

func (s *ipset) list(ctx context.Context, run runner, _ []entry) (held, []string, error) {
	h := &ipsetHeld{ipset: s}
	var warnings []string
	for _, set := range s.sets() {
		if run.direct("ipset") && h.ask(run, set) == nil {
			continue
		}
		r := h.reader(set)
		more, err := run.lines(ctx, Command{Args: []string{"ipset", "save", set}}, r.take)
		warnings = append(warnings, more...)
		if t, ok := err.(*toolError); ok && strings.Contains(t.words, "The set with the given name does not exist") {
			h.missing = append(h.missing, set)
			continue
		}
		if err != nil {
			return nil, warnings, err
		}
		r.end()
	}
	r := s.chain.reader(nil)
	more, err := run.lines(ctx, Command{Args: []string{s.tool, "-w", "10", "-S"}}, func(line string) {
		if strings.HasPrefix(line, "-A "+s.to+" ") {
			h.rules = append(h.rules, strings.Clone(line))
		}
		r.take(line)
	})
	warnings = append(warnings, more...)
	if err != nil {
		return nil, warnings, err
	}
	h.table, err = r.end()
	return h, warnings, err
}

// A setReader reads "ipset save": a line that creates the set, and one for
// each element. What our elements never have (a timeout, nomatch) makes the
// set wrong, and so does a size that is too small.
type setReader struct {
	*ipsetHeld
	set   string
	add   string // how an element's line begins
	wrong bool
}

func (h *ipsetHeld) reader(set string) *setReader {
	return &setReader{ipsetHeld: h, set: set, add: "add " + set + " ", wrong: true}
}

func (r *setReader) take(line string) {
	line = strings.TrimSpace(line)
	if element, ok := strings.CutPrefix(line, r.add); ok {
		e, ok := r.element(r.set, element)
		r.wrong = r.wrong || !ok
		if ok {
			r.own = append(r.own, e)
		}
		return
	}
	if header, ok := strings.CutPrefix(line, "create "+r.set+" "); ok {
		f := strings.Fields(header)
		r.wrong = !strings.HasPrefix(header, r.header(r.set)+" ") || slices.Contains(f, "timeout") || !slices.Contains(f, fmt.Sprint(maxElem))
	}
}

func (r *setReader) end() {
	if r.wrong {
		r.ipsetHeld.wrong = append(r.ipsetHeld.wrong, r.set)
	}
}

// element reads "192.0.2.1", "198.51.100.0/24" or, with a port,
// "192.0.2.1,tcp:22".
func (h *ipsetHeld) element(set, s string) (e entry, ok bool) {
	if set != h.base {
		s, e.part, ok = strings.Cut(s, ",tcp:")
		if !ok || !validPort(e.part) {
			return e, false
		}
	}
	e.net, ok = parseDestination(s)
	return e, ok && family(e.net) == h.family
}

func (h *ipsetHeld) entries() []entry { return h.own }
func (h *ipsetHeld) notes([]entry) []string {
	return h.jumps.notes(h.chain.title(), h.table.lines)
}

func (h *ipsetHeld) faults() []string {
	var list []string
	for _, set := range h.missing {
		list = append(list, "ipset: set "+set+" is not there")
	}
	for _, set := range h.wrong {
		list = append(list, "ipset: set "+set+" was made by somebody else")
	}
	if !h.table.exists || !slices.Equal(h.rules, h.setRules()) {
		list = append(list, fmt.Sprintf("%s: chain %s does not lead to the sets", h.chain.title(), h.to))
	}
	return append(list, h.jumps.faults(h.chain.title(), h.table.lines)...)
}

// change brings the sets in line, then the chain: a rule can only name a set
// that is there. A set that is not as we make it goes first, and before it the
// rules that name it.
func (h *ipsetHeld) change(want, add, del []entry) []Command {
	var commands []Command
	if len(h.wrong) > 0 {
		commands = h.clear()
		blank := h.blank().(*ipsetHeld)
		blank.table.lines = slices.DeleteFunc(slices.Clone(h.table.lines), func(line string) bool {
			rule, ok := strings.CutPrefix(line, "-A ")
			return line == "-N "+h.to || ok && leadsTo(rule, h.to)
		})
		return append(commands, blank.change(want, want, nil)...)
	}
	var b strings.Builder
	for _, set := range h.missing {
		fmt.Fprintf(&b, "create %s %s hashsize 1024 maxelem %d\n", set, h.header(set), maxElem)
	}
	h.elements(&b, "del", del)
	h.elements(&b, "add", add)
	commands = h.restoreSets(b.String())
	b.Reset()
	h.begin(&b, 0)
	if !h.table.exists || !slices.Equal(h.rules, h.setRules()) {
		fmt.Fprintf(&b, ":%s - [0:0]\n%s\n", h.to, strings.Join(h.setRules(), "\n"))
	}
	h.mend(&b, h.table.lines)
	return append(commands, h.batch(&b)...)
}

func (h *ipsetHeld) elements(b *strings.Builder, verb string, list []entry) {
	b.Grow(36 * len(list))
	for _, e := range list {
		b.WriteString(verb)
		b.WriteByte(' ')
		b.WriteString(h.setOf(e))
		b.WriteByte(' ')
		e.write(b)
		if e.part != "" {
			b.WriteString(",tcp:")
			b.WriteString(e.part)
		}
		b.WriteByte('\n')
	}
}

// restoreSets makes one call of lines. -exist forgives what is there already,
// or gone already.
func (s *ipset) restoreSets(lines string) []Command {
	if lines == "" {
		return nil
	}
	return []Command{{Args: []string{"ipset", "restore", "-exist"}, Stdin: lines}}
}

func (h *ipsetHeld) clear() []Command {
	commands := h.table.clear()
	var b strings.Builder
	for _, set := range h.sets() {
		if !slices.Contains(h.missing, set) {
			fmt.Fprintf(&b, "destroy %s\n", set)
		}
	}
	return append(commands, h.restoreSets(b.String())...)
}
