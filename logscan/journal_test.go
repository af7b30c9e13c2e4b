package logscan

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

// An item is an entry of a test's journal: what its sender and journald say of
// it. The zero value of a field leaves it out.
type item map[string]string

// byDaemon is an entry of sshd's own.
func byDaemon(n int, at time.Time) item {
	return item{
		"__REALTIME_TIMESTAMP": fmt.Sprint(at.UnixMicro()), "_TRANSPORT": "syslog", "_HOSTNAME": "www",
		"_UID": "0", "_PID": fmt.Sprint(100 + n), "_COMM": "sshd-session", "_EXE": "/usr/lib/openssh/sshd-session",
		"_SYSTEMD_UNIT": "ssh.service", "SYSLOG_IDENTIFIER": "sshd", "SYSLOG_FACILITY": "4",
		"MESSAGE": fmt.Sprintf("Failed password for u%d from 192.0.2.%d port 22 ssh2", n, n%250+1),
	}
}

// with returns the entry with some fields set, or with "" left out.
func (it item) with(fields ...string) item {
	c := item{}
	for k, v := range it {
		c[k] = v
	}
	for i := 0; i < len(fields); i += 2 {
		c[fields[i]] = fields[i+1]
	}
	return c
}

// journalTools returns journalctl and the program that writes journal files.
func journalTools(t *testing.T) (journalctl, remote string) {
	t.Helper()
	journalctl, err := exec.LookPath("journalctl")
	remote = "/lib/systemd/systemd-journal-remote"
	if _, e := os.Stat(remote); err != nil || e != nil {
		if os.Getenv("BLOCKHOSTS_REQUIRE") == "all" {
			t.Fatalf("needs journalctl and %s: install systemd-journal-remote", remote)
		}
		t.Skipf("needs journalctl and %s: install systemd-journal-remote", remote)
	}
	return journalctl, remote
}

// A journalDir is a directory with a real journal, and a reader of it.
type journalDir struct {
	t       *testing.T
	path    string
	remote  string
	journal *Journal
	options Options
	offsets []record.Offset
	users   []string
	written int
}

func newJournalDir(t *testing.T) *journalDir {
	journalctl, remote := journalTools(t)
	d := &journalDir{t: t, path: t.TempDir(), remote: remote, options: Options{Now: noon, Evidence: 1}}
	d.journal = &Journal{Tool: journalctl, Directory: d.path}
	return d
}

// write adds entries to a file of the journal, in the export format
// (systemd.io, "Journal Export Formats").
func (d *journalDir) write(file string, items ...item) {
	d.t.Helper()
	var b bytes.Buffer
	for _, it := range items {
		d.written++
		fmt.Fprintf(&b, "__REALTIME_TIMESTAMP=%s\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=0123456789abcdef0123456789abcdef\n", it["__REALTIME_TIMESTAMP"], d.written*1000)
		for k, v := range it {
			switch {
			case v == "" || strings.HasPrefix(k, "__"):
			case strings.ContainsAny(v, "\n\x00"):
				fmt.Fprintf(&b, "%s\n", k)
				_ = binary.Write(&b, binary.LittleEndian, uint64(len(v)))
				fmt.Fprintf(&b, "%s\n", v)
			default:
				fmt.Fprintf(&b, "%s=%s\n", k, v)
			}
		}
		b.WriteString("\n")
	}
	cmd := exec.Command(d.remote, "-o", filepath.Join(d.path, file), "-")
	cmd.Stdin = &b
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("%v: %s", err, out)
	}
}

// scan runs once, as the run before left it.
func (d *journalDir) scan() Result {
	d.t.Helper()
	r := Scan(context.Background(), []Source{{Journal: d.journal}}, d.offsets, failedRule{}, d.options)
	d.offsets = r.Offsets
	for f := range r.Failures.All() {
		d.users = append(d.users, f.User)
	}
	return r
}

// want holds that the failures from..to were found so far, once each.
func (d *journalDir) want(from, to int) {
	d.t.Helper()
	var users []string
	for n := from; n < to; n++ {
		users = append(users, fmt.Sprintf("u%d", n))
	}
	if !slices.Equal(d.users, users) {
		d.t.Errorf("found %v, want u%d to u%d", d.users, from, to-1)
	}
}

