package rules

// A line of another program still passes by every rule that sees whole lines.
// To look for the literal of each costs more than all else that is done with
// the line; so the line's trigrams are noted once, in a small table of bits,
// and a literal is looked for only where its own are all there.

// gramBits is the size of the table: 512 bytes, half empty for a line of 2,000.
const gramBits = 4096

// maxGrams is how many trigrams of a literal are asked for.
const maxGrams = 4

// grams are the trigrams of a text.
type grams [gramBits / 64]uint64

func gram(a, b, c byte) uint16 {
	return uint16(uint32(a)*0x9e3d^uint32(b)*0x85f1^uint32(c)*0xc2b3) % gramBits
}

func (g *grams) note(b []byte) {
	*g = grams{}
	for i := 2; i < len(b); i++ {
		h := gram(b[i-2], b[i-1], b[i])
		g[h/64] |= 1 << (h % 64)
	}
}

// gramsOf returns the places in the table that a literal's trigrams have, from
// its end backwards: ends of literals differ more than their beginnings.
func gramsOf(literal string) []uint16 {
	var all []uint16
	for i := len(literal) - 1; i >= 2 && len(all) < maxGrams; i-- {
		all = append(all, gram(literal[i-2], literal[i-1], literal[i]))
	}
	return all
}

// mayHold tells whether the text may have the rule's literal in it.
func (t *text) mayHold(r *rule) bool {
	if !t.noted {
		t.noted = true
		t.grams.note(t.bytes[:min(len(t.bytes), maxText)])
	}
	for _, h := range r.grams {
		if t.grams[h/64]&(1<<(h%64)) == 0 {
			return false
		}
	}
	return true
}
