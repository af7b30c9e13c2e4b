package expire

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"blockhosts/internal/record"
)

// TestTallies: those of the latest lines stay where there are too many, each
// with all its rules, by key and rule.
func TestTallies(t *testing.T) {
	for _, rules := range []int{1, 2, 3, 7} {
		as := attemptsOf(nil)
		rule := func(i int) int32 { return as.rule(fmt.Sprint("rule", i)) }
		n := maxTallies/rules + 1000
		for i := range n {
			a := &as.all[as.of(uint64(i)*7919%uint64(n))] // a prime: each key once
			a.last = momentOf(noon.Add(-time.Duration(i) * time.Millisecond))
			for r := rules; r > 0; r-- {
				*as.lines(a, rule(r))++
			}
		}
		ts := as.tallies(momentOf(noon))
		if len(ts) != maxTallies/rules*rules {
			t.Fatalf("%d tallies of %d rules each", len(ts), rules)
		}
		if !slices.IsSortedFunc(ts, func(a, b record.Tally) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Rule, b.Rule)) }) {
			t.Errorf("%d rules: not by key and rule", rules)
		}
		oldest := momentOf(noon.Add(-time.Duration(maxTallies/rules-1) * time.Millisecond)).time()
		for i, x := range ts {
			if want := fmt.Sprint("rule", i%rules+1); x.Last.Before(oldest) || x.Rule != want || x.Key != ts[i-i%rules].Key {
				t.Fatalf("tally %d of %d rules each: %v, the oldest is of %s", i, rules, x, oldest)
			}
		}
	}
}
