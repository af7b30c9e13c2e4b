package expire

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

// on makes n failures on a service by a user, gap apart, the last one at last.
func on(service, user string, n int, gap time.Duration, last time.Time) []record.Failure {
	fs := fails("192.0.2.1", n, last)
	for i := range fs {
		fs[i].Service, fs[i].Rule, fs[i].Program, fs[i].User = service, service+"-Fail", service, user
		fs[i].Time = last.Add(-time.Duration(n-1-i) * gap)
		fs[i].PID = fmt.Sprint(fs[i].Time.UnixMilli())
	}
	return fs
}

func users(t *testing.T, w map[string]int) *Users {
	t.Helper()
	u, err := NewUsers(w)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestLimits(t *testing.T) {
	ssh := func(n int) []record.Failure { return on("sshd", "bob", n, time.Second, noon) }
	both := append(on("ftpd", "", 5, time.Second, noon.Add(-time.Minute)), on("sshd", "", 5, time.Second, noon)...)
	for _, c := range []struct {
		name    string
		change  func(*Policy)
		in      []record.Failure
		blocks  string // net, reason, services
		decided string // a part of the detail
	}{
		{"the sum counts", func(p *Policy) {}, both, "192.0.2.1 count [ftpd sshd]", "10 failures (ftpd 5, sshd 5), limit 7"},
		{"by service, apart", func(p *Policy) { p.ByService = true }, both, "", ""},
		{"by service, its own limit", func(p *Policy) {
			p.ByService = true
			p.Services = map[string]Limits{"ftpd": {Blockcount: 4, Discard: time.Hour}}
		},
			both, "192.0.2.1 count [ftpd]", "5 failures (ftpd 5, sshd 5), limit 4 for ftpd"},
		{"an own limit is held beside the sum's", func(p *Policy) { p.Services = map[string]Limits{"sshd": {Blockcount: 2, Discard: time.Hour}} },
			ssh(3), "192.0.2.1 count [sshd]", "limit 2 for sshd"},
		{"root at once", func(p *Policy) { p.Limits.Users = users(t, map[string]int{"root": Block}) },
			on("sshd", "root", 1, 0, noon), "192.0.2.1 count [sshd]", "1 failures (sshd 1), limit 7 for sshd, a user name that blocks at once"},
		{"not roots", func(p *Policy) { p.Limits.Users = users(t, map[string]int{"root": Block}) }, on("sshd", "roots", 7, time.Second, noon), "", ""},
		{"a weight", func(p *Policy) { p.Limits.Users = users(t, map[string]int{"admin": 4}) }, on("sshd", "admin", 2, time.Second, noon), "192.0.2.1 count [sshd]", "8 failures"},
		{"a pattern", func(p *Policy) { p.Limits.Users = users(t, map[string]int{"re:adm.*": 4}) }, on("sshd", "admins", 2, time.Second, noon), "192.0.2.1 count [sshd]", "8 failures"},
		{"of no weight", func(p *Policy) { p.Limits.Users = users(t, map[string]int{"anna": 0}) }, on("sshd", "anna", 20, time.Second, noon), "", ""},
		{"window, not within", func(p *Policy) { p.Limits.Limiter, p.Limits.Window = LimiterWindow, time.Minute },
			on("sshd", "", 40, 10*time.Second, noon), "", ""},
		{"window, within to the second", func(p *Policy) { p.Limits.Limiter, p.Limits.Window = LimiterWindow, 70*time.Second },
			on("sshd", "", 8, 10*time.Second, noon), "192.0.2.1 window [sshd]", "more than 7 failures within 1m10s"},
		{"ema, slow", func(p *Policy) { p.Limits.Limiter, p.Limits.HalfLife = LimiterEma, time.Minute }, on("sshd", "", 100, time.Minute, noon), "", ""},
		{"ema, fast", func(p *Policy) { p.Limits.Limiter, p.Limits.HalfLife = LimiterEma, 10*time.Minute },
			on("sshd", "", 9, time.Second, noon), "192.0.2.1 ema [sshd]", "moving average over 7"},
		{"spared", func(p *Policy) { p.Spared = []Spared{{netip.MustParseAddr("192.0.2.1"), "default gateway"}} }, ssh(9), "", "spared: default gateway"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := policy(t, nil, nil)
			c.change(&p)
			s, ds := apply(record.State{}, c.in, p, noon)
			var got []string
			for _, b := range s.Blocks {
				got = append(got, fmt.Sprintf("%s %s %v", record.FormatNet(b.Net), b.Reason, b.Services))
			}
			if strings.Join(got, ", ") != c.blocks {
				t.Errorf("blocked %q, want %q", got, c.blocks)
			}
			var details []string
			for _, d := range ds {
				details = append(details, d.Detail)
			}
			if all := strings.Join(details, "; "); !strings.Contains(all, c.decided) || c.decided == "" && all != "" {
				t.Errorf("decided %q, want %q in it", all, c.decided)
			}
			if again, ds := apply(s, nil, p, noon); !reflect.DeepEqual(again, s) || len(ds) != 0 {
				t.Errorf("a second run changes the state or decides %s", words(ds))
			}
		})
	}
}

