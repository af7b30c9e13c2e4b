package blockers

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
)

// A routeDialect is how one system's route(8) and its listing are spoken to.
// Each tags our routes, so that the administrator's own null routes stay:
// Linux by a metric, FreeBSD, NetBSD and macOS by the flag of -proto1, OpenBSD
// by a label.
type routeDialect struct {
	kinds  []string                                                 // the first is the default
	list   func(family int) []string                                // argument vector that lists
	parse  func(out string, take func(kind string, p netip.Prefix)) // ours in the listing
	change func(verb, kind string, e entry) []string                // argument vector that adds or deletes
	ipv6   bool
}

// The tags.
const (
	nullMetric = "97"
	nullLabel  = "blockhosts"
)

// dialectOf returns how route(8) is spoken to on a system (runtime.GOOS).
func dialectOf(system string) routeDialect {
	switch system {
	case "linux":
		return routeDialect{kinds: []string{"reject"}, list: linuxList, parse: parseLinux, change: linuxChange}
	case "openbsd":
		return routeDialect{kinds: []string{"blackhole", "reject"}, list: openbsdList, parse: parseOpenBSD, change: bsdChange("-label", nullLabel), ipv6: true}
	}
	return routeDialect{kinds: []string{"blackhole", "reject"}, list: netstatList, parse: parseNetstat, change: bsdChange("-proto1"), ipv6: true}
}

// newNullroute makes the back end for route(8): the way back to an address
// leads nowhere. There is no batch; each address costs one call.
func newNullroute(c Config, o *options, run runner) (Blocker, error) {
	system := c.System
	if system == "" {
		system = runtime.GOOS
	}
	d := dialectOf(system)
	kind := o.choice("kind", d.kinds...)
	if o.choice("scope", "all", "service") == "service" {
		return Blocker{}, fmt.Errorf("scope: a route blocks all ports; want all")
	}
	b := Blocker{run: run, names: map[string]string{"kind": kind}}
	for _, n := range []int{4, 6} {
		b.tables = append(b.tables, &nullroutes{dialect: d, kind: kind, family: n})
	}
	return b, nil
}

// nullroutes are one family's null routes of ours.
type nullroutes struct {
	dialect routeDialect
	kind    string
	family  int
}

func (r *nullroutes) title() string      { return "route" }
func (r *nullroutes) takes(e entry) bool { return family(e.net) == r.family }
func (r *nullroutes) blank() held        { return &nullHeld{nullroutes: r} }

func (r *nullroutes) cannot(entry) string {
	if r.family == 6 && !r.dialect.ipv6 {
		return `route(8) of this system cannot null-route IPv6; the blocker "iproute" can`
	}
	return ""
}

func (r *nullroutes) list(ctx context.Context, run runner, _ []entry) (held, []string, error) {
	if r.family == 6 && !r.dialect.ipv6 {
		return r.blank(), nil, nil
	}
	out, warnings, err := run.do(ctx, Command{Args: r.dialect.list(r.family)})
	if err != nil {
		return nil, warnings, err
	}
	h := &nullHeld{nullroutes: r}
	r.dialect.parse(string(out), func(kind string, p netip.Prefix) {
		switch {
		case family(p) != r.family:
		case kind == r.kind:
			h.own = append(h.own, entry{net: p})
		default:
			h.other = append(h.other, entry{net: p})
		}
	})
	return h, warnings, nil
}

// A nullHeld is what a system's listing of routes showed.
type nullHeld struct {
	*nullroutes
	own   []entry
	other []entry // of another kind: a former configuration's
}

func (h *nullHeld) entries() []entry       { return h.own }
func (h *nullHeld) notes([]entry) []string { return nil }
func (h *nullHeld) clear() []Command       { return h.change(nil, nil, h.own) }

func (h *nullHeld) faults() []string {
	if len(h.other) > 0 {
		return []string{fmt.Sprintf("route: %d routes are not %s", len(h.other), h.kind)}
	}
	return nil
}

func (h *nullHeld) change(_, add, del []entry) []Command {
	var commands []Command
	for _, e := range slices.Concat(h.other, del) {
		commands = append(commands, Command{Args: h.dialect.change("delete", h.kind, e)})
	}
	for _, e := range add {
		commands = append(commands, Command{Args: h.dialect.change("add", h.kind, e)})
	}
	return commands
}

