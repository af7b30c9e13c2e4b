package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// parse reads one YAML document without aliases and tags. The root is nil
// where there is nothing but comments.
func parse(data []byte) (*yaml.Node, *Error) {
	r := &lineReader{rest: data}
	doc, err := document(r)
	if err != nil {
		e := explain(err)
		e.Line = locate(data, r.lines, e.Line)
		return nil, &e
	}
	if doc == nil {
		return nil, nil
	}
	return doc, plain(doc)
}

// document decodes the only document that r has; nil where it has none. The
// YAML package panics on some input that it does not understand.
func document(r io.Reader) (root *yaml.Node, err error) {
	defer func() {
		if v := recover(); v != nil {
			root, err = nil, errors.New("not understood")
		}
	}()
	dec := yaml.NewDecoder(r)
	var first, second yaml.Node
	if err := dec.Decode(&first); err == io.EOF {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if err := dec.Decode(&second); err == nil {
		return nil, fmt.Errorf("line %d: second document", second.Line)
	} else if err != io.EOF {
		return nil, err
	}
	return first.Content[0], nil
}

// plain refuses what makes one node stand for many, or for something other
// than it looks. Neither has a use here, and aliases of aliases grow without
// bound. yaml.v3 limits the depth to 10,000.
func plain(n *yaml.Node) *Error {
	switch {
	case n.Kind == yaml.AliasNode:
		return &Error{Line: n.Line, Msg: "an alias, " + quote("*"+n.Value), Hint: "write the value out"}
	case n.Style&yaml.TaggedStyle != 0:
		return &Error{Line: n.Line, Msg: "a tag (!…) before the value", Hint: "leave the tag out"}
	}
	for _, child := range n.Content {
		if err := plain(child); err != nil {
			return err
		}
	}
	return nil
}

// messages has what yaml.v3 says and what it means to the writer of the file.
// The order matters where one text holds another.
var messages = []struct{ says, msg, hint string }{
	{"second document", "a second document begins here", `one file is one document: take the "---" out`},
	{"mapping values are not allowed", `a ":" where none can stand`, `put quotes round a text that holds ": "; or the line before lacks its ":"`},
	{"did not find expected key", "this line does not fit those above it", "look at its indentation, and at quotes and brackets before it"},
	{"did not find expected '-'", "this line does not fit the list above it", `each entry of a list begins with "- ", all in one column`},
	{"did not find expected ',' or ']'", "a list in [ ] lacks a comma or its ]", "put quotes round a text that holds brackets or ends in a colon"},
	{"did not find expected ',' or '}'", "a map in { } lacks a comma or its }", "put quotes round a text that holds braces or begins with a colon"},
	{"did not find expected node content", "a value is missing or begins with a special character", "close every [ and {, and put quotes round a text that holds one of [ ] { } , & * # ! | > @ `"},
	{"unexpected end of stream", "a quotation is not closed", ""},
	{"unexpected document indicator", "a quotation is not closed", ""},
	{"could not find expected ':'", `a key without ":"`, `or a list entry without a blank behind its "-", or a quotation that is not closed`},
	{"cannot start any token", "a value begins with a special character", "put quotes round a text that begins with one of @ ` %"},
	{"unknown escape character", "a backslash that means nothing in double quotes", "put patterns in single quotes"},
	{"hexdecimal number", "a backslash that means nothing in double quotes", "put patterns in single quotes"},
	{"sequence entries are not allowed", `a "- " where no list can begin`, "begin the list on a line of its own"},
	{"a tab character", "a tab where a blank must stand", "YAML is indented with blanks"},
	{"unknown anchor", "an alias (*…) of nothing", "put quotes round a text that begins with *"},
	{"alphabetic or numeric character", "a * or & before the value", "put quotes round a text that begins with * or &"},
	{"control characters", "a control character", ""},
	{"max depth", "nested too deeply", ""},
}

// explain says what an error of yaml.v3 means.
func explain(err error) Error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	var e Error
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, said, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			e.Line, text = n, said
		}
	}
	for _, m := range messages {
		if strings.Contains(text, m.says) {
			e.Msg, e.Hint = m.msg, m.hint
			return e
		}
	}
	e.Msg = "not YAML: " + strings.Trim(quote(text), `"`)
	return e
}

// A lineReader hands out one line at a time, so that lines tells how far the
// parser had come.
type lineReader struct {
	rest  []byte
	lines int
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := bytes.IndexByte(r.rest, '\n') + 1
	if n == 0 {
		n = len(r.rest)
	}
	n = copy(p, r.rest[:n])
	if r.rest[n-1] == '\n' {
		r.lines++
	}
	r.rest = r.rest[n:]
	return n, nil
}

// locateBudget is how many bytes locate parses again in search of a line: a
// tenth of a second's worth.
const locateBudget = 2 << 20

// locate finds the line of an error, because yaml.v3 often names the begin of
// the block that holds it: the line after the longest beginning of the file,
// among the lines that were read, that is YAML.
func locate(data []byte, read, said int) int {
	end := make([]int, 1, read+1)
	for i, c := range data {
		if c == '\n' && len(end) <= read {
			end = append(end, i+1)
		}
	}
	if len(end) <= read || read == 0 {
		end = append(end, len(data))
	}
	budget := locateBudget
	for k := len(end) - 1; k > 0 && budget > 0; k-- {
		if end[k] == len(data) {
			continue
		}
		if _, err := document(bytes.NewReader(data[:end[k]])); err == nil {
			return k + 1
		}
		budget -= end[k]
	}
	if budget > 0 {
		return 1
	}
	return max(said, 1)
}
