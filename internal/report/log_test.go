package report

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

// now is the moment of all runs in these tests.
var now = time.Date(2026, 1, 5, 12, 0, 0, 0, time.FixedZone("CET", 3600))

func prefix(s string) netip.Prefix {
	p, err := record.ParseNet(s)
	if err != nil {
		panic(err)
	}
	return p
}

func decision(a record.Action, net string, count int, detail string) record.Decision {
	return record.Decision{Event: record.Event{At: now, Action: a, Net: prefix(net), Reason: record.ReasonCount, Count: count, Services: []string{"sshd"}}, Detail: detail}
}

func allDecisions() []record.Decision {
	return []record.Decision{
		decision(record.ActionBlock, "192.0.2.1", 8, "8 failures (sshd 8), limit 7"),
		decision(record.ActionBlock, "2001:db8:1:2::/64", 9, "9 failures (sshd 9), limit 7"),
		decision(record.ActionRelease, "192.0.2.2", 9, "no failure for as long as discard says"),
		decision(record.ActionForget, "192.0.2.3", 1, "no failure for as long as discard says"),
		decision(record.ActionAllowed, "192.0.2.4", 0, "on the allowlist"),
	}
}

// A daemon is a system log on a socket.
type daemon struct {
	conn net.PacketConn
	path string
}

func newDaemon(t *testing.T) *daemon {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	conn, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &daemon{conn, path}
}

