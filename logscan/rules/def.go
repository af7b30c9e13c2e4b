package rules

import (
	"slices"
	"strconv"
	"strings"
)

// A Def is a rule as it was written.
type Def struct {
	Name     string // service-Word
	Class    string // auth, probe or abuse; empty is auth
	Pattern  string // see the package's documentation
	Samples  []Sample
	Ignores  []string // lines that the rule must leave alone
	Unpinned bool     // the administrator answers for a pattern that Lint refuses
	Between  bool     // clients' text stands on both sides of the address, see the package's documentation
	File     string   // where it was written, for messages
	Line     int      // from 1; 0 where unknown

	own   bool      // it comes with the program
	ready *analysis // of such a rule: made by go generate
}

// A Sample is a line that a rule must match, and what it must find there.
type Sample struct {
	Line    string
	Address string // any spelling
	User    string // empty: none named
}

// Shipped returns the rules that come with the program, sorted by name,
// without their patterns as written, samples and ignores: see Documented. It
// parses nothing, since it is called at every start.
func Shipped() []Def { return slices.Clone(shipped) }

// service is the part of a rule's name before the last dash; empty where the
// name has no such part.
func service(name string) string {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 || i == len(name)-1 {
		return ""
	}
	return name[:i]
}

// where names the rule and the place where it was written.
func (d Def) where() string {
	if d.File == "" {
		return "rule " + d.Name
	}
	if d.Line == 0 {
		return "rule " + d.Name + " (" + d.File + ")"
	}
	return "rule " + d.Name + " (" + d.File + ":" + strconv.Itoa(d.Line) + ")"
}
