package config

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzLoad: no bytes make it panic; what is refused is told with a line of the
// file; what is accepted is accepted again with the same result, and as a
// second file over itself changes no value.
func FuzzLoad(f *testing.F) {
	text := sample(f)
	f.Add([]byte(text))
	f.Add([]byte(uncomment(text)))
	for _, s := range []string{"", "---\n", "a: &a [*a]", "- - - -", "? ?", "{[", "\ufeff", "limits: {discard: 1d12h}", "x: \"\\u0000\"", "!!map {}", "%YAML 1.1\n---\n",
		"blockers: [iptables: {a: [1, {b: .inf}]}, none]", "limits: {limiter: window, blockcount: 101, users: {a: block, 're:b': 0}}",
		"services: {sshd: {ports: [22], users: {a: 3}, limiter: ema}, x: , y: {window: 1s}}", "sources: [{file: /a}]\nrules: {a-B: {pattern: '(?<u>x)'}}"} {
		f.Add([]byte(s))
	}
	path := write(f, "f.yaml", "")
	over := overlay(path)
	if err := os.Mkdir(over, 0o755); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		put := func(name string) {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		put(path)
		os.Remove(over + "/a.yaml")
		first, err := Load(path, true, Options{})
		again, err2 := Load(path, true, Options{})
		if !reflect.DeepEqual(first, again) || !reflect.DeepEqual(err, err2) {
			t.Fatalf("loaded twice:\n%+v %v\n%+v %v", first, err, again, err2)
		}
		if err != nil {
			told(t, err, data)
			return
		}
		put(over + "/a.yaml")
		twice, err := Load(path, true, Options{})
		if err != nil {
			t.Fatalf("over itself: %v", err)
		}
		twice.Files = first.Files
		for i := range first.Rules {
			twice.Rules[i].File = first.Rules[i].File
		}
		if !reflect.DeepEqual(first, twice) {
			t.Fatalf("over itself:\n%+v\n%+v", first, twice)
		}
	})
}

// told holds the form of errors.
func told(t *testing.T, err error, data []byte) {
	var errs Errors
	if !errors.As(err, &errs) || len(errs) == 0 {
		t.Fatalf("no Errors: %#v", err)
	}
	lines := 2 + strings.Count(string(data), "\n") + strings.Count(string(data), "\r") +
		strings.Count(string(data), "\u0085") + strings.Count(string(data), "\u2028") + strings.Count(string(data), "\u2029")
	for _, e := range errs {
		whole := e.Error() + e.Hint
		if e.Msg == "" || e.File == "" || e.Line < 0 || e.Line > lines || len(whole) > 1500 || !utf8.ValidString(whole) || strings.ContainsAny(whole, "\n\x1b\x00") {
			t.Fatalf("%+v", e)
		}
	}
}

// FuzzParseAge: an age is never negative, never over 100 years, and read again
// as it is written.
func FuzzParseAge(f *testing.F) {
	for _, s := range []string{"12", "1d12h", "9223372036854775807s", "5200w", "0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		age, err := ParseAge(s)
		if err != nil {
			return
		}
		if again, err := ParseAge(FormatAge(age)); err != nil || again != age || age < 0 || age > maxAge {
			t.Fatalf("ParseAge(%q) = %v, written and read again %v, %v", s, age, again, err)
		}
	})
}

// FuzzSplitEntries: nothing but commas and blanks at the ends gets lost.
func FuzzSplitEntries(f *testing.F) {
	f.Add(`10\.\d{1,3},[,],(a,b)`)
	f.Add(`\`)
	f.Add("\xc2,\x80") // two halves that would be one character
	f.Fuzz(func(t *testing.T, s string) {
		strip := func(s string) string {
			return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r <= ' ' || r == 0x85 || r >= 0xa0 }), "")
		}
		if got := strings.Join(splitEntries(s), ","); strip(got) != strip(s) {
			t.Fatalf("%q became %q", s, got)
		}
	})
}
