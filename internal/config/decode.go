package config

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// A decoder lays files over a configuration, one after the other.
type decoder struct {
	c    *Config
	file string
	errs Errors          // of this file
	at   map[string]mark // by dotted key: where it was set last

	services map[string][]*yaml.Node // by name, in the order of the files; see complete
}

type mark struct {
	file string
	line int
}

// A field is one key: a value, or a section with keys of its own.
type field struct {
	key  string
	read reader  // nil: a section
	sub  []field // of a section, and of a value that is a list or map of sections
}

// A reader takes the value of a key. A null value is a list or map whose
// entries are all commented out, and sets nothing. What makes readers or checks
// is not inlined where there are many of a kind: the compiler would write the
// function that is made anew for each of them, 30 kB of the program.
type reader func(d *decoder, key string, n *yaml.Node)

// names lists the dotted keys of fields, sections among them.
func names(path string, fields []field) []string {
	var list []string
	for _, f := range fields {
		list = append(list, join(path, f.key))
		list = append(list, names(join(path, f.key), f.sub)...)
	}
	return list
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// read lays one file over the configuration.
func (d *decoder) read(file string, data []byte) Errors {
	d.file, d.errs = file, nil
	data, bad := text(data)
	var root *yaml.Node
	if bad == nil {
		root, bad = parse(data)
	}
	if bad != nil {
		bad.File = file
		return Errors{*bad}
	}
	if root != nil {
		d.section("", root, fields(d.c))
	}
	return d.errs
}

func newDecoder(c *Config) *decoder {
	return &decoder{c: c, at: map[string]mark{}, services: map[string][]*yaml.Node{}}
}

// fail notes a mistake at n. It is not inlined: at all its places it would be
// 9 kB of the program, for what happens when somebody errs.
//
//go:noinline
func (d *decoder) fail(n *yaml.Node, key, msg, hint string) {
	if key != "" {
		msg = key + ": " + msg
	}
	d.errs = append(d.errs, Error{File: d.file, Line: n.Line, Msg: msg, Hint: hint})
}

// want reports a value of the wrong type.
func (d *decoder) want(n *yaml.Node, key, what, hint string) {
	d.fail(n, key, "want "+what+", found "+describe(n), hint)
}

// section reads a map with known keys.
func (d *decoder) section(path string, n *yaml.Node, known []field) {
	for k, v := range d.pairs(path, n, "keys with values") {
		i := slices.IndexFunc(known, func(f field) bool { return f.key == k.Value })
		if i < 0 {
			d.unknown(k, path, known)
			continue
		}
		key := join(path, k.Value)
		if known[i].read == nil {
			d.section(key, v, known[i].sub)
		} else {
			known[i].read(d, key, v)
		}
		d.at[key] = mark{d.file, k.Line}
	}
}

func (d *decoder) unknown(k *yaml.Node, path string, known []field) {
	guess := meant(k.Value, path, known, fields(d.c))
	if guess != "" {
		d.fail(k, "", "unknown key "+quote(k.Value)+guess, "")
		return
	}
	msg, keys := "want a key, found other text", make([]string, len(known))
	if isWord(k.Value) {
		msg = "unknown key" + shown(k.Value)
	}
	for i, f := range known {
		keys[i] = f.key
	}
	hint := "the keys here are " + strings.Join(keys, ", ")
	if slices.ContainsFunc(d.errs, func(e Error) bool { return e.Hint == hint }) { // once is enough
		hint = ""
	}
	d.fail(k, "", msg, hint)
}

// shown is " " and the key in quotes, or "" where it is not to be shown.
func shown(key string) string {
	if !isWord(key) {
		return ""
	}
	return " " + quote(key)
}

// pairs yields the keys and values of a map, each key once. Written into its
// four loops it would be 6 kB of the program.
//
//go:noinline
func (d *decoder) pairs(path string, n *yaml.Node, what string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(k, v *yaml.Node) bool) {
		if isNull(n) {
			return
		}
		if n.Kind != yaml.MappingNode {
			if path == "" && n.Kind == yaml.ScalarNode { // as in unknown
				d.fail(n, path, "want "+what+", found other text", "")
				return
			}
			d.want(n, path, what, "")
			return
		}
		lines := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			if k.Kind != yaml.ScalarNode {
				d.fail(k, path, "want a word before the colon, found "+describe(k), "")
				continue
			}
			if line := lines[k.Value]; line > 0 {
				d.fail(k, path, fmt.Sprintf("duplicate key%s; line %d has it, too", shown(k.Value), line), "")
				continue
			}
			lines[k.Value] = k.Line
			if !yield(k, v) {
				return
			}
		}
	}
}

// items returns the entries of a list. Not ok: nothing is to be set.
func (d *decoder) items(key string, n *yaml.Node, what string) (list []*yaml.Node, ok bool) {
	if isNull(n) {
		return nil, false
	}
	if n.Kind != yaml.SequenceNode {
		hint := "begin each entry with \"- \" on a line of its own"
		if _, last := cutLast(key); n.Kind == yaml.ScalarNode {
			hint = "write " + last + ": [" + strconv.Quote(n.Value) + "]"
			if n.Tag == "!!int" {
				hint = "write " + last + ": [" + n.Value + "]"
			}
			if len(n.Value) > maxQuoted {
				hint = "put [ ] round it"
			}
		}
		d.want(n, key, what, hint)
		return nil, false
	}
	return n.Content, true
}

// text returns a scalar that is text and passes its checks.
func (d *decoder) text(key string, n *yaml.Node, checks ...check) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode || isNull(n):
		d.want(n, key, "text", "")
		return "", false
	case n.Tag != "!!str" && n.Tag != "!!timestamp": // a bare date is as good a text as any
		d.want(n, key, "text", "put quotes round it")
		return "", false
	}
	if msg, hint := firstWrong(n.Value, checks); msg != "" {
		d.fail(n, key, msg, hint)
		return "", false
	}
	return n.Value, true
}

// A check says what is wrong with a text, and what to do; "" where nothing is.
type check func(s string) (msg, hint string)

func firstWrong(s string, checks []check) (msg, hint string) {
	for _, c := range checks {
		if msg, hint = c(s); msg != "" {
			return msg, hint
		}
	}
	return "", ""
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// describe names what was found, for people.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	case n.Tag == "!!int" || n.Tag == "!!float":
		return "the number " + cut(n.Value)
	case n.Tag == "!!bool":
		return cut(n.Value)
	}
	return quote(n.Value)
}

// cut is quote for what has no need of quotes.
func cut(s string) string { return strings.Trim(quote(s), `"`) }
