package logscan

import "bytes"

// sep returns the index behind any of the separators at i, and blanks behind
// it, or -1.
func sep(b []byte, i int, set string) int {
	if i >= len(b) {
		return -1
	}
	for k := range len(set) {
		if b[i] == set[k] {
			return blanks(b, i+1)
		}
	}
	return -1
}

// ymd reads "2026-01-05T01:31:41", with the date's separators -, /, . or :.
func (m *moment) ymd(b []byte, i int) int {
	y := year(b, i)
	if y < 0 || i+10 >= len(b) || b[i+4] != b[i+7] {
		return -1
	}
	if s := b[i+4]; s != '-' && s != '/' && s != '.' && s != ':' {
		return -1
	}
	mon, end := number(b, i+5, 2)
	day, j := number(b, i+8, 2)
	if mon < 1 || mon > 12 || day < 1 || end != i+7 || j != i+10 {
		return -1
	}
	m.year, m.month, m.day = y, int8(mon), int8(day)
	if j = sep(b, j, "T -:"); j < 0 {
		return -1
	}
	return m.clockZone(b, j)
}

// compact reads "20260105-01:31:41", "20260105-013141" and "260105  1:31:41".
func (m *moment) compact(b []byte, i int) int {
	v, j := number(b, i, 8)
	switch j - i {
	case 8:
	case 6:
		if v += 20_000_000; v > 20_700_000 {
			v -= 1_000_000
		}
	default:
		return -1
	}
	y, mon, day := v/10000, v/100%100, v%100
	if y < 1970 || y > 2199 || mon < 1 || mon > 12 || day < 1 || day > 31 {
		return -1
	}
	m.year, m.month, m.day = int32(y), int8(mon), int8(day)
	if j = sep(b, j, "T -"); j < 0 {
		return -1
	}
	if t, end := number(b, j, 6); end == j+6 && t/10000 < 24 && t/100%100 < 60 && t%100 <= 60 {
		m.hour, m.min, m.sec = int8(t/10000), int8(t/100%100), int8(t%100)
		return m.zoneAt(b, end)
	}
	return m.clockZone(b, j)
}

// clf reads "05/Jan/2026:01:31:41 +0100", "05-Jan-2026 01:31:41" and "5 Jan
// 2026 01:31:41"; also "05/janv./2026:01:31:41 +0100".
func (m *moment) clf(b []byte, i int) int {
	day, j := number(b, i, 2)
	if day < 1 || j >= len(b) || b[j] != '/' && b[j] != '-' && b[j] != ' ' {
		return -1
	}
	mon, k := monthWord(b, j+1)
	if mon == 0 || k+5 > len(b) || b[k] != b[j] {
		return -1
	}
	y := year(b, k+1)
	if y < 0 {
		return -1
	}
	m.year, m.month, m.day = y, mon, int8(day)
	if j = sep(b, k+5, ": "); j < 0 {
		return -1
	}
	return m.clockZone(b, j)
}

// localMonths are the abbreviations of Java's French and German, in which
// Jetty stamps its log on a machine of that language; without their point.
var localMonths = map[string]int8{
	"janv": 1, "févr": 2, "mars": 3, "avr": 4, "mai": 5, "juin": 6, "juil": 7, "août": 8, "sept": 9, "oct": 10, "nov": 11, "déc": 12,
	"Jan": 1, "Feb": 2, "März": 3, "Apr": 4, "Mai": 5, "Juni": 6, "Juli": 7, "Aug": 8, "Sept": 9, "Okt": 10, "Nov": 11, "Dez": 12,
}

// monthWord reads "Jan", "janv." or "März" and returns the index behind it.
func monthWord(b []byte, i int) (int8, int) {
	j := i
	for j < len(b) && j-i < 6 && (b[j]|0x20 >= 'a' && b[j]|0x20 <= 'z' || b[j] >= 0x80) {
		j++
	}
	mon := localMonths[string(b[i:j])]
	if j == i+3 && mon == 0 {
		mon = month(b, i)
	}
	if j < len(b) && b[j] == '.' {
		j++
	}
	return mon, j
}

// dmy reads a date in numbers with the year last, day first where that is
// possible: the order is not to be told from "05/01/2026" alone. "01/05/2026 -
// 01:31:41" is of Half-Life's servers, month first.
func (m *moment) dmy(b []byte, i int) int {
	d, j := number(b, i, 2)
	if d < 1 || j+4 >= len(b) || b[j] != '-' && b[j] != '/' && b[j] != '.' {
		return -1
	}
	s := b[j]
	mon, k := number(b, j+1, 2)
	if mon < 1 || k >= len(b) || b[k] != s {
		return -1
	}
	y, end := number(b, k+1, 4)
	switch {
	case end == k+3:
		y = century(y)
	case end != k+5 || y < 1970:
		return -1
	}
	american := s == '/' && bytes.HasPrefix(b[end:], []byte(" - "))
	if mon > 12 || american && d <= 12 {
		d, mon = mon, d
	}
	if mon > 12 || d > 31 {
		return -1
	}
	m.year, m.month, m.day, m.swappable = int32(y), int8(mon), int8(d), d <= 12 && !american
	if j = sep(b, end, " :-T"); j > 0 && j+1 < len(b) && b[j] == '-' {
		j = blanks(b, j+1)
	}
	if j < 0 {
		return -1
	}
	return m.clockZone(b, j)
}

