package rules

import (
	"strings"
	"testing"

	"blockhosts/internal/record"
)

// TestNoSearchWithoutLiteral: a text that lacks a rule's literal is never
// regexp2's, before the automaton is made as behind it: a client who fills a
// line with one word would have it search until the rule's time is up.
func TestNoSearchWithoutLiteral(t *testing.T) {
	def := Def{Name: "app-Bad", Class: "auth", Pattern: `{LOG_PREFIX{app}} bad (?<user>.*) for .* from {HOST_IP} port \d+ refused by rule$`}
	for _, wait := range []int{0, 1 << 30} {
		for name, text := range map[string]string{
			"not ASCII": "bad é for x from 192.0.2.1 port 22 ok",
			"long":      "bad" + strings.Repeat(" for", 10_000) + " from 192.0.2.1 port 22 ok",
		} {
			set, problems := Compile([]Def{def}, nil, Options{})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			set.sieveWait = wait
			hold := func(text string) record.Match {
				return set.Match(&record.Line{Raw: []byte(text), Message: []byte(text), Program: []byte("app"), Form: record.FormSyslog})
			}
			if m := hold("bad amy for x from 192.0.2.1 port 22 refused by rule"); !m.Matched { // the rule's matcher on bytes is made
				t.Fatalf("%+v", m)
			}
			set.rules[0].re = nil // compiled when the pattern was judged
			if m := hold(text); m.Matched || m.TimedOut != nil || set.rules[0].re != nil {
				t.Errorf("%s, wait %d: regexp2 was asked, and said %+v", name, wait, m)
			}
		}
	}
}

// TestNothingIsCompiled: rules cost a run nothing that reads none of their lines.
func TestNothingIsCompiled(t *testing.T) {
	set, _ := Compile(Shipped(), nil, Options{})
	for range 10 {
		if m := set.Match(lineOf("job done in 12 ms")); m.Matched {
			t.Fatalf("%+v", m)
		}
	}
	if set.whole.sieve != nil {
		t.Error("an automaton is made for ten lines")
	}
	for _, r := range set.rules {
		if r.re != nil || r.prepared && r.program != nil {
			t.Errorf("%s is compiled", r.name)
		}
	}
}
