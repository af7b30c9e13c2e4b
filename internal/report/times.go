package report

import (
	"strconv"
	"time"
)

// stampLayout is how people are shown a time; its zone is said once.
const stampLayout = "2006-01-02 15:04:05"

// units of a duration, the largest first. A day has 24 hours.
var units = [...]struct {
	d    time.Duration
	name string
}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}

// Duration writes d for people in its two largest units, cut off below:
// "3d4h", "12h", "5m30s", "0s".
func Duration(d time.Duration) string { return inUnits(d, 2) }

func inUnits(d time.Duration, parts int) string {
	if d < 0 {
		return "-" + inUnits(-d, parts)
	}
	s := ""
	for _, u := range units {
		n := d / u.d
		d -= n * u.d
		if n > 0 {
			s += strconv.FormatInt(int64(n), 10) + u.name
		}
		if s != "" {
			parts--
		}
		if parts == 0 {
			break
		}
	}
	if s == "" {
		return "0s"
	}
	return s
}

// stamp writes t in the zone of now, and how far away it is: "2026-01-05
// 01:31:41 (3h ago)". A zero time is the word never.
func stamp(t, now time.Time, never string) string {
	if t.IsZero() {
		return never
	}
	s := t.In(now.Location()).Format(stampLayout)
	d := now.Sub(t)
	switch {
	case d >= time.Second:
		return s + " (" + inUnits(d, 1) + " ago)"
	case d <= -time.Second:
		return s + " (in " + inUnits(-d, 1) + ")"
	}
	return s + " (now)"
}
