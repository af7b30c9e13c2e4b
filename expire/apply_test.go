package expire

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func limits() Limits { return Limits{Blockcount: 7, Discard: 12 * time.Hour} }

func policy(t testing.TB, allow, deny []string) Policy {
	t.Helper()
	a, err := NewList(allow)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewList(deny)
	if err != nil {
		t.Fatal(err)
	}
	return Policy{Limits: limits(), Remember: 30 * 24 * time.Hour, IPv6Prefix: 64, PrefixMin: 2, Allow: a, Deny: d, FoldLines: true}
}

// fails makes n failures of addr, a second apart, the last one at last; each
// under its own pid.
func fails(addr string, n int, last time.Time) []record.Failure {
	var fs []record.Failure
	for i := range n {
		at := last.Add(-time.Duration(n-1-i) * time.Second)
		fs = append(fs, record.Failure{Blame: &record.Blame{Addr: netip.MustParseAddr(addr), Service: "sshd", Rule: "sshd-Fail", Program: "sshd"},
			Time: at, PID: fmt.Sprint(at.Unix()), Repeat: 1, User: "root", Text: "line"})
	}
	return fs
}

// words shows decisions and blocks in a form that fits a table.
func words(ds []record.Decision) string {
	var out []string
	for _, d := range ds {
		out = append(out, fmt.Sprintf("%s %s %s", d.Action, record.FormatNet(d.Net), d.Reason))
	}
	return strings.Join(out, ", ")
}

func blocked(s record.State) string {
	var out []string
	for _, b := range s.Blocks {
		out = append(out, fmt.Sprintf("%s %s", record.FormatNet(b.Net), b.Reason))
	}
	return strings.Join(out, ", ")
}

func watched(s record.State) string {
	var out []string
	for _, h := range s.Hosts {
		out = append(out, fmt.Sprintf("%s %d", record.FormatNet(h.Net), h.Count))
	}
	return strings.Join(out, ", ")
}

