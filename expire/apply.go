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
	failures = inOrder(failures)
	c := newCounts(prev, p, now)
	for i := range failures {
		c.add(&failures[i])
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

// inOrder returns the failures by time. A scan of one log yields them in order
// already, and a flood has too many to copy them for nothing.
func inOrder(failures []record.Failure) []record.Failure {
	if slices.IsSortedFunc(failures, byTime) {
		return failures
	}
	ordered := slices.Clone(failures)
	slices.SortStableFunc(ordered, byTime)
	return ordered
}

func byTime(a, b record.Failure) int { return tenths(a.Time).Compare(tenths(b.Time)) }

// byNet orders prefixes by address, then by length: the order of the section.
func byNet(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
