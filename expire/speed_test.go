package expire

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

// TestMoment holds the whole numbers to what time.Time says.
func TestMoment(t *testing.T) {
	times := []time.Time{{}, noon, noon.Add(99 * time.Millisecond), noon.Add(time.Second - 1), time.Unix(0, 0), time.Unix(-1, 5e8),
		noon.In(time.FixedZone("", 3600)), time.Date(-5, 1, 1, 0, 0, 0, 7e8, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Now()}
	for _, x := range times {
		if got, want := momentOf(x).time(), tenths(x); got != want {
			t.Errorf("%s is %s, want %s", x, got, want)
		}
		for _, y := range times {
			if got, want := momentOf(x).since(momentOf(y)), tenths(x).Sub(tenths(y)); got != want {
				t.Errorf("%s - %s is %s, want %s", x, y, got, want)
			}
		}
	}
	if momentOf(time.Time{}) != 0 {
		t.Error("the zero time is not the zero moment")
	}
}

func TestAttemptKey(t *testing.T) {
	for _, a := range []string{"192.0.2.1", "0.0.0.0", "2001:db8::1", "::ffff:192.0.2.1"} {
		addr := netip.MustParseAddr(a)
		h, b := fnv.New64a(), addr.As16()
		h.Write([]byte("sshd\x004711\x00"))
		h.Write(b[:])
		if got := attemptKey(hashText(offset, "sshd"), []byte("4711"), addr); got != h.Sum64() {
			t.Errorf("%s: %x, want %x", a, got, h.Sum64())
		}
	}
}

// tallied is attempts once more, as simple as can be.
type tallied map[string]struct {
	last  time.Time
	lines map[string]int
}

func (ts tallied) count(f *record.Failure, n int) int {
	most := func(lines map[string]int) int {
		return max(0, slices.Max(append(slices.Collect(maps.Values(lines)), 0)))
	}
	key := fmt.Sprint(f.Program, " ", f.PID, " ", f.Addr)
	a := ts[key]
	if a.lines == nil || f.Time.Sub(a.last).Abs() > tallyAge {
		a.lines = map[string]int{}
	}
	before := most(a.lines)
	a.lines[f.Rule] += n
	a.last = f.Time
	ts[key] = a
	return most(a.lines) - before
}

func (ts tallied) String() string {
	var latest time.Time
	for _, a := range ts {
		if a.last.After(latest) {
			latest = a.last
		}
	}
	var all []string
	for _, a := range ts {
		if latest.Sub(a.last) <= tallyAge {
			for rule, n := range a.lines {
				all = append(all, fmt.Sprint(rule, n, a.last))
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// TestAttempts compares the compact attempts with the simple ones, also where
// those of long ago are dropped.
func TestAttempts(t *testing.T) {
	purged := false
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		as, simple := attemptsOf(nil), tallied{}
		at := noon
		pids, gap := 2+r.IntN(30_000), r.IntN(40)
		var fs []record.Failure
		for range 30_000 {
			at = at.Add(time.Duration(r.IntN(gap+1)) * tenth)
			fs = append(fs, record.Failure{Blame: &record.Blame{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(r.IntN(3))}), Program: "sshd", Rule: fmt.Sprint("rule", r.IntN(6))}, Time: at, PID: fmt.Sprint(r.IntN(pids))})
		}
		packed := record.Pack(fs)
		c := newCounts(record.State{}, policy(t, nil, nil), noon)
		c.attempts = as
		charges := c.charges(packed.Blames())
		for i := range fs {
			n, had := r.IntN(3), len(as.all)
			if got, want := as.count(&charges[packed.BlameAt(i)], packed, i, momentOf(fs[i].Time), n), simple.count(&fs[i], n); got != want {
				t.Fatalf("seed %d, line %d: %d new attempts, want %d", seed, i, got, want)
			}
			purged = purged || len(as.all) < had
		}
		var all []string
		ts := as.tallies(momentOf(at))
		for _, x := range ts {
			all = append(all, fmt.Sprint(x.Rule, x.Lines, x.Last))
		}
		slices.Sort(all)
		if got := strings.Join(all, "\n"); got != simple.String() {
			t.Fatalf("seed %d: tallies\n%s\nwant\n%s", seed, got, simple)
		}
		if again := attemptsOf(ts).tallies(momentOf(at)); !reflect.DeepEqual(again, ts) {
			t.Fatalf("seed %d: tallies change when they are taken up", seed)
		}
	}
	if !purged {
		t.Error("nothing was ever dropped")
	}
}

// randomPolicy has a little of everything.
func randomPolicy(t *testing.T, r *rand.Rand) Policy {
	one := func(of ...string) []string { return of[:r.IntN(len(of)+1)] }
	p := policy(t, one("192.0.2.9", "2001:db8:8::8", "re:192.*9"), one("198.51.100.0/24", "192.0.2.1", "2001:db8::2"))
	p.Limits = Limits{Limiter: []Limiter{LimiterCount, LimiterWindow, LimiterEma}[r.IntN(3)], Blockcount: 1 + r.IntN(8), Window: 40 * time.Minute, HalfLife: 40 * time.Minute,
		Discard: []time.Duration{0, time.Hour, 12 * time.Hour}[r.IntN(3)], BlockFor: []time.Duration{0, time.Hour}[r.IntN(2)], BlockFactor: 2, PermanentFailures: []int{0, 25}[r.IntN(2)]}
	p.ByService = r.IntN(3) == 0
	if r.IntN(2) == 0 {
		p.Services = map[string]Limits{"vsftpd": {Limiter: LimiterWindow, Blockcount: 3, Window: 30 * time.Minute, Discard: 2 * time.Hour}}
	}
	if r.IntN(3) == 0 {
		p.MaxTracked = 1 + r.IntN(8)
	}
	if r.IntN(3) == 0 {
		p.Spared = []Spared{{netip.MustParseAddr("192.0.2.1"), "own"}}
	}
	return p
}

// TestIdle: hosts that are only looked at in passing come out as if each had
// been worked on.
func TestIdle(t *testing.T) {
	idle := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 4))
		var s record.State
		p, now := randomPolicy(t, r), noon
		for run := range 8 {
			var fs []record.Failure
			if r.IntN(2) == 0 {
				fs = randomFailures(r)
				for i := range fs {
					fs[i].Time = fs[i].Time.Add(now.Sub(noon) + 8*time.Hour)
				}
			}
			if r.IntN(4) == 0 {
				p = randomPolicy(t, r)
			}
			worked := newCounts(s, p, now)
			for i := range worked.slots {
				worked.wake(i)
			}
			want, wantDs := worked.apply(record.Pack(fs))
			c := newCounts(s, p, now)
			got, ds := c.apply(record.Pack(fs))
			if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(ds, wantDs) {
				t.Fatalf("seed %d, run %d: in passing\n%+v\n%s\nworked on\n%+v\n%s", seed, run, got, words(ds), want, words(wantDs))
			}
			for _, x := range c.slots {
				if x.work == nil {
					idle++
				}
			}
			s, now = got, now.Add(time.Duration(r.IntN(300))*time.Minute)
		}
	}
	if idle == 0 {
		t.Error("no host was idle")
	}
}

