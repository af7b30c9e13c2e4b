package report

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestActionFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "blockhosts.log")
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	for range 2 {
		f, err := OpenActions(path)
		if err != nil {
			t.Fatal(err)
		}
		l := NewLog(LogOptions{Actions: f, TimeFormat: time.RFC3339, Now: now})
		l.Decided(allDecisions()[:1])
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	const line = "2026-01-05T12:00:00+01:00 blocking 192.0.2.1: 8 failures (sshd 8), limit 7\n"
	if got, err := os.ReadFile(path); err != nil || string(got) != line+line {
		t.Errorf("action log %q, %v", got, err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode() != 0o640 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}

	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{fifo, t.TempDir(), filepath.Join(path, "x")} {
		if f, err := OpenActions(bad); err == nil {
			f.Close()
			t.Errorf("%s is taken as an action log", bad)
		}
	}
}

// full is a file on a full disk.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestActionLogFails(t *testing.T) {
	l := NewLog(LogOptions{Actions: full{}, Now: now})
	l.Decided(allDecisions())
	if err := l.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v", err)
	}
}
