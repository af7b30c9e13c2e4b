package run

import (
	"testing"
	"time"
)

// TestPace: rings, at milliseconds, and the runs that come of them.
func TestPace(t *testing.T) {
	begin := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	every := func(step, until int) (ms []int) {
		for i := 0; i < until; i += step {
			ms = append(ms, i)
		}
		return ms
	}
	for name, c := range map[string]struct {
		rings []int
		want  []int // the first few quick runs
	}{
		"one":                  {[]int{500}, []int{510}},
		"a burst":              {[]int{500, 501, 508, 516}, []int{526}},
		"a long burst":         {every(5, 150), []int{100, 1100}},
		"two bursts apart":     {[]int{0, 2000}, []int{10, 2010}},
		"two bursts together":  {[]int{0, 300}, []int{10, 1010}},
		"a flood":              {every(1, 4000), []int{100, 1100, 2100, 3100, 4100}},
		"none, and a full run": {nil, nil},
	} {
		p := pace{full: begin.Add(fullEvery)}
		var got []int
		rings := c.rings
		for ms := range 5000 { // a clock of milliseconds
			for len(rings) > 0 && rings[0] == ms {
				p.ring(at(ms))
				rings = rings[1:]
			}
			if due, quick := p.next(); !due.After(at(ms)) {
				if !quick {
					t.Errorf("%s: a full run at %d", name, ms)
				}
				p.ran(at(ms), quick)
				got = append(got, ms)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: runs at %v, want %v", name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: runs at %v, want %v", name, got, c.want)
				break
			}
		}
	}
}

// TestPaceFull: a full run comes every minute, takes the place of a quick one,
// and waits for nothing but the lock.
func TestPaceFull(t *testing.T) {
	now := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	var p pace
	if at, quick := p.next(); at.After(now) || quick {
		t.Errorf("the first run: at %v, quick %v", at, quick)
	}
	p.locked(now)
	if at, quick := p.next(); !at.Equal(now.Add(lockFirst)) || quick {
		t.Errorf("behind a lock: at %v, quick %v", at, quick)
	}
	p.locked(now)
	if at, _ := p.next(); !at.Equal(now.Add(2 * lockFirst)) {
		t.Errorf("still behind it: at %v", at)
	}
	for range 20 {
		p.locked(now)
	}
	if at, _ := p.next(); !at.Equal(now.Add(lockLast)) {
		t.Errorf("for long: at %v", at)
	}
	p.ring(now)
	if !p.waits(now) {
		t.Error("behind a lock it listens to every event")
	}
	p.ran(now, false)
	if at, quick := p.next(); !at.Equal(now.Add(fullEvery)) || quick {
		t.Errorf("after a full run: at %v, quick %v", at, quick)
	}
	if p.waits(now) || p.rung() {
		t.Error("the full run has heard the ring")
	}
	p.ring(now.Add(fullEvery - time.Millisecond))
	if at, quick := p.next(); !at.Equal(now.Add(fullEvery)) || quick {
		t.Errorf("a full run is due: at %v, quick %v", at, quick)
	}
	p.ran(now.Add(10*time.Second), true)
	if at, _ := p.next(); !at.Equal(now.Add(fullEvery)) {
		t.Errorf("a quick run moves the full one to %v", at)
	}
}
