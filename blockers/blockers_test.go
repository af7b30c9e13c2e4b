package blockers

import (
	"cmp"
	"context"
	"net/netip"
	"os"
	"path/filepath"
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

// many returns n single IPv4 addresses of 198.18.0.0/15 (RFC 2544).
func many(n int) []Target {
	list := make([]Target, n)
	for i := range list {
		a := netip.AddrFrom4([4]byte{198, 18 + byte(i>>16), byte(i >> 8), byte(i)})
		list[i].Net = netip.PrefixFrom(a, 32)
	}
	return list
}

// toolbox makes a folder of tools: name → program or script, "" for a failing
// one.
func toolbox(t testing.TB, tools map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, program := range tools {
		var err error
		if strings.HasPrefix(program, "/") {
			err = os.Symlink(program, filepath.Join(dir, name))
		} else {
			script := cmp.Or(program, "#!/bin/sh\necho out of order >&2\nexit 9\n")
			err = os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestDryUnlisted: what cannot be listed is taken as empty; the commands are
// those for an empty firewall, complete.
func TestDryUnlisted(t *testing.T) {
	both := targets("192.0.2.1", "2001:db8:1::/64")
	for name, want := range map[string]string{
		"iptables": "*filter\n:blockhosts - [0:0]\n-A blockhosts -s 192.0.2.1/32 -j DROP\n-I INPUT 1 -j blockhosts\n-I FORWARD 1 -j blockhosts\nCOMMIT\n" +
			"*filter\n:blockhosts - [0:0]\n-A blockhosts -s 2001:db8:1::/64 -j DROP\n-I INPUT 1 -j blockhosts\n-I FORWARD 1 -j blockhosts\nCOMMIT\n",
		"ipset": "create blockhosts4 hash:net family inet hashsize 1024 maxelem 1048576\nadd blockhosts4 192.0.2.1\n" +
			"*filter\n:blockhosts-set - [0:0]\n-A blockhosts-set -m set --match-set blockhosts4 src -j DROP\n-I INPUT 1 -j blockhosts-set\n-I FORWARD 1 -j blockhosts-set\nCOMMIT\n" +
			"create blockhosts6 hash:net family inet6 hashsize 1024 maxelem 1048576\nadd blockhosts6 2001:db8:1::/64\n" +
			"*filter\n:blockhosts-set - [0:0]\n-A blockhosts-set -m set --match-set blockhosts6 src -j DROP\n-I INPUT 1 -j blockhosts-set\n-I FORWARD 1 -j blockhosts-set\nCOMMIT\n",
		"iproute": "route add blackhole 192.0.2.1/32 proto 98 metric 98\nroute add blackhole 2001:db8:1::/64 proto 98 metric 98\n",
		"pf":      "192.0.2.1\n2001:db8:1::/64\n",
	} {
		b, err := New(Config{Name: name, Dirs: []string{t.TempDir()}})
		if err != nil {
			t.Fatal(err)
		}
		r := Sync(context.Background(), b, both, true)
		got := ""
		for _, c := range r.Commands {
			got += c.Stdin
		}
		if got != want || r.Err != nil || len(r.Warnings) == 0 {
			t.Errorf("%s: would send\n%swarnings %q: %v", name, got, r.Warnings, r.Err)
		}
		for _, w := range r.Warnings {
			if !strings.HasSuffix(w, "; taken as empty") {
				t.Errorf("%s: warning %q", name, w)
			}
		}
	}
}
