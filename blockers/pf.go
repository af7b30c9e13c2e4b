package blockers

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// pfName leaves room for a port in the 31 characters of a table's name.
const pfName = `^[A-Za-z][A-Za-z0-9_]{0,24}$`

const (
	// pfChunk is how many addresses go into one call: FreeBSD refuses more
	// than net.pf.request_maxcount, 65,535 of them (pf(4)).
	pfChunk = 50000
	// pfKills is up to how many new addresses have their open connections
	// ended, at two calls each. More at once are a first run or a reboot.
	pfKills = 2000
)

// newPf makes the back end for pf on FreeBSD and OpenBSD: addresses in a
// table. Without an anchor the administrator's pf.conf has the rules that name
// the table; with one the rules are ours, and pf.conf has the anchor.
func newPf(c Config, o *options, run runner) (Blocker, error) {
	p := &pf{
		base:   o.word("table", "blockhosts", pfName, "a table's name of at most 25 letters, digits and _"),
		anchor: o.word("anchor", "", `^[A-Za-z][A-Za-z0-9_/-]{0,62}$`, "an anchor's name"),
		out:    o.choice("direction", "in", "both") == "both",
		kill:   o.choice("states", "kill", "keep") == "kill",
	}
	action := o.choice("action", "drop", "reject", "tcp-reset")
	p.block = map[string]string{"drop": "block drop", "reject": "block return", "tcp-reset": "block return-rst"}[action]
	b := Blocker{run: run, tables: []table{p}, names: map[string]string{"table": p.base}}
	if p.anchor != "" {
		b.names["anchor"] = p.anchor
	}
	service := o.choice("scope", "all", "service") == "service"
	if p.anchor == "" && (service || action != "drop") {
		return Blocker{}, fmt.Errorf("without anchor the rules are those of pf.conf: scope and action need an anchor")
	}
	if service {
		b.parts = byPort(c.Ports)
		b.names["scope"] = "service"
	}
	return b, nil
}

// pf is our table, or with "scope: service" our tables.
type pf struct {
	base   string
	anchor string
	block  string
	out    bool
	kill   bool
}

func (p *pf) title() string       { return "pfctl" }
func (p *pf) takes(entry) bool    { return true }
func (p *pf) cannot(entry) string { return "" }
func (p *pf) blank() held         { return &pfHeld{pf: p, enabled: true, tables: map[string]bool{}} }

// tableOf returns the table of a port: "blockhosts", "blockhosts_22".
func (p *pf) tableOf(port string) string {
	if port == "" {
		return p.base
	}
	return p.base + "_" + port
}

// pfctl makes an argument vector; everything that concerns us happens in the
// anchor.
func (p *pf) pfctl(args ...string) []string {
	first := []string{"pfctl", "-q"}
	if p.anchor != "" {
		first = append(first, "-a", p.anchor)
	}
	return slices.Concat(first, args)
}

// rules writes our rules for the tables of some ports. The label, which is
// listed as it was written, tells them again: the rest of a rule is not listed
// the same everywhere.
func (p *pf) rules(ports []string) (list, labels []string) {
	add := func(rule string) {
		label := fmt.Sprintf("blockhosts %d", len(list))
		list = append(list, rule+fmt.Sprintf(" label %q", label))
		labels = append(labels, label)
	}
	for _, port := range ports {
		from, to, protocol := "from <"+p.tableOf(port)+"> to any", "from any to <"+p.tableOf(port)+">", ""
		if port != "" {
			protocol = " proto tcp"
			from, to = from+" port "+port, strings.Replace(to, "any", "any port "+port, 1)
		}
		if p.block == "block return-rst" && port == "" {
			add("block return-rst in quick proto tcp " + from)
			add("block drop in quick " + from)
		} else {
			add(p.block + " in quick" + protocol + " " + from)
		}
		if p.out {
			add("block drop out quick" + protocol + " " + to)
		}
	}
	return list, labels
}

