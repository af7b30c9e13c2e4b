package config

import (
	"regexp"
	"strings"
	"sync"
)

// What names are made of is told by hand: a pattern of regexp that stands in
// the package is compiled at every start, and twelve of them, the counted
// repetitions above all, took 0.8 ms of an idle run's 5 (GODEBUG=inittrace=1
// tells). What is left of patterns is compiled at first use.

const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// madeOf tells whether s is of 1 to most bytes, all of them in letters.
func madeOf(letters, s string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, letters) == ""
}

// isWord tells whether s looks like a key. Text that does not, and that no key
// is like, is not shown: the file may be one that was named by mistake and
// holds secrets.
func isWord(s string) bool { return madeOf(alnum+"_.<-", s, 40) }

// isRuleName takes service-Word: what stands before the last dash is the
// service, which is written to the section and to tables.
func isRuleName(s string) bool {
	dash := strings.LastIndexByte(s, '-')
	return dash > 0 && isServiceName(s[:dash]) && madeOf(alnum+"_.+", s[dash+1:], 63)
}

// isServiceName takes the part of a rule's name before its last dash.
func isServiceName(s string) bool {
	return madeOf(alnum+"_.+-", s, 63) && strings.IndexByte(alnum, s[0]) >= 0
}

// isUnitName takes a name as systemd.unit(5) allows it, with its type or
// without.
func isUnitName(s string) bool { return madeOf(alnum+`:_.\@-`, s, 255) && s[0] != '-' }

// isLocalUser takes what useradd(8) and its like let pass for a name.
func isLocalUser(s string) bool { return madeOf(alnum+"._+-", s, 64) }

// lazily returns a pattern that is compiled when it is asked for first.
func lazily(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
