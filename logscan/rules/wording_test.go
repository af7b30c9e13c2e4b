package rules

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestWording: a wording is where a plain search finds it, whatever stands
// around it; beside the address alone.
func TestWording(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	word := func(n int) string {
		b := make([]byte, r.IntN(n+1))
		for i := range b {
			b[i] = "ab m"[r.IntN(4)]
		}
		return string(b)
	}
	found := 0
	for range 200_000 {
		text, w := []byte(word(60)), wordingOf(word(10))
		if w.text == "" {
			continue
		}
		want := bytes.Index(text, []byte(w.text))
		m := machine{text: text, host: span{len(text) + 1, len(text) + 1}}
		if got := m.find(&w, 0); got != want {
			t.Fatalf("%q in %q at %d, want %d", w.text, text, got, want)
		}
		if want >= 0 {
			found++
			if m.host = (span{want, want + 1}); m.stands(&w, want) {
				t.Fatalf("%q in %q stands where the address does", w.text, text)
			}
		}
	}
	if found < 1000 {
		t.Errorf("%d were found", found)
	}
}