// TestTerms: how long blocks last, time after time.
func TestTerms(t *testing.T) {
	attack := func(at time.Time) []record.Failure { return fails("192.0.2.1", 8, at) }
	for _, c := range []struct {
		name   string
		change func(*Limits)
		want   []time.Duration // of each block, from the failure that crossed the limit
	}{
		{"fixed", func(l *Limits) { l.BlockFor = time.Hour }, []time.Duration{time.Hour, time.Hour, time.Hour}},
		{"longer each time, up to a bound", func(l *Limits) { l.BlockFor, l.BlockFactor, l.BlockMax = time.Hour, 3, 5*time.Hour },
			[]time.Duration{time.Hour, 3 * time.Hour, 5 * time.Hour}},
		{"permanent after two", func(l *Limits) { l.BlockFor, l.PermanentAfter = time.Hour, 2 }, []time.Duration{time.Hour, 0}},
		{"permanent after so many failures", func(l *Limits) { l.PermanentFailures = 8 }, []time.Duration{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := policy(t, nil, nil)
			c.change(&p.Limits)
			var s record.State
			at := noon
			for i, want := range c.want {
				s, _ = apply(s, attack(at), p, at)
				if len(s.Blocks) != 1 {
					t.Fatalf("block %d: %q", i+1, blocked(s))
				}
				b := s.Blocks[0]
				end := Ends(s, b, p)
				if want == 0 {
					if b.Reason != record.ReasonPermanent || !end.IsZero() {
						t.Errorf("block %d: %s until %s, want it to stay", i+1, b.Reason, end)
					}
					s, _ = apply(s, nil, p, at.AddDate(5, 0, 0))
					if blocked(s) != "192.0.2.1 permanent" || len(s.Hosts) != 0 {
						t.Errorf("five years later: %q, %d hosts", blocked(s), len(s.Hosts))
					}
					return
				}
				if got := end.Sub(b.Since); got != want {
					t.Errorf("block %d lasts %s, want %s", i+1, got, want)
				}
				early, _ := apply(s, fails("192.0.2.1", 1, end.Add(-time.Second)), p, end.Add(-time.Second))
				if blocked(early) == "" {
					t.Errorf("block %d ended early", i+1)
				}
				var ds []record.Decision
				s, ds = apply(early, nil, p, end)
				if blocked(s) != "" || words(ds) != "release 192.0.2.1 "+string(b.Reason) || len(s.Hosts) != 0 {
					t.Errorf("block %d at its end: %q, decided %q, %d hosts", i+1, blocked(s), words(ds), len(s.Hosts))
				}
				at = end.Add(time.Minute)
			}
		})
	}
}

func TestBlockPerHundred(t *testing.T) {
	p := policy(t, nil, nil)
	p.Limits.BlockFor, p.Limits.BlockPerHundred = time.Hour, 10*time.Minute
	s, _ := apply(record.State{}, fails("192.0.2.1", 250, noon), p, noon)
	if got := s.Blocks[0].Until.Sub(s.Blocks[0].Since); got != 80*time.Minute {
		t.Errorf("250 failures in one run block for %s, want 1h20m", got)
	}
}

