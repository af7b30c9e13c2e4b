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

// gram is the place of three bytes in the table: the upper bits of a product
// with the golden ratio's, as Knuth has it (TAOCP 3, 6.4).
func gram(three uint32) uint32 { return three * 0x9e3779b1 >> (32 - 12) }

func (g *grams) note(b []byte) {
	*g = grams{}
	three := uint32(0)
	for i, c := range b {
		if three = three<<8&0xffffff | uint32(c); i >= 2 {
			h := gram(three)
			g[h/64%uint32(len(g))] |= 1 << (h % 64)
		}
	}
}

// gramsOf returns the places in the table that a literal's trigrams have, from
// its end backwards: ends of literals differ more than their beginnings.
func gramsOf(literal string) []uint32 {
	var all []uint32
	for i := len(literal) - 1; i >= 2 && len(all) < maxGrams; i-- {
		all = append(all, gram(uint32(literal[i-2])<<16|uint32(literal[i-1])<<8|uint32(literal[i])))
	}
	return all
}

// mayHold tells whether the text may have the rule's literal in it.
func (t *text) mayHold(r *rule) bool {
	if len(r.grams) == 0 {
		return true
	}
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
