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

func (r *routes) list(ctx context.Context, run runner, _ []entry) (held, []string, error) {
	if run.direct(r.tool) {
		if h, err := r.ask(run); err == nil {
			return h, nil, nil
		}
	}
	h := &routesHeld{routes: r}
	warnings, err := run.lines(ctx, Command{Args: []string{r.tool, r.flag(), "route", "show", "proto", routeProto}}, h.takeLine)
	if err != nil {
		return nil, nil, err
	}
	return h, warnings, nil
}

// A routesHeld is what "ip route show proto 98" listed.
type routesHeld struct {
	*routes
	own   []entry // of the kind that is asked for
	other []route // of another kind: a former configuration's
}

type route struct {
	kind string
	to   netip.Prefix
}

func (h *routesHeld) entries() []entry       { return h.own }
func (h *routesHeld) notes([]entry) []string { return nil }
func (h *routesHeld) faults() []string {
	if len(h.other) > 0 {
		return []string{fmt.Sprintf("ip: %d routes are not %s", len(h.other), h.kind)}
	}
	return nil
}

// takeLine reads "blackhole 192.0.2.1 metric 98" and "blackhole 2001:db8::9
// dev lo metric 98 pref medium". Protocol 98 with another metric or type is
// not ours.
func (h *routesHeld) takeLine(line string) {
	kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	to, rest, _ := strings.Cut(rest, " ")
	i := slices.Index(routeKinds, kind)
	if i < 0 || !ours(rest) {
		return
	}
	p, ok := parseDestination(to)
	switch {
	case !ok || family(p) != h.family:
	case kind == h.kind:
		h.own = append(h.own, entry{net: p})
	default:
		h.other = append(h.other, route{routeKinds[i], p})
	}
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
	b.Grow(72 * (len(add) + len(del) + len(h.other)))
	for _, r := range h.other {
		r.write(&b, "del")
	}
	for _, e := range del {
		route{h.kind, e.net}.write(&b, "del")
	}
	for _, e := range add {
		route{h.kind, e.net}.write(&b, "add")
	}
	return h.batch(b.String())
}

func (h *routesHeld) clear() []Command { return h.change(nil, nil, h.own) }

// write writes the line of a batch that adds or deletes a route.
func (r route) write(b *strings.Builder, verb string) {
	var text [64]byte
	b.WriteString("route ")
	b.WriteString(verb)
	b.WriteByte(' ')
	b.WriteString(r.kind)
	b.WriteByte(' ')
	b.Write(r.to.AppendTo(text[:0]))
	b.WriteString(" proto " + routeProto + " metric " + routeMetric + "\n")
}

// batch makes one call of lines; with -force one line that fails does not stop
// the others.
func (r *routes) batch(lines string) []Command {
	if lines == "" {
		return nil
	}
	return []Command{{Args: []string{r.tool, r.flag(), "-force", "-batch", "-"}, Stdin: lines}}
}
