package rules_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"blockhosts/internal/record"
	"blockhosts/logscan"
	"blockhosts/logscan/rules"
)

// forged is the address that must never be blamed.
var forged = netip.MustParseAddr("192.0.2.66")

// TestHostile puts hostile text into every free part of every sample and every
// ignored line, and holds the result against all rules together and against
// each rule of the service alone, since a configuration may enable that one
// only. The forged address must never come out.
func TestHostile(t *testing.T) {
	defs := documented(t)
	var tried atomic.Int64
	for _, d := range defs {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			own := patient(t, []rules.Def{d})
			sets, fakes := []*rules.Set{patient(t, rules.Shipped())}, fakes(defs, d)
			for _, other := range defs {
				if service(other) == service(d) {
					sets = append(sets, patient(t, []rules.Def{other}))
				}
			}
			for _, line := range lines(d) {
				for _, hostile := range disguises(own, d, line, fakes) {
					if tried.Add(1)%stride() != 0 {
						continue
					}
					for _, set := range sets {
						blames(t, set, hostile)
					}
					if t.Failed() {
						return // one rule's holes are all alike
					}
				}
			}
		})
	}
	t.Cleanup(func() {
		if tried.Load() < 1000 {
			t.Errorf("only %d hostile lines", tried.Load())
		}
	})
}

// stride is how many hostile lines are made for one that is tried: all of them
// where everything is required, a fair part on a desk, few under -short and
// under the race detector.
func stride() int64 {
	switch {
	case raced:
		return 101
	case testing.Short():
		return 11
	case os.Getenv("BLOCKHOSTS_REQUIRE") == "all":
		return 1
	}
	return 3
}

// patient compiles rules with a time-out that no busy machine reaches, but
// that a pattern which explodes does.
func patient(t *testing.T, defs []rules.Def) *rules.Set {
	t.Helper()
	set, problems := rules.Compile(defs, nil, rules.Options{Timeout: 2 * time.Second})
	for _, p := range problems {
		t.Error(p.Text)
	}
	return set
}

// read is the part of a line that a rule's pattern sees.
func read(d rules.Def, l *record.Line) []byte {
	if strings.Contains(d.Pattern, "{LOG_PREFIX{") {
		return l.Message
	}
	return l.Raw
}

func service(d rules.Def) string { return d.Name[:strings.LastIndexByte(d.Name, '-')] }

func blames(t *testing.T, set *rules.Set, line []byte) {
	t.Helper()
	l := logscan.ParseLine(line)
	m := set.Match(&l)
	if m.Matched && m.Addr == forged {
		t.Errorf("%s blames the forged address in %.1000q", m.Rule, line)
	}
	if len(m.TimedOut) > 0 {
		t.Errorf("%v took too long on %.400q", m.TimedOut, line)
	}
}

// lines are those of a rule that do not hold the forged address by themselves.
func lines(d rules.Def) []string {
	var all []string
	for _, s := range d.Samples {
		all = append(all, s.Line)
	}
	return append(all, d.Ignores...)
}

// fakes are whole messages of the same service with the forged address.
func fakes(defs []rules.Def, of rules.Def) []string {
	var all []string
	for _, d := range defs {
		if service(d) != service(of) {
			continue
		}
		for _, s := range d.Samples {
			if bad := forge(s); bad != "" {
				l := logscan.ParseLine([]byte(bad))
				all = append(all, string(bytes.TrimRight(l.Message, " ")), bad)
			}
		}
	}
	return all
}

// forge puts the forged address in place of a sample's own.
func forge(s rules.Sample) string {
	for _, spelling := range []string{"::ffff:" + s.Address, s.Address} {
		if strings.Contains(s.Line, spelling) {
			return strings.ReplaceAll(s.Line, spelling, forged.String())
		}
	}
	return ""
}

// disguises are the lines that come of hostile text in the free parts of line.
func disguises(set *rules.Set, d rules.Def, line string, fakes []string) [][]byte {
	raw := []byte(line)
	l := logscan.ParseLine(raw)
	var all [][]byte
	for _, at := range rules.Free(d, set, raw, read(d, &l)) {
		before, old, after := line[:at.From], line[at.From:at.To], line[at.To:]
		for _, h := range append(texts(line, at, set), fakes...) {
			puts := []string{h, old + h, h + old, old + " " + h, h + " " + old}
			if len(h) > 5000 {
				puts = puts[:1]
			}
			for _, put := range puts {
				all = append(all, []byte(before+put+after))
			}
		}
	}
	return all
}

