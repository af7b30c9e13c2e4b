package rules

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// A text is what patterns are held against.
type text struct {
	bytes  []byte
	runes  []rune
	places []reading
	ready  bool
	found  bool // places are those of addresses
	long   bool // the line may have been cut
	grams  grams
	noted  bool // grams are those of bytes
	ascii  bool // bytes are characters; runes are spelt when they are needed
}

// addresses returns where addresses stand.
func (t *text) addresses() []reading {
	if !t.found {
		t.found = true
		t.places = addresses(t.places[:0], t.bytes)
		if len(t.places) > 0 {
			t.decode(t.places)
		}
	}
	return t.places
}

// names returns where host names stand.
func (t *text) names() []reading {
	n := names(nil, t.bytes)
	t.decode(n)
	return n
}

// decode makes the runes of the text, and the places in them. A byte that is
// no UTF-8, hostRune and line breaks become U+FFFD.
func (t *text) decode(places []reading) {
	t.runes = t.runes[:0]
	for i := range places {
		places[i].from, places[i].to = places[i].start, places[i].end
	}
	if t.ascii = plain(t.bytes); t.ascii {
		return
	}
	for i := 0; i < len(t.bytes); {
		r, n := rune(t.bytes[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(t.bytes[i:])
		}
		if r == hostRune || r == '\n' || r == '\r' {
			r = utf8.RuneError
		}
		t.runes = append(t.runes, r)
		if i += n; n > 1 {
			shift(places, i, n-1)
		}
	}
}

// spell makes the runes of a text of which only bytes are known.
func (t *text) spell() {
	if t.ascii && len(t.runes) == 0 {
		for _, b := range t.bytes {
			t.runes = append(t.runes, rune(b))
		}
	}
}

// plain tells whether every byte is a character that patterns see as it is.
func plain(b []byte) bool {
	const (
		high = 0x8080808080808080 // the upper bits of eight bytes
		low  = 0x1010101010101010 // taken from a byte with its upper bit set, leaves that where the byte is as much
	)
	some, all, rest := uint64(0), uint64(high), b
	for ; len(rest) >= 8; rest = rest[8:] {
		x := binary.LittleEndian.Uint64(rest)
		some |= x
		all &= (x | high) - low
	}
	if n := len(b); len(rest) > 0 && n >= 8 { // the last eight, some of them again
		x := binary.LittleEndian.Uint64(b[n-8:])
		some |= x
		all &= (x | high) - low
	} else {
		for _, c := range rest {
			some |= uint64(c)
			if c < 0x10 {
				all = 0
			}
		}
	}
	if some&high != 0 {
		return false
	}
	return all&high == high || // no line break, most often
		bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') < 0
}

// shift moves the places at or behind byte at down by n runes.
func shift(places []reading, at, n int) {
	for i := range places {
		if places[i].start >= at {
			places[i].from -= n
			places[i].to -= n
		}
	}
}

// trimmed takes off what is no part of a text: blanks at its end, and the NULs
// of a file that was truncated under its writer.
func trimmed(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] > ' ' {
		return b
	}
	return cut(b)
}

func cut(b []byte) []byte {
	for n := len(b); n > 0; n-- {
		if c := b[n-1]; c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != 0 {
			return b[:n]
		}
	}
	return nil
}
