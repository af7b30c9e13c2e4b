package mail

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// program writes a shell script that stands in for sendmail(8).
func program(t *testing.T, script string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "sendmail")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestMsmtp goes through a real sendmail: msmtp's, to a server on loopback.
func TestMsmtp(t *testing.T) {
	msmtp, err := exec.LookPath("msmtp")
	if err != nil {
		missing(t, "no sendmail to test with: install msmtp-mta")
	}
	s := startServer(t, "--refuse", "nobody@example.net")
	conf := filepath.Join(t.TempDir(), "msmtprc")
	account := fmt.Sprintf("defaults\nset_date_header off\nset_msgid_header off\naccount default\nhost 127.0.0.1\nport %d\nfrom x@example.org\ntls off\n", s.port)
	if err := os.WriteFile(conf, []byte(account), 0o600); err != nil {
		t.Fatal(err)
	}
	c := Config{Sendmail: program(t, fmt.Sprintf("exec %s -C %s \"$@\"\n", msmtp, conf))}
	m := message()
	if err := Send(context.Background(), c, m); err != nil {
		t.Fatal(err)
	}
	d := s.next(t)
	if d.From != "root@www.example.org" || !slices.Equal(d.To, []string{"root", "jo@example.net"}) {
		t.Errorf("from %q to %q", d.From, d.To)
	}
	if _, body := read(t, d.Text); strings.ReplaceAll(body, "\r\n", "\n") != m.Body {
		t.Errorf("body %q, want %q", body, m.Body)
	}

	m.To = []string{"nobody@example.net"}
	err = Send(context.Background(), c, m)
	if err == nil || !strings.Contains(err.Error(), "no such user here") || !strings.Contains(err.Error(), "exit status") {
		t.Errorf("error %v", err)
	}
}

func TestSendmailCall(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("BLOCKHOSTS_SECRET", "x")
	record := program(t, fmt.Sprintf("cd %s && printf '%%s\\n' \"$@\" >args && env >env && cat >text\n", dir))
	m := message()
	if err := Send(context.Background(), Config{Sendmail: record}, m); err != nil {
		t.Fatal(err)
	}
	if got := file(t, dir, "args"); got != "-t\n-oi\n-f\nroot@www.example.org\n" {
		t.Errorf("arguments %q", got)
	}
	if env := file(t, dir, "env"); strings.Contains(env, "BLOCKHOSTS_SECRET") || strings.Contains(env, "HOME=") || !strings.Contains(env, "LC_ALL=C\n") {
		t.Errorf("environment %q", env)
	}
	want, err := Text(Config{Sendmail: record}, m)
	if err != nil {
		t.Fatal(err)
	}
	if got := file(t, dir, "text"); got != string(want) {
		t.Errorf("input\n%s\nwant\n%s", got, want)
	}

	m.From = ""
	if err := Send(context.Background(), Config{Sendmail: record}, m); err != nil {
		t.Fatal(err)
	}
	if got := file(t, dir, "args"); got != "-t\n-oi\n" {
		t.Errorf("arguments without a sender %q", got)
	}
}

func file(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSendmailTroubles(t *testing.T) {
	for name, c := range map[string]struct{ program, fails string }{
		"missing":     {"/nonexistent/sendmail", "no such file or directory; install a mail transport agent"},
		"relative":    {"sendmail", "not an absolute path"},
		"unset":       {"", "not an absolute path"},
		"no program":  {"/etc/passwd", "permission denied"},
		"fails":       {program(t, "cat >/dev/null; echo 'no route' >&2; exit 75\n"), `exit status 75: it said "no route"; see the mail log`},
		"no user":     {program(t, "cat >/dev/null; exit 67\n"), "see mail.to"},
		"reads none":  {program(t, "exit 78\n"), "correct the program's own configuration"},
		"hangs":       {program(t, "sleep 1000\n"), "no answer within 300ms"},
		"child hangs": {program(t, "sleep 1000 & wait\n"), "no answer within 300ms"},
		"talks much":  {program(t, "cat >/dev/null; head -c 1000000 /dev/zero | tr '\\0' x; printf '\\033[2Jlast'; exit 1\n"), `last"`},
	} {
		t.Run(name, func(t *testing.T) {
			m := message()
			m.Body = strings.Repeat("a line\n", 20000) // more than a pipe holds
			conf := Config{Sendmail: c.program}
			if strings.Contains(name, "hangs") {
				conf.Timeout = 300 * time.Millisecond
			}
			err := Send(context.Background(), conf, m)
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("error %v, want one with %q", err, c.fails)
			}
			if len(err.Error()) > 600 || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("foreign words are neither cut nor quoted: %q", err)
			}
		})
	}
}

// TestSendmailBackground: a program that has taken the message and leaves a
// helper behind, which holds the pipes, has done its work.
func TestSendmailBackground(t *testing.T) {
	conf := Config{Sendmail: program(t, "cat >/dev/null; sleep 20 & exit 0\n")}
	if err := Send(context.Background(), conf, message()); err != nil {
		t.Error(err)
	}
}
