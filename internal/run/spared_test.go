package run

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"blockhosts/expire"
	"blockhosts/internal/record"
)

// TestSparedMattersToBlocksAlone holds what apply relies on: a decision after
// which nobody is blocked, and before which nobody was, is the same whoever is
// spared.
func TestSparedMattersToBlocksAlone(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	addrs := []netip.Addr{
		netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("203.0.113.9"),
		netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("2001:db8:1::1"),
	}
	same, blocked := 0, 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 7))
		policy := expire.Policy{
			Limits: expire.Limits{
				Limiter: []expire.Limiter{"count", "window", "ema"}[r.IntN(3)], Blockcount: r.IntN(5), Window: time.Hour, HalfLife: time.Hour,
				Discard: time.Duration(1+r.IntN(12)) * time.Hour, BlockFor: time.Duration(r.IntN(3)) * time.Hour, BlockFactor: 1, PermanentAfter: r.IntN(2),
			},
			ByService: r.IntN(2) == 0, IPv6Prefix: 64, PrefixMin: 2, Remember: 30 * 24 * time.Hour, MaxTracked: r.IntN(2) * 3, FoldLines: true,
		}
		var lists [2][]string
		for i := range lists {
			if r.IntN(4) == 0 {
				lists[i] = []string{addrs[r.IntN(len(addrs))].String(), "re:203"}
			}
		}
		policy.Allow, policy.Deny = listOf(t, lists[0]), listOf(t, lists[1])
		spared := policy
		for _, a := range addrs {
			if r.IntN(2) == 0 {
				spared.Spared = append(spared.Spared, expire.Spared{Addr: a, Why: "open session"})
			}
		}
		if r.IntN(2) == 0 {
			spared.OnLink = []netip.Prefix{netip.MustParsePrefix("2001:db8::/64")}
		}
		failures := func() (all []record.Failure) {
			for i := range r.IntN(20) {
				all = append(all, record.Failure{Blame: &record.Blame{Addr: addrs[r.IntN(len(addrs))], Service: "sshd", Rule: "sshd-Fail", Program: "sshd"},
					Time: now.Add(-time.Duration(r.IntN(14*60)) * time.Minute), PID: fmt.Sprint(i), User: "root"})
			}
			return all
		}
		before, _ := expire.Apply(record.State{}, record.Pack(failures()), spared, now.Add(-time.Minute))
		if len(before.Blocks) > 0 {
			continue
		}
		policy.Limits.Blockcount = max(0, policy.Limits.Blockcount-r.IntN(2)) // lowered meanwhile
		spared.Limits = policy.Limits
		gained := failures()
		next, ds := expire.Apply(before, record.Pack(gained), policy, now)
		if len(next.Blocks) > 0 {
			blocked++
			continue
		}
		same++
		if n, d := expire.Apply(before, record.Pack(gained), spared, now); !reflect.DeepEqual(n, next) || !reflect.DeepEqual(d, ds) {
			t.Fatalf("seed %d: nobody is blocked, and with spared addresses it is\n%+v\n%+v\nwithout\n%+v\n%+v", seed, n, d, next, ds)
		}
	}
	if same < 100 || blocked < 100 {
		t.Errorf("of the tables %d block nobody and %d do: too few to tell", same, blocked)
	}
}

func listOf(t *testing.T, entries []string) *expire.List {
	t.Helper()
	l, err := expire.NewList(entries)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
