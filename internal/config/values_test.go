package config

import (
	"testing"
	"time"
)

func TestParseAge(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"12": 12 * time.Hour, "0": 0, "0s": 0, "30s": 30 * time.Second, "10m": 10 * time.Minute, "12h": 12 * time.Hour,
		"7d": 7 * day, "4w": 4 * week, "1d12h": 36 * time.Hour, "1w2d3h4m5s": 9*day + 3*time.Hour + 4*time.Minute + 5*time.Second,
		"90m": 90 * time.Minute, "5200w": maxAge,
	} {
		if got, err := ParseAge(in); err != nil || got != want {
			t.Errorf("ParseAge(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "h", "-1", "-1h", "+1h", "1.5h", "1 h", "1h ", "12H", "1y", "1h1d", "1h1h", "1h30", "5200w1s",
		"99999999999999999999", "99999999999999999999s", "9223372036854775807w", "1ms", "٣h"} {
		if got, err := ParseAge(in); err == nil {
			t.Errorf("ParseAge(%q) = %v, want an error", in, got)
		}
	}
}

func TestFormatAge(t *testing.T) {
	for want, age := range map[string]time.Duration{"0s": 0, "12h": 12 * time.Hour, "30d": 30 * day, "1d12h": 36 * time.Hour, "1m30s": 90*time.Second + 5} {
		if got := FormatAge(age); got != want {
			t.Errorf("FormatAge(%v) = %q, want %q", age, got, want)
		}
	}
}

func TestEntries(t *testing.T) {
	for _, s := range []string{
		"192.0.2.1", "192.030.0.6", "192.0.2.0/24", "192.0.2.77/24", "2001:db8::1", "2001:DB8::/32", "::1", "fe80::1%eth0",
		"::ffff:192.0.2.1", "::ffff:192.0.2.0/120", "64:ff9b::192.0.2.0/120", "re:^192\\.0", "re:a", "1::192.0.2.0/64",
		`10\..*`, "192.0.*", ".example.org|x", "file:/etc/x", "file:/srv/our list.txt", "localhost", "a.example.org", "a.example.org.", "xn--bcher-kva.example",
		"www1", "1and1.example", "7.0.2.1.example", "2.0.192.in-addr.arpa", "192-0-2-1.example.net", "(?:10|192)\\..*", "10.[0-9]+",
	} {
		if msg, _ := denyEntry(s); msg != "" {
			t.Errorf("%q refused: %s", s, msg)
		}
	}
	for _, s := range []string{
		"", "192.0.2.256", "192.0.2", "192.0.2.", "10.", "1.2.3.4.5", "192.0.2.1/33", "192.0.2.1/", "192.0.2.0/255.255.255.0", "192.0.2.1/024",
		"192.0..1", "0192.0.2.1", "192.0.2.1-192.0.2.9", "192.0.2.1-9", "2001:db8:::1", "2001:db8::/129", "2001:db8::1::", "1:2:3", "fe80::1%eth0/64", "[2001:db8::1]",
		"2001:db8::/", "::ffff:192.0.2.0/24", "64:ff9b::/96", "64:ff9b::/64", "re:", "re:(", "(?<!x)y", "file:", "file:x", "file: /etc/x", "file:~/x", "file:/etc/\x00", "file:/etc/x\n", "192.0.2.l", "192.0.2.1O", "192.0.2.lO", "l92.0.2.1", "192.O.2.1", "a.b",
		"host.example.1", "192.0.2.1.", "example-.org", "*example.org", "::192.0.2.0/96", "192.0.2.1 192.0.2.2", "-x.example", "a..b", ".", "-",
		"10\\.(", "a[",
	} {
		if msg, _ := allowEntry(s); msg == "" {
			t.Errorf("%q accepted", s)
		}
	}
	for _, s := range []string{"0.0.0.0/0", "::/0"} {
		if msg, _ := allowEntry(s); msg != "" {
			t.Errorf("allow %q: %s", s, msg)
		}
		if msg, _ := denyEntry(s); msg == "" {
			t.Errorf("deny %q accepted", s)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"", "ab", 2}, {"ab", "ba", 1}, {"blockcont", "blockcount", 1}, {"abcd", "badc", 2}, {"xyz", "", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := distance(c.b, c.a); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestQuote(t *testing.T) {
	long := ""
	for len(long) < 100 {
		long += "é"
	}
	if got := quote("x" + long); len(got) > maxQuoted+8 || got[len(got)-len("é\"…"):] != "é\"…" {
		t.Errorf("%s", got)
	}
	if got := quote("a\x1b\n"); got != `"a\x1b\n"` {
		t.Errorf("%s", got)
	}
}
