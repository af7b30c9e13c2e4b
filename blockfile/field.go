package blockfile

import (
	"strconv"
	"strings"
)

// maxLine is the longest line in bytes, without its newline, that libwrap
// reads: its buffer is 2,048. One longer line, a comment too, and it ignores
// the rest of the file.
const maxLine = 2046

// tag begins every line of the section that is not a block line; libwrap
// takes it for a comment.
const tag = "#bh:"

// more begins a line that goes on where the one above was full.
const more = tag + " more:"

// endLine ends the line that began at start, and breaks it where it is longer
// than maxLine.
func endLine(b []byte, start int) []byte {
	if len(b)-start <= maxLine {
		return append(b, '\n') // short enough to be inlined
	}
	return breakLine(b, start)
}

// breakLine ends a line in pieces. None ends in a backslash, which would join it
// to the next.
func breakLine(b []byte, start int) []byte {
	rest := string(b[start:])
	b = b[:start]
	for limit := maxLine; len(rest) > limit; limit = maxLine - len(more) {
		n := limit
		for rest[n-1] == '\\' {
			n--
		}
		b = append(append(b, rest[:n]...), '\n')
		b = append(b, more...)
		rest = rest[n:]
	}
	return append(append(b, rest...), '\n')
}

// appendKey begins a field: " key=".
func appendKey(b []byte, key string) []byte {
	b = append(b, ' ')
	b = append(b, key...)
	return append(b, '=')
}

// appendText writes s bare where it is a plain word, else in quotes.
func appendText(b []byte, s string) []byte {
	if isWord(s) {
		return append(b, s...)
	}
	return appendQuoted(b, s)
}

func isWord(s string) bool {
	for i := range len(s) {
		if !isWordByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._/+@", c) >= 0
}

// appendQuoted writes s in quotes, byte for byte. The only escape is \xNN, for
// the quote and the backslash as well, so that a line can be broken between
// any two bytes that are not a backslash, and the next quote ends the text.
func appendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// unquote reads what appendText wrote.
func unquote(s string) (string, bool) {
	if !strings.HasPrefix(s, `"`) {
		return s, isWord(s)
	}
	if len(s) < 2 || s[len(s)-1] != '"' {
		return "", false
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s, strings.IndexByte(s, '"') < 0
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			b.WriteString(s)
			return b.String(), true
		}
		if len(s) < i+4 || s[i+1] != 'x' {
			return "", false
		}
		c, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
		if err != nil {
			return "", false
		}
		b.WriteString(s[:i])
		b.WriteByte(byte(c))
		s = s[i+4:]
	}
}

// cutField takes the first field off s. Blanks separate fields, except in
// quotes.
func cutField(s string) (field, rest string) {
	return cutUnquoted(trimLeft(s), ' ')
}

// cutUnquoted cuts s at the first sep that does not stand in quotes.
func cutUnquoted(s string, sep byte) (before, after string) {
	quoted := false
	for i := range len(s) {
		switch s[i] {
		case '"':
			quoted = !quoted
		case sep:
			if !quoted {
				return s[:i], s[i+1:]
			}
		}
	}
	return s, ""
}

// eachField calls take with the key and the value of each "key=value" of s,
// until one is refused or there is no key.
func eachField(s string, take func(key, value string) bool) bool {
	for {
		s = trimLeft(s)
		equals, end := scanField(s)
		if end == 0 {
			return true
		}
		if equals < 0 || !take(s[:equals], s[equals+1:end]) {
			return false
		}
		s = s[min(end+1, len(s)):]
	}
}

// scanField finds the first "=" and the end of the field that s begins with,
// in one pass: a section has a million fields. Without "=" equals is -1.
func scanField(s string) (equals, end int) {
	equals, quoted := -1, false
	for i := range len(s) {
		switch s[i] {
		case '"':
			quoted = !quoted
		case '=':
			if !quoted && equals < 0 {
				equals = i
			}
		case ' ':
			if !quoted {
				return equals, i
			}
		}
	}
	return equals, len(s)
}

// eachItem calls take with each item of a list with commas.
func eachItem(s string, take func(item string) bool) bool {
	for s != "" {
		var item string
		item, s = cutUnquoted(s, ',')
		if !take(item) {
			return false
		}
	}
	return true
}
