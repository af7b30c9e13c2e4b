package logscan

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

// failedRule is a rule as simple as can be: it shows which lines are read.
type failedRule struct{}

func (failedRule) MatchInto(l *record.Line, m *record.Match) {
	*m = record.Match{Known: string(l.Program) == "sshd"}
	rest, ok := bytes.CutPrefix(l.Message, []byte("Failed password for "))
	rest, ssh := bytes.CutSuffix(rest, []byte(" ssh2"))
	user, at, from := bytes.Cut(rest, []byte(" from "))
	if !ok || !ssh || !from || !m.Known {
		return
	}
	addr, _, _ := bytes.Cut(at, []byte(" port "))
	if a, err := record.ParseAddr(string(addr)); err == nil {
		m.Matched, m.Addr, m.Rule, m.Service, m.Class, m.User = true, a, "sshd-Fail", "sshd", "auth", string(user)
	} else {
		m.Ambiguous = true
	}
}

// noon is the moment of the tests' runs; their lines are from the hour before,
// one a second, and from the hours after.
var noon = time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)

// failure is the nth line of a test's log: its user tells it from others.
func failure(n int) string { return failureAt(n, noon.Add(-time.Hour+time.Duration(n)*time.Second)) }

func failureAt(n int, at time.Time) string {
	return fmt.Sprintf("%s www sshd[%d]: Failed password for u%d from 192.0.2.%d port 22 ssh2\n", at.Format(time.RFC3339), 100+n, n, n%250+1)
}

func failures(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		b.WriteString(failure(n))
	}
	return b.String()
}

// A dir is a log directory and what was found in it so far.
type dir struct {
	t       testing.TB
	path    string
	sources []Source
	offsets []record.Offset
	users   []string // of the failures, in order
	last    Result
	options Options
}

func newDir(t testing.TB, names ...string) *dir {
	d := &dir{t: t, path: t.TempDir(), options: Options{Now: noon, Evidence: record.EvidenceLines}}
	for _, n := range names {
		d.sources = append(d.sources, Source{File: filepath.Join(d.path, n)})
	}
	return d
}

func (d *dir) join(name string) string { return filepath.Join(d.path, name) }

func (d *dir) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *dir) write(name, text string) {
	d.t.Helper()
	f, err := os.OpenFile(d.join(name), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	d.must(err)
	_, err = f.WriteString(text)
	d.must(err)
	d.must(f.Close())
	d.must(os.Chtimes(d.join(name), d.options.Now, d.options.Now))
}

// scan runs once, as the run before left it.
func (d *dir) scan() Result {
	d.t.Helper()
	d.last = Scan(context.Background(), d.sources, d.offsets, failedRule{}, d.options)
	d.offsets = d.last.Offsets
	for f := range d.last.Failures.All() {
		d.users = append(d.users, f.User)
	}
	return d.last
}

// want compares what all runs have found with lines from to to, in order.
func (d *dir) want(from, to int) {
	d.t.Helper()
	var want []string
	for n := from; n < to; n++ {
		want = append(want, fmt.Sprintf("u%d", n))
	}
	if strings.Join(d.users, " ") != strings.Join(want, " ") {
		d.t.Errorf("found %v, want %v; problems %v", d.users, want, d.last.Problems)
	}
}

func (d *dir) wantProblem(part string, fails bool) {
	d.t.Helper()
	for _, p := range d.last.Problems {
		if strings.Contains(p.Key+"\n"+p.Text, part) && p.Fails == fails {
			return
		}
	}
	d.t.Errorf("no problem with %q (fails: %v) in %v", part, fails, d.last.Problems)
}

func (d *dir) wantQuiet() {
	d.t.Helper()
	if len(d.last.Problems) > 0 {
		d.t.Errorf("problems: %v", d.last.Problems)
	}
}

func TestScanGoesOn(t *testing.T) {
	d := newDir(t, "auth.log")
	d.write("auth.log", failures(0, 3))
	r := d.scan()
	d.want(0, 3)
	f := r.Failures.At(0)
	want := record.Failure{
		Blame: &record.Blame{Addr: netip.MustParseAddr("192.0.2.1"), Service: "sshd", Rule: "sshd-Fail", Program: "sshd"},
		Time:  noon.Add(-time.Hour), PID: "100", User: "u0", Repeat: 1, Text: strings.TrimSuffix(failure(0), "\n"),
	}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got %+v %+v, want %+v %+v", f, f.Blame, want, want.Blame)
	}
	d.scan()
	d.want(0, 3)
	if got := d.last.Files[0]; got.Read != 0 || got.Lines != 0 || got.Offset != got.Size {
		t.Errorf("nothing new: %+v", got)
	}
	d.write("auth.log", failures(3, 4)+"Jan")
	d.scan()
	d.want(0, 4)
	if got := d.last.Files[0]; got.Waiting != 3 || got.Lines != 1 || got.Matched != 1 || got.Offset != got.Size-3 {
		t.Errorf("a part of a line: %+v", got)
	}
	d.wantQuiet()
}