// century completes a year of two digits as POSIX strptime(3) does.
func century(y int) int {
	if y >= 69 {
		return 1900 + y
	}
	return 2000 + y
}

// ctime reads "Mon Jan  5 01:31:41 2026", with or without the day of the week,
// a zone's abbreviation before or behind, the year before or behind the time,
// "Jan 5, 2026 1:31:41 AM" and "Jan-05-26 01:31:41".
func (m *moment) ctime(b []byte, i int) int {
	zoned := false
	if isWeekday(b, i) {
		i = blanks(b, i+3)
	} else if j := m.abbreviation(b, i); j >= i+3 && j < len(b) && b[j] == ' ' {
		i, zoned = j+1, true
	}
	mon := monthAnyCase(b, i)
	if mon == 0 || i+3 >= len(b) || b[i+3] != ' ' && b[i+3] != '-' {
		return -1
	}
	day, j := number(b, blanks(b, i+4), 2)
	if day < 1 || day > 31 {
		return -1
	}
	m.month, m.day = mon, int8(day)
	if j = m.yearBefore(b, j); j < 0 {
		return -1
	}
	if j = m.clock(b, j); j < 0 {
		return -1
	}
	j = m.noon(b, j)
	if !zoned {
		j = m.zoneBehind(b, j)
	}
	if y := year(b, j+1); m.year == noYear && y > 0 && b[j] == ' ' {
		m.year = y
		j += 5
	}
	return j
}

// yearBefore reads what stands between day and time: " ", ", 2026 ", " 2026 "
// or "-26 ".
func (m *moment) yearBefore(b []byte, j int) int {
	k := j
	if k < len(b) && (b[k] == ',' || b[k] == '-') {
		k++
	}
	k = blanks(b, k)
	if y := year(b, k); y > 0 && k+4 < len(b) && b[k+4] == ' ' {
		m.year = y
		return blanks(b, k+4)
	}
	if y, end := number(b, k, 2); end == k+2 && end < len(b) && b[end] == ' ' {
		m.year = int32(century(y))
		return blanks(b, end)
	}
	if k == j {
		return -1
	}
	return k
}

// zoneBehind reads "+0100" or "CET" where a year follows it.
func (m *moment) zoneBehind(b []byte, j int) int {
	if k := m.zoneAt(b, j); k > j {
		return k
	}
	if j+1 < len(b) && b[j] == ' ' && b[j+1] >= 'A' && b[j+1] <= 'Z' {
		was, name := m.zone, m.name
		if k := m.abbreviation(b, j+1); k < len(b) && b[k] == ' ' && year(b, k+1) > 0 {
			return k
		}
		m.zone, m.name = was, name
	}
	return j
}

// rfc2822 reads "Mon, 05 Jan 2026 01:31:41 +0100".
func (m *moment) rfc2822(b []byte, i int) int {
	if !isWeekday(b, i) || i+5 >= len(b) || b[i+3] != ',' {
		return -1
	}
	return m.clf(b, blanks(b, i+4))
}

// md reads "01-05 01:31:41.026292".
func (m *moment) md(b []byte, i int) int {
	mon, j := number(b, i, 2)
	if mon < 1 || mon > 12 || j != i+2 || j+4 >= len(b) || b[j] != '-' && b[j] != '/' {
		return -1
	}
	day, k := number(b, j+1, 2)
	if day < 1 || day > 31 || k != j+3 || b[k] != ' ' {
		return -1
	}
	m.month, m.day = int8(mon), int8(day)
	return m.clockZone(b, k+1)
}

// timeOfDay reads "01:31:41.907".
func (m *moment) timeOfDay(b []byte, i int) int {
	if i+8 > len(b) || b[i+2] != ':' {
		return -1
	}
	return m.clock(b, i)
}

func (m *moment) clockZone(b []byte, i int) int {
	j := m.clock(b, i)
	if j < 0 {
		return -1
	}
	return m.zoneAt(b, m.noon(b, j))
}

// noon reads " AM" or " PM".
func (m *moment) noon(b []byte, i int) int {
	if i+3 > len(b) || b[i] != ' ' || b[i+2] != 'M' || b[i+1] != 'A' && b[i+1] != 'P' || m.hour < 1 || m.hour > 12 {
		return i
	}
	m.hour %= 12
	if b[i+1] == 'P' {
		m.hour += 12
	}
	return i + 3
}

func monthAnyCase(b []byte, i int) int8 {
	if i+3 > len(b) {
		return 0
	}
	return month([]byte{b[i] &^ 0x20, b[i+1] | 0x20, b[i+2] | 0x20}, 0)
}
