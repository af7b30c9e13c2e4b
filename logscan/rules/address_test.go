package rules

import (
	"slices"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	for text, want := range map[string][]string{
		"from 192.0.2.1 port 22":                  {"192.0.2.1"},
		"192.0.2.1":                               {"192.0.2.1"},
		"[192.0.2.1]:":                            {"192.0.2.1"},
		"rhost=192.0.2.1":                         {"192.0.2.1"},
		"from 192.0.2.1.":                         {"192.0.2.1"},
		"from 192.0.2.1: 11: Bye":                 {"192.0.2.1"},
		"from 192.0.2.1:5543":                     {"192.0.2.1"},
		"192.0.2.1:word":                          {"192.0.2.1"},
		"192.0.2.1-1780;":                         {"192.0.2.1"},
		"ip:192.0.2.1":                            {"192.0.2.1"},
		"addr:2001:db8::1":                        {"2001:db8::1"},
		"?@192.0.2.1)":                            {"192.0.2.1"},
		"192.030.000.06":                          {"192.30.0.6"},
		"::ffff:192.0.2.1":                        {"192.0.2.1"},
		"::192.0.2.1":                             {"192.0.2.1"},
		"::ffff:192.0.2.1:60495":                  {"192.0.2.1"},
		"2001:db8::1:60495":                       {"2001:db8::1"},
		"2001:db8::1:5543":                        {"2001:db8::1:5543", "2001:db8::1"},
		"2001:db8::1: failed":                     {"2001:db8::1"},
		"2001:db8::1:failed":                      {"2001:db8::1"},
		"2001:db8::":                              {"2001:db8::"},
		"fe80::1%eth0 port":                       {"fe80::1"},
		"2001:DB8:0:0:0:0:0:1":                    {"2001:db8::1"},
		"192.0.2.1,198.51.100.7":                  {"192.0.2.1", "198.51.100.7"},
		"192.0.2.1/24":                            {"192.0.2.1"},
		"[IPv6:2001:db8::1] [ipv6:::1]":           {"2001:db8::1", "::1"},
		"a@example.de:192.0.2.1 bob:192.0.2.2":    {"192.0.2.1", "192.0.2.2"},
		"192.0.2.1->203.0.113.5":                  {"192.0.2.1", "203.0.113.5"},
		"x192.0.2.1 192.0.2.1x 1192.0.2.1":        nil,
		"192.0.2.1.5 5.192.0.2.1 .192.0.2.1":      nil,
		"192.0.2.1.example.net 192.0.2.1-a.net":   nil,
		"192.0.2.1-22.example.net 192.0.2.1-3-4":  nil,
		"host-192.0.2.1 a_192.0.2.1 192.0.2.1_a":  nil,
		"192.0.2.1@example.net 192.0.2.256 1.2.3": nil,
		"01:31:41 12:34:56:78:9a:bc":              nil,
		"01:c0:79:41:91:31:9a:7d:95:23:91:ac":     nil,
		"0.0.0.0 :: ::: .:.:. ......":             {"0.0.0.0"},
		"0000... user 12345...":                   nil,
		strings.Repeat("1:", 50) + ":192.0.2.1":   nil,
	} {
		var got []string
		for _, r := range addresses(nil, []byte(text)) {
			got = append(got, r.addr.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// FuzzAddresses: whatever stands in a text, a place is in it and reads as its
// address.
func FuzzAddresses(f *testing.F) {
	for _, s := range []string{"::1:2.", "a:192.0.2.1:b", "fe80::1%a.:", "....:::", ":...:", "1.2.3.4:1.2.3.4", "::%", "0000..."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := text{bytes: []byte(s)}
		for _, p := range text.addresses() {
			if p.start < 0 || p.end > len(s) || p.start >= p.end || !p.addr.IsValid() {
				t.Errorf("%q: %+v", s, p)
			}
			text.spell()
			if string(text.runes[p.from:p.to]) != s[p.start:p.end] {
				t.Errorf("%q: runes %q, bytes %q", s, string(text.runes[p.from:p.to]), s[p.start:p.end])
			}
		}
	})
}