func TestScanLines(t *testing.T) {
	d := newDir(t, "auth.log")
	long := strings.Repeat("x", MaxLine+1) + "\n"
	fits := strings.Repeat("x", MaxLine) + "\n"
	d.write("auth.log", long+failure(0)+fits+strings.Repeat(long, 5)+failure(1)+
		strings.TrimSuffix(failure(2), "\n")+"\r\n"+"\n\x00\n"+strings.Repeat("\x00", 3*blockSize+7)+failure(3)+
		strings.Repeat("y", 3*blockSize)+"\n"+failure(4)+"x\xff\xfe\x00\n\x00\x00"+failure(5)+strings.Repeat("z", 2*MaxLine))
	r := d.scan()
	d.want(0, 6)
	got := r.Files[0]
	if got.Skipped != 7 || got.Lines != 6+1+2+1 || got.Waiting != 2*MaxLine || got.Offset+got.Waiting != got.Size || r.Lines != got.Lines {
		t.Errorf("%+v", got)
	}
	d.wantProblem("long lines", false)
	d.write("auth.log", "\n"+failure(6))
	d.scan()
	d.want(0, 7)
	if got := d.last.Files[0]; got.Skipped != 1 || got.Waiting != 0 {
		t.Errorf("the end of a long line: %+v", got)
	}
}

func TestScanHugeLine(t *testing.T) {
	const size = 1 << 30
	d := newDir(t, "auth.log")
	d.write("auth.log", "x")
	d.must(os.Truncate(d.join("auth.log"), size)) // a hole of NULs behind the x
	d.write("auth.log", "\n"+failure(0))
	allocated := testing.AllocsPerRun(1, func() { d.users = nil; d.offsets = nil; d.scan() })
	d.want(0, 1)
	if d.last.Files[0].Skipped != 1 || allocated > 1000 {
		t.Errorf("%+v, %v allocations", d.last.Files[0], allocated)
	}
}

func TestScanRepeatAndCounts(t *testing.T) {
	d := newDir(t, "auth.log")
	d.write("auth.log", "Jan 10 11:00:00 www sshd[1]: message repeated 3 times: [ Failed password for x from 192.0.2.1 port 1 ssh2]\n"+
		"Jan 10 11:00:00 www sshd[1]: Accepted password for x\n"+
		"Jan 10 11:00:00 www cron[1]: x\n"+
		"Jan 10 11:00:00 www sshd[1]: Failed password for x from host.example.com port 1 ssh2\n")
	r := d.scan()
	if r.Failures.Len() != 1 || r.Failures.At(0).Repeat != 3 {
		t.Errorf("%+v", r.Failures)
	}
	if len(r.Programs) != 1 || r.Programs[0] != (ProgramReport{"sshd", 3, 1}) {
		t.Errorf("%+v", r.Programs)
	}
	if r.Ambiguous != 1 || len(r.Ambiguities) != 1 || r.Lines != 4 || r.Matched != 1 {
		t.Errorf("%+v", r)
	}
}

