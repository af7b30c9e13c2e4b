package rules_test

import (
	"regexp"
	"strings"
	"testing"

	"blockhosts/internal/record"
	"blockhosts/logscan"
	"blockhosts/logscan/rules"
)

func documented(t testing.TB) []rules.Def {
	t.Helper()
	defs, err := rules.Documented()
	if err != nil {
		t.Fatal(err)
	}
	if len(defs) == 0 {
		t.Fatal("no rules")
	}
	return defs
}

func compile(t testing.TB, defs []rules.Def) *rules.Set {
	t.Helper()
	set, problems := rules.Compile(defs, nil, rules.Options{})
	for _, p := range problems {
		t.Error(p.Text)
	}
	return set
}

// TestShipped holds every shipped rule against its samples, its ignores and
// the lint.
func TestShipped(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9][a-z0-9_.+-]*-[A-Z][A-Za-z0-9]*$`)
	for _, d := range documented(t) {
		t.Run(d.Name, func(t *testing.T) {
			if !name.MatchString(d.Name) {
				t.Error("the name is not of the form service-Word")
			}
			if d.Class != "auth" && d.Class != "probe" && d.Class != "abuse" {
				t.Errorf("class %q", d.Class)
			}
			if len(d.Samples) == 0 {
				t.Error("a rule without samples")
			}
			for _, p := range rules.Check(d, logscan.ParseLine) {
				t.Error(p.Text)
			}
			for _, s := range d.Samples {
				if !documentation.Contains(s.Address) {
					t.Errorf("%s is not kept for documentation, or it is the forged address", s.Address)
				}
			}
		})
	}
}

// documentation are the addresses of RFC 5737 and RFC 3849 but the forged one.
var documentation = prefixes{"192.0.2.", "198.51.100.", "203.0.113.", "2001:db8::"}

type prefixes []string

func (p prefixes) Contains(addr string) bool {
	a, err := record.ParseAddr(addr)
	for _, s := range p {
		if err == nil && strings.HasPrefix(a.String(), s) && a != forged {
			return true
		}
	}
	return false
}

// TestTogether holds all shipped rules at once against every sample: another
// rule may be the first by name, but it must blame the same address.
func TestTogether(t *testing.T) {
	defs := documented(t)
	set := compile(t, rules.Shipped())
	for _, d := range defs {
		for _, s := range d.Samples {
			want, _ := record.ParseAddr(s.Address)
			l := logscan.ParseLine([]byte(s.Line))
			if m := set.Match(&l); !m.Matched || m.Addr != want || len(m.TimedOut) > 0 {
				t.Errorf("%s: %q: %+v", d.Name, s.Line, m)
			}
		}
	}
}
