package blockers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestMain makes this binary the stand-in for a tool whose kernel is not at
// hand when it is called by the tool's name.
func TestMain(m *testing.M) {
	tools := map[string]func(*standin, []string) int{"pfctl": (*standin).pfctl, "route": (*standin).route, "netstat": (*standin).netstat}
	if tool, ok := tools[filepath.Base(os.Args[0])]; ok {
		s := loadStandin(filepath.Dir(os.Args[0]))
		status := tool(s, os.Args[1:])
		s.save()
		syscall.Exit(status) // os.Exit of a binary built with -race sleeps for a second
	}
	os.Exit(m.Run())
}

// A standin is a BSD kernel's filter and routes, kept in a file beside the
// tools. What the tools take and print is from the manual pages and sources of
// FreeBSD 14 and OpenBSD 7; what they do not take ends with their status.
type standin struct {
	dir     string
	System  string
	Enabled bool
	Main    []string // rules of pf.conf
	Anchors map[string]*standinAnchor
	States  []string // "source destination"
	Routes  []standinRoute
}

// A standinAnchor holds rules and tables; pf.conf's own is "".
type standinAnchor struct {
	Rules  []string
	Tables map[string][]string
}

func newStandin(t *testing.T, system string, tools ...string) *standin {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &standin{dir: t.TempDir(), System: system, Enabled: true, Anchors: map[string]*standinAnchor{}}
	for _, tool := range tools {
		if err := os.Symlink(self, filepath.Join(s.dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	s.save()
	return s
}

func loadStandin(dir string) *standin {
	s := &standin{dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, "kernel"))
	if err == nil {
		err = json.Unmarshal(text, s)
	}
	if err != nil {
		panic(err)
	}
	return s
}

func (s *standin) save() {
	text, err := json.MarshalIndent(s, "", " ")
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, "kernel"), text, 0o600)
	}
	if err != nil {
		panic(err)
	}
}

func (s *standin) anchor(name string) *standinAnchor {
	if s.Anchors == nil {
		s.Anchors = map[string]*standinAnchor{}
	}
	if s.Anchors[name] == nil {
		s.Anchors[name] = &standinAnchor{Tables: map[string][]string{}}
	}
	return s.Anchors[name]
}

// ground makes a stand-in a place to put a back end to the test.
func (s *standin) ground(t *testing.T) ground {
	return ground{
		dir: s.dir,
		open: func(from, port string, _ bool) (bool, error) {
			return loadStandin(s.dir).passes(netip.MustParseAddr(from), port), nil
		},
		spoil: func(script string) {
			change, ok := spoilers()[script]
			if !ok {
				t.Fatalf("nobody does %q", script)
			}
			now := loadStandin(s.dir)
			change(now)
			now.save()
		},
		snapshot: func() string {
			text, err := os.ReadFile(filepath.Join(s.dir, "kernel"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			return string(text)
		},
		others: func(string) string {
			now := loadStandin(s.dir)
			delete(now.anchor("").Tables, "blockhosts")
			delete(now.Anchors, "blockhosts")
			now.Routes = slices.DeleteFunc(now.Routes, func(r standinRoute) bool { return r.Proto1 || r.Label == nullLabel })
			text, _ := json.Marshal(now)
			return string(text)
		},
	}
}

// passes tells whether a connection from an address comes about: no null route
// leads back to it, and no block rule names a table that holds it.
func (s *standin) passes(a netip.Addr, port string) bool {
	for _, r := range s.Routes {
		if netip.MustParsePrefix(r.Net).Contains(a) && r.Kind != "" {
			return false
		}
	}
	if !s.Enabled {
		return true
	}
	if s.anchor("").blocks(s.Main, a, port) {
		return false
	}
	for name, anchor := range s.Anchors {
		if slices.Contains(s.Main, fmt.Sprintf("anchor %q all", name)) && anchor.blocks(anchor.Rules, a, port) {
			return false
		}
	}
	return true
}

// blocks reads rules as pf lists them.
func (k *standinAnchor) blocks(rules []string, a netip.Addr, port string) bool {
	for _, rule := range rules {
		_, table, ok := strings.Cut(rule, "from <")
		if !ok || !strings.HasPrefix(rule, "block ") {
			continue
		}
		table, rest, _ := strings.Cut(table, ">")
		if _, only, ok := strings.Cut(rest, " port = "); ok {
			if only, _, _ = strings.Cut(only, " "); only != port {
				continue
			}
		}
		for _, item := range k.Tables[table] {
			if p, ok := parseDestination(item); ok && p.Contains(a) {
				return true
			}
		}
	}
	return false
}

// fails prints words on standard error and returns a status.
func fails(status int, format string, args ...any) int {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	return status
}
