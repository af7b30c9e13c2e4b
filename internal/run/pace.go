package run

import "time"

// The paces of a watch.
const (
	burstQuiet = 10 * time.Millisecond  // after which a burst of lines is taken to be over
	burstMax   = 100 * time.Millisecond // how long its end is waited for
	spacing    = time.Second            // from one run for a burst to the next, so that a flood costs little
	fullEvery  = time.Minute            // for what only time changes, and what nobody rings for
	lockFirst  = 100 * time.Millisecond // until a lock that somebody holds is tried again; then twice as long
	lockLast   = 2 * time.Second
)

// A pace says when the next run of a watch is due. It holds no clock.
type pace struct {
	first, latest time.Time     // rings since the last run; zero: none
	space         time.Time     // before which no ring brings a run
	full          time.Time     // when the next full run is due
	hold          time.Time     // before which there is no run at all, since somebody holds the lock
	wait          time.Duration // the next such pause
}

// ring notes that the sources gained something.
func (p *pace) ring(now time.Time) {
	if p.first.IsZero() {
		p.first = now
	}
	p.latest = now
}

// rung tells whether there was a ring since the last run.
func (p *pace) rung() bool { return !p.first.IsZero() }

// next returns when the next run is due, and whether a quick one will do.
func (p *pace) next() (at time.Time, quick bool) {
	at = p.full
	if p.rung() {
		burst := laterOf(soonerOf(p.latest.Add(burstQuiet), p.first.Add(burstMax)), p.space)
		if burst.Before(at) {
			at, quick = burst, true
		}
	}
	return laterOf(at, p.hold), quick
}

// waits tells whether more rings make no difference to the next run.
func (p *pace) waits(now time.Time) bool {
	return p.rung() && (p.space.After(now) || p.hold.After(now))
}

// ran notes a run that began at that moment.
func (p *pace) ran(at time.Time, quick bool) {
	if p.rung() {
		p.space = at.Add(spacing)
	}
	if !quick {
		p.full = at.Add(fullEvery)
	}
	p.first, p.latest, p.hold, p.wait = time.Time{}, time.Time{}, time.Time{}, 0
}

// locked notes that somebody else held the lock.
func (p *pace) locked(now time.Time) {
	p.wait = min(max(2*p.wait, lockFirst), lockLast)
	p.hold = now.Add(p.wait)
}

func soonerOf(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
