package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/cli"
)

// TestDemoGenerated: the demo's logs and expectations are what the generator
// beside them writes.
func TestDemoGenerated(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("go", "run", "testdata/demo/generate.go", "-dir", dir).CombinedOutput(); err != nil {
		t.Fatalf("generate: %v\n%s", err, out)
	}
	written, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(written) != 3 {
		t.Fatalf("the generator wrote %v, %v; want three files", written, err)
	}
	for _, path := range written {
		name := filepath.Join("testdata", "demo", filepath.Base(path))
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes: go run testdata/demo/generate.go", name)
		}
	}
}

// TestDemo runs the README's first command and holds who is blocked, watched
// and left alone against the generator's own count.
func TestDemo(t *testing.T) {
	now, want, alone := expectedOfDemo(t)
	asOurOwn(t, "testdata/demo")
	var stdout, stderr bytes.Buffer
	args := []string{"--dry-run", "--configfile=testdata/demo/blockhosts.yaml", "--now=" + now}
	code := cli.Execute(args, cli.World{
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Sample: sample,
		Now: time.Now, Getenv: func(string) string { return "" }, Local: time.UTC,
	})
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	out := stdout.String()
	got := verdictsOf(t, out)
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s\nstderr:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), stderr.String())
	}
	for _, addr := range alone {
		if regexp.MustCompile(`(?m)^(ALL|#bh: ip): .*\Q` + addr + `\E[ \]]`).MatchString(out) {
			t.Errorf("%s is in the section and should be left alone", addr)
		}
	}
}

// TestReadmeOutput: what the README shows of the demo is what its first command
// prints.
func TestReadmeOutput(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^    go run \. (--dry-run .*)$`).FindSubmatch(readme)
	_, text, found := strings.Cut(string(readme), "## What a run prints\n")
	if text, _, _ = strings.Cut(text, "\n| command"); command == nil || !found {
		t.Fatal("the README has no first command, or shows nothing of a run")
	}
	asOurOwn(t, "testdata/demo")
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := cli.World{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Sample: sample,
		Now: time.Now, Getenv: func(string) string { return "" }, Local: time.UTC,
	}
	if code := cli.Execute(append(strings.Fields(string(command[1])), "-v"), w); code != 0 {
		t.Errorf("exit code %d", code)
	}
	printed := "\n" + strings.ReplaceAll(out.String(), dir, "…")
	shown := regexp.MustCompile(`(?m)^    (.{2,})$`).FindAllStringSubmatch(text, -1)
	if len(shown) < 8 {
		t.Fatalf("only %d lines of a run in the README: the search is broken", len(shown))
	}
	for _, m := range shown {
		if !strings.Contains(printed, "\n"+m[1]+"\n") {
			t.Errorf("the README shows %q, which the command does not print:\n%s", m[1], printed)
		}
	}
}

// asOurOwn goes on in a copy of dir under the same name: as root, blockhosts
// refuses a configuration that belongs to whoever made the clone.
func asOurOwn(t *testing.T, dir string) {
	top := t.TempDir()
	if err := os.CopyFS(filepath.Join(top, dir), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(top)
}

// expectedOfDemo reads expected.txt: the moment, a line for each address that
// is blocked or watched, and those that are left alone.
func expectedOfDemo(t *testing.T) (now string, want, alone []string) {
	text, err := os.ReadFile("testdata/demo/expected.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		switch f := strings.Fields(line); {
		case len(f) == 0:
		case f[0] == "now":
			now = f[1]
		case f[0] == "alone":
			alone = append(alone, f[1])
		default:
			want = append(want, strings.Join(f, " "))
		}
	}
	slices.Sort(want)
	if len(want) < 20 || len(alone) < 5 {
		t.Fatalf("expected.txt has %d verdicts and %d to be left alone: too few", len(want), len(alone))
	}
	return now, want, alone
}

var (
	denyLine = regexp.MustCompile(`(?m)^ALL: \[?([^ \]]+)\]?(/\d+)? : deny$`)
	hostLine = regexp.MustCompile(`(?m)^#bh: ip: +(\S+) : +(\d+) : `)
)

// verdictsOf reads the section in the words of expected.txt.
func verdictsOf(t *testing.T, out string) []string {
	counts := map[string]string{}
	for _, m := range hostLine.FindAllStringSubmatch(out, -1) {
		counts[m[1]] = m[2]
	}
	var got []string
	for _, m := range denyLine.FindAllStringSubmatch(out, -1) {
		name := m[1] + strings.TrimSuffix(m[2], "/128")
		got = append(got, strings.TrimSpace(fmt.Sprintf("blocked %s %s", name, counts[name])))
		delete(counts, name)
	}
	for name, n := range counts {
		got = append(got, "watched "+name+" "+n)
	}
	if len(got) == 0 {
		t.Fatalf("no section in:\n%s", out)
	}
	slices.Sort(got)
	return got
}

// TestInstallOptions: every option that INSTALL.md names is one that --help
// names.
func TestInstallOptions(t *testing.T) {
	text, err := os.ReadFile("INSTALL.md")
	if err != nil {
		t.Fatal(err)
	}
	var help bytes.Buffer
	for _, command := range []string{"", "init", "check", "test", "status", "why", "block", "unblock", "flush", "watch"} {
		w := cli.World{Stdout: &help, Stderr: &help, Sample: sample, Now: time.Now, Getenv: os.Getenv, Local: time.UTC}
		if code := cli.Execute(append(strings.Fields(command), "--help"), w); code != 0 {
			t.Errorf("%q --help: exit code %d", command, code)
		}
	}
	named := regexp.MustCompile("--[a-z][a-z-]+").FindAllString(strings.ReplaceAll(string(text), "enable --now", ""), -1)
	if len(named) < 10 {
		t.Fatalf("only %d options in INSTALL.md: the search is broken", len(named))
	}
	for _, option := range named {
		if !regexp.MustCompile(regexp.QuoteMeta(option) + `\b`).Match(help.Bytes()) {
			t.Errorf("INSTALL.md names %s, which --help does not", option)
		}
	}
}

// TestInstallYAML: each configuration that INSTALL.md shows is one that a run
// takes, its blockers' options included.
func TestInstallYAML(t *testing.T) {
	text, err := os.ReadFile("INSTALL.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(shown) < 6 {
		t.Fatalf("only %d configurations in INSTALL.md: the search is broken", len(shown))
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own := strings.NewReplacer("/etc/blockhosts/allow", write("allow", "192.0.2.7\n"), "admin.example.org", "192.0.2.8")
	blockfile := write("blockfile", "#---- BlockHosts Additions\n#---- BlockHosts Additions\n")
	for _, m := range shown {
		var out bytes.Buffer
		w := cli.World{Stdout: &out, Stderr: &out, Sample: sample, Now: time.Now, Getenv: func(string) string { return "" }, Local: time.UTC}
		args := []string{"why", "203.0.113.7", "--blockfile=" + blockfile, "--configfile=" + write("blockhosts.yaml", own.Replace(string(m[1])))}
		if code := cli.Execute(args, w); code != 0 {
			t.Errorf("exit code %d: %s\nof:\n%s", code, out.String(), m[1])
		}
	}
}