// list asks for what pf is doing, our rules, and our tables.
func (p *pf) list(ctx context.Context, run runner, _ []entry) (held, []string, error) {
	h := &pfHeld{pf: p, tables: map[string]bool{}}
	var warnings []string
	ask := func(args []string) (string, error) {
		out, more, err := run.do(ctx, Command{Args: args})
		warnings = append(warnings, more...)
		return string(out), err
	}
	status, err := ask([]string{"pfctl", "-s", "info"})
	if err != nil {
		return nil, warnings, err
	}
	h.enabled = strings.HasPrefix(strings.TrimSpace(status), "Status: Enabled")
	if h.main, err = ask([]string{"pfctl", "-s", "rules"}); err != nil {
		return nil, warnings, err
	}
	if p.anchor != "" {
		if h.inner, err = ask(p.pfctl("-s", "rules")); err != nil && !pfAbsent(err) {
			return nil, warnings, err
		}
	}
	tables, err := ask(p.pfctl("-s", "Tables"))
	if err != nil && !pfAbsent(err) {
		return nil, warnings, err
	}
	for name := range strings.FieldsSeq(tables) {
		port, ok := p.portOf(name)
		if !ok {
			continue
		}
		out, err := ask(p.pfctl("-t", name, "-T", "show"))
		if err != nil {
			return nil, warnings, err
		}
		h.addTable(name, port, out)
	}
	return h, warnings, nil
}

// pfAbsent tells that an anchor or table is not there yet.
func pfAbsent(err error) bool {
	t, ok := err.(*toolError)
	return ok && (strings.Contains(t.words, "does not exist") || strings.Contains(t.words, "Anchor") && strings.Contains(t.words, "not exist"))
}

// portOf tells whose table it is: ours for all ports, or for one.
func (p *pf) portOf(table string) (port string, ok bool) {
	if table == p.base {
		return "", true
	}
	port, ok = strings.CutPrefix(table, p.base+"_")
	return port, ok && p.anchor != "" && validPort(port)
}

// A pfHeld is what pfctl listed.
type pfHeld struct {
	*pf
	enabled bool
	main    string // the rules of pf.conf
	inner   string // those of our anchor
	tables  map[string]bool
	own     []entry
	odd     []string // what stands in our tables and is not ours, as listed: with "!"
}

// addTable reads "   192.0.2.1" and "   198.51.100.0/24"; "  !192.0.2.7" is an
// exception that somebody made, and goes.
func (h *pfHeld) addTable(name, port, out string) {
	h.tables[name] = true
	for word := range strings.FieldsSeq(out) {
		if p, ok := parseDestination(word); ok && p.Bits() > 0 {
			h.own = append(h.own, entry{net: p, part: port})
			continue
		}
		h.odd = append(h.odd, name)
	}
}

func (h *pfHeld) entries() []entry       { return h.own }
func (h *pfHeld) notes([]entry) []string { return nil }

func (h *pfHeld) faults() []string {
	var list []string
	if !h.enabled {
		list = append(list, "pfctl: pf is disabled; enable it with pfctl -e")
	}
	if h.anchor == "" && !names(h.main, h.base) {
		list = append(list, fmt.Sprintf("pfctl: no rule names the table; add to pf.conf: block drop in quick from <%s> to any", h.base))
	}
	if h.anchor != "" && !strings.Contains(h.main, `anchor "`+h.anchor+`"`) {
		list = append(list, fmt.Sprintf("pfctl: no rule leads to the anchor; add to pf.conf: anchor %q", h.anchor))
	}
	if h.anchor != "" && !h.ruled(nil) {
		list = append(list, fmt.Sprintf("pfctl: the rules of anchor %q were changed by somebody", h.anchor))
	}
	if len(h.odd) > 0 {
		list = append(list, fmt.Sprintf("pfctl: table <%s> holds what is not ours", h.odd[0]))
	}
	return list
}

// names tells whether a block rule names a table; pfctl -v lists "<t:3>".
func names(rules, table string) bool {
	re := regexp.MustCompile(`^block .*<` + regexp.QuoteMeta(table) + `(:[^>]*)?>`)
	return slices.ContainsFunc(strings.Split(rules, "\n"), re.MatchString)
}

