package logscan

import (
	"time"

	"blockhosts/internal/record"
)

// Stamp returns when a line says that it was written, in UTC: by the stamp of
// its prefix or, where it has no such prefix, by one of the forms in which
// daemons stamp their own logs. The zone that the line names counts, else
// zone. A stamp without year, and one later than now, are read as
// moment.time says. It is false where the line has no stamp.
func Stamp(l *record.Line, now time.Time, zone *time.Location) (time.Time, bool) {
	m := moment{year: noYear}
	switch l.Form {
	case record.FormNone:
		if !findStamp(l.Raw, &m) {
			return time.Time{}, false
		}
	case record.FormBare:
		if ownStamp(l.Message, &m) < 0 || m.month == 0 && m.zone != zoneEpoch {
			return time.Time{}, false
		}
	default:
		if form, _ := prefixStamp(l.Raw, &m); form == record.FormNone {
			return time.Time{}, false
		}
	}
	return m.time(now, zone)
}

// prefixStamp reads the stamp at the start of a line with a prefix, and the
// index behind it. Which form the line has is not sure before its program
// was found: FormSyslog and FormISO are the forms of the stamp.
func prefixStamp(b []byte, m *moment) (record.Form, int) {
	m.year = noYear
	i := priority(b)
	if i >= len(b) {
		return record.FormNone, 0
	}
	switch c := b[i]; {
	case c >= 'A' && c <= 'W': // Apr … Sep, Fri … Wed
		if n := m.syslog(b, i); n > 0 {
			return record.FormSyslog, n
		}
		return m.weekday(b, i)
	case c == '@':
		if n := m.tai64n(b, i); n > 0 && n < len(b) && b[n] == ' ' {
			return record.FormMultilog, n
		}
	case isDigit(c):
		return m.digitStamp(b, i)
	}
	return record.FormNone, 0
}

// digitStamp reads "2026-01-05T01:31:41Z", "1 2026-01-05T01:31:41Z" (RFC
// 5424, whose version is 1), "2026 Jan  5 01:31:41" (syslog-ng's full date)
// and "1767573101.123456" (journalctl -o short-unix).
func (m *moment) digitStamp(b []byte, i int) (record.Form, int) {
	if i+6 < len(b) && b[i] == '1' && b[i+1] == ' ' {
		if n := m.iso(b, i+2); n > 0 {
			return record.FormRFC5424, n
		}
		if b[i+2] == '-' && b[i+3] == ' ' { // section 6.2.3: the clock of the sender is not known
			m.month = noDate
			return record.FormRFC5424, i + 3
		}
		return record.FormNone, 0
	}
	if n := m.iso(b, i); n > 0 {
		return record.FormISO, n
	}
	if y := year(b, i); y > 0 && i+5 < len(b) && b[i+4] == ' ' {
		if n := m.syslog(b, i+5); n > 0 && m.year == noYear {
			m.year = y
			return record.FormSyslog, n
		}
	}
	if n := m.unix(b, i); n == i+17 && b[i+10] == '.' {
		return record.FormSyslog, n
	}
	return record.FormNone, 0
}

// weekday reads "Mon 2026-01-05 01:31:41 CET" (journalctl -o short-full) and
// "Mon Jan  5 01:31:41 2026" (OpenWrt's logread).
func (m *moment) weekday(b []byte, i int) (record.Form, int) {
	if !isWeekday(b, i) || i+5 >= len(b) || b[i+3] != ' ' {
		return record.FormNone, 0
	}
	if n := m.iso(b, i+4); n > 0 {
		if m.zone == zoneNone && n+1 < len(b) && b[n] == ' ' {
			n = m.abbreviation(b, n+1)
		}
		return record.FormISO, n
	}
	if n := m.syslog(b, i+4); n > 0 && m.year != noYear {
		return record.FormSyslog, n
	}
	return record.FormNone, 0
}

// syslog reads "Jan  5 01:31:41" of RFC 3164, 4.1.2, also with a fraction
// (journalctl -o short-precise), and with a year before or behind the time.
func (m *moment) syslog(b []byte, i int) int {
	if i+15 > len(b)+1 || b[i+3] != ' ' {
		return -1
	}
	mon := month(b, i)
	if mon == 0 {
		return -1
	}
	j := i + 4
	if b[j] == ' ' {
		j++
	}
	day, j := number(b, j, 2)
	if day < 1 || day > 31 || j >= len(b) || b[j] != ' ' {
		return -1
	}
	m.month, m.day, m.year = mon, int8(day), noYear
	if y := year(b, j+1); y > 0 && j+5 < len(b) && b[j+5] == ' ' {
		m.year = y
		j += 5
	}
	if j = m.clock(b, j+1); j < 0 {
		return -1
	}
	if m.year == noYear && j+5 < len(b) && b[j] == ' ' && b[j+5] == ' ' {
		if y := year(b, j+1); y > 0 {
			m.year = y
			j += 5
		}
	}
	return j
}

// iso reads "2026-01-05T01:31:41.123456+01:00", ISO 8601 and RFC 3339, also
// with a blank for the T, a comma for the point, and the zone as "+0100",
// "+01" or behind a blank.
func (m *moment) iso(b []byte, i int) int {
	if i+16 > len(b) || b[i+4] != '-' || b[i+7] != '-' || b[i+10] != 'T' && b[i+10] != ' ' {
		return -1
	}
	y := year(b, i)
	mon, _ := number(b, i+5, 2)
	day, end := number(b, i+8, 2)
	if y < 0 || mon < 1 || mon > 12 || day < 1 || day > 31 || end != i+10 {
		return -1
	}
	m.year, m.month, m.day = y, int8(mon), int8(day)
	j := m.clock(b, i+11)
	if j < 0 {
		return -1
	}
	return m.zoneAt(b, j)
}

// tai64n reads "@4000000052d7a9f51e0d5a3c". The label is TAI; multilog and
// svlogd write the time of the system plus ten seconds (tai64nlocal(8)).
func (m *moment) tai64n(b []byte, i int) int {
	const base, ahead = 1 << 62, 10
	if i+25 > len(b) {
		return -1
	}
	var sec, nsec uint64
	for n, c := range b[i+1 : i+25] {
		d := hex(c)
		if d < 0 {
			return -1
		}
		if n < 16 {
			sec = sec<<4 | uint64(d)
		} else {
			nsec = nsec<<4 | uint64(d)
		}
	}
	if sec < base+ahead || sec-base > 1<<40 || nsec >= 1e9 {
		return -1
	}
	m.zone, m.epoch, m.nsec = zoneEpoch, int64(sec-base-ahead), int32(nsec)
	return i + 25
}

// unix reads "1767573101" or "1767573101.123456", seconds since 1970; with 13
// digits milliseconds.
func (m *moment) unix(b []byte, i int) int {
	j := i
	var v int64
	for j < len(b) && j < i+14 && isDigit(b[j]) {
		v = v*10 + int64(b[j]-'0')
		j++
	}
	switch j - i {
	case 10:
	case 13:
		m.nsec = int32(v % 1000 * 1e6)
		v /= 1000
	default:
		return -1
	}
	m.zone, m.epoch = zoneEpoch, v
	if j+1 < len(b) && b[j] == '.' && isDigit(b[j+1]) {
		m.nsec, j = fraction(b, j+1)
	}
	return j
}
