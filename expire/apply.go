package expire

import (
	"net/netip"
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
// is handed through. A list, or a part of one, in which nothing is new is
// prev's own: whoever changes a state makes a copy first.
func Apply(prev record.State, failures *record.Failures, p Policy, now time.Time) (next record.State, decisions []record.Decision) {
	c := newCounts(prev, p, tenths(now))
	return c.apply(failures)
}

// apply is Apply, with what is known of the previous state taken up.
func (c *counts) apply(failures *record.Failures) (next record.State, decisions []record.Decision) {
	for hits := range c.weighed(failures, c.charges(failures.Blames())) {
		for i := range hits {
			c.add(&hits[i])
		}
	}
	c.settle()
	b := newBlocks(c)
	b.decide()

	next = c.prev
	next.Hosts = c.remaining()
	next.Blocks = b.all.list()
	next.Past = c.past()
	next.Tallies = c.attempts.tallies(c.end)
	decisions = b.decisions()
	return next, decisions
}

// tenths cuts t to the precision of the section.
func tenths(t time.Time) time.Time { return t.UTC().Truncate(100 * time.Millisecond) }

// byNet orders prefixes by address, then by length: the order of the section.
func byNet(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}
