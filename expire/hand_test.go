package expire

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

func TestBlockByHand(t *testing.T) {
	p := policy(t, []string{"198.51.100.1", `re:10\.`}, nil)
	p.Spared = []Spared{{netip.MustParseAddr("203.0.113.1"), "default gateway"}}
	for net, want := range map[string]string{
		"198.51.100.1/32": "allowlist has it", "198.51.100.0/24": "on the allowlist", "10.1.1.1/32": "allowlist has it",
		"203.0.113.0/24": "default gateway", "203.0.113.1/32": "default gateway",
	} {
		if _, _, err := BlockByHand(record.State{}, p, netip.MustParsePrefix(net), time.Time{}, "", noon); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("block %s: %v, want %q", net, err, want)
		}
	}
	s, _ := apply(record.State{}, fails("192.0.2.1", 8, noon), p, noon)
	s, d, err := BlockByHand(s, p, netip.MustParsePrefix("192.0.2.1/32"), noon.Add(time.Hour), strings.Repeat("x", 300), noon)
	if err != nil || blocked(s) != "192.0.2.1 manual" || len(s.Blocks[0].Note) != record.MaxNote || d.Count != 8 {
		t.Errorf("block: %v, %q, %+v", err, blocked(s), d)
	}
	s, _, _ = BlockByHand(s, p, netip.MustParsePrefix("192.0.2.128/25"), time.Time{}, "", noon)
	s, ds := apply(s, nil, p, noon.AddDate(1, 0, 0))
	if blocked(s) != "192.0.2.128/25 manual" || len(ds) != 1 {
		t.Errorf("a year later: %q, %s", blocked(s), words(ds))
	}
}

func TestUnblock(t *testing.T) {
	p := policy(t, nil, []string{"198.51.100.7"})
	in := append(fails("192.0.2.1", 8, noon), fails("192.0.2.2", 8, noon)...)
	in = append(in, append(fails("2001:db8::1", 8, noon), fails("2001:db8::2", 8, noon)...)...)
	all, _ := apply(record.State{}, in, p, noon)
	for _, c := range []struct{ net, left, hosts, decided string }{
		{"192.0.2.1/32", "192.0.2.2 count, 198.51.100.7 denylist, 2001:db8::/64 prefix", "192.0.2.2 8, 2001:db8::/64 16", "release 192.0.2.1 count"},
		{"2001:db8::9/128", "192.0.2.1 count, 192.0.2.2 count, 198.51.100.7 denylist", "192.0.2.1 8, 192.0.2.2 8", "release 2001:db8::/64 prefix"},
		{"192.0.2.0/24", "198.51.100.7 denylist, 2001:db8::/64 prefix", "2001:db8::/64 16", "release 192.0.2.1 count, release 192.0.2.2 count"},
		{"203.0.113.1/32", blocked(all), watched(all), ""},
		{"0.0.0.0/0", "2001:db8::/64 prefix", "2001:db8::/64 16", "release 192.0.2.1 count, release 192.0.2.2 count, release 198.51.100.7 denylist"},
	} {
		s, ds := Unblock(all, []netip.Prefix{netip.MustParsePrefix(c.net)}, noon)
		if blocked(s) != c.left || watched(s) != c.hosts || words(ds) != c.decided {
			t.Errorf("unblock %s: blocked %q, hosts %q, decided %q", c.net, blocked(s), watched(s), words(ds))
		}
		if s, _ := apply(s, fails("192.0.2.1", 1, noon), p, noon); c.net == "192.0.2.1/32" && strings.Contains(blocked(s), "192.0.2.1 ") {
			t.Error("an unblocked address does not start from zero")
		}
	}
}

func TestWhy(t *testing.T) {
	p := policy(t, []string{"192.0.2.200"}, []string{"198.51.100.0/24"})
	p.Services = map[string]Limits{"sshd": {Limiter: LimiterWindow, Window: time.Minute, Blockcount: 3, Discard: time.Hour}}
	s, _ := apply(record.State{}, append(fails("192.0.2.1", 8, noon), fails("192.0.2.2", 2, noon)...), p, noon)
	for a, want := range map[string]string{
		"192.0.2.1": "blocked: window", "192.0.2.2": "watched, not blocked", "192.0.2.3": "not on record",
		"192.0.2.200": "never blocked: on the allowlist (192.0.2.200)", "198.51.100.1": "blocked: denylist",
	} {
		if got := Why(s, p, netip.MustParseAddr(a), noon); got.Verdict != want {
			t.Errorf("why %s: %q, want %q", a, got.Verdict, want)
		}
	}
	e := Why(s, p, netip.MustParseAddr("192.0.2.1"), noon)
	if len(e.Counts) != 2 || !strings.Contains(e.Counts[1], "sshd: 4 failures within the last 1m, over 3 block; 8 in all") {
		t.Errorf("counts: %q", e.Counts)
	}
	if e.Past == nil || e.Past.Blocks != 1 || e.Blocks[0].Ends != noon.Add(time.Hour) {
		t.Errorf("past %+v, blocks %+v", e.Past, e.Blocks)
	}
}