func TestApply(t *testing.T) {
	six := func(addr string, n int) []record.Failure { return fails(addr, n, noon) }
	for _, c := range []struct {
		name                   string
		allow, deny            []string
		failures               []record.Failure
		blocks, hosts, decided string
	}{
		{name: "nothing"},
		{name: "the limit is tolerated", failures: fails("192.0.2.1", 7, noon), hosts: "192.0.2.1 7"},
		{name: "one more blocks", failures: fails("192.0.2.1", 8, noon),
			blocks: "192.0.2.1 count", hosts: "192.0.2.1 8", decided: "block 192.0.2.1 count"},
		{name: "old lines block nobody today", failures: fails("192.0.2.1", 50, noon.Add(-12*time.Hour))},
		{name: "a chain without a quiet spell counts whole",
			failures: slices.Concat(fails("192.0.2.1", 4, noon.Add(-13*time.Hour)), fails("192.0.2.1", 4, noon.Add(-2*time.Hour))),
			blocks:   "192.0.2.1 count", hosts: "192.0.2.1 8", decided: "block 192.0.2.1 count"},
		{name: "a quiet spell forgets",
			failures: slices.Concat(fails("192.0.2.1", 4, noon.Add(-14*time.Hour)), fails("192.0.2.1", 4, noon)),
			hosts:    "192.0.2.1 4"},
		{name: "later than now is now", failures: fails("192.0.2.1", 1, noon.Add(time.Hour)), hosts: "192.0.2.1 1"},
		{name: "allowed is not counted", allow: []string{"192.0.2.0/24"}, failures: fails("192.0.2.1", 9, noon), decided: "allowed 192.0.2.1 "},
		{name: "allow over deny", allow: []string{"192.0.2.1"}, deny: []string{"192.0.2.1"}, decided: "allowed 192.0.2.1 denylist"},
		{name: "deny without a failure", deny: []string{"198.51.100.0/24", "2001:db8::7"},
			blocks:  "198.51.100.0/24 denylist, 2001:db8::7 denylist",
			decided: "block 198.51.100.0/24 denylist, block 2001:db8::7 denylist"},
		{name: "deny over counts", deny: []string{"192.0.2.1"}, failures: fails("192.0.2.1", 9, noon),
			blocks: "192.0.2.1 denylist", hosts: "192.0.2.1 9", decided: "block 192.0.2.1 denylist"},
		{name: "a denied prefix with an allowed address in it blocks its offenders singly",
			allow: []string{"192.0.2.7"}, deny: []string{"192.0.2.0/24"},
			failures: slices.Concat(fails("192.0.2.1", 1, noon), fails("192.0.2.7", 1, noon)),
			blocks:   "192.0.2.1 denylist", hosts: "192.0.2.1 1",
			decided: "allowed 192.0.2.0/24 denylist, block 192.0.2.1 denylist, allowed 192.0.2.7 "},
		{name: "a deny pattern blocks only watched addresses", deny: []string{`192\.0\.2\.`}, failures: fails("192.0.2.1", 1, noon),
			blocks: "192.0.2.1 denylist", hosts: "192.0.2.1 1", decided: "block 192.0.2.1 denylist"},
		{name: "IPv6 counts by prefix", failures: slices.Concat(fails("2001:db8::1", 4, noon), fails("2001:db8::2", 4, noon)),
			blocks: "2001:db8::/64 prefix", hosts: "2001:db8::/64 8", decided: "block 2001:db8::/64 prefix"},
		{name: "one offender of a prefix is blocked alone", failures: fails("2001:db8::1", 8, noon),
			blocks: "2001:db8::1 count", hosts: "2001:db8::/64 8", decided: "block 2001:db8::1 count"},
		{name: "a prefix with an allowed address is never blocked whole", allow: []string{"2001:db8::ff"},
			failures: slices.Concat(fails("2001:db8::1", 4, noon), fails("2001:db8::2", 4, noon)),
			blocks:   "2001:db8::1 count, 2001:db8::2 count", hosts: "2001:db8::/64 8",
			decided: "block 2001:db8::1 count, block 2001:db8::2 count"},
		{name: "nor one that an allow pattern may hold", allow: []string{`re:2001:db8:.*:ff`},
			failures: slices.Concat(fails("2001:db8::1", 4, noon), fails("2001:db8::2", 4, noon)),
			blocks:   "2001:db8::1 count, 2001:db8::2 count", hosts: "2001:db8::/64 8",
			decided: "block 2001:db8::1 count, block 2001:db8::2 count"},
		{name: "a pattern for IPv4 does not hinder it", allow: []string{`10\..*`},
			failures: slices.Concat(fails("2001:db8::1", 4, noon), fails("2001:db8::2", 4, noon)),
			blocks:   "2001:db8::/64 prefix", hosts: "2001:db8::/64 8", decided: "block 2001:db8::/64 prefix"},
		{name: "link-local addresses have no prefix in common", failures: slices.Concat(fails("fe80::1", 7, noon), fails("fe80::2", 8, noon)),
			blocks: "fe80::2 count", hosts: "fe80::1 7, fe80::2 8", decided: "block fe80::2 count"},
		{name: "nobody's addresses", failures: slices.Concat(fails("0.0.0.0", 9, noon), fails("224.0.0.1", 9, noon), fails("255.255.255.255", 9, noon), fails("::", 9, noon))},
		{name: "an allow pattern is held against the start of the address, as ever", allow: []string{`10\..*`},
			failures: slices.Concat(six("10.1.2.3", 8), six("110.1.2.3", 8)),
			blocks:   "110.1.2.3 count", hosts: "110.1.2.3 8", decided: "allowed 10.1.2.3 , block 110.1.2.3 count"},
		{name: "an allowed address is no pattern", allow: []string{"1.0.0.1"}, failures: six("100.0.1.9", 8),
			blocks: "100.0.1.9 count", hosts: "100.0.1.9 8", decided: "block 100.0.1.9 count"},
	} {
		t.Run(c.name, func(t *testing.T) {
			next, ds := apply(record.State{}, c.failures, policy(t, c.allow, c.deny), noon)
			if got := blocked(next); got != c.blocks {
				t.Errorf("blocked: %q, want %q", got, c.blocks)
			}
			if got := watched(next); got != c.hosts {
				t.Errorf("hosts: %q, want %q", got, c.hosts)
			}
			if got := words(ds); got != c.decided {
				t.Errorf("decided: %q, want %q", got, c.decided)
			}
			again, ds := apply(next, nil, policy(t, c.allow, c.deny), noon)
			if !reflect.DeepEqual(again, next) {
				t.Errorf("a second run without failures changes\n%+v\nto\n%+v", next, again)
			}
			for _, d := range ds {
				if d.Action != record.ActionAllowed {
					t.Errorf("a second run without failures decides %s", words(ds))
				}
			}
		})
	}
}

