package blockers

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// BenchmarkCompare is the part of a run that is ours: a listing read and
// compared with what is wanted, at 50,000 addresses in a set's random order.
func BenchmarkCompare(b *testing.B) {
	want := many(50000)
	blocker, err := New(Config{Name: "ipset"})
	if err != nil {
		b.Fatal(err)
	}
	s := blocker.tables[0].(*ipset)
	var out strings.Builder
	out.WriteString("create blockhosts4 hash:net family inet hashsize 1024 maxelem 1048576\n")
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(want)) {
		out.WriteString("add blockhosts4 " + want[i].Net.Addr().String() + "\n")
	}
	text := out.String()
	for b.Loop() {
		entries, _ := entriesOf(want, nil)
		h := &ipsetHeld{ipset: s}
		r := h.reader("blockhosts4")
		for line := range strings.Lines(text) {
			r.take(line)
		}
		if add, del := difference(h.own, entries); len(add)+len(del) > 0 {
			b.Fatal("they differ")
		}
	}
}