func TestScanEvidence(t *testing.T) {
	d := newDir(t, "auth.log")
	for range record.EvidenceLines + 5 {
		d.write("auth.log", "Jan 10 11:00:00 www sshd[1]: Failed password for "+strings.Repeat("x", 400)+" from 192.0.2.1 port 1 ssh2\n")
	}
	d.options.Evidence = 0
	for f := range d.scan().Failures.All() {
		if f.Text != "" {
			t.Errorf("evidence that nobody asks for: %q", f.Text)
		}
	}
	texts := 0
	d.offsets, d.options.Evidence = nil, record.EvidenceLines
	for f := range d.scan().Failures.All() {
		if f.Text != "" {
			texts++
		}
		if len(f.Text) > record.MaxEvidence {
			t.Errorf("evidence of %d bytes", len(f.Text))
		}
	}
	if texts != record.EvidenceLines {
		t.Errorf("%d lines of evidence", texts)
	}
}

func TestScanTimes(t *testing.T) {
	const old = "Jan  2 11:00:00 www sshd[1]: Failed password for x from 192.0.2.1 port 1 ssh2\n"
	d := newDir(t, "auth.log")
	d.write("auth.log", old)
	if r := d.scan(); r.Failures.At(0).Time != noon.AddDate(0, 0, -8).Add(-time.Hour) {
		t.Errorf("first run: %v", r.Failures.At(0).Time)
	}
	d.write("auth.log", old+old+"Jan 10 11:00:00 www sshd[1]: Failed password for x from 192.0.2.1 port 1 ssh2\n"+
		"sshd[1]: Failed password for x from 192.0.2.1 port 1 ssh2\n")
	r := d.scan()
	if r.Failures.Len() != 3 || r.Failures.At(0).Time != noon || r.Failures.At(2).Time != noon.Add(-time.Hour) {
		t.Errorf("stamps of the wrong zone: %+v", r.Failures)
	}
	d.wantProblem("2 lines are stamped over an hour before", false)

	d.options.ClockRun, d.options.IgnoreOffset = true, true
	r = d.scan()
	if r.Failures.Len() != 4 || r.Failures.At(0).Time != noon || len(r.Problems) != 0 {
		t.Errorf("all at the time of the run: %+v", r)
	}
	d.options = Options{Now: noon, Local: zone(t, "Europe/Berlin"), IgnoreOffset: true}
	if r = d.scan(); r.Failures.At(3).Time != noon.Add(-2*time.Hour) {
		t.Errorf("local zone: %v", r.Failures.At(3).Time)
	}
	d.sources[0].Zone = zone(t, "America/New_York")
	if r = d.scan(); r.Failures.At(0).Time != noon.AddDate(0, 0, -8).Add(4*time.Hour) {
		t.Errorf("the source's zone: %v", r.Failures.At(0).Time)
	}
}

// TestScanBare: what looks like a prefix without stamp counts where the first
// line of the file has one as well, as in a FIFO's or journalctl's output.
func TestScanBare(t *testing.T) {
	const bare = "sshd[1]: Failed password for x from 192.0.2.1 port 1 ssh2\n"
	for first, want := range map[string]int{bare: 2, "www " + bare: 2, "Server listening on 0.0.0.0 port 22.\n": 0} {
		d := newDir(t, "sshd.log")
		d.write("sshd.log", first+bare)
		if got := d.scan().Failures.Len(); got != want {
			t.Errorf("%q: %d failures", first, got)
		}
	}
}

func TestScanSources(t *testing.T) {
	d := newDir(t, "*.log", "a.log", "missing.txt", "sub", "fifo", "[", "*.none", "old.gz", "x.xz", "link")
	d.write("b.log", failure(1))
	d.write("a.log", failure(0))
	d.must(os.Mkdir(d.join("sub"), 0o700))
	d.must(os.Mkdir(d.join("dir.log"), 0o700))
	d.must(os.Symlink("b.log", d.join("link")))
	d.write("x.xz", "x")
	d.write("old.gz", packed(t, failure(2)))
	d.must(mkfifo(d.join("fifo")))
	r := d.scan()
	d.want(0, 3)
	for part, fails := range map[string]bool{
		"missing.txt does not exist": false, "it is a directory": true, "it is a FIFO": true,
		"bad glob": true, "no file matches": false, "decompress it first": true,
	} {
		d.wantProblem(part, fails)
	}
	if len(r.Problems) != 6 {
		t.Errorf("%d problems: %v", len(r.Problems), r.Problems)
	}
	d.scan()
	d.want(0, 3)
	d.write("c.log", failure(3))
	d.scan()
	d.want(0, 4)
}

