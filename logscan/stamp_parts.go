package logscan

// clock reads "01:31:41", "1:31:41", and a fraction behind "." or ",". A leap
// second is taken; time.Date makes it the next minute's first.
func (m *moment) clock(b []byte, i int) int {
	h, i := number(b, i, 2)
	if h < 0 || h > 23 || i+6 > len(b) || b[i] != ':' || b[i+3] != ':' {
		return -1
	}
	mi, _ := number(b, i+1, 2)
	s, j := number(b, i+4, 2)
	if mi < 0 || mi > 59 || s < 0 || s > 60 || j != i+6 || !isDigit(b[i+2]) {
		return -1
	}
	m.hour, m.min, m.sec, m.nsec = int8(h), int8(mi), int8(s), 0
	if j+1 < len(b) && (b[j] == '.' || b[j] == ',') && isDigit(b[j+1]) {
		m.nsec, j = fraction(b, j+1)
	}
	return j
}

// zoneAt reads "Z", "+01:00", "+0100", "+01", or one of the latter behind a
// blank. It returns i where none is there.
func (m *moment) zoneAt(b []byte, i int) int {
	if i >= len(b) {
		return i
	}
	j := i
	if b[j] == 'Z' {
		m.zone, m.offset = zoneOffset, 0
		return j + 1
	}
	if b[j] == ' ' && j+5 < len(b) {
		j++
	}
	if b[j] != '+' && b[j] != '-' {
		return i
	}
	h, k := number(b, j+1, 2)
	if k != j+3 || h > 15 {
		return i
	}
	minutes := 0
	if k < len(b) && b[k] == ':' {
		k++
	}
	if k+1 < len(b) && isDigit(b[k]) && isDigit(b[k+1]) {
		minutes, k = number(b, k, 2)
	}
	if k != j+3 && minutes > 59 || k < len(b) && (isDigit(b[k]) || b[k] == ':' && k == j+4) {
		return i
	}
	m.zone, m.offset = zoneOffset, int32(h*3600+minutes*60)
	if b[j] == '-' {
		m.offset = -m.offset
	}
	return k
}

// abbreviation reads "CET" and returns the index behind it.
func (m *moment) abbreviation(b []byte, i int) int {
	j := i
	for j < len(b) && (b[j] >= 'A' && b[j] <= 'Z' || isDigit(b[j]) || b[j] == '+' || b[j] == '-') {
		j++
	}
	if j > i {
		m.setName(b[i:j])
	}
	return j
}

// number reads up to n digits; -1 where there is none.
func number(b []byte, i, n int) (v, end int) {
	end = i
	for end < len(b) && end < i+n && isDigit(b[end]) {
		v = v*10 + int(b[end]-'0')
		end++
	}
	if end == i {
		return -1, i
	}
	return v, end
}

// fraction reads the digits of a second's fraction, as nanoseconds.
func fraction(b []byte, i int) (nsec int32, end int) {
	scale := int32(100_000_000)
	for end = i; end < len(b) && isDigit(b[end]); end++ {
		nsec += int32(b[end]-'0') * scale
		scale /= 10
	}
	return nsec, end
}

// year reads four digits from 1970 to 2199, else -1.
func year(b []byte, i int) int32 {
	if i+4 > len(b) || b[i] != '1' && b[i] != '2' {
		return -1
	}
	v, end := number(b, i, 4)
	if end != i+4 || v < 1970 || v > 2199 {
		return -1
	}
	return int32(v)
}

// month reads "Jan", 0 where there is none. Case counts: syslog writes the C
// locale's names.
func month(b []byte, i int) int8 {
	if i+3 > len(b) {
		return 0
	}
	switch uint32(b[i])<<16 | uint32(b[i+1])<<8 | uint32(b[i+2]) {
	case 'J'<<16 | 'a'<<8 | 'n':
		return 1
	case 'F'<<16 | 'e'<<8 | 'b':
		return 2
	case 'M'<<16 | 'a'<<8 | 'r':
		return 3
	case 'A'<<16 | 'p'<<8 | 'r':
		return 4
	case 'M'<<16 | 'a'<<8 | 'y':
		return 5
	case 'J'<<16 | 'u'<<8 | 'n':
		return 6
	case 'J'<<16 | 'u'<<8 | 'l':
		return 7
	case 'A'<<16 | 'u'<<8 | 'g':
		return 8
	case 'S'<<16 | 'e'<<8 | 'p':
		return 9
	case 'O'<<16 | 'c'<<8 | 't':
		return 10
	case 'N'<<16 | 'o'<<8 | 'v':
		return 11
	case 'D'<<16 | 'e'<<8 | 'c':
		return 12
	}
	return 0
}

func isWeekday(b []byte, i int) bool {
	if i+3 > len(b) {
		return false
	}
	switch string(b[i : i+3]) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return true
	}
	return false
}

func hex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