// TestOldLinesOnAFirstRun: neither a long term nor a permanent block comes
// from lines older than discard.
func TestOldLinesOnAFirstRun(t *testing.T) {
	p := policy(t, nil, nil)
	p.Limits.BlockFor, p.Limits.PermanentFailures = 30*24*time.Hour, 5
	s, ds := apply(record.State{}, fails("192.0.2.1", 50, noon.Add(-13*time.Hour)), p, noon)
	if len(s.Blocks)+len(s.Past)+len(s.Hosts)+len(ds) != 0 {
		t.Errorf("old lines leave %+v, decide %s", s, words(ds))
	}
}

func TestByHand(t *testing.T) {
	p := policy(t, []string{"198.51.100.1"}, nil)
	net := netip.MustParsePrefix("192.0.2.1/32")
	s := record.State{Blocks: []record.Block{{Net: net, Reason: record.ReasonManual, Since: noon, Until: noon.Add(2 * time.Hour), Note: "abuse desk"}}}
	s, ds := apply(s, fails("192.0.2.1", 9, noon), p, noon.Add(time.Hour))
	if blocked(s) != "192.0.2.1 manual" || len(ds) != 0 {
		t.Errorf("manual before count: %q, %s", blocked(s), words(ds))
	}
	s, ds = apply(s, nil, p, noon.Add(2*time.Hour))
	if blocked(s) != "192.0.2.1 count" || len(ds) != 0 {
		t.Errorf("after its time the count holds on: %q, %s", blocked(s), words(ds))
	}
	s, ds = apply(s, nil, p, noon.Add(12*time.Hour))
	if blocked(s) != "" || words(ds) != "release 192.0.2.1 count" {
		t.Errorf("and ends by its own rule: %q, %s", blocked(s), words(ds))
	}
}

func TestSparedNeighbours(t *testing.T) {
	p := policy(t, nil, []string{"203.0.113.0/24"})
	p.Spared = []Spared{{netip.MustParseAddr("2001:db8::ff"), "resolver"}, {netip.MustParseAddr("203.0.113.1"), "own address of eth0"}}
	p.OnLink = []netip.Prefix{netip.MustParsePrefix("2001:db8:5::/56")}
	in := append(fails("2001:db8::1", 4, noon), fails("2001:db8::2", 4, noon)...)
	in = append(in, append(fails("2001:db8:5:1::1", 4, noon), fails("2001:db8:5:1::2", 4, noon)...)...)
	in = append(in, fails("203.0.113.9", 1, noon)...)
	s, _ := apply(record.State{}, in, p, noon)
	want := "203.0.113.9 denylist, 2001:db8::1 count, 2001:db8::2 count, 2001:db8:5:1::1 count, 2001:db8:5:1::2 count"
	if blocked(s) != want {
		t.Errorf("blocked %q, want %q", blocked(s), want)
	}
}

func TestMaxTracked(t *testing.T) {
	p := policy(t, nil, nil)
	p.MaxTracked = 3
	var in []record.Failure
	in = append(in, fails("192.0.2.1", 8, noon.Add(-5*time.Hour))...)
	for i := range 5 {
		in = append(in, fails(fmt.Sprintf("198.51.100.%d", i), 1, noon.Add(time.Duration(i-10)*time.Minute))...)
	}
	s, ds := apply(record.State{}, in, p, noon)
	if got, want := watched(s), "192.0.2.1 8, 198.51.100.3 1, 198.51.100.4 1"; got != want {
		t.Errorf("kept %q, want %q", got, want)
	}
	if ds[0].Action != record.ActionDropped || ds[0].Count != 3 {
		t.Errorf("first decision %+v, want 3 dropped", ds[0])
	}
}

