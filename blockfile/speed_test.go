package blockfile

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// randomText has few different characters, so that what is rare comes often.
func randomText(r *rand.Rand, from string, most int) string {
	b := make([]byte, r.IntN(most+1))
	for i := range b {
		b[i] = from[r.IntN(len(from))]
	}
	return string(b)
}

// TestParseIPv4: what it reads, netip reads the same; what it leaves is no
// IPv4 address to netip.
func TestParseIPv4(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	texts := []string{"192.0.2.1", "255.255.255.255", "0.0.0.0", "256.0.2.1", "192.0.2.01", "192.0.2", "192.0.2.1.", ".192.0.2", "1.2.3.4.5", "192.0.2.1/32", "::192.0.2.1", "00.0.0.0"}
	for range 200_000 {
		texts = append(texts, randomText(r, "0125.", 11))
	}
	read := 0
	for _, s := range texts {
		got, ok := parseIPv4(s)
		want, err := netip.ParseAddr(s)
		if ok != (err == nil && want.Is4()) || ok && got != want {
			t.Fatalf("%q is read as %v, %v; netip: %v, %v", s, got, ok, want, err)
		}
		if ok {
			read++
		}
	}
	if read < 500 {
		t.Errorf("only %d addresses were met", read)
	}
}

// TestScanField compares the one pass with three simple ones.
func TestScanField(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 6))
	for range 200_000 {
		s := randomText(r, `ab= ="`, 12)
		var got, want []string
		gotOK := eachField(s, func(key, value string) bool { got = append(got, key, value); return key != "a" })
		wantOK := true
		for rest := s; ; {
			var field string
			if field, rest = cutField(rest); field == "" {
				break
			}
			key, value := cutUnquoted(field, '=')
			if wantOK = len(key) < len(field); !wantOK {
				break
			}
			want = append(want, key, value)
			if wantOK = key != "a"; !wantOK {
				break
			}
		}
		if gotOK != wantOK || len(got) != len(want) {
			t.Fatalf("%q: %q, %v; want %q, %v", s, got, gotOK, want, wantOK)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%q: %q, want %q", s, got, want)
			}
		}
	}
}
