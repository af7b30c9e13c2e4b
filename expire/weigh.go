package expire

import (
	"iter"
	"time"

	"blockhosts/internal/record"
)

// manyHits is how many failures are weighed at once: few enough to stay in the
// processor's cache, and enough that handing them on costs nothing.
const manyHits = 8192

// farAhead is how many times as much the one core may be ahead of the other, so
// that neither waits.
const farAhead = 4

// weighed yields what failures come to, in order of time. Which attempt a line is
// of, and whom that has blocked, are found out apart from each other: for a
// flood the one is done on a second core, ahead of the other. The hits are valid
// until the next ones.
func (c *counts) weighed(fs *record.Failures, charges []charge) iter.Seq[[]hit] {
	order := inOrder(fs)
	return func(yield func([]hit) bool) {
		if n := fs.Len(); n <= 2*manyHits {
			yield(c.weigh(make([]hit, 0, n), fs, order, charges, 0, n))
			return
		}
		var panicked any // on the other core; the caller should know
		ready, free := make(chan []hit, farAhead), make(chan []hit, farAhead)
		for range farAhead {
			free <- make([]hit, 0, manyHits)
		}
		go func() {
			defer close(ready)
			defer func() { panicked = recover() }()
			for from := 0; from < fs.Len(); from += manyHits {
				ready <- c.weigh(<-free, fs, order, charges, from, min(from+manyHits, fs.Len()))
			}
		}()
		for hits := range ready {
			yield(hits)
			free <- hits[:0]
		}
		if panicked != nil {
			panic(panicked)
		}
	}
}

// weigh appends what the failures come to that stand between two places of the
// order.
func (c *counts) weigh(hits []hit, fs *record.Failures, order []int32, charges []charge, from, to int) []hit {
	for i := from; i < to; i++ {
		place := i
		if order != nil {
			place = int(order[i])
		}
		x := &charges[fs.BlameAt(place)]
		if x.allowed != nil {
			noteAllowed(x.allowed, time.UnixMicro(fs.Micros(place)).UTC(), fs.Repeat(place), x.name)
		}
		if x.counts {
			hits = append(hits, c.hit(x, fs, place))
		}
	}
	return hits
}

// hit returns what the failure at a place comes to.
func (c *counts) hit(x *charge, fs *record.Failures, place int) hit {
	h := hit{charge: x, at: min(momentOfMicros(fs.Micros(place)), c.end), n: fs.Repeat(place)}
	if x.limits.Users != nil {
		weight := x.limits.Users.weight(fs.User(place))
		if h.atOnce = weight == Block; !h.atOnce {
			h.n *= max(weight, 0)
		}
	}
	if c.policy.FoldLines {
		h.n = c.attempts.count(x, fs, place, h.at, h.n)
	}
	return h
}
