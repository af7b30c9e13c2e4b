package blockers

import (
	"net/netip"
	"strings"
	"testing"
)

// TestRoutesParse: lines of "ip route show proto 98", seen with iproute2 6.1
// and, with "error", older ones.
func TestRoutesParse(t *testing.T) {
	for _, c := range []struct {
		name    string
		family  int
		listing string
		held    string
		batch   string // for 192.0.2.1 or 2001:db8::1 wanted
	}{
		{"nothing", 4, "", "", "route add blackhole 192.0.2.1/32 proto 98 metric 98\n"},
		{"held", 4, "blackhole 192.0.2.1 metric 98 \n", "192.0.2.1", ""},
		{"prefix too many", 4, "blackhole 192.0.2.1 metric 98\nblackhole 198.51.100.0/24 metric 98\n", "192.0.2.1 198.51.100.0/24",
			"route del blackhole 198.51.100.0/24 proto 98 metric 98\n"},
		{"IPv6", 6, "blackhole 2001:db8::1 dev lo metric 98 pref medium\n", "2001:db8::1", ""},
		{"IPv6, older", 6, "blackhole 2001:db8::1 dev lo metric 98 error -22 pref medium\nblackhole 2001:db8:1::/64 dev lo metric 98 error -22\n", "2001:db8::1 2001:db8:1::/64",
			"route del blackhole 2001:db8:1::/64 proto 98 metric 98\n"},
		{"other metric", 4, "blackhole 192.0.2.9 metric 50\nblackhole 192.0.2.8\nblackhole 192.0.2.1 metric 98\n", "192.0.2.1", ""},
		{"a way somewhere", 4, "192.0.2.9 via 203.0.113.1 dev eth0 metric 98\nblackhole 192.0.2.1 metric 98\n", "192.0.2.1", ""},
		{"another kind", 4, "unreachable 192.0.2.9 metric 98\nblackhole 192.0.2.1 metric 98\n", "192.0.2.1",
			"route del unreachable 192.0.2.9/32 proto 98 metric 98\n"},
		{"another kind of the same", 4, "prohibit 192.0.2.1 metric 98\n", "",
			"route del prohibit 192.0.2.1/32 proto 98 metric 98\nroute add blackhole 192.0.2.1/32 proto 98 metric 98\n"},
		{"nonsense", 4, "blackhole\nblackhole x metric 98\nblackhole 192.0.2.9 metric\nblackhole 2001:db8::9 metric 98\nblackhole 192.0.2.1 metric 98\n", "192.0.2.1", ""},
	} {
		r := &routes{tool: "ip", kind: "blackhole", family: c.family}
		h := &routesHeld{routes: r}
		printed(c.listing, h.takeLine)
		if got := textOf(h.entries()); got != c.held {
			t.Errorf("%s: held %q, want %q", c.name, got, c.held)
		}
		addr := map[int]string{4: "192.0.2.1", 6: "2001:db8::1"}[c.family]
		want, _ := entriesOf(targets(addr), nil)
		add, del := difference(h.entries(), want)
		batch := ""
		for _, cmd := range h.change(want, add, del) {
			batch += cmd.Stdin
		}
		if batch != c.batch {
			t.Errorf("%s: would send\n%swant\n%s", c.name, batch, c.batch)
		}
	}
}

// FuzzRoutes: whatever is listed, only routes with our tag are removed, and
// each line that is sent names an address.
func FuzzRoutes(f *testing.F) {
	f.Add("blackhole 192.0.2.1 metric 98\nunreachable 198.51.100.0/24 metric 98\n")
	f.Add("blackhole 2001:db8::9 dev lo metric 98 pref medium\nblackhole default metric 98\n")
	f.Fuzz(func(t *testing.T, listing string) {
		for _, n := range []int{4, 6} {
			h := &routesHeld{routes: &routes{tool: "ip", kind: "blackhole", family: n}}
			printed(listing, h.takeLine)
			for _, cmd := range h.clear() {
				for line := range strings.Lines(cmd.Stdin) {
					w := strings.Fields(line)
					p, err := netip.ParsePrefix(w[3])
					if len(w) != 8 || strings.Join(w[4:], " ") != "proto 98 metric 98" || err != nil || family(p) != n {
						t.Errorf("sends %q", line)
					}
					if !strings.Contains(listing, w[2]) || !strings.Contains(listing, "98") {
						t.Errorf("removes %q, which was not listed", line)
					}
				}
			}
		}
	})
}
