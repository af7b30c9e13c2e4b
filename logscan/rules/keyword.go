package rules

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

const (
	keyPrefix = "{LOG_PREFIX{"
	keyHost   = "{HOST_IP}"
)

// leadingFlags is an inline option in front of the prefix, "(?i)".
var leadingFlags = regexp.MustCompile(`^\(\?[a-z-]+\)`)

// blank is how an old pattern may write the blank that belongs to the prefix.
var blank = regexp.MustCompile(`^(?: |\\s|\[ \]|\\ )[+*]?`)

// A shape is a pattern with its {LOG_PREFIX{…}} taken off.
type shape struct {
	prefixed bool   // it reads messages; else whole lines
	program  string // regular expression for the program
	body     string // what is held against the text
	offset   int    // bytes of the pattern in front of body
}

// cutPrefix takes {LOG_PREFIX{prog}} and its blank off a pattern.
func cutPrefix(pattern string) (shape, error) {
	flags := leadingFlags.FindString(pattern)
	rest := strings.TrimPrefix(pattern[len(flags):], "^")
	rest, found := strings.CutPrefix(rest, keyPrefix)
	if !found {
		if strings.Contains(pattern, "{LOG_PREFIX") {
			return shape{}, errors.New("{LOG_PREFIX{program}} must be the first thing in the pattern, and name a program")
		}
		return shape{body: pattern}, nil
	}
	end := strings.Index(rest, "}}")
	if end < 0 {
		return shape{}, errors.New("{LOG_PREFIX{ is not closed by }}")
	}
	for strings.HasPrefix(rest[end+1:], "}}") { // {LOG_PREFIX{x{2}}}
		end++
	}
	program, rest := rest[:end], rest[end+2:]
	if strings.Contains(rest, "{LOG_PREFIX") {
		return shape{}, errors.New("{LOG_PREFIX{…}} stands twice in the pattern")
	}
	if _, err := regexp.Compile(program); err != nil || program == "" {
		return shape{}, fmt.Errorf("%.60q in {LOG_PREFIX{…}} is not a regular expression for a program", program)
	}
	rest = rest[len(blank.FindString(rest)):]
	return shape{prefixed: true, program: program, body: flags + rest, offset: len(pattern) - len(rest) - len(flags)}, nil
}

// An analysis is what Compile wants to know of a pattern. go generate makes
// it for the shipped rules.
type analysis struct {
	prefixed bool
	program  string
	source   string   // the pattern for regexp2
	heads    []string // every text that matches begins with one of them; none: with anything
	literal  string   // and has this in it
	before   string   // and this directly in front of the address
	after    string   // and this directly behind it
	front    bool     // what stands in front of the address pins it
}

// analyse reads a pattern as far as a line can be kept from it cheaply. The
// tree is nil where the pattern is beyond this package's parser, which
// understands less than regexp2; err then says what it stumbled over.
func analyse(pattern string) (analysis, *node, error) {
	s, err := cutPrefix(pattern)
	if err != nil {
		return analysis{}, nil, err
	}
	a := analysis{prefixed: s.prefixed, program: s.program}
	tree, source, err := parse(s.body)
	if err != nil {
		source = strings.ReplaceAll(s.body, "(?P<", "(?<")
		source = strings.ReplaceAll(source, keyHost, hostGroup)
	}
	if a.source = source; s.prefixed {
		a.source = "^(?:" + source + ")"
	}
	if tree != nil {
		a.heads, a.literal = heads(tree, s.prefixed), literal(tree)
		a.before, a.after = beside(tree)
		a.front = hosted(tree) == nil && linter{shape: s, front: true}.check(tree, nil, nil) == nil
	}
	return a, tree, err
}
