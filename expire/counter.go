package expire

import (
	"math"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// A counter is a record.Counter on its way from one state to the next.
type counter struct {
	record.Counter
	shared bool // Stamps is still the previous state's
}

// add counts n attempts at a moment. What was counted before a quiet spell of
// discard is forgotten, as a run at that time would have done. It tells
// whether the attempts counted: late lines about what would be forgotten by
// now do not.
func (c *counter) add(at time.Time, n int, l *Limits) bool {
	if !c.Last.IsZero() {
		if c.Last.Sub(at) >= l.Discard && c.Last.After(at) {
			return false
		}
		if c.quiet(at, l) {
			c.reset()
		}
	}
	c.Count += n
	switch l.Limiter {
	case LimiterWindow:
		c.stamp(at, n, l.Blockcount+1)
	case LimiterEma:
		c.average(at, n, l.HalfLife)
	}
	if at.After(c.Last) {
		c.Last = at
	}
	return true
}

// quiet tells whether discard has passed since the last attempt.
func (c *counter) quiet(at time.Time, l *Limits) bool { return !at.Before(c.Last.Add(l.Discard)) }

func (c *counter) reset() { *c = counter{} }

// stamp keeps the newest attempts, as many as decide.
func (c *counter) stamp(at time.Time, n, keep int) {
	if c.shared {
		c.Stamps, c.shared = slices.Clone(c.Stamps), false
	}
	i, _ := slices.BinarySearchFunc(c.Stamps, at, time.Time.Compare)
	for range min(n, keep) {
		c.Stamps = slices.Insert(c.Stamps, i, at)
	}
	c.Stamps = c.Stamps[max(0, len(c.Stamps)-keep):]
}

// average adds n to the average as it has decayed by the later of the two
// moments.
func (c *counter) average(at time.Time, n int, halfLife time.Duration) {
	decay := func(d time.Duration) float64 { return math.Exp2(-float64(d) / float64(halfLife)) }
	switch {
	case c.Last.IsZero():
		c.Average = float64(n)
	case at.Before(c.Last):
		c.Average += float64(n) * decay(c.Last.Sub(at))
	default:
		c.Average = c.Average*decay(at.Sub(c.Last)) + float64(n)
	}
}

// over tells whether the limit is crossed at the moment of the last attempt.
func (c *counter) over(l *Limits) bool {
	switch l.Limiter {
	case LimiterWindow:
		i := len(c.Stamps) - 1 - l.Blockcount
		return i >= 0 && c.Stamps[len(c.Stamps)-1].Sub(c.Stamps[i]) <= l.Window
	case LimiterEma:
		return c.Average > float64(l.Blockcount)
	}
	return c.Count > l.Blockcount
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