// minute is a moment of the hour before noon.
func minute(n int) time.Time { return noon.Add(-time.Hour + time.Duration(n)*time.Minute) }

// TestJournal: each entry counts once, at its own time, whatever else is
// written between runs.
func TestJournal(t *testing.T) {
	d := newJournalDir(t)
	d.write("a.journal", byDaemon(0, minute(0)), byDaemon(1, minute(1)), byDaemon(2, minute(2)).with("_SYSTEMD_UNIT", "cron.service", "SYSLOG_FACILITY", "9"))
	r := d.scan()
	d.want(0, 2)
	if len(r.Problems) != 0 {
		t.Errorf("%+v", r.Problems)
	}
	if f := r.Failures.At(1); !f.Time.Equal(minute(1)) || f.Program != "sshd" || f.PID != "101" || !strings.HasPrefix(f.Text, "2026-01-10T11:01:00.000000Z www sshd[101]: Failed") {
		t.Errorf("%+v", f)
	}
	if o := r.Offsets; len(o) != 1 || o[0].Path != "journal:"+d.path || !cursorForm().MatchString(o[0].Cursor) || !o[0].Read.Equal(noon) {
		t.Errorf("%+v", o)
	}
	if f := r.Files[0]; f.Lines != 2 || f.Matched != 2 || f.Read == 0 {
		t.Errorf("%+v", f)
	}
	d.scan()
	d.want(0, 2)
	d.write("a.journal", byDaemon(2, minute(3)))
	d.write("b.journal", byDaemon(3, minute(4)), byDaemon(4, minute(5)))
	d.scan()
	d.want(0, 5)

	// Other units are a different selection of the same journal: nothing of it
	// counts twice, and nothing is said.
	d.write("b.journal", byDaemon(9, minute(5)).with("SYSLOG_FACILITY", "3", "_SYSTEMD_UNIT", "other.service"), byDaemon(5, minute(6)))
	d.journal.Units = []string{"ssh"}
	r = d.scan()
	d.want(0, 6)
	d.write("b.journal", byDaemon(6, minute(7)))
	d.journal.Units, d.journal.Identifiers = []string{"none"}, []string{"sshd"}
	r2 := d.scan()
	d.want(0, 7)
	d.options.IgnoreOffset = true
	r3 := d.scan()
	for _, r := range []Result{r, r2, r3} {
		if len(r.Problems) != 0 {
			t.Errorf("%+v", r.Problems)
		}
	}
	if r3.Failures.Len() != 9 {
		t.Errorf("from the start: %d failures", r3.Failures.Len())
	}
}

// TestJournalTimes: the first reading is bounded, and so is what is asked for.
func TestJournalTimes(t *testing.T) {
	d := newJournalDir(t)
	for n := range 10 {
		d.write("a.journal", byDaemon(n, minute(n)))
	}
	d.options.Oldest = minute(3)
	d.scan()
	d.want(3, 10)
	d.users, d.offsets = nil, nil
	d.options.Oldest, d.options.Since, d.options.Until = time.Time{}, minute(2), minute(5)
	d.scan()
	d.want(2, 6)
}

// TestJournalVacuum: a cursor whose entry is gone is noticed; what may be lost
// is said, and what is left is read, once.
func TestJournalVacuum(t *testing.T) {
	d := newJournalDir(t)
	d.options.Now = minute(2)
	d.write("a.journal", byDaemon(0, minute(0)), byDaemon(1, minute(1)))
	d.scan()
	d.write("a.journal", byDaemon(2, minute(3)))
	if err := os.Remove(filepath.Join(d.path, "a.journal")); err != nil {
		t.Fatal(err)
	}
	d.write("b.journal", byDaemon(2, minute(5)), byDaemon(3, minute(6)))
	d.options.Now = minute(7)
	r := d.scan()
	d.want(0, 4)
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Text, "may be lost") || !r.Problems[0].Warns || !r.Files[0].Gap || !r.Offsets[0].Gap.Equal(minute(7)) {
		t.Errorf("%+v", r)
	}
	if r = d.scan(); len(r.Problems) != 0 {
		t.Errorf("the next run: %+v", r.Problems)
	}

	// Where all that is younger than the last reading is there, nothing is lost.
	if err := os.Remove(filepath.Join(d.path, "b.journal")); err != nil {
		t.Fatal(err)
	}
	d.write("c.journal", byDaemon(8, minute(6)).with("_SYSTEMD_UNIT", "ssh.service"), byDaemon(4, minute(8)))
	d.options.Now = minute(9)
	r = d.scan()
	d.want(0, 5)
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Text, "nothing is lost") || r.Problems[0].Warns || r.Files[0].Gap {
		t.Errorf("%+v", r.Problems)
	}

	// Nothing at all is left.
	if err := os.Remove(filepath.Join(d.path, "c.journal")); err != nil {
		t.Fatal(err)
	}
	d.options.Now = minute(200)
	if r = d.scan(); len(r.Problems) != 1 || !r.Problems[0].Warns {
		t.Errorf("%+v", r.Problems)
	}
}

