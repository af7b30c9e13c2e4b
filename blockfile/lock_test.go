package blockfile

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	held, err := Lock(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v, want mode 0600", info.Mode(), err)
	}
	if got, want := read(t, path), fmt.Sprintln(os.Getpid()); got != want {
		t.Errorf("the lock holds %q, want %q", got, want)
	}
	_, err = Lock(path, 0)
	if want := fmt.Sprintf("lock %s: another run holds the lock (process %d)", path, os.Getpid()); !errors.Is(err, ErrLocked) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	go func() {
		time.Sleep(3 * lockPoll)
		held.Unlock()
	}()
	second, err := Lock(path, time.Minute)
	if err != nil {
		t.Fatalf("after waiting: %v", err)
	}
	if err := second.Unlock(); err != nil {
		t.Error(err)
	}
	third, err := Lock(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	third.Unlock()
}

// TestLockWaits: no longer than it was told.
func TestLockWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	held, err := Lock(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Unlock()
	if _, err := Lock(path, 3*lockPoll/2); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
}

// TestLockRemoved: a lock on a file that was removed is none.
func TestLockRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	old, err := Lock(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Unlock()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	late, err := openLock(path)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := claim(late, path); !errors.Is(err, ErrLocked) {
		t.Errorf("a file that is gone: %v, want ErrLocked", err)
	}
	held, err := Lock(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Unlock()
	if _, err := claim(late, path); !errors.Is(err, ErrLocked) {
		t.Errorf("a file that is another: %v, want ErrLocked", err)
	}
	if _, err := Lock(path, 0); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
}

// TestLockDies: with its holder, however that ends.
func TestLockDies(t *testing.T) {
	if path := os.Getenv("BLOCKFILE_TEST_LOCK"); path != "" {
		if _, err := Lock(path, 0); err != nil {
			t.Fatal(err)
		}
		fmt.Println("held")
		time.Sleep(time.Minute)
	}
	path := filepath.Join(t.TempDir(), "lock")
	cmd := exec.Command(os.Args[0], "-test.run=^TestLockDies$")
	cmd.Env = append(os.Environ(), "BLOCKFILE_TEST_LOCK="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Errorf("the child says %q", line)
	}
	if _, err := Lock(path, 0); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint(cmd.Process.Pid)) {
		t.Errorf("got %v, want ErrLocked by %d", err, cmd.Process.Pid)
	}
	cmd.Process.Kill()
	cmd.Wait()
	held, err := Lock(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	held.Unlock()
}

// TestLockRefuses what somebody may have prepared for root to fall into.
func TestLockRefuses(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.WriteFile(at("precious"), []byte("precious"), 0o600),
		os.Symlink(at("precious"), at("symlink")),
		os.Symlink(at("new"), at("dangling")),
		os.Link(at("precious"), at("hardlink")),
		os.WriteFile(at("foreign"), []byte("foreign"), 0o600),
		unix.Mkfifo(at("fifo"), 0o600),
		os.Mkdir(at("dir"), 0o700),
	); err != nil {
		t.Fatal(err)
	}
	cases := map[string]string{"symlink": "is a symlink", "dangling": "is a symlink", "hardlink": "hard links", "fifo": "not a regular file", "dir": "is a directory", "none/lock": "no such file"}
	if os.Geteuid() == 0 {
		if err := os.Chown(at("foreign"), 12345, 0); err != nil {
			t.Fatal(err)
		}
		cases["foreign"] = "belongs to user 12345"
	}
	for name, want := range cases {
		_, err := Lock(at(name), 0)
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, ErrLocked) || strings.Count(err.Error(), at(name)) != 1 {
			t.Errorf("%s: %v, want an error with %q", name, err, want)
		}
	}
	if read(t, at("precious")) != "precious" || read(t, at("foreign")) != "foreign" {
		t.Error("a file was written to")
	}
	if _, err := os.Lstat(at("new")); err == nil {
		t.Error("a file was made through a symlink")
	}
}
