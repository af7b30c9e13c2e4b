package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms is the plan: each package and what it may import of ours. Data goes
// one way, so that no room imports one that comes after it in the flow.
var rooms = map[string][]string{
	".":               {"internal/cli"},
	"internal/cli":    {"internal/run", "internal/config", "internal/report", "internal/record", "blockfile", "logscan", "logscan/rules", "expire", "blockers", "mail"},
	"internal/run":    {"internal/config", "internal/report", "internal/record", "blockfile", "logscan", "logscan/rules", "expire", "blockers", "mail", "internal/spare", "internal/watch"},
	"blockfile":       {"internal/record"},
	"logscan":         {"internal/record"},
	"logscan/rules":   {"internal/record"},
	"expire":          {"internal/record"},
	"internal/report": {"internal/record"},
	"blockers":        nil,
	"mail":            nil,
	"internal/config": nil,
	"internal/record": nil,
	"internal/spare":  nil,
	"internal/watch":  nil, // what rings for a run knows nothing of runs
}

// doors holds the packages that only the rooms named may import.
var doors = map[string][]string{
	"github.com/dlclark/regexp2/v2": {"logscan/rules"},
	"gopkg.in/yaml.v3":              {"internal/config"},
	"github.com/spf13/cobra":        {"internal/cli"},
	"net/smtp":                      {"mail"},
	"github.com/gaissmai/bart":      {"expire"},
	"github.com/fsnotify/fsnotify":  {"internal/watch"},
	"os/exec":                       {"blockers", "mail", "internal/run", "logscan", "internal/watch", "internal/spare"}, // logscan, watch: the journal has no other reader than journalctl; spare: the BSDs have no file of routes
}

// TestRooms holds the import map. A new package needs a line in rooms, and a
// capability that has no home yet.
func TestRooms(t *testing.T) {
	found := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		room := filepath.ToSlash(filepath.Dir(path))
		found[room] = true
		checkImports(t, path, room)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range rooms {
		if !found[room] {
			t.Errorf("%s is in the plan and has no code", room)
		}
	}
}

func checkImports(t *testing.T, path, room string) {
	allowed, planned := rooms[room]
	if !planned {
		t.Errorf("%s: package %s is not in the plan", path, room)
		return
	}
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(src), "//go:build ignore\n") {
		return
	}
	f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range f.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		if ours, ok := strings.CutPrefix(name, "blockhosts/"); ok && !slices.Contains(allowed, ours) {
			t.Errorf("%s imports %s, which does not lie before it in the flow", path, ours)
		}
		if only, ok := doors[name]; ok && !slices.Contains(only, room) {
			t.Errorf("%s imports %s; only %v may", path, name, only)
		}
		if room == "expire" && slices.Contains([]string{"os", "io", "log", "syscall", "net", "io/fs", "os/exec"}, name) {
			t.Errorf("%s imports %s; expire touches nothing", path, name)
		}
	}
}

// TestClock: the clock and the exit are in one place, main's world.
func TestClock(t *testing.T) {
	for _, c := range []struct {
		call  string
		where []string
	}{
		{"time.Now", []string{"main.go"}},
		{"os.Exit", []string{"main.go"}},
		{"os.Getenv", []string{"main.go"}},
	} {
		for path := range goFiles(t) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(src), c.call+"(") || strings.Contains(string(src), c.call+",") {
				if !slices.Contains(c.where, path) {
					t.Errorf("%s calls %s; only %v does", path, c.call, c.where)
				}
			}
		}
	}
}

func goFiles(t *testing.T) map[string]bool {
	files := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			files[path] = true
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files: %v", err)
	}
	return files
}
