package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestStretchChangesNothing: what the automaton lets through is the same along
// a beginning that it knows as byte by byte, whatever stands where digits do.
func TestStretchChangesNothing(t *testing.T) {
	set := enabledAll(t, 0, Options{})
	r := rand.New(rand.NewPCG(5, 6))
	for name, g := range map[string]*group{"lines": &set.whole, "messages": &set.messages} {
		s := newSieve(g.rules, false)
		known, steps := &stretch{}, &stretch{} // without credit: byte by byte
		went, rules := 0, 0
		for i, text := range texts(t) {
			if testing.Short() && i%10 > 0 {
				continue
			}
			known.credit = stretchCost * (i % 3)
			for range 8 {
				b := []byte(text)
				for k, c := range b {
					if c >= '0' && c <= '9' && r.IntN(8) == 0 {
						b[k] = "0123456789:;/?\xb0\x00 "[r.IntN(17)]
					}
				}
				b = b[:len(b)-r.IntN(len(b)+1)*r.IntN(2)]
				want := slices.Clone(s.pass(b, steps))
				if _, n := known.along(s, b); n > 0 {
					went++
				}
				for _, k := range []*stretch{known, nil} {
					if got := s.pass(b, k); !slices.Equal(got, want) {
						t.Fatalf("%s: %q: %d rules, byte by byte %d", name, b, len(got), len(want))
					}
				}
				rules += len(want)
			}
		}
		if went < 1000 && !testing.Short() || went < 50 || rules < 50 {
			t.Errorf("%s: %d texts were like others, %d rules were let through", name, went, rules)
		}
	}
}

// TestStretchIsShort: a line of a program as one before, with other digits, is
// dropped without a step; one in which something else stands is looked at anew.
func TestStretchIsShort(t *testing.T) {
	set := enabledAll(t, 0, Options{})
	s := newSieve(set.whole.rules, false)
	k := &stretch{credit: stretchCost}
	s.pass([]byte("Jan  5 01:31:41 www CRON[1643]: (root) CMD (true)"), k)
	for line, whole := range map[string]bool{
		"Jan  5 23:59:07 www CRON[9]: (root) CMD (true) and so on": true,
		"Jan  5 23:59:0: www CRON[9]: (root) CMD (true) and so on": false,
		"Jan  5 01:31:41 ftp CRON[1643]: (root) CMD (true)":        false,
	} {
		at, n := k.along(s, []byte(line))
		if all := k.whole(s, []byte(line)); all != whole || all != (at == nowhere) {
			t.Errorf("%q: whole %v, %d bytes, to %d", line, all, n, at)
		}
	}
	if k.credit >= stretchCost || len(k.eights) > maxStretch {
		t.Errorf("credit %d, %d steps", k.credit, len(k.eights))
	}
}

// TestStretchOverflow: texts made to bring ever new states do so while a stretch
// is noted, too, in the middle of what any digit would do for.
func TestStretchOverflow(t *testing.T) {
	defs := []Def{{Name: "site-R", Class: "auth", Pattern: `^[0-9a-f]*[13579][0-9a-f][0-9a-f]{8}[0-9a-f]{3}z.* from {HOST_IP}$`, Unpinned: true}}
	r := rand.New(rand.NewPCG(7, 8))
	for range 5 {
		set, problems := Compile(defs, nil, Options{})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		set.whole.wait = 0
		for i := range 4000 {
			l := lineOf(fmt.Sprintf("%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64()))
			l.Program = fmt.Appendf(nil, "p%d", i%500) // each has its stretch
			set.Match(l)
		}
		if n := set.whole.sieve.rounds; n == 0 {
			t.Errorf("%d rounds: these texts overflow nothing", n)
		}
		if m := set.Match(lineOf("a1123456789012z from 192.0.2.1")); m.Rule != "site-R" {
			t.Errorf("%+v", m)
		}
	}
}
