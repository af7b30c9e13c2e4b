package rules

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"

	"blockhosts/internal/record"
)

// maxReadings is how many addresses of one text are held against one pattern.
// No daemon writes as many in one message where the pattern wants one.
const maxReadings = 16

// A reading is a place in a text where {HOST_IP} may stand.
type reading struct {
	addr       netip.Addr // invalid for a host name
	start, end int        // bytes of the text
	from, to   int        // runes of the text
}

// What an address is made of, and what makes a word longer than it.
const (
	inAddr = 1 << iota // hex digit, dot, colon
	inWord             // letter, digit, _
)

var class = func() (t [256]uint8) {
	for c := range t {
		b := byte(c)
		if b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'f' || b == '.' || b == ':' {
			t[c] |= inAddr
		}
		if b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z' || b == '_' {
			t[c] |= inWord
		}
	}
	return t
}()

var doubleColon = []byte("::")

// addresses appends where addresses stand in b: IPv4 in dotted decimal, IPv6
// in the forms of RFC 4291 with or without a zone, none of them a part of a
// longer word. "192.0.2.1:22" and "192.0.2.1-22" have a port, and in
// "2001:db8::1:22" the last group may be one: that is two places.
func addresses(dst []reading, b []byte) []reading {
	dot, colon := nextByte(b, 0, '.'), nextByte(b, 0, ':')
	for done := 0; dot < len(b) || colon < len(b); { // every address has one of them
		if dot < colon {
			if a, start, end, ok := plainQuad(b, dot); ok && start >= done {
				dst = append(dst, reading{addr: a, start: start, end: end})
				done, dot = end, nextByte(b, end, '.')
				continue
			}
		}
		start, end := min(dot, colon), min(dot, colon)
		for start > done && class[b[start-1]]&inAddr != 0 {
			start--
		}
		for end < len(b) && class[b[end]]&inAddr != 0 {
			end++
		}
		done = end
		// A time has two colons; an IPv6 address has seven, or two together.
		run := b[start:end]
		colons := 0
		if colon < end {
			colons = bytes.Count(run, []byte(":"))
		}
		if dot < end && bytes.Count(run, []byte(".")) >= 3 || colons >= 7 || colons >= 2 && bytes.Contains(run, doubleColon) {
			f := finder{text: b, dst: dst}
			f.run(start, end)
			dst = f.dst
		}
		if dot < end {
			dot = nextByte(b, end, '.')
		}
		if colon < end {
			colon = nextByte(b, end, ':')
		}
	}
	return dst
}

// plainQuad reads what most addresses are, a dotted quad between blanks or
// other characters that belong to no word, whose first dot is known. What it
// does not take the finder looks into.
func plainQuad(b []byte, dot int) (addr netip.Addr, start, end int, ok bool) {
	for start = dot; start > 0 && b[start-1]-'0' <= 9; start-- {
		if dot-start == 3 {
			return addr, 0, 0, false
		}
	}
	if start > 0 && (class[b[start-1]] != 0 || b[start-1] == '-') {
		return addr, 0, 0, false
	}
	quad, part, digits := uint32(0), uint32(0), 0
	parts := 1
	for end = start; end < len(b); end++ {
		if c := b[end]; c-'0' <= 9 && digits < 3 {
			part, digits = part*10+uint32(c-'0'), digits+1
		} else if c == '.' && parts < 4 && digits > 0 && part < 256 {
			quad, part, digits, parts = quad<<8|part, 0, 0, parts+1
		} else {
			break
		}
	}
	if parts < 4 || digits == 0 || part > 255 {
		return addr, 0, 0, false
	}
	if end < len(b) && (class[b[end]] != 0 || b[end] == '-' || b[end] == '@' || b[end] == '%') {
		return addr, 0, 0, false
	}
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], quad<<8|part)
	return netip.AddrFrom4(a), start, end, true
}

// nextByte returns the index of the first c from i on, len(b) for none.
func nextByte(b []byte, i int, c byte) int {
	if n := bytes.IndexByte(b[i:], c); n >= 0 {
		return i + n
	}
	return len(b)
}

// finder looks into one run of characters that addresses are made of.
type finder struct {
	text []byte
	dst  []reading
}

// maxRun is the length of the longest run that can hold an address, with a
// word of hex digits in front and a port behind.
const maxRun = 64

func (f *finder) run(s, e int) {
	if e-s > maxRun {
		return
	}
	glued := s > 0 && (class[f.text[s-1]]&inWord != 0 || f.text[s-1] == '-')
	if f.text[s] == ':' && f.text[s+1] != ':' { // "addr:192.0.2.1"
		s, glued = s+1, false
	}
	if glued {
		s, glued = f.unglue(s, e)
	}
	if glued || f.text[s] == '.' {
		return
	}
	runs := f.runsOn(e)
	for e > s && (f.text[e-1] == '.' || f.text[e-1] == ':' && f.text[e-2] != ':') {
		if e--; f.text[e] == ':' {
			runs = false
		}
	}
	if zone := f.zone(e); zone > e {
		f.keep(s, zone)
		return
	}
	f.split(s, e, runs)
}

