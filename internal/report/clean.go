// Package report puts decisions into words: messages for a terminal, syslog
// and the action log, the mail, the dry run, and the status as a table or
// JSON. It decides nothing. What others chose, such as user names and log
// lines, reaches no output but through Clean or Quote.
package report

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// more stands where text was cut.
const more = "..."

// Clean makes foreign text safe for a terminal, syslog and mail: one line of
// printable characters, everything else written as an escape such as \x1b or
// \u202e, and at most n bytes, cut on the boundary of a character and ending
// in "..." where it was cut. Clean text stays as it is.
//
// Not printable are control characters, what is no valid UTF-8, and what
// changes the direction or is invisible (unicode.IsPrint and the filler
// letters below).
func Clean(s string, n int) string {
	if len(s) <= n && !strings.ContainsFunc(s, unsafeRune) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	fits := 0 // what may stay where "..." has to follow
	for len(s) > 0 && b.Len() <= n {
		if b.Len()+len(more) <= n {
			fits = b.Len()
		}
		r, size := utf8.DecodeRuneInString(s)
		if unsafeRune(r) || r == utf8.RuneError && size == 1 {
			b.WriteString(escape(s[:size]))
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	if b.Len() <= n && s == "" {
		return b.String()
	}
	return b.String()[:fits] + more[:min(len(more), max(n, 0))]
}

// unsafeRune tells whether r is not to be printed as it is. The fillers count
// as letters and show nothing.
func unsafeRune(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800':
		return true
	}
	return !unicode.IsPrint(r)
}

// escape writes one character as strconv.Quote does.
func escape(c string) string {
	q := strconv.QuoteToASCII(c)
	return q[1 : len(q)-1]
}

// Quote is Clean in double quotes, for text within a sentence: quotes and
// backslashes in it are escaped as well. Of s at most n bytes are shown.
func Quote(s string, n int) string {
	tail := ""
	if len(s) > n {
		s, tail = cut(s, n), more
	}
	q := strconv.Quote(s)
	if strings.ContainsFunc(q, unsafeRune) {
		q = strconv.QuoteToASCII(s)
	}
	return q + tail
}

// cut shortens s to n bytes on the boundary of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
