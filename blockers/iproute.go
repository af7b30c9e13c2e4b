package blockers

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
)

// The tag of our routes. Protocol 98 has no name in iproute2's rt_protos, and
// the metric lets a route of ours stand beside the administrator's own to the
// same place, which "ip route replace" would overwrite.
const (
	routeProto  = "98"
	routeMetric = "98"
)

// routeKinds are the types of route that deliver nothing (ip-route(8)).
var routeKinds = []string{"blackhole", "unreachable", "prohibit"}

// newIproute makes the back end that discards the replies to an address:
// connections never come about, though its packets still come in.
func newIproute(c Config, o *options, run runner) (Blocker, error) {
	kind := o.choice("kind", routeKinds...)
	if s := o.choice("scope", "all", "service"); s == "service" {
		return Blocker{}, fmt.Errorf("scope: a route blocks all ports; want all")
	}
	tool := cmp.Or(c.Path, "ip")
	if filepath.Base(tool) != "ip" {
		return Blocker{}, fmt.Errorf("%.200q does not name ip", tool)
	}
	b := Blocker{run: run, names: map[string]string{"kind": kind}}
	if c.Path != "" {
		b.names["path"] = c.Path
	}
	for _, n := range []int{4, 6} {
		b.tables = append(b.tables, &routes{tool: tool, kind: kind, family: n})
	}
	return b, nil
}

// routes are one family's routes of ours in the main table.
type routes struct {
	tool   string
	kind   string
	family int
}

func (r *routes) title() string       { return "ip" }
func (r *routes) takes(e entry) bool  { return family(e.net) == r.family }
func (r *routes) cannot(entry) string { return "" }
func (r *routes) blank() held         { return &routesHeld{routes: r} }

// flag chooses the family: "-4" or "-6".
func (r *routes) flag() string { return fmt.Sprintf("-%d", r.family) }

func (r *routes) list(ctx context.Context, run runner) (held, []string, error) {
	if run.direct(r.tool) {
		if h, err := r.ask(run); err == nil {
			return h, nil, nil
		}
	}
	out, warnings, err := run.do(ctx, Command{Args: []string{r.tool, r.flag(), "route", "show", "proto", routeProto}})
	if err != nil {
		return nil, nil, err
	}
	return r.parse(string(out)), warnings, nil
}

// A routesHeld is what "ip route show proto 98" listed.
type routesHeld struct {
	*routes
	own   []entry  // of the kind that is asked for
	other []string // of another kind, as "kind address": a former configuration's
}

func (h *routesHeld) entries() []entry { return h.own }
func (h *routesHeld) notes() []string  { return nil }
func (h *routesHeld) faults() []string {
	if len(h.other) > 0 {
		return []string{fmt.Sprintf("ip: %d routes are not %s", len(h.other), h.kind)}
	}
	return nil
}

// parse reads "blackhole 192.0.2.1 metric 98" and "blackhole 2001:db8::9 dev
// lo metric 98 pref medium". Protocol 98 with another metric or type is not
// ours.
func (r *routes) parse(out string) *routesHeld {
	h := &routesHeld{routes: r, own: make([]entry, 0, strings.Count(out, "\n"))}
	for line := range strings.Lines(out) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		to, rest, _ := strings.Cut(rest, " ")
		if !slices.Contains(routeKinds, kind) || !ours(rest) {
			continue
		}
		p, ok := parseDestination(to)
		if !ok || family(p) != r.family {
			continue
		}
		if kind == r.kind {
			h.own = append(h.own, entry{net: p})
		} else {
			h.other = append(h.other, kind+" "+p.String())
		}
	}
	return h
}

// ours tells whether what stands behind a route's address has our metric.
func ours(attributes string) bool {
	_, metric, found := strings.Cut(" "+attributes, " metric ")
	metric, _, _ = strings.Cut(metric, " ")
	return found && metric == routeMetric
}

// parseDestination reads an address, or a prefix.
func parseDestination(s string) (netip.Prefix, bool) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err == nil
	}
	a, err := netip.ParseAddr(s)
	return netip.PrefixFrom(a, a.BitLen()), err == nil && a.Zone() == ""
}

func (h *routesHeld) change(_, add, del []entry) []Command {
	var b strings.Builder
	for _, s := range h.other {
		h.line(&b, "del", s)
	}
	for _, e := range del {
		h.line(&b, "del", h.kind+" "+e.net.String())
	}
	for _, e := range add {
		h.line(&b, "add", h.kind+" "+e.net.String())
	}
	return h.batch(b.String())
}

func (h *routesHeld) clear() []Command { return h.change(nil, nil, h.own) }

func (r *routes) line(b *strings.Builder, verb, route string) {
	b.WriteString("route " + verb + " " + route + " proto " + routeProto + " metric " + routeMetric + "\n")
}

// batch makes one call of lines; with -force one line that fails does not stop
// the others.
func (r *routes) batch(lines string) []Command {
	if lines == "" {
		return nil
	}
	return []Command{{Args: []string{r.tool, r.flag(), "-force", "-batch", "-"}, Stdin: lines}}
}
