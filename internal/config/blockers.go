package config

import (
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

// blockersTo reads names, and names with options. Which options there are, the
// back end knows; here they are only plain data.
func blockersTo(p *[]Blocker) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		list, ok := d.items(key, n, "a list of blockers")
		if !ok {
			return
		}
		var out []Blocker
		for _, item := range list {
			name, options := item, (*yaml.Node)(nil)
			if item.Kind == yaml.MappingNode {
				if len(item.Content) != 2 {
					d.want(item, key, "one blocker with its options", "write {iptables: {scope: service}}, or indent the options below the name")
					continue
				}
				name, options = item.Content[0], item.Content[1]
			}
			s, ok := d.text(key, name, oneOf(blockers))
			if !ok {
				continue
			}
			if slices.ContainsFunc(out, func(b Blocker) bool { return b.Name == s || b.Name == BlockerNone }) || s == BlockerNone && len(out) > 0 {
				d.fail(name, key, quote(s)+" beside itself or beside none", "name each once; none stands alone")
			}
			b := Blocker{Name: s}
			if options != nil {
				b.Options = d.options(join(key, s), options)
			}
			out = append(out, b)
		}
		*p = out
	}
}

// options reads the options of one blocker; nil where it has none.
func (d *decoder) options(key string, n *yaml.Node) map[string]any {
	var m map[string]any
	for k, v := range d.pairs(key, n, "options") {
		if m == nil {
			m = map[string]any{}
		}
		if k.Value == "scope" {
			m[k.Value], _ = d.text(join(key, k.Value), v, oneOf(scopes))
			continue
		}
		m[k.Value] = d.data(join(key, cut(k.Value)), v)
	}
	return m
}

// data reads any value: a string, bool, int or float64, or a []any or
// map[string]any of these.
func (d *decoder) data(key string, n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for k, v := range d.pairs(key, n, "keys with values") {
			m[k.Value] = d.data(key, v)
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = d.data(key, item)
		}
		return list
	}
	switch n.Tag {
	case "!!null":
		d.want(n, key, "a value", "")
	case "!!bool":
		var b bool
		boolTo(&b)(d, key, n)
		return b
	case "!!int", "!!float":
		return d.number(key, n)
	}
	return n.Value
}

// number reads a number in its plain form alone: what one YAML dialect reads
// as octal or in sixties, the next reads otherwise.
func (d *decoder) number(key string, n *yaml.Node) any {
	var number any
	var err error
	if n.Tag == "!!int" {
		number, err = strconv.Atoi(n.Value)
	} else {
		number, err = strconv.ParseFloat(n.Value, 64)
	}
	if err != nil || !decimal().MatchString(n.Value) {
		d.want(n, key, "a number in decimal digits", "put quotes round what is no number")
	}
	return number
}
