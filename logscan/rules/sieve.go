package rules

import (
	"encoding/binary"
	"slices"
)

// Most lines that a rule reads are none of its own, and show that in their
// first bytes. So the rules that read the same texts are made one automaton,
// which goes along a text until no pattern can match it any more: a line of
// another program's costs the rules that see whole lines some thirty steps of a
// nanosecond, however many they are, or five of eight bytes where it begins as
// lines before did (stretch.go; BenchmarkMatch, BenchmarkManyRules).
//
// Its states are made as lines need them. It may let through what no pattern
// matches, never keep back what one does: see net.

// sieveSize is how many bytes of a text are looked at.
const sieveSize = 96

// maxStates and maxPlaces bound the states of an automaton and the places in
// them, and so its memory; where there are thousands of rules it gets more.
const (
	maxStates = 2000
	maxPlaces = 200_000
)

// maxRounds is how often the states may outgrow maxStates, and are made anew,
// before a group goes on without: a text made for that costs time, and not much.
const maxRounds = 8

// A group is rules that read the same texts, in the order of their names.
type group struct {
	rules []*rule
	wait  int       // texts until the automaton is made
	sieve *sieve    // nil: not made yet
	drops [256]bool // texts that begin with such a byte; known when there is a sieve
}

// sieveWait is how many texts come before an automaton is made: it costs as much
// as to ask the rules some thousand times, and most runs have few lines.
const sieveWait = 500

func (g *group) has(r *rule) bool { return g != nil && slices.Contains(g.rules, r) }

// among returns those of the rules that may match b, in order; k is how such
// texts began before, nil where nobody knows. The result is the group's.
func (g *group) among(b []byte, names bool, k *stretch) []*rule {
	switch {
	case g == nil || len(g.rules) == 0:
		return nil
	case g.sieve == nil:
		if g.wait--; g.wait >= 0 {
			return g.rules
		}
		g.sieve = newSieve(g.rules, names)
		for c := range g.drops {
			g.drops[c] = g.sieve.along(g.sieve.width*first, []byte{byte(c)}) == nowhere
		}
	case g.sieve.rounds > maxRounds:
		return g.rules
	}
	return g.sieve.pass(b, k)
}

// A sieve is the automaton.
type sieve struct {
	net
	rules  []*rule
	states []state
	steps  []int32          // of a state, for each kind of byte: where the steps of the next one begin, with settled; or unknown
	known  map[string]int32 // states by their places
	key    []byte           // memory for one of known
	held   int              // places in states
	rounds int
	likes  [1 << likeBits]stretch // of messages, by likeHash
}

// A state is the places in which the patterns can be.
type state struct {
	places []int32
	rules  []*rule // whose they are
	done   []*rule // those of them that match whatever follows
}

// What stands in steps.
const (
	unknown = -1
	nowhere = 0       // the state of no places, the first of all
	settled = 1 << 30 // added to that of a state in which nothing that follows tells more
)

// first is the state before the first byte.
const first = 1

func newSieve(rules []*rule, names bool) *sieve {
	s := &sieve{rules: rules}
	for i := range s.likes {
		s.likes[i].credit = firstCredit
	}
	s.net.build(rules, names)
	s.restart()
	return s
}

// restart forgets all states but the first two.
func (s *sieve) restart() {
	s.states, s.steps, s.known, s.held = s.states[:0], s.steps[:0], map[string]int32{}, 0
	s.stateOf(nil)
	s.stateOf(s.reach(s.starts))
}

// pass goes along b, which may begin as k does. A nil k is looked for.
func (s *sieve) pass(b []byte, k *stretch) []*rule {
	at, n := int32(s.width*first), 0
	if k == nil && len(b) >= likeSize {
		k = &s.likes[likeHash(b)]
	}
	if k != nil {
		at, n = s.like(k, b)
	}
	if n < min(len(b), sieveSize) && !ended(at) {
		at = s.along(int(at), b[n:min(len(b), sieveSize)])
	}
	if at == nowhere {
		return nil
	}
	st := &s.states[uint32(at&^settled)/uint32(s.width)]
	if len(b) < sieveSize && at < settled {
		return st.done
	}
	return st.rules
}

// like goes along the part of b that is like k.
func (s *sieve) like(k *stretch, b []byte) (at int32, n int) {
	if k.whole(s, b) {
		return k.eights[len(k.eights)-1].to, 8 * len(k.eights)
	}
	if k.credit >= stretchCost {
		k.note(s, b)
	}
	return k.along(s, b)
}

// ended tells whether nothing that follows changes anything.
func ended(at int32) bool { return uint32(at)-1 >= settled-1 } // nowhere, or settled

// along makes a step for each byte of b, as long as they tell something.
func (s *sieve) along(from int, b []byte) int32 {
	at, steps, kinds := int32(from), s.steps, &s.kinds
	for _, c := range b {
		next := steps[int(at)+int(kinds[c])]
		if next == unknown {
			next = s.step(int(at)/s.width, c)
			steps = s.steps
		}
		at = next
		if ended(at) {
			break
		}
	}
	return at
}

// step finds the state behind a byte.
func (s *sieve) step(at int, c byte) int32 {
	if len(s.states) >= maxStates || s.held >= maxPlaces+4*len(s.places) {
		places := s.states[at].places
		s.restart()
		s.rounds++
		return s.stateOf(s.reach(s.after(places, c)))
	}
	next := s.stateOf(s.reach(s.after(s.states[at].places, c)))
	s.steps[at*s.width+int(s.kinds[c])] = next
	return next
}

// stateOf returns the state of places.
func (s *sieve) stateOf(places []int32) int32 {
	slices.Sort(places)
	s.key = s.key[:0]
	for _, p := range places {
		s.key = binary.LittleEndian.AppendUint32(s.key, uint32(p))
	}
	if n, ok := s.known[string(s.key)]; ok {
		return n
	}
	st := state{places: slices.Clone(places)}
	end := len(places) > 0
	for _, p := range places { // those of one rule follow each other
		r, done := s.rules[s.places[p].rule], s.places[p].op == atDone
		if n := len(st.rules); n == 0 || st.rules[n-1] != r {
			st.rules = append(st.rules, r)
		}
		if n := len(st.done); done && (n == 0 || st.done[n-1] != r) {
			st.done = append(st.done, r)
		}
		end = end && done
	}
	n := int32(len(s.steps))
	if end && len(s.states) > first {
		n |= settled
	}
	s.states, s.held = append(s.states, st), s.held+len(places)
	for range s.width {
		s.steps = append(s.steps, unknown)
	}
	s.known[string(s.key)] = n
	return n
}