// linuxChange speaks net-tools' route(8), which takes the BSDs' words too,
// complains, and exits 0 without adding.
func linuxChange(verb, _ string, e entry) []string {
	if verb == "delete" {
		verb = "del"
	}
	if e.net.IsSingleIP() {
		return []string{"route", verb, "-host", e.text(), "metric", nullMetric, "reject"}
	}
	mask := netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), e.net.Bits()).Masked().Addr()
	return []string{"route", verb, "-net", e.net.Addr().String(), "netmask", mask.String(), "metric", nullMetric, "reject"}
}

func linuxList(int) []string { return []string{"route", "-n"} }

// parseLinux reads "192.0.2.1 - 255.255.255.255 !H 97 - 0 -": destination,
// gateway, mask, flags, metric.
func parseLinux(out string, take func(string, netip.Prefix)) {
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 5 || !strings.Contains(f[3], "!") || f[4] != nullMetric {
			continue
		}
		a, err := netip.ParseAddr(f[0])
		m, err2 := netip.ParseAddr(f[2])
		if err != nil || err2 != nil || !a.Is4() || !m.Is4() {
			continue
		}
		if p := netip.PrefixFrom(a, ones(m.As4())); p == p.Masked() {
			take("reject", p)
		}
	}
}

// ones counts the leading ones of a mask.
func ones(mask [4]byte) int {
	n := 0
	for n < 32 && mask[n/8]&(0x80>>(n%8)) != 0 {
		n++
	}
	return n
}

// bsdChange speaks the BSDs' route(8) (route.8 of FreeBSD 14, OpenBSD 7): a
// black hole needs a gateway on the loopback interface.
func bsdChange(tag ...string) func(verb, kind string, e entry) []string {
	return func(verb, kind string, e entry) []string {
		inet, gateway := "-inet", "127.0.0.1"
		if e.net.Addr().Is6() {
			inet, gateway = "-inet6", "::1"
		}
		what := "-net"
		if e.net.IsSingleIP() {
			what = "-host"
		}
		args := []string{"route", "-q", "-n", verb, inet, what, e.text()}
		if verb == "add" {
			args = append(append(args, gateway, "-"+kind), tag...)
		}
		return args
	}
}

func inetOf(family int) string {
	if family == 6 {
		return "inet6"
	}
	return "inet"
}

// netstatList: -W keeps long addresses whole.
func netstatList(family int) []string { return []string{"netstat", "-rnW", "-f", inetOf(family)} }

// openbsdList lists the routes that carry our label alone.
func openbsdList(family int) []string {
	return []string{"route", "-n", "show", "-" + inetOf(family), "-label", nullLabel}
}

// parseNetstat reads "192.0.2.1 127.0.0.1 UGHSB1 lo0": destination, gateway,
// flags, of which 1 is -proto1 (netstat(1)).
func parseNetstat(out string, take func(string, netip.Prefix)) { parseBSD(out, "1", take) }

// parseOpenBSD reads the same of routes that a label chose already.
func parseOpenBSD(out string, take func(string, netip.Prefix)) { parseBSD(out, "", take) }

// parseBSD takes the routes with the flag B, a black hole, or R, a reject.
func parseBSD(out, tag string, take func(string, netip.Prefix)) {
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 3 || !strings.HasPrefix(f[2], "U") || !strings.Contains(f[2], tag) {
			continue
		}
		p, ok := parseDestination(unabbreviate(f[0]))
		switch {
		case !ok || p.Bits() == 0:
		case strings.Contains(f[2], "B"):
			take("blackhole", p)
		case strings.Contains(f[2], "R"):
			take("reject", p)
		}
	}
}

// unabbreviate gives an IPv4 network its dropped zeros back: "198.51.100/24"
// is 198.51.100.0/24.
func unabbreviate(s string) string {
	addr, bits, ok := strings.Cut(s, "/")
	if dots := strings.Count(addr, "."); ok && dots < 3 && !strings.Contains(addr, ":") {
		return addr + strings.Repeat(".0", 3-dots) + "/" + bits
	}
	return s
}
