package rules

import (
	"encoding/binary"
	"strings"
)

// A wording is literal text of a pattern, made to be held against a place in a
// text: its first eight bytes are one comparison (BenchmarkMatch).
type wording struct {
	text        string
	first, mask uint64 // of those bytes; the bits of them that it has
	rare        int    // index of a byte that few texts have
}

// common are the bytes that log lines are full of, the commonest first.
const common = " eotnarisdl0123456789u:.cpf/-[]=mhg_b"

func wordingOf(text string) wording {
	w := wording{text: text, mask: ^uint64(0)}
	if n := len(text); n < 8 {
		w.mask = 1<<(8*n) - 1
	}
	var b [8]byte
	copy(b[:], text)
	w.first = binary.LittleEndian.Uint64(b[:])
	for i := range len(text) {
		if rarity(text[i]) > rarity(text[w.rare]) {
			w.rare = i
		}
	}
	return w
}

func rarity(c byte) int {
	if i := strings.IndexByte(common, c); i >= 0 {
		return i
	}
	return len(common)
}

func wordingsOf(texts []string) (all []wording) {
	for _, t := range texts {
		all = append(all, wordingOf(t))
	}
	return all
}

// stands tells whether the wording stands at i, beside the address.
func (m *machine) stands(w *wording, i int) bool {
	end := i + len(w.text)
	if end > len(m.text) || m.host.start < end && i < m.host.end {
		return false
	}
	if rest := m.text[i:]; len(rest) >= 8 {
		if (binary.LittleEndian.Uint64(rest)^w.first)&w.mask != 0 {
			return false
		}
		if len(w.text) <= 8 {
			return true
		}
	}
	return string(m.text[i:end]) == w.text
}
