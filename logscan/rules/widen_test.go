package rules

import (
	"strings"
	"testing"
)

func TestWiden(t *testing.T) {
	for pattern, want := range map[string]string{
		`{LOG_PREFIX{x}} user \w+ from {HOST_IP}`:                      `^(?:user .* from H)`,
		`{LOG_PREFIX{x}} (?=a)(?:b \w+ )?(?:(?P<user>\S+) )?{HOST_IP}`: `^(?:(?=a).*H)`,
		`{LOG_PREFIX{x}} (?>from|by)(?!x)\b \d++ {HOST_IP}: .*`:        `^(?:(?:from|by) \d+ H: .*)`,
		`^a{2} [^"]*(?: [\w.]+)* "{HOST_IP}"$`:                         `^.* .* "H"$`,
		`{LOG_PREFIX{x}} (?:(?P<n>from) {HOST_IP}|\w+ {HOST_IP})`:      `^(?:(?:(?<n>from) H|.* H))`,
	} {
		got, err := widen(pattern)
		if got = strings.ReplaceAll(got, hostGroup, "H"); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", pattern, got, err, want)
		}
	}
}
