package record

import "testing"

func TestParseAddr(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":           "192.0.2.1",
		"192.030.0.6":         "192.30.0.6",
		"000.000.000.000":     "0.0.0.0",
		"::ffff:192.0.2.1":    "192.0.2.1",
		"::FFFF:c000:0201":    "192.0.2.1",
		"::192.0.2.1":         "192.0.2.1",
		"::ffff:192.000.02.1": "192.0.2.1",
		"::c000:201":          "::c000:201",
		"::1":                 "::1",
		"64:ff9b::192.0.2.33": "192.0.2.33",
		"64:ff9b::c000:221":   "192.0.2.33",
		"fe80::1%eth0":        "fe80::1",
		"2001:DB8::0:1":       "2001:db8::1",
		"1::192.0.2.1":        "1::c000:201",
	} {
		got, err := ParseAddr(in)
		if err != nil || got.String() != want {
			t.Errorf("ParseAddr(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "localhost", "192.0.2", "192.0.2.256", "0300.0.2.1", "1.2.3.4.5", "%eth0", "192.0.2.1/24", "[::1]", "192.0.2.1 "} {
		if got, err := ParseAddr(in); err == nil {
			t.Errorf("ParseAddr(%q) = %v, want an error", in, got)
		}
	}
}

func TestParseNet(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1",
		"192.0.2.77/24":        "192.0.2.0/24",
		"2001:db8:1:2:3::/64":  "2001:db8:1:2::/64",
		"::ffff:192.0.2.1":     "192.0.2.1",
		"192.0.2.1/32":         "192.0.2.1",
		"::ffff:192.0.2.7/120": "192.0.2.0/24",
		"2001:db8::1/128":      "2001:db8::1",
	} {
		got, err := ParseNet(in)
		if err != nil || FormatNet(got) != want {
			t.Errorf("ParseNet(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"192.0.2.1/33", "192.0.2.1/", "x/8", "::/129", "::ffff:192.0.2.1/24", "64:ff9b::/96", "::ffff:0.0.0.0/96", "192.0.2.1/-1"} {
		if got, err := ParseNet(in); err == nil {
			t.Errorf("ParseNet(%q) = %v, want an error", in, got)
		}
	}
}
