package rules_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"blockhosts/logscan"
	"blockhosts/logscan/rules"
)

// nameless is what daemons write where an address should stand: a name that
// they have looked up, a word for a connection that is gone.
var nameless = []string{"host.example.net", "UNKNOWN", "unknown", "-", "192-0-2-1.example.net"}

// always are the rules whose daemon cannot but write an address there, and why.
var always = map[string]string{
	"exim-Auth":        "host_ntoa() fills the brackets; a client that is no host has none",
	"exim-Reject":      "the same",
	"exim-Probe":       "the same",
	"exim-Sync":        "the same",
	"dovecot-Auth":     "net_ip2addr(), and the comma is missing where it gives nothing",
	"dovecot-AuthFile": "the same",
}

// TestNameless has no address in the place of the true one, but forged ones in
// every free part of every sample: the forged one must not come out either.
func TestNameless(t *testing.T) {
	defs := documented(t)
	var tried atomic.Int64
	for _, d := range defs {
		if always[d.Name] != "" {
			continue
		}
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			own := patient(t, []rules.Def{d})
			all, fakes := patient(t, rules.Shipped()), fakes(defs, d)
			for _, s := range d.Samples {
				for _, hostile := range anonymous(own, d, s.Line, fakes) {
					if tried.Add(1)%stride() != 0 {
						continue
					}
					blames(t, own, hostile)
					blames(t, all, hostile)
					if t.Failed() {
						return // one rule's holes are all alike
					}
				}
			}
		})
	}
	t.Cleanup(func() {
		if tried.Load() < 1000 {
			t.Errorf("only %d nameless lines", tried.Load())
		}
	})
}

// TestAlways: an excuse for a rule that is gone, or needs none, excuses nothing.
func TestAlways(t *testing.T) {
	left := len(always)
	for _, d := range documented(t) {
		if always[d.Name] != "" && d.Between {
			left--
		}
	}
	if left != 0 {
		t.Errorf("%d names of rules that are not there, or have clients' text on one side only", left)
	}
}

// anonymous are the hostile lines that come of line with a word in the place
// of its address. Long ones are left out: they may be cut anyway.
func anonymous(set *rules.Set, d rules.Def, line string, fakes []string) [][]byte {
	l := logscan.ParseLine([]byte(line))
	var address string
	for _, t := range set.Trace(&l) {
		address = line[t.AddrAt.From:t.AddrAt.To]
	}
	if address == "" {
		return nil
	}
	var all [][]byte
	for _, at := range rules.Free(d, set, l.Raw, read(d, &l)) {
		before, old, after := line[:at.From], line[at.From:at.To], line[at.To:]
		for _, h := range append(texts(line, at, set), fakes...) {
			if h = written(line, h); len(h) > 900 {
				continue
			}
			for _, put := range []string{h, old + h, h + old, old + " " + h, h + " " + old} {
				for _, word := range nameless {
					all = append(all, []byte(strings.ReplaceAll(before, address, word)+put+strings.ReplaceAll(after, address, word)))
				}
			}
		}
	}
	return all
}

// written is foreign text as it stands in such a line: JSON has a backslash
// before its quotes, PostgreSQL's csvlog doubles them.
func written(line, text string) string {
	switch {
	case strings.HasPrefix(line, "{"):
		return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
	case strings.Contains(line, ",FATAL,28"):
		return strings.ReplaceAll(text, `"`, `""`)
	}
	return text
}
