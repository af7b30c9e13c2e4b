package blockers

import (
	"net/netip"
	"strings"
	"testing"
)

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{Name: "iptable"}, `"iptable" is not a blocker; want one of `},
		{Config{Name: "iptables", Path: "/sbin/nft"}, `iptables: "/sbin/nft" does not name iptables or ip6tables`},
		{Config{Name: "iproute", Path: "/sbin/route"}, `iproute: "/sbin/route" does not name ip`},
		{Config{Name: "none", Options: map[string]any{"chain": "x"}}, `none: unknown option "chain"; it has none`},
		{Config{Name: "iptables", Options: map[string]any{"chian": "x"}}, `iptables: unknown option "chian"; it has chain, hooks,`},
		{Config{Name: "iptables", Options: map[string]any{"chain": "a b"}}, `iptables: chain: want a chain's name of at most 28 letters`},
		{Config{Name: "iptables", Options: map[string]any{"chain": strings.Repeat("c", 29)}}, `iptables: chain: want a chain's name`},
		{Config{Name: "iptables", Options: map[string]any{"chain": 7}}, `iptables: chain: want a chain's name`},
		{Config{Name: "iptables", Options: map[string]any{"chain": "INPUT"}}, `iptables: chain: "INPUT" is one of the system's own`},
		{Config{Name: "iptables", Options: map[string]any{"hooks": []any{}}}, `iptables: hooks: want chains such as`},
		{Config{Name: "iptables", Options: map[string]any{"hooks": []any{"INPUT", "INPUT"}}}, `each once, found "INPUT"`},
		{Config{Name: "iptables", Options: map[string]any{"action": "bounce"}}, `iptables: action: want drop, reject, tcp-reset, found "bounce"`},
		{Config{Name: "iproute", Options: map[string]any{"scope": "service"}}, `iproute: scope: a route blocks all ports`},
	} {
		_, err := New(c.config)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%+v): %v, want %q", c.config, err, c.want)
		}
	}
}

// TestFormer: what is recorded of a back end makes the same back end again.
func TestFormer(t *testing.T) {
	for _, c := range []Config{
		{Name: "iptables"},
		{Name: "ip6tables", Path: "/opt/ip6tables-legacy"},
		{Name: "iptables", Options: map[string]any{"chain": "ours", "hooks": []any{"INPUT"}, "action": "reject", "scope": "service"}},
		{Name: "iproute", Path: "/sbin/ip", Options: map[string]any{"kind": "prohibit"}},
		{Name: "none"},
	} {
		b, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := New(Former(b.Name(), b.names))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(again.tables), len(b.tables); got != want {
			t.Errorf("%s: %d tables, want %d", c.Name, got, want)
		}
		for k, v := range b.names {
			if again.names[k] != v {
				t.Errorf("%s: %s is %q, want %q", c.Name, k, again.names[k], v)
			}
		}
	}
}

func targets(nets ...string) []Target {
	var list []Target
	for _, n := range nets {
		p, err := netip.ParsePrefix(n)
		if err != nil {
			a := netip.MustParseAddr(n)
			p = netip.PrefixFrom(a, a.BitLen())
		}
		list = append(list, Target{Net: p})
	}
	return list
}
