package expire

import (
	"math"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// A counter is a record.Counter on its way from one state to the next.
type counter struct {
	count   int
	last    moment
	stamps  []time.Time
	average float64
	shared  bool // stamps is still the previous state's
}

func counterOf(c *record.Counter) counter {
	return counter{count: c.Count, last: momentOf(c.Last), stamps: c.Stamps, average: c.Average, shared: true}
}

// record returns the counter as the next state has it.
func (c *counter) record() record.Counter {
	return record.Counter{Count: c.count, Last: c.last.time(), Stamps: c.stamps, Average: c.average}
}

// is tells whether nothing has been added to r, or taken from it.
func (c *counter) is(r *record.Counter) bool {
	return c.count == r.Count && c.last == momentOf(r.Last) && c.average == r.Average && len(c.stamps) == len(r.Stamps)
}

// add counts n attempts at a moment. What was counted before a quiet spell of
// discard is forgotten, as a run at that time would have done. It tells
// whether the attempts counted: late lines about what would be forgotten by
// now do not.
func (c *counter) add(at moment, n int, l *Limits) bool {
	if c.last != 0 {
		if c.last > at && c.last.since(at) >= l.Discard {
			return false
		}
		if c.quiet(at, l) {
			c.reset()
		}
	}
	c.count += n
	switch l.Limiter {
	case LimiterWindow:
		c.stamp(at.time(), n, l.Blockcount+1)
	case LimiterEma:
		c.decay(at, n, l.HalfLife)
	}
	c.last = max(c.last, at)
	return true
}

// quiet tells whether discard has passed since the last attempt.
func (c *counter) quiet(at moment, l *Limits) bool { return at.since(c.last) >= l.Discard }

func (c *counter) reset() { *c = counter{} }

// stamp keeps the newest attempts, as many as decide.
func (c *counter) stamp(at time.Time, n, keep int) {
	if c.shared {
		c.stamps, c.shared = slices.Clone(c.stamps), false
	}
	i, _ := slices.BinarySearchFunc(c.stamps, at, time.Time.Compare)
	for range min(n, keep) {
		c.stamps = slices.Insert(c.stamps, i, at)
	}
	c.stamps = c.stamps[max(0, len(c.stamps)-keep):]
}

// decay adds n to the average as it has decayed by the later of the two
// moments.
func (c *counter) decay(at moment, n int, halfLife time.Duration) {
	left := func(d time.Duration) float64 { return math.Exp2(-float64(d) / float64(halfLife)) }
	switch {
	case c.last == 0:
		c.average = float64(n)
	case at < c.last:
		c.average += float64(n) * left(c.last.since(at))
	default:
		c.average = c.average*left(at.since(c.last)) + float64(n)
	}
}

// over tells whether the limit is crossed at the moment of the last attempt.
func (c *counter) over(l *Limits) bool {
	switch l.Limiter {
	case LimiterWindow:
		i := len(c.stamps) - 1 - l.Blockcount
		return i >= 0 && c.stamps[len(c.stamps)-1].Sub(c.stamps[i]) <= l.Window
	case LimiterEma:
		return c.average > float64(l.Blockcount)
	}
	return c.count > l.Blockcount
}

// reason is the word for a block by this limiter.
func (l *Limits) reason() record.Reason {
	switch l.Limiter {
	case LimiterWindow:
		return record.ReasonWindow
	case LimiterEma:
		return record.ReasonEma
	}
	return record.ReasonCount
}

// term is how long the block lasts that follows so many blocks before it; 0:
// until the last attempt + Discard.
func (l *Limits) term(before int) time.Duration {
	if l.BlockFor == 0 {
		return 0
	}
	d := float64(l.BlockFor)
	if l.BlockFactor > 1 {
		d *= math.Pow(l.BlockFactor, float64(before))
	}
	if l.BlockMax > 0 {
		d = min(d, float64(l.BlockMax))
	}
	return time.Duration(min(d, float64(math.MaxInt64/4))).Truncate(100 * time.Millisecond)
}