// TestNothingNew: where nothing is new, nothing is copied.
func TestNothingNew(t *testing.T) {
	p := policy(t, nil, nil)
	s, _ := apply(record.State{}, append(fails("192.0.2.1", 9, noon), fails("192.0.2.2", 2, noon)...), p, noon)
	next, _ := apply(s, nil, p, noon.Add(time.Hour))
	if &next.Hosts[0] != &s.Hosts[0] || &next.Blocks[0] != &s.Blocks[0] || &next.Past[0] != &s.Past[0] {
		t.Error("a list is copied though nothing in it has changed")
	}
}

// TestMergeRuns compares the order with that of a stable sort.
func TestMergeRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	for range 2000 {
		times := make([]moment, r.IntN(60))
		want := make([]int32, len(times))
		at, step := moment(0), 1+r.IntN(10)
		for i := range times {
			if at += moment(r.IntN(3)); r.IntN(step) == 0 {
				at = moment(r.IntN(50))
			}
			times[i], want[i] = at, int32(i)
		}
		slices.SortStableFunc(want, func(a, b int32) int { return int(times[a] - times[b]) })
		if got := mergeRuns(times); !slices.Equal(got, want) {
			t.Fatalf("%v: %v, want %v", times, got, want)
		}
	}
}

// TestManyHits: what is weighed on a second core, ahead of what is counted, comes
// to the same as when one core does it all.
func TestManyHits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	var fs []record.Failure
	for len(fs) < 5*manyHits {
		fs = append(fs, randomFailures(r)...)
	}
	packed, p := record.Pack(fs), policy(t, []string{"192.0.2.9"}, nil)
	one, two := newCounts(record.State{}, p, noon), newCounts(record.State{}, p, noon)
	for _, h := range one.weigh(nil, packed, inOrder(packed), one.charges(packed.Blames()), 0, len(fs)) {
		one.add(&h)
	}
	for hits := range two.weighed(packed, two.charges(packed.Blames())) {
		for i := range hits {
			two.add(&hits[i])
		}
	}
	if len(one.added) == 0 || !reflect.DeepEqual(one.added, two.added) || !reflect.DeepEqual(one.attempts.all, two.attempts.all) {
		t.Errorf("%d hosts, %d attempts; on two cores others: %d, %d", len(one.added), len(one.attempts.all), len(two.added), len(two.attempts.all))
	}
	defer func() {
		if recover() == nil {
			t.Error("a panic on the other core is lost")
		}
	}()
	for range two.weighed(packed, nil) {
		t.Error("failures without charges come to something")
	}
}
