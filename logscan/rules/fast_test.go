package rules

import (
	"strings"
	"testing"
	"time"
)

// both holds a rule against a text by the program on bytes and by regexp2, for
// every address in it, and fails where they differ, or where the sieve keeps
// the rule from what it matches.
func both(t *testing.T, g *group, line string) (compared int) {
	t.Helper()
	r := g.rules[0]
	var c scratch
	text := &text{bytes: []byte(strings.TrimRight(line, " \t\r\n\x00")), ready: true}
	passes := g.among(text.bytes, false, nil) != nil
	for i := range text.addresses() {
		p := &text.places[i]
		quick, known := c.quick(r.fast, text, p)
		quickAt, quickUser := c.userAt, c.userText()
		if !known && passes {
			continue
		}
		slow, err := c.match(r.re, r.host, r.user, text, p)
		if err != nil {
			continue // regexp2 ran out of time
		}
		if slow && !passes {
			t.Errorf("%s, %s\nmatches %.500q, and the sieve keeps it back", r.name, r.source, line)
		}
		if !known {
			continue
		}
		compared++
		if quick != slow || quick && (quickAt != c.userAt || quickUser != c.userText()) {
			t.Errorf("%s, %s\non %.500q with %s:\non bytes %v %v %q, regexp2 %v %v %q", r.name, r.source, line, p.addr, quick, quickAt, quickUser, slow, c.userAt, c.userText())
		}
	}
	return compared
}

// texts are what patterns are held against: every documented line, its
// message, and both with something foreign in it.
func texts(t testing.TB) []string {
	documented, err := Documented()
	if err != nil || len(documented) == 0 {
		t.Fatalf("no shipped rules: %v", err)
	}
	var all []string
	for _, d := range documented {
		lines := d.Ignores
		for _, s := range d.Samples {
			lines = append(lines, s.Line)
		}
		for _, line := range lines {
			all = append(all, line)
			if _, message, ok := strings.Cut(line, ": "); ok {
				all = append(all, message, message+" from 192.0.2.66 port 22 ssh2", "192.0.2.66 "+message, strings.ReplaceAll(message, " ", "  "))
			}
		}
	}
	return all
}

// TestFastEqualsRegexp2: the program on bytes is there for most shipped rules,
// and comes to the same result.
func TestFastEqualsRegexp2(t *testing.T) {
	all := texts(t)
	quick, compared := 0, 0
	for _, d := range Shipped() {
		r := &rule{name: d.Name, analysis: *d.ready}
		if err := r.compile(time.Second); err != nil {
			t.Fatal(err)
		}
		if r.prepare(); r.fast != nil {
			quick++
		}
		g := &group{rules: []*rule{r}}
		for i, line := range all {
			if (testing.Short() || r.fast == nil) && i%20 != quick%20 {
				continue // the race detector makes it slow
			}
			compared += both(t, g, line)
		}
		if t.Failed() {
			return
		}
	}
	if quick*2 < len(Shipped()) || compared < 1000 {
		t.Errorf("%d of %d shipped rules have a program on bytes, %d comparisons", quick, len(Shipped()), compared)
	}
	t.Logf("%d of %d shipped rules have a program on bytes, %d comparisons", quick, len(Shipped()), compared)
}

// FuzzFast looks for a pattern and a text on which the two differ.
func FuzzFast(f *testing.F) {
	for _, p := range []string{
		`^Failed \S+ for (?:invalid user )?(?<user>.*) from {HOST_IP} port \d+ ssh2$`, `a*?b{2,3}(c|d)+{HOST_IP}`, `(?>a+b?)x*+{HOST_IP}.*?$`,
		`(?i)ab[^c-e]*{HOST_IP}(?:,\s|)(?<user>\w+)`, `(?:ab|a)(?:bc|c){HOST_IP}`, `(?<user>a|b)*{HOST_IP}`, `{HOST_IP}(?:ab?){1,2}$`,
		`^(?!)a{HOST_IP}`, `^(?=.*from .*port)(?<user>.*) from {HOST_IP}`, `^abc [^\W]*+{HOST_IP}`,
	} {
		f.Add(p, "Failed password for root from 192.0.2.1 port 1 ssh2")
		f.Add(p, "aabbcd192.0.2.1abx")
		f.Add(p, "abc 192.0.2.1, 192.0.2.2 abab")
	}
	f.Fuzz(func(t *testing.T, pattern, line string) {
		if len(pattern) > 200 || len(line) > 500 {
			return
		}
		a, tree, err := analyse(pattern)
		if err != nil || tree == nil || a.prefixed {
			return
		}
		r := &rule{name: "fuzz", analysis: a}
		if r.compile(50*time.Millisecond) != nil {
			return
		}
		r.prepare()
		both(t, &group{rules: []*rule{r}}, line)
	})
}

// slow is a rule with a program on bytes.
func slow(t *testing.T, pattern string) *rule {
	t.Helper()
	a, tree, err := analyse(pattern)
	if err != nil || tree == nil {
		t.Fatal(pattern, err)
	}
	r := &rule{name: "slow", analysis: a}
	if r.prepare(); r.fast == nil {
		t.Fatalf("%s has no program on bytes", pattern)
	}
	return r
}

// TestFastGivesUp: where a pattern would go along a long line again and again,
// the program on bytes leaves it to regexp2, which has a clock.
func TestFastGivesUp(t *testing.T) {
	for pattern, word := range map[string]string{
		`.*x from \d{HOST_IP}`: "a", `\w*x{HOST_IP}`: "a", `(?=.*from .*port)x{HOST_IP}`: "from ", `(?>\w+)x{HOST_IP}`: "a",
		`(?:(?=.*xyz)a)*{HOST_IP}x`: "a", `\w*? x{HOST_IP}`: "a", `(?:\w+ )*x{HOST_IP}`: "a ",
	} {
		r := slow(t, pattern)
		text := []byte(strings.Repeat(word, maxText/len(word)-10) + " 192.0.2.1")
		places := addresses(nil, text)
		var m machine
		if _, known := m.match(r.fast, text, &places[0]); known {
			t.Errorf("%s on %q… came to a result, after %d steps", pattern, word, m.steps)
		}
	}
}

// TestFastCounts: to look for what stands far behind takes nothing off what a
// text may cost.
func TestFastCounts(t *testing.T) {
	r, text := slow(t, `^(?:[a-z!]*! from {HOST_IP}|[a-z]+ ?)+y{HOST_IP}`), []byte(strings.Repeat("a", 20)+"0"+strings.Repeat("b", 50_000)+" 192.0.2.1")
	places := addresses(nil, text)
	var m machine
	if _, known := m.match(r.fast, text, &places[0]); known || m.steps < 0 {
		t.Errorf("a result %v, after %d steps", known, m.steps)
	}
}

// TestFastForgets: the ways back of a text that was too much are not kept.
func TestFastForgets(t *testing.T) {
	r, text := slow(t, `^(?:(?:ab|a)b?)*x{HOST_IP}`), []byte(strings.Repeat("ab", maxSteps)+" 192.0.2.1")
	places := addresses(nil, text)
	var m machine
	m.match(r.fast, text, &places[0])
	for n, i := len(m.stack), 0; i < 3; i++ {
		if m.match(r.fast, text, &places[0]); len(m.stack) > n || !m.exhausted {
			t.Errorf("%d ways back, of which %d were kept", len(m.stack), n)
		}
	}
}