// TestBlockEnds follows one address over days.
func TestBlockEnds(t *testing.T) {
	p := policy(t, nil, nil)
	at := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	var s record.State
	for _, step := range []struct {
		hour     int
		failures []record.Failure
		decided  string
		blocks   string
		before   int
	}{
		{0, fails("192.0.2.1", 8, at(0)), "block 192.0.2.1 count", "192.0.2.1 count", 0},
		{11, nil, "", "192.0.2.1 count", 0},
		{11, fails("192.0.2.1", 1, at(11)), "", "192.0.2.1 count", 0}, // later failures move the end on
		{22, nil, "", "192.0.2.1 count", 0},
		{23, nil, "release 192.0.2.1 count", "", 1},
		{24, fails("192.0.2.1", 7, at(24)), "", "", 0}, // the count began at 0
		{25, fails("192.0.2.1", 1, at(25)), "block 192.0.2.1 count", "192.0.2.1 count", 1},
		{40, fails("192.0.2.1", 8, at(40)), "release 192.0.2.1 count, block 192.0.2.1 count", "192.0.2.1 count", 2},
		{52, nil, "release 192.0.2.1 count", "", 3},
		{52 + 30*24, nil, "", "", 0},
	} {
		var ds []record.Decision
		s, ds = apply(s, step.failures, p, at(step.hour))
		if got := words(ds); got != step.decided {
			t.Errorf("hour %d: decided %q, want %q", step.hour, got, step.decided)
		}
		if got := blocked(s); got != step.blocks {
			t.Errorf("hour %d: blocked %q, want %q", step.hour, got, step.blocks)
		}
		if len(ds) > 0 && ds[len(ds)-1].Before != step.before {
			t.Errorf("hour %d: blocked %d times before, want %d", step.hour, ds[len(ds)-1].Before, step.before)
		}
	}
	if len(s.Past) != 0 || len(s.Hosts) != 0 {
		t.Errorf("after remember has passed, %+v is left", s)
	}
}

func TestStickyAndLoweredLimit(t *testing.T) {
	p := policy(t, nil, nil)
	s, _ := apply(record.State{}, fails("192.0.2.1", 8, noon), p, noon)
	p.Limits.Blockcount = 20
	if s, ds := apply(s, nil, p, noon); blocked(s) != "192.0.2.1 count" || len(ds) != 0 {
		t.Errorf("a raised limit ends a block: %q, %s", blocked(s), words(ds))
	}
	p.Limits.Blockcount = 3
	s, _ = apply(record.State{}, fails("192.0.2.1", 3, noon), p, noon)
	p.Limits.Blockcount = 2
	if s, ds := apply(s, nil, p, noon); blocked(s) != "192.0.2.1 count" || words(ds) != "block 192.0.2.1 count" {
		t.Errorf("a lowered limit blocks nobody: %q, %s", blocked(s), words(ds))
	}
}

func TestDiscardZeroForgetsThisRunToo(t *testing.T) {
	p := policy(t, nil, []string{"198.51.100.9"})
	s, _ := apply(record.State{}, slices.Concat(fails("192.0.2.1", 8, noon), fails("192.0.2.2", 1, noon)), p, noon)
	p.Limits.Discard = 0
	s, ds := apply(s, fails("192.0.2.3", 9, noon), p, noon)
	if watched(s) != "" || blocked(s) != "198.51.100.9 denylist" {
		t.Errorf("left: hosts %q, blocks %q", watched(s), blocked(s))
	}
	if got, want := words(ds), "release 192.0.2.1 count, forget 192.0.2.2 "; got != want {
		t.Errorf("decided %q, want %q", got, want)
	}
}

// TestPrefixFollowsItsOffenders: the second offender widens the block, and
// nobody is said to be released.
func TestPrefixFollowsItsOffenders(t *testing.T) {
	p := policy(t, nil, nil)
	s, _ := apply(record.State{}, fails("2001:db8::1", 8, noon), p, noon)
	s, ds := apply(s, fails("2001:db8::2", 1, noon), p, noon)
	if blocked(s) != "2001:db8::/64 prefix" || words(ds) != "block 2001:db8::/64 prefix" {
		t.Errorf("blocked %q, decided %q", blocked(s), words(ds))
	}
	if s.Past[0].Blocks != 1 {
		t.Errorf("the prefix counts as blocked %d times, want once", s.Past[0].Blocks)
	}
	p.Allow, _ = NewList([]string{"2001:db8::1"})
	s, _ = apply(s, nil, p, noon)
	if blocked(s) != "2001:db8::2 count" {
		t.Errorf("after ::1 was allowed, blocked is %q", blocked(s))
	}
}

