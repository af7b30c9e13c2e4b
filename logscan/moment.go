package logscan

import (
	"time"
)

// A moment is a stamp as it is written. What it does not say is noYear,
// noDate or noZone, and is filled in from the time of the run.
type moment struct {
	year           int32 // noYear where the stamp has none
	month, day     int8  // month 0: the stamp is a time of day alone
	hour, min, sec int8
	nsec           int32
	zone           zoneKind
	offset         int32 // seconds east of UTC, for zoneOffset
	epoch          int64 // seconds since 1970, for zoneEpoch
	name           [5]byte
	swappable      bool // day and month are both at most 12: the order is a guess
}

const (
	noYear = -1
	noDate = -1 // for month: no date at all
)

type zoneKind uint8

const (
	zoneNone zoneKind = iota
	zoneOffset
	zoneName // an abbreviation; means nothing where nobody knows it
	zoneEpoch
)

// slack is how far in the future a stamp without year may lie: clocks and
// zones of several hosts differ, by a day at most.
const slack = 24 * time.Hour

// time returns the moment in UTC. Without year it is the latest one that is
// not more than a day in the future, so that "Feb 29" is the last leap day.
// Later than now is now. It is false for a date that does not exist.
//
// A time that the zone has twice, when summer time ends, is the later one
// that is not in the future; one that it never had, when summer time begins,
// is what time.Date makes of it.
func (m *moment) time(now time.Time, zone *time.Location) (time.Time, bool) {
	t, ok := m.at(now, zone)
	if ok && m.swappable && t.After(now.Add(slack)) {
		m.day, m.month = m.month, m.day
		t, ok = m.at(now, zone)
	}
	if !ok {
		return time.Time{}, false
	}
	if t.After(now) {
		t = now
	}
	return t.UTC(), true
}

func (m *moment) at(now time.Time, zone *time.Location) (time.Time, bool) {
	switch {
	case m.zone == zoneEpoch:
		return time.Unix(m.epoch, int64(m.nsec)), true
	case m.month == 0:
		return m.today(now, zone)
	case m.year != noYear:
		return m.in(int(m.year), now, zone)
	}
	latest := now.Add(slack)
	for y, last := latest.In(zone).Year()+1, 0; last < 10; y, last = y-1, last+1 { // leap days are at most eight years apart
		if t, ok := m.in(y, now, zone); ok && !t.After(latest) {
			return t, true
		}
	}
	return time.Time{}, false
}

// today returns the latest such time of day that is not over an hour ahead.
func (m *moment) today(now time.Time, zone *time.Location) (time.Time, bool) {
	d := *m
	local := now.In(zone).Add(slack)
	for range 3 {
		d.month, d.day = int8(local.Month()), int8(local.Day())
		if t, ok := d.in(local.Year(), now, zone); ok && !t.After(now.Add(time.Hour)) {
			return t, true
		}
		local = local.Add(-slack)
	}
	return time.Time{}, false
}

// in returns the moment in that year.
func (m *moment) in(year int, now time.Time, zone *time.Location) (time.Time, bool) {
	month, day := time.Month(m.month), int(m.day)
	utc := time.Date(year, month, day, int(m.hour), int(m.min), int(m.sec), int(m.nsec), time.UTC)
	if m.month < 1 || m.month > 12 || day < 1 || day > 31 || day > 28 && time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Month() != month {
		return time.Time{}, false
	}
	switch m.zone {
	case zoneOffset:
		return utc.Add(-time.Duration(m.offset) * time.Second), true
	case zoneName:
		if off, ok := m.named(utc, zone); ok {
			return utc.Add(-time.Duration(off) * time.Second), true
		}
	}
	return local(utc, now, zone), true
}

// local returns the time at which the clocks of zone show what utc shows.
func local(utc, now time.Time, zone *time.Location) time.Time {
	if zone == time.UTC {
		return utc
	}
	t := time.Date(utc.Year(), utc.Month(), utc.Day(), utc.Hour(), utc.Minute(), utc.Second(), utc.Nanosecond(), zone)
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		_, before := start.Add(-1).Zone()
		if earlier := utc.Add(-time.Duration(before) * time.Second); earlier.Before(start) && t.After(now) {
			return earlier
		}
	}
	if !end.IsZero() {
		_, after := end.Zone()
		if later := utc.Add(-time.Duration(after) * time.Second); !later.Before(end) && !later.After(now) {
			return later
		}
	}
	return t
}

// named returns the offset of the zone's abbreviation: zone's own, else one
// that means the same everywhere.
func (m *moment) named(utc time.Time, zone *time.Location) (int, bool) {
	name := string(m.name[:])
	for i := range name {
		if name[i] == 0 {
			name = name[:i]
			break
		}
	}
	for _, t := range [...]time.Time{utc.Add(-slack), utc.Add(slack), utc.AddDate(0, 6, 0)} {
		if own, off := t.In(zone).Zone(); own == name {
			return off, true
		}
	}
	hours, ok := 0, true
	switch name {
	case "UTC", "GMT", "WET":
	case "CET", "WEST":
		hours = 1
	case "CEST", "EET":
		hours = 2
	case "EEST", "MSK":
		hours = 3
	case "JST":
		hours = 9
	case "EDT":
		hours = -4
	case "EST", "CDT":
		hours = -5
	case "CST", "MDT":
		hours = -6
	case "MST", "PDT":
		hours = -7
	case "PST":
		hours = -8
	default:
		ok = false
	}
	return hours * 3600, ok
}

// setName keeps an abbreviation; one too long for any zone is none.
func (m *moment) setName(b []byte) {
	if len(b) <= len(m.name) {
		m.zone, m.name = zoneName, [5]byte{}
		copy(m.name[:], b)
	}
}
