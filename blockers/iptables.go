package blockers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// chainName is what iptables takes for a chain (XT_EXTENSION_MAXNAMELEN is 29
// with its NUL), without what would need quotes.
const chainName = `^[A-Za-z_][A-Za-z0-9_.-]{0,27}$`

// slowChain is the number of addresses from which a linear chain is felt: each
// packet passes every rule, 4 ns apiece.
const slowChain = 2000

// newIptables makes the back end for iptables and ip6tables, with either of
// their variants (nf_tables, legacy): a chain of our own in each family's
// filter table, and one jump to it from each hook.
func newIptables(c Config, o *options, run runner) (Blocker, error) {
	b, chains, err := newChains(c, o, run, "blockhosts")
	for _, c := range chains {
		b.tables = append(b.tables, c)
	}
	return b, err
}

// newChains makes a back end without tables, and the chain of each family that
// its tables need; name is the chain's where no other is asked for.
func newChains(c Config, o *options, run runner, name string) (b Blocker, list []*chain, err error) {
	j := readJumps(o, name)
	action := o.choice("action", "drop", "reject", "tcp-reset")
	b = Blocker{run: run, names: map[string]string{"chain": j.to, "hooks": strings.Join(j.hooks, ","), "action": action}}
	if o.choice("scope", "all", "service") == "service" {
		b.parts = byPort(c.Ports)
		b.names["scope"] = "service"
	}
	if c.Path != "" {
		b.names["path"] = c.Path
	}
	if err := j.check(); err != nil {
		return Blocker{}, nil, err
	}
	v4, v6, err := iptablesTools(c.Path)
	if err != nil {
		return Blocker{}, nil, err
	}
	for i, tool := range []string{v4, v6} {
		n := []int{4, 6}[i]
		list = append(list, &chain{jumps: j, tool: tool, family: n, targets: targetsOf(action, n)})
	}
	return b, list, nil
}

// iptablesTools returns the tools of both families. A path names one and
// thereby its sibling beside it: /opt/sbin/ip6tables-legacy goes with
// /opt/sbin/iptables-legacy.
func iptablesTools(path string) (v4, v6 string, err error) {
	dir, base := filepath.Split(cmp.Or(path, "iptables"))
	variant, ok := strings.CutPrefix(base, "ip6tables")
	if !ok {
		if variant, ok = strings.CutPrefix(base, "iptables"); !ok {
			return "", "", fmt.Errorf("%.200q does not name iptables or ip6tables", path)
		}
	}
	return dir + "iptables" + variant, dir + "ip6tables" + variant, nil
}

// targetsOf returns how a rule ends, as -S prints it (iptables-extensions(8)).
// A reset answers TCP alone: what is left is dropped.
func targetsOf(action string, family int) []string {
	switch action {
	case "reject":
		if family == 6 {
			return []string{"-j REJECT --reject-with icmp6-port-unreachable"}
		}
		return []string{"-j REJECT --reject-with icmp-port-unreachable"}
	case "tcp-reset":
		return []string{"-p tcp -j REJECT --reject-with tcp-reset", "-j DROP"}
	}
	return []string{"-j DROP"}
}

// A chain is our chain in one family's filter table.
type chain struct {
	jumps
	tool    string
	family  int
	targets []string // the rules of an address whose every packet is meant
}

func (c *chain) title() string       { return filepath.Base(c.tool) }
func (c *chain) takes(e entry) bool  { return family(e.net) == c.family }
func (c *chain) cannot(entry) string { return "" }
func (c *chain) blank() held         { return &chainHeld{chain: c, broken: true} }

// list reads the whole filter table: "-S blockhosts" tells a chain that is not
// there from a table that cannot be read only by words that differ between
// the variants.
func (c *chain) list(ctx context.Context, run runner, want []entry) (held, []string, error) {
	r := c.reader(want)
	warnings, err := run.lines(ctx, Command{Args: []string{c.tool, "-w", "10", "-S"}}, r.take)
	if err != nil {
		return nil, nil, err
	}
	h, err := r.end()
	return h, warnings, err
}

// bits is the length of a single address.
func (c *chain) bits() string {
	if c.family == 4 {
		return "/32"
	}
	return "/128"
}

// rules writes the rules of entries exactly as -S prints them.
func (c *chain) rules(b *strings.Builder, list []entry) {
	source := "-A " + c.to + " -s "
	for _, e := range list {
		for _, t := range c.targetsFor(e.part) {
			b.WriteString(source)
			e.write(b)
			if e.net.IsSingleIP() {
				b.WriteString(c.bits())
			}
			b.WriteByte(' ')
			b.WriteString(t)
			b.WriteByte('\n')
		}
	}
}

// targetsFor returns how the rules of an entry end: one rule is enough for a
// TCP port, whatever the action.
func (c *chain) targetsFor(port string) []string {
	if port == "" {
		return c.targets
	}
	return []string{"-p tcp -m tcp --dport " + port + " " + strings.TrimPrefix(c.targets[0], "-p tcp ")}
}

// change refills the chain where anything has to go, because removing rules
// one by one costs iptables-nft 24 ms each at 50,000; what only has to come is
// appended. All is one transaction: it is done whole or not at all.
func (h *chainHeld) change(want, add, del []entry) []Command {
	var b strings.Builder
	refill := h.broken || len(del) > 0
	if refill {
		add = want
	}
	h.begin(&b, len(add))
	if refill {
		fmt.Fprintf(&b, ":%s - [0:0]\n", h.to)
	}
	h.rules(&b, add)
	h.mend(&b, h.lines)
	return h.batch(&b)
}

func (h *chainHeld) clear() []Command {
	var b strings.Builder
	h.begin(&b, 0)
	h.remove(&b, h.lines)
	if h.exists {
		fmt.Fprintf(&b, "-F %[1]s\n-X %[1]s\n", h.to)
	}
	return h.batch(&b)
}

// A batch is written in one piece, from its first line to its last: a chain of
// 10,000 has 400 kB, which nobody should copy.
const batchBegin, batchEnd = "*filter\n", "COMMIT\n"

// begin begins a batch with room for the rules of n entries.
func (c *chain) begin(b *strings.Builder, n int) {
	b.Grow(64*n + 512)
	b.WriteString(batchBegin)
}

// batch makes one transaction for iptables-restore(8) of what begin began, and
// none where nothing followed; -w bounds the wait for the lock, which legacy
// variants would wait for forever.
func (c *chain) batch(b *strings.Builder) []Command {
	if b.Len() == len(batchBegin) {
		return nil
	}
	b.WriteString(batchEnd)
	return []Command{{
		Args:  []string{c.tool + "-restore", "-w", "10", "--noflush"},
		Stdin: b.String(),
	}}
}

var errNoTable = errors.New("listed no filter table")
