package config

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// An Error is one thing that is wrong with a configuration.
type Error struct {
	File string // as it was named; empty: the command line
	Line int    // from 1; 0: no single line
	Msg  string // what is wrong, with what was found
	Hint string // what to do; may be empty
}

// Error returns "FILE:LINE: MSG", without the hint.
func (e Error) Error() string {
	switch {
	case e.File == "":
		return e.Msg
	case e.Line == 0:
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// Errors is what Load and With return: everything that is wrong, file by file
// in the order of reading, in a file by line.
type Errors []Error

// Error returns the errors one a line.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// orNil keeps an empty list from becoming an error that is not nil.
func (es Errors) orNil() error {
	if len(es) == 0 {
		return nil
	}
	return es
}

// maxErrors is how many errors of one file are told: a screen's worth. More
// come from a file that is no configuration.
const maxErrors = 20

// told returns the errors of one file as they are shown.
func (es Errors) told() Errors {
	sort.SliceStable(es, func(i, j int) bool { return es[i].Line < es[j].Line })
	return es.capped()
}

func (es Errors) capped() Errors {
	if more := len(es) - maxErrors; more > 0 {
		es = append(es[:maxErrors:maxErrors], Error{File: es[0].File, Msg: fmt.Sprintf("%d more errors", more)})
	}
	return es
}

// maxQuoted is how many bytes of a value a message shows.
const maxQuoted = 60

// quote shows s in a message, cut.
func quote(s string) string {
	if len(s) <= maxQuoted {
		return fmt.Sprintf("%q", s)
	}
	n := maxQuoted
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return fmt.Sprintf("%q…", s[:n])
}