// lines returns what came so far, as priority and text.
func (d *daemon) lines(t *testing.T) []string {
	t.Helper()
	if err := d.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var got []string
	buf := make([]byte, 64<<10)
	for {
		n, _, err := d.conn.ReadFrom(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		head, text, ok := strings.Cut(string(buf[:n]), fmt.Sprintf("blockhosts[%d]: ", os.Getpid()))
		priority, _, _ := strings.Cut(head, ">")
		if !ok {
			t.Fatalf("syslog got %q", buf[:n])
		}
		got = append(got, priority+"> "+strings.TrimSuffix(text, "\n"))
	}
}

// TestLevels: what each level shows, and what syslog gets.
func TestLevels(t *testing.T) {
	words := []string{"error", "warning", "notice", "info", "debug"}
	stderr := []string{"blockhosts: an error\n", "blockhosts: a warning\n", "a notice\n", "an info\n", ""}
	// Facility auth is 4; its severities are those of RFC 5424, 6.2.1.
	system := []string{"<35> an error", "<36> a warning", "<37> a notice", "<38> an info"}
	for i, word := range words {
		level, err := ParseLevel(word)
		if err != nil || level != Level(i) {
			t.Fatalf("ParseLevel(%q) = %v, %v", word, level, err)
		}
		var out bytes.Buffer
		d := newDaemon(t)
		l := NewLog(LogOptions{Stderr: &out, Level: level, Syslog: &Syslog{Network: "unixgram", Address: d.path}, Now: now})
		l.Errorf("an %s", "error")
		l.Warningf("a warning")
		l.Noticef("a notice")
		l.Infof("an info")
		if want := strings.Join(stderr[:i+1], ""); out.String() != want {
			t.Errorf("%s: stderr %q, want %q", word, out.String(), want)
		}
		if got, want := d.lines(t), system[:min(max(i, 2), 3)+1]; !slices.Equal(got, want) {
			t.Errorf("%s: syslog %q, want %q", word, got, want)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := ParseLevel("loud"); err == nil {
		t.Error(`"loud" is a level`)
	}
}

// TestDecided: logwatch reads the two notices of the original.
func TestDecided(t *testing.T) {
	var out, actions bytes.Buffer
	d := newDaemon(t)
	l := NewLog(LogOptions{Stderr: &out, Level: LevelWarning, Syslog: &Syslog{Network: "unixgram", Address: d.path}, Actions: &actions, Now: now})
	l.Decided(allDecisions())
	if out.Len() > 0 {
		t.Errorf("stderr is not silent: %q", out.String())
	}
	want := []string{
		"<37> count=8, blocking host: 192.0.2.1",
		"<37> count=9, blocking host: 2001:db8:1:2::/64",
		"<37> removing expired host: 192.0.2.2",
	}
	if got := d.lines(t); !slices.Equal(got, want) {
		t.Errorf("syslog %q, want %q", got, want)
	}
	const wantActions = `2026-01-05 12:00:00 blocking 192.0.2.1: 8 failures (sshd 8), limit 7
2026-01-05 12:00:00 blocking 2001:db8:1:2::/64: 9 failures (sshd 9), limit 7
2026-01-05 12:00:00 removing 192.0.2.2: no failure for as long as discard says
`
	if actions.String() != wantActions {
		t.Errorf("action log\n%s\nwant\n%s", actions.String(), wantActions)
	}
}

func TestDecidedForPeople(t *testing.T) {
	var out bytes.Buffer
	NewLog(LogOptions{Stderr: &out, Level: LevelInfo, Now: now}).Decided(allDecisions())
	const want = `blocking 192.0.2.1: 8 failures (sshd 8), limit 7
blocking 2001:db8:1:2::/64: 9 failures (sshd 9), limit 7
removing 192.0.2.2: no failure for as long as discard says
forgetting 192.0.2.3: no failure for as long as discard says
leaving alone 192.0.2.4: on the allowlist
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestDryRunIsQuiet: a dry run tells nobody but its caller.
func TestDryRunIsQuiet(t *testing.T) {
	var out, actions bytes.Buffer
	d := newDaemon(t)
	l := NewLog(LogOptions{Stderr: &out, Level: LevelNotice, Syslog: &Syslog{Network: "unixgram", Address: d.path}, Actions: &actions, Now: now, DryRun: true})
	l.Decided(allDecisions()[:3])
	l.Echo("x")
	if got := d.lines(t); len(got) > 0 || actions.Len() > 0 {
		t.Errorf("syslog %q, action log %q", got, actions.String())
	}
	if want := "would block 192.0.2.1: 8 failures (sshd 8), limit 7\n"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("stderr %q", out.String())
	}
}

func TestHostileMessages(t *testing.T) {
	var out bytes.Buffer
	d := newDaemon(t)
	l := NewLog(LogOptions{Stderr: &out, Level: LevelDebug, Syslog: &Syslog{Network: "unixgram", Address: d.path}, Now: now})
	l.Echo("x\nJan  5 01:31:41 www sshd[1]: Failed password for root from 192.0.2.66 port 22 ssh2\x1b[2J")
	l.Warningf("%s", strings.Repeat("\xff", 1<<20))
	got := d.lines(t)
	if want := `<37> echo tag: x\nJan  5 01:31:41 www sshd[1]: Failed password for root from 192.0.2.66 port 22 ssh2\x1b[2J`; len(got) != 2 || got[0] != want {
		t.Errorf("syslog %.300q, want %q first", got, want)
	}
	if strings.Count(out.String(), "\n") != 2 || out.Len() > 2*maxMessage+200 || strings.Contains(out.String(), "\x1b") {
		t.Errorf("stderr %.300q", out.String())
	}
}

// TestNoSyslog: a machine without one is no error, and neither is a daemon
// that goes away.
func TestNoSyslog(t *testing.T) {
	l := NewLog(LogOptions{Syslog: &Syslog{Network: "unixgram", Address: filepath.Join(t.TempDir(), "none")}, Now: now})
	l.Errorf("a")
	l.Errorf("b")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	d := newDaemon(t)
	l = NewLog(LogOptions{Syslog: &Syslog{Network: "unixgram", Address: d.path}, Now: now})
	l.Errorf("a")
	if got := d.lines(t); len(got) != 1 {
		t.Errorf("syslog %q", got)
	}
	d.conn.Close()
	_ = os.Remove(d.path)
	l.Errorf("b")
	l.Errorf("c")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