func TestAttemptsAreCountedNotLines(t *testing.T) {
	line := func(rule, pid string, sec int) record.Failure {
		return record.Failure{Blame: &record.Blame{Addr: netip.MustParseAddr("192.0.2.1"), Service: "sshd", Rule: rule, Program: "sshd"},
			Time: noon.Add(time.Duration(sec) * time.Second), PID: pid, Repeat: 1}
	}
	three := []record.Failure{line("sshd-Invalid", "10", -9), line("sshd-Fail", "10", -8), line("sshd-Closed", "10", -7)}
	for _, c := range []struct {
		name string
		in   []record.Failure
		want int
	}{
		{"three lines of one attempt", three, 1},
		{"two attempts under one pid, one of them in two lines", append(three, line("sshd-Fail", "10", -6)), 2},
		{"another pid", append(three, line("sshd-Closed", "11", -6)), 2},
		{"the same pid after two minutes", append(three, line("sshd-Closed", "10", 119)), 2},
		{"many under one pid", []record.Failure{line("sshd-Fail", "10", 0), line("sshd-Fail", "10", 1), line("sshd-Fail", "10", 2)}, 3},
		{"repeated", []record.Failure{line("sshd-Invalid", "10", 0), {Blame: line("sshd-Fail", "10", 0).Blame, Time: noon, PID: "10", Repeat: 4}}, 4},
		{"no pid, so each line", []record.Failure{line("sshd-Invalid", "", 0), line("sshd-Fail", "", 1)}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := noon.Add(10 * time.Minute)
			p := policy(t, nil, nil)
			one, _ := apply(record.State{}, c.in, p, now)
			if one.Hosts[0].Count != c.want {
				t.Errorf("counted %d, want %d", one.Hosts[0].Count, c.want)
			}
			for cut := range c.in {
				s, _ := apply(record.State{}, c.in[:cut], p, now)
				s, _ = apply(s, c.in[cut:], p, now)
				if s.Hosts[0].Count != c.want {
					t.Errorf("cut before line %d: counted %d, want %d", cut, s.Hosts[0].Count, c.want)
				}
			}
			p.FoldLines = false
			lines, _ := apply(record.State{}, c.in, p, now)
			if want := repeats(c.in); lines.Hosts[0].Count != want {
				t.Errorf("without folding counted %d, want %d", lines.Hosts[0].Count, want)
			}
		})
	}
}

func repeats(fs []record.Failure) (n int) {
	for _, f := range fs {
		n += f.Repeat
	}
	return n
}

func TestEvidence(t *testing.T) {
	p := policy(t, nil, nil)
	in := fails("192.0.2.1", 20, noon)
	for i := range in {
		in[i].Text, in[i].User = fmt.Sprint("line ", i), fmt.Sprint("user", i%13)
	}
	failures := record.Pack(append(in, fails("192.0.2.2", 3, noon)...))
	_, ds := Apply(record.State{}, failures, p, noon)
	Evidence(ds, failures, p)
	if len(ds) != 1 || len(ds[0].Lines) != 10 || ds[0].Lines[0] != "line 0" || len(ds[0].Users) != 10 {
		t.Fatalf("evidence: %+v", ds)
	}
	if got, want := ds[0].Detail, "20 failures (sshd 20), limit 7"; got != want {
		t.Errorf("detail %q, want %q", got, want)
	}
	if ds[0].At != noon.Add(-12*time.Second) {
		t.Errorf("the block begins at %s, want the time of the eighth failure", ds[0].At)
	}
}

// TestMigratedBlock: a block that blockhosts.py began has no past.
func TestMigratedBlock(t *testing.T) {
	n := netip.MustParsePrefix("192.0.2.1/32")
	s := record.State{Hosts: []record.Host{{Net: n, Counter: record.Counter{Count: 9, Last: noon}}},
		Blocks: []record.Block{{Net: n, Host: n, Reason: record.ReasonCount, Since: noon, Count: 9}}}
	p := policy(t, nil, nil)
	s, ds := apply(s, nil, p, noon.Add(time.Hour))
	if len(ds) != 0 || blocked(s) != "192.0.2.1 count" {
		t.Fatalf("a migrated block is news: %s", words(ds))
	}
	s, ds = apply(s, nil, p, noon.Add(12*time.Hour))
	if words(ds) != "release 192.0.2.1 count" || len(s.Past) != 1 || s.Past[0].Blocks != 1 {
		t.Errorf("after its end: %s, past %+v", words(ds), s.Past)
	}
}