// ports returns those of the entries and, sorted with them, those of the
// tables that are there.
func (h *pfHeld) ports(list []entry) []string {
	found := map[string]bool{"": true}
	for _, e := range list {
		found[e.part] = true
	}
	for name := range h.tables {
		if port, ok := h.portOf(name); ok {
			found[port] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// ruled tells whether the anchor has exactly the rules that the tables need,
// those of the entries included.
func (h *pfHeld) ruled(list []entry) bool {
	_, labels := h.rules(h.ports(list))
	var found []string
	for line := range strings.Lines(h.inner) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		_, label, _ := strings.Cut(line, ` label "`)
		label, _, _ = strings.Cut(label, `"`)
		found = append(found, label)
	}
	return slices.Equal(found, labels)
}

// change loads the anchor's rules where they are not right, which keeps what
// its tables hold, and replaces the content of tables that are not exact.
func (h *pfHeld) change(want, add, del []entry) []Command {
	var commands []Command
	if h.anchor != "" && !h.ruled(want) {
		ports := h.ports(want)
		var b strings.Builder
		for _, port := range ports {
			fmt.Fprintf(&b, "table <%s> persist\n", h.tableOf(port))
		}
		rules, _ := h.rules(ports)
		b.WriteString(strings.Join(rules, "\n") + "\n")
		commands = append(commands, Command{Args: h.pfctl("-f", "-"), Stdin: b.String()})
	}
	for _, port := range h.ports(want) {
		name := h.tableOf(port)
		of := func(list []entry) []entry {
			return slices.DeleteFunc(slices.Clone(list), func(e entry) bool { return e.part != port })
		}
		if a, d := of(add), of(del); len(a)+len(d) > 0 || slices.Contains(h.odd, name) || !h.tables[name] {
			commands = append(commands, h.fill(name, of(want), a, d, slices.Contains(h.odd, name))...)
		}
	}
	return append(commands, h.killStates(add)...)
}

// fill replaces a table's content in one call, which is atomic; a table that
// is too large for one call gets its difference in several.
func (h *pfHeld) fill(table string, want, add, del []entry, odd bool) []Command {
	if len(want) <= pfChunk {
		return []Command{h.call(table, "replace", want)}
	}
	var commands []Command
	if odd {
		commands, add, del = append(commands, Command{Args: h.pfctl("-t", table, "-T", "flush")}), want, nil
	}
	for part := range slices.Chunk(del, pfChunk) {
		commands = append(commands, h.call(table, "delete", part))
	}
	for part := range slices.Chunk(add, pfChunk) {
		commands = append(commands, h.call(table, "add", part))
	}
	return commands
}

// call makes one table command with its addresses on standard input.
func (h *pfHeld) call(table, verb string, list []entry) Command {
	var b strings.Builder
	for _, e := range list {
		b.WriteString(e.text())
		b.WriteByte('\n')
	}
	return Command{Args: h.pfctl("-t", table, "-T", verb, "-f", "-"), Stdin: b.String()}
}

// killStates ends the open connections of new addresses, which pf lets go on:
// those from them, and those to them. Within one call pfctl would do this
// before the table is changed.
func (h *pfHeld) killStates(add []entry) []Command {
	if !h.kill || countNets(add) > pfKills {
		return nil
	}
	var commands []Command
	for i, e := range add {
		if i > 0 && e.net == add[i-1].net {
			continue
		}
		all := "0.0.0.0/0"
		if e.net.Addr().Is6() {
			all = "::/0"
		}
		commands = append(commands,
			Command{Args: []string{"pfctl", "-q", "-k", e.text()}},
			Command{Args: []string{"pfctl", "-q", "-k", all, "-k", e.text()}})
	}
	return commands
}

// clear empties the table that pf.conf names, since its rules need it, and
// removes the anchor's rules and tables.
func (h *pfHeld) clear() []Command {
	var commands []Command
	if h.anchor != "" && strings.TrimSpace(h.inner) != "" {
		commands = append(commands, Command{Args: h.pfctl("-F", "rules")})
	}
	for _, name := range slices.Sorted(maps.Keys(h.tables)) {
		switch {
		case h.anchor != "":
			commands = append(commands, Command{Args: h.pfctl("-t", name, "-T", "kill")})
		case len(h.own)+len(h.odd) > 0:
			commands = append(commands, Command{Args: h.pfctl("-t", name, "-T", "flush")})
		}
	}
	return commands
}
