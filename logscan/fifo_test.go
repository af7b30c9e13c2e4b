package logscan

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"

	"golang.org/x/sys/unix"
)

// scanFIFO does one run over a FIFO.
func scanFIFO(path string, prev []record.Offset) Result {
	return Scan(context.Background(), []Source{{FIFO: &FIFO{Path: path}}}, prev, failedRule{}, Options{Now: noon})
}

// keepOpen returns a writer that keeps the FIFO open, as a syslog daemon does.
func keepOpen(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func send(t *testing.T, f *os.File, text string) {
	t.Helper()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// TestFIFO: it is made, for its owner alone; a run takes out what is there,
// and waits for nobody.
func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := scanFIFO(path, nil)
	if st, err := os.Lstat(path); err != nil || st.Mode() != os.ModeNamedPipe|0o600 {
		t.Fatalf("made: %v %v", st, err)
	}
	if r.Failures.Len() != 0 || len(r.Problems) != 0 {
		t.Fatalf("an empty FIFO: %+v", r)
	}
	w := keepOpen(t, path)
	send(t, w, failures(0, 3))
	r = scanFIFO(path, r.Offsets)
	if r.Failures.Len() != 3 || len(r.Problems) != 0 || r.Unrepeatable {
		t.Errorf("three lines: %+v", r)
	}
	if o := r.Offsets; len(o) != 1 || o[0].Path != path || o[0].Pos != int64(len(failures(0, 3))) {
		t.Errorf("offsets %+v", o)
	}
	if f := r.Files; len(f) != 1 || f[0].Read != int64(len(failures(0, 3))) || f[0].Lines != 3 {
		t.Errorf("report %+v", f)
	}
	if r = scanFIFO(path, r.Offsets); r.Failures.Len() != 0 {
		t.Errorf("taken out twice: %+v", r.Failures)
	}
}

// TestFIFOUnfinished: of a line without end nothing counts, neither its
// beginning now nor its rest in the next run.
func TestFIFOUnfinished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := scanFIFO(path, nil)
	w := keepOpen(t, path)
	line := failure(1)
	send(t, w, failure(0)+line[:30])
	r = scanFIFO(path, r.Offsets)
	if r.Failures.Len() != 1 || r.Files[0].PossiblyLost != 30 || !r.Unrepeatable || len(r.Problems) != 1 || r.Problems[0].Fails {
		t.Fatalf("a line and a half: %+v", r)
	}
	// What follows the cut could by itself be a line that blames somebody.
	send(t, w, failure(2)+failure(3)+line[:10])
	r = scanFIFO(path, r.Offsets)
	if r.Failures.Len() != 1 || r.Failures.At(0).User != "u3" || r.Offsets[0].Lost != int64(30+len(failure(2))+10) {
		t.Fatalf("the rest of the line: %+v", r)
	}
	send(t, w, "the rest")
	r = scanFIFO(path, r.Offsets)
	if r.Failures.Len() != 0 || r.Offsets[0].Cursor != cutMark {
		t.Fatalf("still no end: %+v", r)
	}
	send(t, w, "\n"+failure(4))
	if r = scanFIFO(path, r.Offsets); r.Failures.Len() != 1 || r.Offsets[0].Cursor != "" || !r.Unrepeatable {
		t.Fatalf("the end: %+v", r)
	}

	// A writer that is gone has no more to write: the next line is whole. It
	// opens when nobody else has the FIFO open, so that it waits for the run: what
	// is in a pipe that nobody holds open is gone.
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- waitAndWrite(path, line[:30]) }()
	for r = scanFIFO(path, r.Offsets); r.Files[0].PossiblyLost == 0; r = scanFIFO(path, r.Offsets) {
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if r.Offsets[0].Cursor != "" || r.Files[0].PossiblyLost != 30 {
		t.Fatalf("a writer that is gone: %+v", r)
	}
}

// waitAndWrite waits for a reader and writes, again where a machine under load
// lets the reader go in between.
func waitAndWrite(path, text string) error {
	for {
		if err := os.WriteFile(path, []byte(text), 0); !errors.Is(err, unix.EPIPE) {
			return err
		}
	}
}