// TestLimiterProperties: whatever the limits are, splitting a run makes no
// difference to who is blocked, and an earlier run never blocks somebody less.
func TestLimiterProperties(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		p := policy(t, []string{"192.0.2.9"}, nil)
		p.ByService = r.IntN(2) == 0
		p.Limits.Limiter = []Limiter{LimiterCount, LimiterWindow, LimiterEma}[r.IntN(3)]
		p.Limits.Window, p.Limits.HalfLife = 40*time.Minute, 40*time.Minute
		p.Limits.BlockFor = []time.Duration{0, 11 * time.Hour}[r.IntN(2)]
		p.Limits.BlockFactor = 2
		p.Limits.PermanentFailures = []int{0, 20}[r.IntN(2)]
		p.Limits.Users = users(t, map[string]int{"root": 2})
		p.Services = map[string]Limits{"vsftpd": {Limiter: LimiterWindow, Blockcount: 3, Window: 30 * time.Minute, Discard: 11 * time.Hour}}
		all := randomFailures(r)
		for i := range all {
			all[i].User = []string{"root", "bob", ""}[r.IntN(3)]
		}
		whole, _ := apply(record.State{}, all, p, noon)
		cut := r.IntN(len(all) + 1)
		first, _ := apply(record.State{}, all[:cut], p, noon)
		second, _ := apply(first, all[cut:], p, noon)
		if !reflect.DeepEqual(second, whole) {
			t.Fatalf("seed %d: two runs, cut at %d, give\n%+v\none gives\n%+v", seed, cut, second, whole)
		}
		for _, b := range whole.Blocks {
			if b.Net.Contains(netip.MustParseAddr("192.0.2.9")) {
				t.Fatalf("seed %d: allowed address blocked by %s", seed, b.Net)
			}
		}
		for _, h := range whole.Hosts {
			if len(h.Stamps) > record.MaxStamps {
				t.Fatalf("seed %d: %d stamps", seed, len(h.Stamps))
			}
		}
	}
}

// TestPermanentGoesOn: a permanent block of one address of a prefix is neither
// over nor new when the block of another ends.
func TestPermanentGoesOn(t *testing.T) {
	net := netip.MustParsePrefix("2001:db8::/64")
	one, two := netip.MustParsePrefix("2001:db8::1/128"), netip.MustParsePrefix("2001:db8::2/128")
	s := record.State{
		Hosts: []record.Host{{Net: net, Counter: record.Counter{Count: 9, Last: noon}, Offenders: []netip.Addr{one.Addr(), two.Addr()}}},
		Blocks: []record.Block{{Net: one, Host: net, Reason: record.ReasonDenylist, Since: noon},
			{Net: two, Host: net, Reason: record.ReasonPermanent, Since: noon}},
	}
	s, ds := apply(s, nil, policy(t, nil, []string{"2001:db8::1"}), noon.Add(13*time.Hour))
	if blocked(s) != "2001:db8::1 denylist, 2001:db8::2 permanent" || len(ds) != 0 {
		t.Errorf("blocked %q, decided %q", blocked(s), words(ds))
	}
}

// TestFormerPrefix: where ipv6_prefix has changed, hosts of both lengths may
// count the same address. It is blocked once, and that is no new block at
// every run.
func TestFormerPrefix(t *testing.T) {
	for _, c := range []struct {
		was, is int
		deny    []string
		host    string
	}{{64, 48, nil, "2001:db8:1::/48"}, {48, 64, nil, "2001:db8:1:2::/64"}, {64, 48, []string{"2001:db8:1:2::1"}, "2001:db8:1::/48"}, {48, 64, []string{"2001:db8:1:2::1"}, "2001:db8:1:2::/64"}} {
		p := policy(t, nil, c.deny)
		p.IPv6Prefix = c.was
		st, _ := apply(record.State{}, fails("2001:db8:1:2::1", 9, noon), p, noon)
		p.IPv6Prefix = c.is
		st, _ = apply(st, fails("2001:db8:1:2::1", 9, noon.Add(time.Minute)), p, noon.Add(time.Minute))
		if len(st.Blocks) != 1 || st.Blocks[0].Host.String() != c.host {
			t.Errorf("%d, then %d: %+v, want one block, of %s", c.was, c.is, st.Blocks, c.host)
		}
		again, ds := apply(st, nil, p, noon.Add(2*time.Minute))
		if !reflect.DeepEqual(again, st) || len(ds) > 0 {
			t.Errorf("%d, then %d: a run that finds nothing new makes of\n%+v\n%+v\n%v", c.was, c.is, st, again, ds)
		}
	}
}
