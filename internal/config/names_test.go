package config

import (
	"regexp"
	"strings"
	"testing"
)

// spelled says of each kind of name the same as a pattern.
var spelled = []struct {
	is      func(string) bool
	pattern string
}{
	{isWord, `^[A-Za-z0-9_.<-]{1,40}$`},
	{isRuleName, `^[A-Za-z0-9][A-Za-z0-9_.+-]{0,62}-[A-Za-z0-9_.+]{1,63}$`},
	{isServiceName, `^[A-Za-z0-9][A-Za-z0-9_.+-]{0,62}$`},
	{isUnitName, `^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}$`},
	{isLocalUser, `^[A-Za-z0-9._+-]{1,64}$`},
}

// FuzzNames holds what is told by hand against the patterns.
func FuzzNames(f *testing.F) {
	long := strings.Repeat("x", 63)
	for _, seed := range []string{
		"", "-", "a", "sshd-Fail", "pure-ftpd-Fail", "-Fail", "sshd-", "sshd--Fail", ".a-b", "a b", "a\n", "é", "a<-b", "\xff",
		`dev-disk-by\x2duuid.device`, "getty@tty1.service", "user+tag", long, long + "-" + long, long + "x-b", "b-" + long + "x",
		long[:40], long[:41], long + "x", long + "xx", strings.Repeat("u", 255), strings.Repeat("u", 256),
	} {
		f.Add(seed)
	}
	var patterns []*regexp.Regexp
	for _, n := range spelled {
		patterns = append(patterns, regexp.MustCompile(n.pattern))
	}
	f.Fuzz(func(t *testing.T, s string) {
		for i, re := range patterns {
			if got, want := spelled[i].is(s), re.MatchString(s); got != want {
				t.Errorf("%q: %v, and %s says %v", s, got, re, want)
			}
		}
	})
}
