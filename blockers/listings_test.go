package blockers

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// TestIpsetParse: what "ipset save" prints, and whether the set is as ours.
func TestIpsetParse(t *testing.T) {
	b, err := New(Config{Name: "ipset", Options: map[string]any{"scope": "service"}})
	if err != nil {
		t.Fatal(err)
	}
	s := b.tables[0].(*ipset)
	const ours = "create blockhosts4 hash:net family inet hashsize 1024 maxelem 1048576 bucketsize 12 initval 0x0fdafa23\n"
	for _, c := range []struct {
		name, set, out, held string
		wrong                bool
	}{
		{"empty", "blockhosts4", ours, "", false},
		{"grown", "blockhosts4", strings.Replace(ours, "1024", "65536", 1) + "add blockhosts4 192.0.2.1\nadd blockhosts4 198.51.100.0/24\n", "192.0.2.1 198.51.100.0/24", false},
		{"of ipset 6", "blockhosts4", "create blockhosts4 hash:net family inet hashsize 1024 maxelem 1048576\n", "", false},
		{"with ports", "blockhosts4p", "create blockhosts4p hash:net,port family inet hashsize 1024 maxelem 1048576\nadd blockhosts4p 192.0.2.1,tcp:22\nadd blockhosts4p 192.0.2.8/30,tcp:21\n", "192.0.2.1:22 192.0.2.8/30:21", false},
		{"udp", "blockhosts4p", "create blockhosts4p hash:net,port family inet hashsize 1024 maxelem 1048576\nadd blockhosts4p 192.0.2.1,udp:22\n", "", true},
		{"another type", "blockhosts4", strings.Replace(ours, "hash:net", "hash:ip", 1), "", true},
		{"another family", "blockhosts4", strings.Replace(ours, "inet", "inet6", 1), "", true},
		{"a longer type", "blockhosts4", strings.Replace(ours, "hash:net", "hash:net,iface", 1), "", true},
		{"too small", "blockhosts4", strings.Replace(ours, "1048576", "65536", 1), "", true},
		{"forgetful", "blockhosts4", strings.Replace(ours, " bucketsize", " timeout 600 bucketsize", 1), "", true},
		{"exception", "blockhosts4", ours + "add blockhosts4 192.0.2.1\nadd blockhosts4 192.0.2.2 nomatch\n", "192.0.2.1", true},
		{"nothing", "blockhosts4", "", "", true},
	} {
		h := &ipsetHeld{ipset: s}
		readSet(h, c.set, c.out)
		if got := textOf(h.own); got != c.held || (len(h.wrong) > 0) != c.wrong {
			t.Errorf("%s: held %q, want %q; wrong %q", c.name, got, c.held, h.wrong)
		}
	}
}

// readSet reads a listing as if ipset printed it.
func readSet(h *ipsetHeld, set, out string) {
	r := h.reader(set)
	printed(out, r.take)
	r.end()
}

// TestNullrouteParse: what each system lists, ours and not ours.
func TestNullrouteParse(t *testing.T) {
	for _, c := range []struct{ system, out, want string }{
		{"linux", `Kernel IP routing table
Destination     Gateway         Genmask         Flags Metric Ref    Use Iface
0.0.0.0         192.0.2.254     0.0.0.0         UG    97     0        0 eth0
192.0.2.1       -               255.255.255.255 !H    97     -        0 -
192.0.2.9       -               255.255.255.255 !H    0      -        0 -
198.51.100.0    -               255.255.255.0   !     97     -        0 -
`, "reject 192.0.2.1/32 reject 198.51.100.0/24"},
		{"freebsd", `Routing tables

Internet:
Destination        Gateway            Flags         Nhop#    Mtu    Netif Expire
default            192.0.2.254        UGS             3   1500        em0
192.0.2.1          127.0.0.1          UGHS1B          4  16384        lo0
192.0.2.2          127.0.0.1          UGHS1R          4  16384        lo0
192.0.2.9          127.0.0.1          UGHSB           4  16384        lo0
198.51.100.0/24    127.0.0.1          UGS1B           4  16384        lo0
2001:db8::1        ::1                UGHS1B          4  16384        lo0
0.0.0.0/0          127.0.0.1          UGS1B           4  16384        lo0
`, "blackhole 192.0.2.1/32 reject 192.0.2.2/32 blackhole 198.51.100.0/24 blackhole 2001:db8::1/128"},
		{"openbsd", `Routing tables

Internet:
Destination        Gateway            Flags   Refs      Use   Mtu  Prio Iface
192.0.2.1          127.0.0.1          UGHSB      0        0 32768     8 lo0
198.51.100/24      127.0.0.1          UGSB       0        0 32768     8 lo0
10/8               127.0.0.1          UGSR       0        0 32768     8 lo0
`, "blackhole 192.0.2.1/32 blackhole 198.51.100.0/24 reject 10.0.0.0/8"},
	} {
		var got []string
		dialectOf(c.system).parse(c.out, func(kind string, p netip.Prefix) { got = append(got, kind, p.String()) })
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %q, want %q", c.system, s, c.want)
		}
	}
}

// FuzzListings: no listing makes a parser panic; what it takes is an address
// without host bits that another reader finds in the listing too.
func FuzzListings(f *testing.F) {
	f.Add("192.0.2.1 - 255.255.255.255 !H 97 - 0 -\nadd blockhosts4 192.0.2.1\n   192.0.2.1\n  !192.0.2.7\n")
	f.Add("198.51.100/24 127.0.0.1 UGSB1 lo0\ncreate blockhosts4 hash:net family inet hashsize 1 maxelem 1048576\n")
	set, err := New(Config{Name: "ipset"})
	if err != nil {
		f.Fatal(err)
	}
	table, err := New(Config{Name: "pf", Options: map[string]any{"anchor": "a"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, out string) {
		var found []entry
		for _, system := range []string{"linux", "freebsd", "openbsd"} {
			dialectOf(system).parse(out, func(_ string, p netip.Prefix) { found = append(found, entry{net: p}) })
		}
		s := &ipsetHeld{ipset: set.tables[0].(*ipset)}
		readSet(s, "blockhosts4", out)
		p := &pfHeld{pf: table.tables[0].(*pf), tables: map[string]bool{}, inner: out, main: out}
		p.addTable("blockhosts", "", out)
		p.faults()
		for _, e := range slices.Concat(found, s.own, p.own) {
			if e.net != e.net.Masked() || !e.net.IsValid() || e.net.Bits() == 0 && e.net.Addr().Is4() && !strings.Contains(out, "0") {
				t.Errorf("takes %v from %q", e.net, out)
			}
			if head := e.net.Addr().String(); e.net.IsSingleIP() && e.net.Addr().Is4() && !strings.Contains(out, head) {
				t.Errorf("takes %v, which %q does not name", e.net, out)
			}
		}
	})
}
