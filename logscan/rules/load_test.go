package rules

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// load reads every YAML file of a directory. Rules come sorted by name; each has
// one of its own.
func load(dir fs.FS) ([]Def, error) {
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, err
	}
	var all []Def
	for _, name := range names {
		f, err := dir.Open(name)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		defs, err := family(name, text)
		if err != nil {
			return nil, err
		}
		all = append(all, defs...)
	}
	slices.SortFunc(all, func(a, b Def) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(all); i++ {
		if all[i].Name == all[i-1].Name {
			return nil, fmt.Errorf("%s: there is one of that name in %s", all[i].where(), all[i-1].File)
		}
	}
	return all, nil
}

// written is a rule as it stands in a file.
type written struct {
	Class   string   `yaml:"class"`
	Pattern string   `yaml:"pattern"`
	Between bool     `yaml:"between"`
	Samples []sample `yaml:"samples"`
	Ignores []string `yaml:"ignores"`
}

type sample struct {
	Line    string `yaml:"line"`
	Address string `yaml:"address"`
	User    string `yaml:"user"`
}

// family reads one file: a map of rules by name.
func family(name string, text []byte) ([]Def, error) {
	lines, err := nameLines(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var rules map[string]written
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	d.KnownFields(true)
	if err := d.Decode(&rules); err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var defs []Def
	for rule, w := range rules {
		def := Def{Name: rule, Class: w.Class, Pattern: w.Pattern, Between: w.Between, Ignores: w.Ignores, File: name, Line: lines[rule], own: true}
		for _, s := range w.Samples {
			def.Samples = append(def.Samples, Sample(s))
		}
		defs = append(defs, def)
	}
	return defs, nil
}

// nameLines returns the line in which each rule of a file begins.
func nameLines(text []byte) (map[string]int, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	lines := map[string]int{}
	if len(doc.Content) == 1 && doc.Content[0].Kind == yaml.MappingNode {
		for i := 0; i < len(doc.Content[0].Content); i += 2 {
			n := doc.Content[0].Content[i]
			lines[n.Value] = n.Line
		}
	}
	return lines, nil
}