// TestProperties holds Apply to its promises on random lives of a few hosts.
func TestProperties(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := policy(t, []string{"192.0.2.9", "2001:db8:9::/64", "2001:db8:8::8"}, []string{"198.51.100.0/24"})
		all := randomFailures(r)
		now := noon
		whole, _ := apply(record.State{}, all, p, now)

		shuffled := slices.Clone(all)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if other, _ := apply(record.State{}, shuffled, p, now); !reflect.DeepEqual(other, whole) {
			t.Fatalf("seed %d: the order of failures makes a difference:\n%+v\n%+v", seed, whole, other)
		}

		cut := r.IntN(len(all) + 1)
		first, _ := apply(record.State{}, all[:cut], p, now)
		kept := fmt.Sprintf("%+v", first)
		second, _ := apply(first, all[cut:], p, now)
		if fmt.Sprintf("%+v", first) != kept {
			t.Fatalf("seed %d: Apply changed its argument", seed)
		}
		if !reflect.DeepEqual(second, whole) {
			t.Fatalf("seed %d: two runs, cut at %d, give\n%+v\none gives\n%+v", seed, cut, second, whole)
		}
		for _, b := range whole.Blocks {
			for _, a := range []string{"192.0.2.9", "2001:db8:9::1", "2001:db8:8::8"} {
				if b.Net.Contains(netip.MustParseAddr(a)) {
					t.Fatalf("seed %d: allowed %s is blocked by %s", seed, a, b.Net)
				}
			}
		}
		for _, h := range whole.Hosts {
			later, _ := apply(whole, nil, p, h.Last.Add(p.Limits.Discard-100*time.Millisecond))
			if h.Count > p.Limits.Blockcount && len(whole.Blocks) > 0 && !slices.ContainsFunc(later.Hosts, func(x record.Host) bool { return x.Net == h.Net }) {
				t.Fatalf("seed %d: %s forgotten early", seed, h.Net)
			}
		}
	}
}

func randomFailures(r *rand.Rand) []record.Failure {
	addrs := []string{"192.0.2.1", "192.0.2.9", "198.51.100.3", "2001:db8::1", "2001:db8::2", "2001:db8:9::1", "2001:db8:8::1", "2001:db8:8::8", "fe80::1"}
	rules := []string{"sshd-Fail", "sshd-Invalid", "vsftpd-Fail"}
	var fs []record.Failure
	at := noon.Add(-10 * time.Hour)
	for range r.IntN(80) {
		at = at.Add(time.Duration(r.IntN(200)) * 2 * time.Second)
		rule := rules[r.IntN(len(rules))]
		service, _, _ := strings.Cut(rule, "-")
		fs = append(fs, record.Failure{Blame: &record.Blame{Addr: netip.MustParseAddr(addrs[r.IntN(len(addrs))]), Service: service, Rule: rule, Program: service},
			Time: at, PID: fmt.Sprint(r.IntN(3)), Repeat: 1 + r.IntN(2)})
	}
	return fs
}

func BenchmarkApply(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var s record.State
			for i := range n {
				a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
				s.Hosts = append(s.Hosts, record.Host{Net: record.Single(a), Counter: record.Counter{Count: 9, Last: noon}})
				s.Blocks = append(s.Blocks, record.Block{Net: record.Single(a), Host: record.Single(a), Reason: record.ReasonCount, Since: noon})
			}
			p := policy(b, []string{"127.0.0.0/8"}, nil)
			fs := fails("10.0.0.1", 100, noon)
			b.ReportAllocs()
			packed := record.Pack(fs)
			for b.Loop() {
				Apply(s, packed, p, noon)
			}
		})
	}
}

// BenchmarkFlood is 125,000 attempts of two matched lines each, by 5,000
// addresses, within twenty minutes.
func BenchmarkFlood(b *testing.B) {
	const addrs = 5000
	var blames [2][addrs]record.Blame
	for i := range addrs {
		for rule, name := range []string{"sshd-Fail", "sshd-Invalid"} {
			blames[rule][i] = record.Blame{Addr: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), Service: "sshd", Rule: name, Program: "sshd"}
		}
	}
	var fs []record.Failure
	for i := range 125_000 {
		f := record.Failure{Blame: &blames[0][i%addrs], Time: noon.Add(time.Duration(i-125_000) * 10 * time.Millisecond),
			PID: fmt.Sprint(i % 32768), Repeat: 1, User: []string{"root", "admin", "test"}[i%3]}
		if i < 5*addrs { // as a scan keeps the first ten lines of an address
			f.Text = "line"
		}
		fs = append(fs, f)
		f.Blame = &blames[1][i%addrs]
		fs = append(fs, f)
	}
	p := policy(b, []string{"127.0.0.0/8"}, nil)
	b.ReportAllocs()
	packed := record.Pack(fs)
	for b.Loop() {
		Apply(record.State{}, packed, p, noon)
	}
}

// apply is Apply with a list of failures.
func apply(prev record.State, failures []record.Failure, p Policy, now time.Time) (record.State, []record.Decision) {
	return Apply(prev, record.Pack(failures), p, now)
}
