package expire

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// Apply returns the state that follows from prev when failures have been
// found, and what was decided on the way, in order of address. The arguments
// stay as they are. Failures later than now count as now. The order of
// failures makes no difference, and neither does it for who is watched and
// blocked whether the failures up to some moment and those after it come in
// one call or in two. A block that would have begun and ended before now is
// not decided, and not remembered: nobody enforced it.
//
// Only Hosts, Blocks, Past and Tallies of the state are decided here; the rest
// is handed through.
func Apply(prev record.State, failures []record.Failure, p Policy, now time.Time) (next record.State, decisions []record.Decision) {
	now = tenths(now)
	failures = inOrder(failures, now)
	c := newCounts(prev, p, now)
	for _, f := range failures {
		c.add(f)
	}
	c.settle()
	b := newBlocks(c)
	b.decide()

	next = prev
	next.Hosts = c.remaining()
	next.Blocks = b.all
	next.Past = c.past()
	next.Tallies = c.attempts.tallies(now)
	decisions = b.decisions(failures)
	return next, decisions
}

// tenths cuts t to the precision of the section.
func tenths(t time.Time) time.Time { return t.UTC().Truncate(100 * time.Millisecond) }

// inOrder returns the failures by time, times cut to tenths and none later
// than now. A scan of one log yields them in order already.
func inOrder(failures []record.Failure, now time.Time) []record.Failure {
	ordered := make([]record.Failure, len(failures))
	for i, f := range failures {
		f.Time = tenths(f.Time)
		if f.Time.After(now) {
			f.Time = now
		}
		ordered[i] = f
	}
	if !slices.IsSortedFunc(ordered, byTime) {
		slices.SortStableFunc(ordered, byTime)
	}
	return ordered
}

func byTime(a, b record.Failure) int { return a.Time.Compare(b.Time) }

// byNet orders prefixes by address, then by length: the order of the section.
func byNet(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