func TestScanMissing(t *testing.T) {
	d := newDir(t, "a.log", "b.log")
	d.offsets = []record.Offset{{Path: d.join("a.log"), Pos: 5, Inode: 1, Head: "x", Tail: "y", Read: noon.Add(-time.Hour)}}
	before := d.offsets[0]
	d.scan()
	d.wantProblem("none of the logs exists", true)
	if len(d.offsets) != 1 || d.offsets[0] != before {
		t.Errorf("offsets %+v", d.offsets)
	}
	d.write("b.log", failure(0))
	d.scan()
	if len(d.last.Problems) != 1 || d.last.Problems[0].Fails {
		t.Errorf("problems %v", d.last.Problems)
	}
	if len(d.offsets) != 2 || d.offsets[0] != before {
		t.Errorf("offsets %+v", d.offsets)
	}
}

// TestScanOtherSources: a run with other sources leaves the offsets of the
// usual ones as they are.
func TestScanOtherSources(t *testing.T) {
	d := newDir(t, "a.log")
	d.write("a.log", failures(0, 2))
	d.write("b.log", failures(2, 3))
	d.scan()
	usual := d.sources
	d.sources = []Source{{File: d.join("b.log")}}
	d.scan()
	d.sources = usual
	d.write("a.log", failures(3, 4))
	d.scan()
	d.want(0, 4)
	d.options.Now = noon.Add(keepLong + time.Hour)
	d.scan()
	if len(d.offsets) != 1 {
		t.Errorf("offsets %+v", d.offsets)
	}
}

func TestScanIgnoreOffset(t *testing.T) {
	d := newDir(t, "a.log")
	d.write("a.log", failures(0, 2))
	d.scan()
	d.users, d.options.IgnoreOffset = nil, true
	d.scan()
	d.want(0, 2)
	d.options.IgnoreOffset = false
	d.scan()
	d.want(0, 2)
	if len(d.offsets) != 1 {
		t.Errorf("offsets %+v", d.offsets)
	}
}

func TestScanCancelled(t *testing.T) {
	d := newDir(t, "a.log", "b.log")
	d.write("a.log", failures(0, 20000))
	d.write("b.log", failures(20000, 20001))
	ctx, cancel := context.WithCancel(context.Background())
	d.options.Progress = func(done, total int64) {
		if done > total {
			t.Errorf("%d bytes of %d", done, total)
		}
		cancel()
	}
	r := Scan(ctx, d.sources, nil, failedRule{}, d.options)
	if n := r.Failures.Len(); n == 0 || n == 20000 {
		t.Fatalf("%d failures before the end", n)
	}
	for f := range r.Failures.All() {
		d.users = append(d.users, f.User)
	}
	d.offsets, d.options.Progress = r.Offsets, nil
	d.scan()
	d.want(0, 20001)
}

// TestScanOriginal: offsets as blockhosts.py left them.
func TestScanOriginal(t *testing.T) {
	first := strings.TrimSuffix(failure(0), "\n")
	for _, c := range []struct {
		line string
		pos  int
		want int // the first line that is read
	}{
		{first, len(failures(0, 2)), 2},
		{first + "\n", len(failures(0, 2)), 2},
		{first[:40], len(failures(0, 2)), 2},
		{"  " + first + " ", len(failures(0, 2)), 2},
		{first, len(failures(0, 2)) + 5, 2},
		{first, 0, 0},
		{first[:10], len(failures(0, 2)), 0},
		{"Jan  1 00:00:00 www kernel: x", len(failures(0, 2)), 0},
		{first, 100000, 0},
	} {
		d := newDir(t, "a.log")
		d.write("a.log", failures(0, 4))
		d.offsets = []record.Offset{{Path: d.join("a.log"), Pos: int64(c.pos), FirstLine: c.line}}
		d.scan()
		d.want(c.want, 4)
		if o := d.offsets[0]; o.FirstLine != "" || o.Head == "" || o.Tail == "" || len(d.offsets) != 1 {
			t.Errorf("offset %+v", o)
		}
		d.scan()
		d.want(c.want, 4)
	}
}