// TestJournalQuiet: where nothing is written that is read, the cursor follows
// the journal, so that a vacuum takes nothing that is missed.
func TestJournalQuiet(t *testing.T) {
	d := newJournalDir(t)
	other := func(at time.Time) item {
		return byDaemon(0, at).with("_SYSTEMD_UNIT", "x.service", "SYSLOG_FACILITY", "3")
	}
	d.write("a.journal", other(minute(0)))
	d.options.Now = minute(1)
	first := d.scan().Offsets[0].Cursor
	d.write("b.journal", other(minute(100)))
	d.options.Now = minute(101)
	r := d.scan()
	if c := r.Offsets[0].Cursor; c == first || !cursorTime(c).Equal(minute(100)) {
		t.Errorf("cursor %s, was %s", c, first)
	}
	if err := os.Remove(filepath.Join(d.path, "a.journal")); err != nil {
		t.Fatal(err)
	}
	d.write("b.journal", byDaemon(0, minute(102)))
	d.options.Now = minute(103)
	if r = d.scan(); len(r.Problems) != 0 {
		t.Errorf("%+v", r.Problems)
	}
	d.want(0, 1)
}

// TestJournalBroken: what cannot be read is said, and keeps its offset.
func TestJournalBroken(t *testing.T) {
	d := newJournalDir(t)
	good := *d.journal
	r := d.scan()
	if len(r.Problems) != 1 || !r.Problems[0].Fails || len(r.Offsets) != 0 {
		t.Errorf("an empty journal: %+v", r)
	}
	d.write("a.journal", byDaemon(0, minute(0)))
	d.scan()
	was := d.offsets[0]
	for what, j := range map[string]Journal{
		"no directory":  {Tool: good.Tool, Directory: good.Directory},
		"no journalctl": {Directory: good.Directory},
		"no tool":       {Tool: "/nonexistent/journalctl", Directory: good.Directory},
		"a tool that fails": {Tool: func() string {
			tool := filepath.Join(t.TempDir(), "journalctl")
			if err := os.WriteFile(tool, []byte("#!/bin/sh\necho some reason >&2\nexit 4\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			return tool
		}(), Directory: good.Directory},
	} {
		if what == "no directory" {
			if err := os.Rename(d.path, d.path+".away"); err != nil {
				t.Fatal(err)
			}
		}
		d.journal, d.offsets = &j, []record.Offset{was}
		r := d.scan()
		if len(r.Problems) != 1 || !r.Problems[0].Fails || len(r.Offsets) != 1 || r.Offsets[0] != was {
			t.Errorf("%s: %+v", what, r)
		}
		if what == "no directory" {
			if err := os.Rename(d.path+".away", d.path); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.journal, d.offsets = &good, []record.Offset{{Path: was.Path, Cursor: "--help", Read: minute(0)}}
	d.users = nil
	d.scan()
	d.want(0, 1)
}

// TestJournalHostile: a message in several lines, in bytes that are no text,
// or too long, is one line or none.
func TestJournalHostile(t *testing.T) {
	d := newJournalDir(t)
	said := byDaemon(0, minute(0))["MESSAGE"]
	d.write("a.journal",
		byDaemon(0, minute(0)).with("MESSAGE", "hello\n"+said),
		byDaemon(0, minute(1)).with("MESSAGE", said+"\nmore"),
		byDaemon(0, minute(2)).with("MESSAGE", said+strings.Repeat("x", 5000)),
		byDaemon(0, minute(3)).with("MESSAGE", ""),
		byDaemon(0, minute(4)).with("MESSAGE", strings.Replace(said, "u0", "u0\x00\x1b[2J\xff", 1)),
		byDaemon(0, minute(5)).with("MESSAGE", said+"\n"),
		byDaemon(0, minute(6)).with("SYSLOG_IDENTIFIER", strings.Repeat("sshd", 2000)),
	)
	r := d.scan()
	if want := []string{"u0#000#033[2J\xff", "u0"}; !slices.Equal(d.users, want) {
		t.Errorf("%q, want %q", d.users, want)
	}
	if r.Files[0].Skipped != 1 || r.Files[0].Lines != 7 {
		t.Errorf("%+v", r.Files[0])
	}
}

// TestEntryProgram: who has written an entry is what journald has found out.
func TestEntryProgram(t *testing.T) {
	sshd := byDaemon(0, noon)
	for _, c := range []struct {
		what  string
		entry item
		want  string // "": nobody who counts
	}{
		{"sshd 9.8", sshd, "sshd"},
		{"sshd before", sshd.with("_COMM", "sshd", "_EXE", "/usr/sbin/sshd"), "sshd"},
		{"by another name", sshd.with("SYSLOG_IDENTIFIER", "sshd-session"), "sshd-session"},
		{"of a socket", sshd.with("_SYSTEMD_UNIT", "sshd@4-192.0.2.1:22-192.0.2.9:4.service"), "sshd"},
		{"on standard error", sshd.with("_TRANSPORT", "stdout", "SYSLOG_IDENTIFIER", "", "_COMM", "sshd"), "sshd"},
		{"gone before journald looked", sshd.with("_COMM", "", "_EXE", ""), "sshd"},
		{"of which nothing is known", sshd.with("_COMM", "", "_EXE", "", "_SYSTEMD_UNIT", ""), ""},
		{"without a user", sshd.with("_UID", ""), ""},
		{"a person's logger", sshd.with("_UID", "1000", "_COMM", "logger", "_EXE", "/usr/bin/logger", "_SYSTEMD_UNIT", "session-3.scope"), ""},
		{"a person's program called sshd", sshd.with("_UID", "1000", "_COMM", "sshd", "_EXE", "/home/u/sshd", "_SYSTEMD_UNIT", "session-3.scope"), ""},
		{"a person's, without a session", sshd.with("_UID", "1000", "_COMM", "sshd", "_EXE", "/usr/sbin/sshd"), ""},
		{"a container's user", sshd.with("_UID", "100033"), ""},
		{"root's logger", sshd.with("_COMM", "logger", "_EXE", "/usr/bin/logger", "_SYSTEMD_UNIT", "session-3.scope"), ""},
		{"root's logger, whose file is not known", sshd.with("_COMM", "logger", "_EXE", "", "SYSLOG_IDENTIFIER", "logger"), ""},
		{"another program of root's", sshd.with("_COMM", "crond", "_EXE", "/usr/sbin/crond", "_SYSTEMD_UNIT", "crond.service"), "crond"},
		{"a service's logger", sshd.with("_UID", "33", "_COMM", "logger", "_EXE", "/usr/bin/logger", "_SYSTEMD_UNIT", "apache2.service"), ""},
		{"a service's, under its own name", sshd.with("_UID", "33", "_COMM", "logger", "_EXE", "/usr/bin/logger", "_SYSTEMD_UNIT", "apache2.service", "SYSLOG_IDENTIFIER", "apache2"), ""},
		{"a service that calls itself sshd", sshd.with("_UID", "33", "_COMM", "sshd", "_EXE", "/usr/bin/python3.11", "_SYSTEMD_UNIT", "apache2.service"), ""},
		{"a service with a program of its own", sshd.with("_UID", "33", "_COMM", "sshd", "_EXE", "/var/www/sshd", "_SYSTEMD_UNIT", "apache2.service"), ""},
		{"a system user whom sshd let in", sshd.with("_UID", "998", "_COMM", "sh", "_EXE", "/usr/bin/dash"), ""},
		{"a unit that is not asked for", sshd.with("_UID", "105", "_COMM", "smtpd", "_EXE", "/usr/lib/postfix/sbin/smtpd", "_SYSTEMD_UNIT", "other.service", "SYSLOG_IDENTIFIER", "postfix/smtpd"), ""},
		{"postfix", sshd.with("_UID", "105", "_COMM", "smtpd", "_EXE", "/usr/lib/postfix/sbin/smtpd", "_SYSTEMD_UNIT", "postfix@-.service", "SYSLOG_IDENTIFIER", "postfix/smtpd"), "postfix/smtpd"},
		{"postfix's submission", sshd.with("_UID", "105", "_COMM", "smtpd", "_EXE", "/usr/lib/postfix/sbin/smtpd", "_SYSTEMD_UNIT", "postfix@-.service", "SYSLOG_IDENTIFIER", "postfix/submission/smtpd"), "postfix/submission/smtpd"},
		{"dovecot", sshd.with("_COMM", "log", "_EXE", "/usr/lib/dovecot/log", "_SYSTEMD_UNIT", "dovecot.service", "SYSLOG_IDENTIFIER", "dovecot"), "dovecot"},
		{"exim", sshd.with("_COMM", "exim4", "_EXE", "/usr/sbin/exim4", "_SYSTEMD_UNIT", "exim4.service", "SYSLOG_IDENTIFIER", "exim"), "exim"},
		{"a long name", sshd.with("_COMM", "saslauthd-where", "_EXE", "", "_SYSTEMD_UNIT", "", "SYSLOG_IDENTIFIER", "saslauthd-wherever"), "saslauthd-wherever"},
		{"the kernel", item{"_TRANSPORT": "kernel", "SYSLOG_IDENTIFIER": "kernel"}, "kernel"},
		{"another by way of the kernel", item{"_TRANSPORT": "kernel", "SYSLOG_IDENTIFIER": "sshd"}, ""},
		{"a slash for a name", sshd.with("SYSLOG_IDENTIFIER", "/", "_COMM", "sh", "_EXE", "/usr/bin/dash", "_SYSTEMD_UNIT", ""), "sh"},
	} {
		e := entry{}
		for name, f := range map[string]*field{"SYSLOG_IDENTIFIER": &e.Identifier, "_TRANSPORT": &e.Transport, "_COMM": &e.Comm, "_EXE": &e.Exe, "_UID": &e.UID, "_SYSTEMD_UNIT": &e.Unit} {
			if v := c.entry[name]; v != "" {
				f.text = []byte(v)
			}
		}
		if got := string(e.program([]string{"ssh.service", "apache2.service", "postfix@-.service"})); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// FuzzEntry: whatever journalctl writes is an entry or an error, and what it
// makes of a line is one line.
func FuzzEntry(f *testing.F) {
	for _, seed := range []string{
		`{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1767600000000000","_UID":"0","_COMM":"sshd","_PID":"1","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"Failed password for x from 192.0.2.1 port 1 ssh2"}`,
		`{"MESSAGE":[70,97,255,10],"_UID":"0","_COMM":"sshd"}`, `{"MESSAGE":["a","b"],"SYSLOG_IDENTIFIER":[[1],[2]]}`, `{"MESSAGE":null}`, `{"MESSAGE":[70000]}`, `{"_PID":{}}`, `[]`, `{`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var e entry
		if e.read(line) != nil {
			return
		}
		m := &lastLine{}
		j := journalRead{scan: &scan{workers: []*worker{newWorker(m, nil)}, opt: Options{Now: noon, Local: time.UTC}}, log: &log{zone: time.UTC}, of: &setting{now: noon}}
		j.entry(&e)
		if bytes.ContainsAny(m.raw, "\n\r\x00") && !bytes.ContainsAny(e.Host.text, "\n\r\x00") && !bytes.ContainsAny(m.program, "\n\r\x00") {
			t.Errorf("a line with a line break: %q", m.raw)
		}
		if !bytes.HasSuffix(m.raw, m.message) {
			t.Errorf("message %q of %q", m.message, m.raw)
		}
	})
}

// lastLine keeps the line that it was shown.
type lastLine struct{ raw, message, program []byte }

func (m *lastLine) MatchInto(l *record.Line, found *record.Match) {
	m.raw, m.message, m.program = bytes.Clone(l.Raw), bytes.Clone(l.Message), bytes.Clone(l.Program)
	*found = record.Match{}
}