// texts are what a client might send, made from the line it will stand in: its
// parts beside the free one with the forged address in them, among others.
func texts(line string, at rules.Span, set *rules.Set) []string {
	f := forged.String()
	all := []string{
		f, "from " + f, " from " + f + " port 22 ssh2", "x from " + f + " port 22 ssh2: x", "[" + f + "]", "(" + f + ")",
		`"` + f + `"`, "<" + f + ">", "rhost=" + f, "rip=" + f + ", lip=", f + ": ", "\x00" + f + "\x01", "\xff\xfe" + f + "\xc3",
		"ü" + f + "\u2028", "\ue000", "sshd[1]: Failed password for root from " + f + " port 22 ssh2",
		strings.Repeat("x ", 5000) + f, strings.Repeat(f+" ", 700), strings.Repeat(`"])}>`, 2000), strings.Repeat("a", 10000),
	}
	l := logscan.ParseLine([]byte(line))
	m := set.Match(&l)
	if !m.Matched {
		return all
	}
	body, ends := strings.Index(line, string(l.Message)), len(strings.TrimRight(line, " "))
	for _, t := range set.Trace(&l) {
		if !t.Matched {
			continue
		}
		a, b := t.AddrAt.From, t.AddrAt.To
		if at.To <= a { // left of the address: what stands between, the address, the end
			all = append(all, line[at.To:a]+f+line[b:ends], line[body:a]+f+line[b:ends], line[at.To:a]+f+line[b:ends]+line[at.To:a],
				fmt.Sprint(line[at.To:a], f, line[b:ends], " ", line[body:at.From]), fill(line[at.To:a]), fill(line[at.To:a]+f+line[b:ends]))
		}
		if at.From >= b { // right of it: the beginning, the address, what stands between
			all = append(all, line[body:a]+f+line[b:at.From], line[body:a]+f+line[b:ends], line[a-min(a, 6):a]+f+line[b:ends],
				fill(line[body:a]), fill(line[a-min(a, 6):a]+f+line[b:at.From]))
		}
	}
	return all
}

// fill repeats s to 10 kB, which is what makes a bad pattern slow.
func fill(s string) string {
	size := 10000
	if raced {
		size = 1000
	}
	return strings.Repeat(s, size/max(len(s), 1))
}

// TestFree: without free parts TestHostile would test nothing.
func TestFree(t *testing.T) {
	for _, d := range documented(t) {
		if d.Name != "sshd-Invalid" {
			continue
		}
		raw := []byte(d.Samples[0].Line)
		l := logscan.ParseLine(raw)
		got := rules.Free(d, compile(t, []rules.Def{d}), raw, l.Message)
		if len(got) != 1 || string(raw[got[0].From:got[0].To]) != "admin" {
			t.Errorf("free parts: %v", got)
		}
	}
}

// FuzzHostile puts any text into the first free part of the samples.
func FuzzHostile(f *testing.F) {
	defs := documented(f)
	set := compile(f, defs)
	type slot struct{ before, after string }
	var slots []slot
	for _, d := range defs {
		alone := compile(f, []rules.Def{d})
		for _, s := range d.Samples {
			l := logscan.ParseLine([]byte(s.Line))
			for _, at := range rules.Free(d, alone, l.Raw, read(d, &l)) {
				slots = append(slots, slot{s.Line[:at.From], s.Line[at.To:]})
			}
		}
	}
	f.Add(uint(0), "x from 192.0.2.66 port 22 ssh2")
	f.Add(uint(7), `y" rhost=192.0.2.66 user=x`)
	f.Add(uint(20), ">, rip=192.0.2.66, lip=1.1.1.1, session=<x")
	f.Fuzz(func(t *testing.T, n uint, text string) {
		s := slots[n%uint(len(slots))]
		l := logscan.ParseLine([]byte(s.before + text + s.after))
		if m := set.Match(&l); m.Matched && m.Addr == forged {
			t.Errorf("%s blames the forged address in %q", m.Rule, l.Raw)
		}
	})
}
