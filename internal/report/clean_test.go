package report

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"root", 64, "root"},
		{"jürgen 東京", 64, "jürgen 東京"},
		{"a\r\nBcc: x", 64, `a\r\nBcc: x`},
		{"\x1b[2J\x1b]0;owned\a", 64, `\x1b[2J\x1b]0;owned\a`},
		{"\u009b31m", 64, `\u009b31m`},
		{"a\x00b\x7fc\td", 64, `a\x00b\x7fc\td`},
		{"a\xffb\xc3", 64, `a\xffb\xc3`},
		{"\u202e1.2.0.291\u202c", 64, `\u202e1.2.0.291\u202c`},
		{"a\u200bb\u2066c\ufeffd\u00a0e", 64, `a\u200bb\u2066c\ufeffd\u00a0e`},
		{"\u3164\u2800", 64, `\u3164\u2800`},
		{"a\u2028b\u0085c", 64, `a\u2028b\u0085c`},
		{`back\slash "quoted"`, 64, `back\slash "quoted"`},
		{strings.Repeat("x", 100), 10, "xxxxxxx..."},
		{strings.Repeat("ü", 100), 10, "üüü..."},
		{strings.Repeat("\x1b", 100), 10, `\x1b...`},
		{"\x1b\x1b", 8, `\x1b\x1b`},
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "ab..."},
		{"abcdef", 3, "..."},
		{"abcdef", 2, ".."},
		{"abcdef", 0, ""},
		{"", 0, ""},
	} {
		if got := Clean(c.in, c.n); got != c.want {
			t.Errorf("Clean(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"root", 64, `"root"`},
		{`a" from 192.0.2.66`, 64, `"a\" from 192.0.2.66"`},
		{"a\n\x1b\\", 64, `"a\n\x1b\\"`},
		{"\u202e", 64, `"\u202e"`},
		{"\u3164", 64, `"\u3164"`},
		{"abcdef", 3, `"abc"...`},
		{"aüü", 2, `"a"...`},
	} {
		if got := Quote(c.in, c.n); got != c.want {
			t.Errorf("Quote(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

// FuzzClean: the result is printable and bounded, a second cleaning leaves it
// alone, and clean text that fits is not changed.
func FuzzClean(f *testing.F) {
	f.Add("root", 64)
	f.Add("\x1b[2J\u202e\xff\xc3", 7)
	f.Add(strings.Repeat("ü", 40), 20)
	f.Add("....", 3)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = min(max(n, 0), 4096)
		got := Clean(s, n)
		if len(got) > n || !utf8.ValidString(got) || strings.ContainsFunc(got, unsafeRune) {
			t.Fatalf("Clean(%q, %d) = %q", s, n, got)
		}
		if again := Clean(got, n); again != got {
			t.Fatalf("a second time %q, first %q", again, got)
		}
		if q := Quote(s, n); !utf8.ValidString(q) || strings.ContainsFunc(q, unsafeRune) || len(q) > 10*n+len(more)+2 {
			t.Fatalf("Quote(%q, %d) = %q", s, n, q)
		}
	})
}