// unglue finds the address of a run that begins in a word: behind the "IPv6:"
// of RFC 5321, 4.1.3, and in "example.de:192.0.2.1".
func (f *finder) unglue(s, e int) (int, bool) {
	const tag = "IPv6:"
	if from := s - len(tag) + 2; from >= 0 && string(bytes.ToLower(f.text[from:s+2])) == strings.ToLower(tag) {
		return s + 2, false
	}
	if word, rest, _ := bytes.Cut(f.text[s:e], []byte(":")); quad(rest[:max(bytes.IndexByte(rest, ':'), 0)]) { // "ipv4:192.0.2.1:22"
		return s + len(word) + 1, false
	}
	if i := bytes.LastIndexByte(f.text[s:e], ':'); i >= 0 && quad(bytes.TrimRight(f.text[s+i+1:e], ".")) {
		return s + i + 1, false
	}
	return s, true
}

// split tries a run as an address, and as one with a port.
func (f *finder) split(s, e int, runs bool) {
	t := f.text[s:e]
	whole := !runs && f.keep(s, e)
	if dot := bytes.LastIndexByte(t, '.'); !runs && !whole && dot > 0 && len(t)-dot > 4 && decimal(t[dot+1:]) { // Dante's "192.0.2.1.40022"
		f.keep(s, s+dot)
	}
	last := bytes.LastIndexByte(t, ':')
	if last < 0 {
		return
	}
	first := bytes.IndexByte(t, ':')
	if quad(t[:first]) {
		f.keep(s, s+first)
	}
	if !whole && !runs && quad(t[last+1:]) {
		f.keep(s+last+1, e)
	}
	if first < last && (runs || decimal(t[last+1:])) {
		f.keep(s, s+last)
	}
}

// runsOn reports whether the word of a run that ends at e goes on there: a
// letter, a mail address, a host name; but not "-22", a port.
func (f *finder) runsOn(e int) bool {
	if e == len(f.text) {
		return false
	}
	c := f.text[e]
	if c != '-' {
		return class[c]&inWord != 0 || c == '@'
	}
	if e+1 < len(f.text) && f.text[e+1] == '>' { // "192.0.2.1->203.0.113.5"
		return false
	}
	i := e + 1
	for i < len(f.text) && f.text[i] >= '0' && f.text[i] <= '9' {
		i++
	}
	named := i < len(f.text) && (class[f.text[i]]&inWord != 0 || f.text[i] == '-' || f.text[i] == '.')
	return i == e+1 || i > e+6 || named
}

// zone returns where the zone ends that begins at e, else e.
func (f *finder) zone(e int) int {
	if e+1 >= len(f.text) || f.text[e] != '%' || class[f.text[e+1]]&inWord == 0 {
		return e
	}
	for e++; e < len(f.text) && (class[f.text[e]]&inWord != 0 || f.text[e] == '.' || f.text[e] == '-'); e++ {
	}
	return e
}

// keep appends s to e if that is an address.
func (f *finder) keep(s, e int) bool {
	t := f.text[s:e]
	if bytes.IndexByte(t, ':') < 0 {
		a, ok := quadAddr(t)
		if ok {
			f.dst = append(f.dst, reading{addr: a, start: s, end: e})
		}
		return ok
	}
	a, err := record.ParseAddr(string(t))
	if err != nil || a == netip.IPv6Unspecified() { // a "::" between words; "0.0.0.0" is an address, if nobody's
		return false
	}
	f.dst = append(f.dst, reading{addr: a, start: s, end: e})
	return true
}

// quadAddr is record.ParseAddr for a dotted quad alone.
func quadAddr(t []byte) (netip.Addr, bool) {
	a, start, end, ok := plainQuad(t, nextByte(t, 0, '.'))
	return a, ok && start == 0 && end == len(t)
}

// quad reports whether t has the shape of a dotted quad.
func quad(t []byte) bool {
	digits, dots := 0, 0
	for _, c := range t {
		switch {
		case c >= '0' && c <= '9':
			if digits++; digits > 3 {
				return false
			}
		case c == '.' && digits > 0:
			digits, dots = 0, dots+1
		default:
			return false
		}
	}
	return dots == 3 && digits > 0
}

// decimal reports whether t is a port's number.
func decimal(t []byte) bool {
	for _, c := range t {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(t) > 0 && len(t) <= 5
}

// names appends the words of b that can be a host name and are no address.
func names(dst []reading, b []byte) []reading {
	for i := 0; i < len(b); i++ {
		start, letters := i, false
		for ; i < len(b) && (class[b[i]]&inWord != 0 || b[i] == '.' || b[i] == '-'); i++ {
			letters = letters || b[i]|0x20 >= 'a' && b[i]|0x20 <= 'z'
		}
		if word := bytes.Trim(b[start:i], ".-"); letters && len(word) == i-start && len(word) <= 253 {
			dst = append(dst, reading{start: start, end: i})
		}
	}
	return dst
}
