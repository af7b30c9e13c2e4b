package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/cli"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes blockhosts a command of the scripts: this test binary under
// that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"blockhosts": func() { os.Exit(cli.Execute(os.Args[1:], scriptWorld())) },
		"probe":      func() { fmt.Println(probe(os.Args[1:])) },
	})
}

// scriptWorld is main's world with the clock and the zone of the script: NOW
// (RFC 3339; "panic" for a bug) and ZONE.
func scriptWorld() cli.World {
	local := time.UTC
	if zone := os.Getenv("ZONE"); zone != "" {
		l, err := time.LoadLocation(zone)
		if err != nil {
			panic(err)
		}
		local = l
	}
	return cli.World{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Now: scriptNow, Getenv: os.Getenv, Local: local, Sample: sample,
	}
}

func scriptNow() time.Time {
	switch now := os.Getenv("NOW"); now {
	case "":
		return time.Now()
	case "panic":
		panic("the script asked for a bug")
	default:
		t, err := time.Parse(time.RFC3339, now)
		if err != nil {
			panic(err)
		}
		return t
	}
}

// fenced are the programs that can change the host. Each script finds a stub
// of that name first, which fails. One that wants a stand-in puts its own
// before it.
var fenced = []string{
	"iptables", "ip6tables", "iptables-save", "ip6tables-save", "iptables-restore", "ip6tables-restore",
	"iptables-nft", "iptables-legacy", "nft", "ipset", "ip", "route", "pfctl",
	"sendmail", "mail", "systemctl", "service", "logger",
}

const stub = "#!/bin/sh\necho \"fence: $0 must not be run\" >&2\nexit 97\n"

// TestScripts runs the promises of the manual, one script each.
func TestScripts(t *testing.T) {
	fence := t.TempDir()
	for _, name := range fenced {
		if err := os.WriteFile(filepath.Join(fence, name), []byte(stub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, name := range scripts {
		noRealMail(t, name)
	}
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup:              func(env *testscript.Env) error { return setUp(env, fence) },
		Condition:          condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "attack": attack, "section": section, "begins": begins, "replace": replace,
		},
	})
}

// setUp gives a script the fence, and nothing of this machine's settings.
func setUp(env *testscript.Env, fence string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	path := []string{filepath.Join(env.WorkDir, "bin"), fence, env.Getenv("PATH"), "/usr/sbin", "/sbin"}
	env.Setenv("PATH", strings.Join(path, string(filepath.ListSeparator)))
	env.Setenv("FENCE", fence)
	env.Setenv("REPO", root)
	env.Setenv("NOW", "2026-01-05T08:00:00Z")
	env.Setenv("PID", "1000") // of the next attacker
	return nil
}

// noRealMail: the default sendmail is an absolute path, which no fence stands
// before, so a script that mails must say where.
func noRealMail(t *testing.T, script string) {
	t.Helper()
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	mails := strings.Contains(string(text), "--mail") || strings.Contains(string(text), "enabled: true")
	if mails && !strings.Contains(string(text), "sendmail: ") && !strings.Contains(string(text), "host: ") {
		t.Errorf("%s mails and does not say by what: name a stand-in with mail.sendmail", script)
	}
}

// condition adds two: [missing:PROGRAM], and [user] for not root. Where CI
// wants nothing skipped they are errors, so that "[user] skip" fails there.
func condition(name string) (bool, error) {
	var holds bool
	program, ok := strings.CutPrefix(name, "missing:")
	switch {
	case ok:
		_, err := exec.LookPath(program)
		holds = err != nil
	case name == "user":
		holds = os.Geteuid() != 0
	default:
		return false, fmt.Errorf("no such condition: %s", name)
	}
	if holds && os.Getenv("BLOCKHOSTS_REQUIRE") == "all" {
		return false, fmt.Errorf("[%s] holds, and BLOCKHOSTS_REQUIRE=all allows nothing to be skipped", name)
	}
	return holds, nil
}

// exits CODE COMMAND... holds the exit code of a command.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [argument...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// attack FILE ADDRESS N [USER] appends N failed ssh log-ins to a log: one a
// second, the last of them at NOW, each by a process of its own.
func attack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: attack file address n [user]")
	}
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	now, err := time.Parse(time.RFC3339, ts.Getenv("NOW"))
	ts.Check(err)
	user := strings.Join(append(args[3:], "root")[:1], "")
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	ts.Check(err)
	pid, _ := strconv.Atoi(ts.Getenv("PID"))
	for i := range n {
		stamp := now.Add(time.Duration(i+1-n) * time.Second).Format("2006-01-02T15:04:05.000000-07:00")
		_, err = fmt.Fprintf(f, "%s www sshd-session[%d]: Failed password for %s from %s port %d ssh2\n", stamp, pid+i, user, args[1], 40000+i)
		ts.Check(err)
	}
	ts.Setenv("PID", strconv.Itoa(pid+n))
	ts.Check(f.Close())
}

// section FILE OUT writes the section of FILE, the two marker lines included.
func section(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: section file out")
	}
	const marker = "#---- BlockHosts Additions\n"
	parts := strings.Split(ts.ReadFile(args[0]), marker)
	if len(parts) != 3 {
		ts.Fatalf("%s has %d markers, want 2", args[0], len(parts)-1)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(marker+parts[1]+marker), 0o644))
}

// begins FILE START holds that FILE begins with the content of START.
func begins(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: begins file start")
	}
	text, start := ts.ReadFile(args[0]), ts.ReadFile(args[1])
	if strings.HasPrefix(text, start) == neg {
		ts.Fatalf("%s begins with %.300q; want (not: %v) %.300q", args[0], text, neg, start)
	}
}

// replace FILE OLD NEW edits a file in place, every occurrence, \n in NEW and
// OLD being a newline.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace file old new")
	}
	nl := strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\x00`, "\x00", `\xe9`, "\xe9")
	old, now := nl.Replace(args[1]), nl.Replace(args[2])
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, old) {
		ts.Fatalf("%s does not hold %q", args[0], old)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, old, now)), 0o644))
}
