package rules

import (
	"bytes"
	"strings"
	"testing"
)

// TestPlain: a text is plain if it has neither line breaks nor anything beyond
// ASCII, wherever such a byte stands.
func TestPlain(t *testing.T) {
	for n := range 20 {
		for i := range n {
			for c := range 256 {
				b := bytes.Repeat([]byte{'a'}, n)
				b[i] = byte(c)
				if want := c < 0x80 && !strings.ContainsRune("\r\n", rune(c)); plain(b) != want {
					t.Fatalf("%q: plain %v", b, !want)
				}
			}
		}
	}
}
