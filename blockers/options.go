package blockers

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// options reads a back end's options, one call for each. The first that is
// wrong is the error; what nobody asked for is unknown.
type options struct {
	blocker string
	given   map[string]any
	known   []string
	wrong   error
}

// word reads an option that is one word; empty lists mean any that fits pattern.
func (o *options) word(key, preset, pattern, want string) string {
	o.known = append(o.known, key)
	v, ok := o.given[key]
	if !ok {
		return preset
	}
	s, ok := v.(string)
	if !ok || !matches(pattern, s) {
		o.fail("%s: want %s, found %.60q", key, want, fmt.Sprint(v))
		return preset
	}
	return s
}

// matches compiles the pattern when there is something to hold against it: a
// run begins each minute, and options are rarely given.
func matches(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }

// choice reads an option that is one of some words; the first is the preset.
func (o *options) choice(key string, words ...string) string {
	o.known = append(o.known, key)
	v, ok := o.given[key]
	if !ok {
		return words[0]
	}
	s, ok := v.(string)
	if !ok || !slices.Contains(words, s) {
		o.fail("%s: want %s, found %.60q", key, strings.Join(words, ", "), fmt.Sprint(v))
		return words[0]
	}
	return s
}

// list reads an option that is a list of words, or words with commas between
// as they are recorded in the section.
func (o *options) list(key string, preset []string, pattern, want string) []string {
	o.known = append(o.known, key)
	v, ok := o.given[key]
	if !ok {
		return preset
	}
	var words []string
	switch v := v.(type) {
	case string:
		words = strings.Split(v, ",")
	case []string:
		words = v
	case []any:
		for _, item := range v {
			words = append(words, fmt.Sprint(item))
		}
	}
	var list []string
	for _, s := range words {
		if matches(pattern, s) && !slices.Contains(list, s) {
			list = append(list, s)
			continue
		}
		o.fail("%s: want %s, each once, found %.60q", key, want, s)
	}
	if len(list) == 0 {
		o.fail("%s: want %s, found %.60q", key, want, fmt.Sprint(v))
		return preset
	}
	return list
}

// vector reads an option that is a command with its arguments.
func (o *options) vector(key string) []string {
	o.known = append(o.known, key)
	v, ok := o.given[key]
	if !ok {
		return nil
	}
	var words []string
	list, ok := v.([]any)
	for _, item := range list {
		words = append(words, fmt.Sprint(item))
	}
	if given, same := v.([]string); same {
		words, ok = given, true
	}
	bad := slices.ContainsFunc(words, func(s string) bool { return strings.ContainsRune(s, 0) })
	if !ok || len(words) == 0 || words[0] == "" || bad {
		o.fail("%s: want a list, a program and its arguments, found %.60q", key, fmt.Sprint(v))
	}
	return words
}

// number reads an option that is a whole number between two bounds.
func (o *options) number(key string, preset, least, most int) int {
	o.known = append(o.known, key)
	v, ok := o.given[key]
	if !ok {
		return preset
	}
	n, err := strconv.Atoi(fmt.Sprint(v))
	if err != nil || n < least || n > most {
		o.fail("%s: want a whole number from %d to %d, found %.60q", key, least, most, fmt.Sprint(v))
		return preset
	}
	return n
}

func (o *options) fail(format string, args ...any) {
	if o.wrong == nil {
		o.wrong = fmt.Errorf(o.blocker+": "+format, args...)
	}
}

func (o *options) err() error {
	for key := range o.given {
		if !slices.Contains(o.known, key) {
			known := "none"
			if len(o.known) > 0 {
				known = strings.Join(o.known, ", ")
			}
			o.fail("unknown option %.60q; it has %s", key, known)
		}
	}
	return o.wrong
}
