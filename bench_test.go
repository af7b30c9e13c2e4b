package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	tableHead = "| scenario | command | wall ms | CPU ms | MB | × grep |\n| --- | --- | ---: | ---: | ---: | ---: |\n"
	tableFrom = "<!-- testdata/bench/compare --readme puts its table here -->\n"
	tableTo   = "<!-- end of the table -->\n"
)

// TestCompare runs every scenario of testdata/bench/compare at a tiny size:
// what it finds is checked, by the script, what it takes is not.
func TestCompare(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program and runs it fifty times")
	}
	for _, program := range []string{"bash", "grep", "awk"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is missing", program)
		}
	}
	build := filepath.Join(t.TempDir(), "blockhosts")
	if out, err := exec.Command("go", "build", "-o", build, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	table := compare(t, 0, build, "--size=1M", "--hosts=200")
	if !strings.Contains(table, tableHead) {
		t.Errorf("no table:\n%s", table)
	}
	if said := "The program that --binary names has "; !strings.Contains(table, said) {
		t.Errorf("not said: %s, which nobody stripped\n%s", said, table)
	}
	want := strings.Split("flood quiet long idle state local", " ")
	got := scenarioRows.FindAllStringSubmatch(table, -1)
	if len(got) != len(want) {
		t.Errorf("%d scenarios, want %d:\n%s", len(got), len(want), table)
	}
	for i, m := range got {
		if i < len(want) && m[1] != want[i] {
			t.Errorf("scenario %s, want %s", m[1], want[i])
		}
	}
	if said := "blockhosts counted 500 attempts of 20 addresses, as there are"; !strings.Contains(table, said) {
		t.Errorf("not said: %s\n%s", said, table)
	}
	inReadme(t, table)
}

// TestCompareChecks: a build that finds nothing gets no figures.
func TestCompareChecks(t *testing.T) {
	idler := filepath.Join(t.TempDir(), "idler")
	if err := os.WriteFile(idler, []byte("#!/bin/sh\nexit 0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out := compare(t, 1, idler, "flood"); strings.Contains(out, "| flood |") {
		t.Errorf("a table for a build that does nothing:\n%s", out)
	}
}

// compare runs the script and returns what it prints to standard output. It
// must leave nothing behind.
func compare(t *testing.T, code int, build string, args ...string) string {
	t.Helper()
	tmp := t.TempDir()
	cmd := exec.Command("testdata/bench/compare", append(args, "--no-peers", "--runs=1", "--lines=2000", "--binary", build)...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp, "GOTMPDIR=")
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("exit code %d, want %d:\n%s%s", got, code, stdout.String(), stderr.String())
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	return stdout.String()
}

var (
	scenarioRows = regexp.MustCompile(`(?m)^\| (\w+) \| grep -c \w+ \| [\d.]+ \|`)
	ownRows      = regexp.MustCompile(`(?m)^\| (?:\w+)? \| (blockhosts.*?|grep -c \w+) \|`)
)

// inReadme: the README's table is of this form, whatever its figures.
func inReadme(t *testing.T, table string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, from := strings.Cut(string(text), tableFrom)
	shown, _, to := strings.Cut(shown, tableTo)
	if !from || !to || !strings.Contains(shown, tableHead) {
		t.Fatal("the README has no table between the two comments: testdata/bench/compare --readme")
	}
	rows := func(s string) (names []string) {
		for _, m := range ownRows.FindAllStringSubmatch(s, -1) {
			names = append(names, m[1])
		}
		return names
	}
	if got, want := rows(shown), rows(table); !slices.Equal(got, want) {
		t.Errorf("the README's table is of another script: testdata/bench/compare --readme\ngot  %q\nwant %q", got, want)
	}
}

// TestBenchmarksListed: testdata/bench/README.md names benchmarks that exist.
func TestBenchmarksListed(t *testing.T) {
	text, err := os.ReadFile("testdata/bench/README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| ([A-Z][A-Za-z, ]+) \| (\.[a-z/]*) \|`).FindAllStringSubmatch(string(text), -1)
	if len(rows) < 8 {
		t.Fatalf("only %d rows: the search is broken", len(rows))
	}
	for _, row := range rows {
		files, err := filepath.Glob(filepath.Join(row[2], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var tests strings.Builder
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(b)
		}
		for _, name := range strings.Split(row[1], ", ") {
			if !strings.Contains(tests.String(), "func Benchmark"+name+"(") {
				t.Errorf("%s has no Benchmark%s", row[2], name)
			}
		}
	}
}
