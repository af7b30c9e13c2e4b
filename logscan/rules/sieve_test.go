package rules

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"blockhosts/internal/record"
)

// enabledAll compiles the shipped rules; their automatons are made after wait
// texts.
func enabledAll(t testing.TB, wait int, o Options) *Set {
	set, problems := Compile(Shipped(), nil, o)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	set.whole.wait, set.messages.wait, set.sieveWait = wait, wait, wait
	return set
}

// TestSieveChangesNothing: what comes of a line is the same with an automaton
// and without, and so it is in a clone; so is what a changed line brings.
func TestSieveChangesNothing(t *testing.T) {
	for _, o := range []Options{{}, {Names: true}} {
		without, with := enabledAll(t, 1<<30, o), enabledAll(t, 0, o)
		clone := with.Clone()
		r := rand.New(rand.NewPCG(1, 2))
		matched := 0
		for i, raw := range texts(t) {
			if testing.Short() && i%10 > 0 {
				continue
			}
			if i%3 == 0 { // bytes that a daemon does not write
				raw = raw[:r.IntN(len(raw)+1)] + []string{"é", "\xff", "\r", "\x00", "\ue000", " "}[r.IntN(6)] + raw
			}
			l := lineOf(raw)
			want := without.Match(l)
			if want.Matched || want.Host != "" {
				matched++
			}
			for _, set := range []*Set{with, clone} {
				if got := set.Match(l); !reflect.DeepEqual(got, want) {
					t.Fatalf("%q:\n%+v with an automaton,\n%+v without", raw, got, want)
				}
			}
		}
		if matched < 50 && !testing.Short() || matched < 5 {
			t.Errorf("%d lines matched", matched)
		}
	}
}

// lineOf is a line as logscan would take it apart, as far as the rules care.
func lineOf(raw string) *record.Line {
	l := &record.Line{Raw: []byte(raw), Message: []byte(raw), Repeat: 1}
	prefix, message, ok := strings.Cut(raw, ": ")
	words := strings.Fields(prefix)
	if ok && len(words) > 3 {
		program, _, _ := strings.Cut(words[len(words)-1], "[")
		l.Program, l.Message, l.Form = []byte(program), []byte(message), record.FormSyslog
	}
	return l
}

// TestSieveOverflow: texts made to bring ever new states cost no memory
// without end, and are matched all the same.
func TestSieveOverflow(t *testing.T) {
	var defs []Def
	for i := range 40 { // it may be at every a
		defs = append(defs, Def{Name: fmt.Sprintf("app-R%d", i), Class: "auth", Pattern: fmt.Sprintf(`{LOG_PREFIX{app}} [abc]*a[abc]{8}[abc]{6}x%d from {HOST_IP}$`, i)})
	}
	set, problems := Compile(defs, nil, Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	set.sieveWait = 0
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		text := make([]byte, 40+r.IntN(40))
		for i := range text {
			text[i] = "abc"[r.IntN(3)]
		}
		message := fmt.Sprintf("%sx%d from 192.0.2.1", text, r.IntN(40))
		l := &record.Line{Raw: []byte(message), Message: []byte(message), Program: []byte("app"), Form: record.FormSyslog}
		set.Match(l)
		s := set.reading(l).group.sieve
		if len(s.states) > maxStates+2 || s.held > maxPlaces+5*len(s.places) {
			t.Fatalf("%d states, %d places", len(s.states), s.held)
		}
	}
	l := &record.Line{Raw: []byte("aabcabcabcabcabx7 from 192.0.2.1"), Message: []byte("aabcabcabcabcabx7 from 192.0.2.1"), Program: []byte("app"), Form: record.FormSyslog}
	if m := set.Match(l); m.Rule != "app-R7" {
		t.Errorf("%+v", m)
	}
	if n := set.reading(l).group.sieve.rounds; n <= maxRounds {
		t.Errorf("%d rounds: these texts overflow nothing", n)
	}
}

// TestSieveTellsRulesApart: the automaton of very many rules, as one made from
// a list has them, lets a line through to its own rule.
func TestSieveTellsRulesApart(t *testing.T) {
	rules := make([]*rule, 1<<16+10)
	for i := range rules {
		rules[i] = &rule{analysis: analysis{source: fmt.Sprintf("^x%d ", i)}}
	}
	s := newSieve(rules, false)
	for _, i := range []int{5, 1<<16 + 5} {
		if got := s.pass(fmt.Appendf(nil, "x%d 192.0.2.1", i), nil); len(got) != 1 || got[0] != rules[i] {
			t.Errorf("rule %d: let through to %d rules, not to it alone", i, len(got))
		}
	}
}

// BenchmarkSieve is what the automaton of all rules for whole lines costs to be
// made, once for each worker.
func BenchmarkSieve(b *testing.B) {
	set := enabledAll(b, 0, Options{})
	for b.Loop() {
		newSieve(set.whole.rules, false)
	}
}
