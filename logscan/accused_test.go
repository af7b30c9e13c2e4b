package logscan

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// TestAccused: what is said of an address has one number, and nothing else has
// it.
func TestAccused(t *testing.T) {
	var a accused
	r, want := rand.New(rand.NewPCG(1, 9)), map[string]uint32{}
	next := uint32(0)
	for range 200_000 {
		addr := netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(40)), byte(r.IntN(256))})
		if r.IntN(5) == 0 {
			addr = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(r.IntN(256))})
		}
		rule, program := fmt.Sprint("rule", r.IntN(7)), fmt.Sprint("program", r.IntN(2))
		key := fmt.Sprint(addr, rule, program)
		n, fresh := a.number(addr, rule, []byte(program))
		had, known := want[key]
		if fresh == known || known && n != had || fresh && n != next {
			t.Fatalf("%s: %d, fresh: %v; want %d", key, n, fresh, had)
		}
		if fresh {
			want[key] = n
			next++
		}
	}
	if n, fresh := a.number(netip.Addr{}, "rule1", nil); !fresh || n != next {
		t.Errorf("a host name shares %d, fresh: %v", n, fresh)
	}
	for i := range 2 * maxRulings {
		a.number(netip.MustParseAddr("192.0.2.1"), "rule1", []byte(fmt.Sprint("made-up", i)))
	}
	if len(a.rulings) != maxRulings {
		t.Errorf("%d rulings", len(a.rulings))
	}
}
