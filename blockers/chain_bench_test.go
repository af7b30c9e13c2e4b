package blockers

import (
	"strings"
	"testing"
)

// BenchmarkChain is what a run itself does for a chain of 10,000 addresses
// beside the tool's work: reading the listing, comparing it with what is
// wanted, and writing the batch that fills the chain.
func BenchmarkChain(b *testing.B) {
	want := many(10000)
	blocker, err := New(Config{Name: "iptables"})
	if err != nil {
		b.Fatal(err)
	}
	c := blocker.tables[0].(*chain)
	entries, _ := entriesOf(want, nil)
	var rules strings.Builder
	c.rules(&rules, entries)
	listing := []byte("-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n-N blockhosts\n-A INPUT -j blockhosts\n-A FORWARD -j blockhosts\n" + rules.String())
	b.Run("entries", func(b *testing.B) {
		for b.Loop() {
			entriesOf(want, nil)
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			h := readListing(b, c, entries, listing)
			if add, del := difference(h.entries(), entries); len(add)+len(del)+len(h.faults()) > 0 {
				b.Fatal("they differ")
			}
		}
	})
	b.Run("fill", func(b *testing.B) {
		h := c.blank()
		for b.Loop() {
			if h.change(entries, entries, nil) == nil {
				b.Fatal("no batch")
			}
		}
	})
}

// readListing reads as from a tool that writes through a buffer of 4 KiB.
func readListing(b *testing.B, c *chain, want []entry, listing []byte) *chainHeld {
	r := c.reader(want)
	out := &lined{max: maxOutput, take: r.take}
	for at := 0; at < len(listing); at += 4096 {
		if _, err := out.Write(listing[at:min(at+4096, len(listing))]); err != nil {
			b.Fatal(err)
		}
	}
	out.end()
	h, err := r.end()
	if err != nil {
		b.Fatal(err)
	}
	return h
}