// TestFIFOAgain: a run that decides again has the same lines again.
func TestFIFOAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	scanFIFO(path, nil)
	send(t, keepOpen(t, path), failures(0, 2))
	sources := []Source{{FIFO: &FIFO{Path: path}}}
	for range 2 {
		if r := Scan(context.Background(), sources, nil, failedRule{}, Options{Now: noon}); r.Failures.Len() != 2 {
			t.Errorf("%d failures", r.Failures.Len())
		}
	}
}

// TestFIFOWaits: writers that wait for a reader get one.
func TestFIFOWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := scanFIFO(path, nil)
	done := make(chan error)
	const writers = 5
	for n := range writers {
		go func() { done <- waitAndWrite(path, failure(n)) }()
	}
	found := 0
	for waiting := writers; waiting > 0; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			waiting--
		default:
			r = scanFIFO(path, r.Offsets)
			found += r.Failures.Len()
		}
	}
	found += scanFIFO(path, r.Offsets).Failures.Len()
	if found != writers {
		t.Errorf("%d of %d lines", found, writers)
	}
}

// TestFIFORefused: what anybody can write to, and what is no FIFO.
func TestFIFORefused(t *testing.T) {
	dir := t.TempDir()
	file, open, theirs := filepath.Join(dir, "file"), filepath.Join(dir, "open"), filepath.Join(dir, "theirs")
	if err := os.WriteFile(file, []byte(failure(0)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused := map[string]string{file: "not a FIFO", dir: "not a FIFO", open: "everybody may write", filepath.Join(dir, "no/where"): "make it"}
	for _, path := range []string{open, theirs} {
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(open, 0o602); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		refused[theirs] = "belongs to user 1000"
		if err := os.Chown(theirs, 1000, 1000); err != nil {
			t.Fatal(err)
		}
	}
	for path, why := range refused {
		prev := []record.Offset{{Path: path, Pos: 7, Read: noon.Add(-time.Minute)}}
		r := scanFIFO(path, prev)
		if len(r.Problems) != 1 || !r.Problems[0].Fails || !strings.Contains(r.Problems[0].Text, why) {
			t.Errorf("%s: %+v; want %q", path, r.Problems, why)
		}
		if len(r.Offsets) != 1 || r.Offsets[0] != prev[0] {
			t.Errorf("%s: offsets %+v", path, r.Offsets)
		}
	}
}

// TestFIFOLeave: a dry run takes nothing out and makes nothing.
func TestFIFOLeave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	dry := []Source{{FIFO: &FIFO{Path: path, Leave: true}}}
	Scan(context.Background(), dry, nil, failedRule{}, Options{Now: noon})
	if _, err := os.Lstat(path); err == nil {
		t.Error("it was made")
	}
	scanFIFO(path, nil)
	send(t, keepOpen(t, path), failure(0))
	if r := Scan(context.Background(), dry, nil, failedRule{}, Options{Now: noon}); r.Failures.Len() != 0 || len(r.Problems) != 1 || r.Problems[0].Fails {
		t.Errorf("a dry run: %+v", r)
	}
	if r := scanFIFO(path, nil); r.Failures.Len() != 1 {
		t.Errorf("after it: %+v", r)
	}
}

// TestFIFOSplit: more than one run takes is left, and cut at the end of a line.
func TestFIFOSplit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	scanFIFO(path, nil)
	line := failure(1)
	total := maxFIFO/len(line) + 1000
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	done := make(chan error, 1)
	go func() {
		// A write of at most PIPE_BUF bytes is never cut, pipe(7): a writer that
		// is not scheduled for a while leaves no half line.
		each := 4096 / len(line)
		var err error
		for left := total; left > 0 && err == nil; left -= each {
			_, err = w.WriteString(strings.Repeat(line, min(each, left)))
		}
		done <- err
	}()
	var offsets []record.Offset
	found := 0
	for found < total {
		r := scanFIFO(path, offsets)
		offsets = r.Offsets
		found += r.Failures.Len()
		if r.Files[0].PossiblyLost > 0 || r.Files[0].Read > maxFIFO+MaxLine {
			t.Fatalf("%+v", r.Files[0])
		}
	}
	if err := <-done; err != nil || found != total {
		t.Errorf("%d of %d lines, %v", found, total, err)
	}
}
