package blockfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrLocked says that another run holds the lock.
var ErrLocked = errors.New("another run holds the lock")

// lockPoll is how long Lock waits before it asks again.
const lockPoll = 50 * time.Millisecond

// A Held lock lasts until it is released, or its process ends.
type Held struct {
	file  *os.File
	since time.Time // see Unsaved
}

// unsavedWord begins the line of a lock file that Unsaved is about.
const unsavedWord = "unsaved "

// Unsaved returns since when runs have told that the section could not be
// written; zero where the last one wrote it, or had nothing to write. It stands
// in the lock file, which lies on another file system than the section does
// as a rule, and is for the telling alone.
func (l *Held) Unsaved() time.Time { return l.since }

// SetUnsaved leaves a moment for Unsaved, zero for none.
func (l *Held) SetUnsaved(since time.Time) { l.since = since }

// readUnsaved takes up what the holder before has left.
func (l *Held) readUnsaved() {
	buf := make([]byte, 100)
	n, _ := l.file.ReadAt(buf, 0)
	for line := range strings.Lines(string(buf[:n])) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), unsavedWord)
		if unix, err := strconv.ParseInt(text, 10, 64); ok && err == nil {
			l.since = time.Unix(unix, 0)
		}
	}
}

// write makes the content of the file: first, and what Unsaved is about.
func (l *Held) write(first string) {
	if !l.since.IsZero() {
		first += unsavedWord + strconv.FormatInt(l.since.Unix(), 10) + "\n"
	}
	if l.file.Truncate(0) == nil {
		l.file.WriteAt([]byte(first), 0)
	}
}

// Lock takes the lock on the file at path, which is made where there is
// none and never removed. It waits up to wait, then returns ErrLocked
// (errors.Is), with the process id of the holder where it is known. A file
// that an attacker may have prepared is refused: a symlink, anything but a
// regular file, one with a second name, and as root one that is not root's.
func Lock(path string, wait time.Duration) (*Held, error) {
	for waited := time.Duration(0); ; waited += lockPoll {
		l, err := tryLock(path)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, ErrLocked) || waited >= wait {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		time.Sleep(min(lockPoll, wait-waited))
	}
}

func tryLock(path string) (*Held, error) {
	file, err := openLock(path)
	if err != nil {
		return nil, err
	}
	l, err := claim(file, path)
	if err != nil {
		file.Close()
	}
	return l, err
}

// claim locks file, which was opened at path. Somebody may have removed it
// since, so that a third run could lock a new file of that name: such a lock
// is worth nothing.
func claim(file *os.File, path string) (*Held, error) {
	err := flock(file)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, lockedBy(file)
	}
	if err != nil {
		return nil, err
	}
	held, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if now, err := os.Lstat(path); err != nil || !os.SameFile(held, now) {
		return nil, ErrLocked
	}
	l := &Held{file: file}
	l.readUnsaved()
	l.sign()
	return l, nil
}

func openLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EMLINK) { // EMLINK: FreeBSD
		return nil, errors.New("is a symlink; remove it")
	}
	if err != nil {
		err = cause(err)
		return nil, fmt.Errorf("%w%s", err, hint(err))
	}
	if err := checkLock(file); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func checkLock(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("is not a regular file; name another lockfile")
	}
	if uid, _ := owner(info); os.Geteuid() == 0 && uid != 0 {
		return fmt.Errorf("belongs to user %d, want root; remove it", uid)
	}
	if n := info.Sys().(*syscall.Stat_t).Nlink; n > 1 {
		return fmt.Errorf("has %d names (hard links); remove it", n)
	}
	return nil
}

func flock(file *os.File) error {
	for {
		if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// lockedBy is ErrLocked with the holder's process id.
func lockedBy(file *os.File) error {
	buf := make([]byte, 20)
	n, err := file.ReadAt(buf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return ErrLocked
	}
	first, _, _ := strings.Cut(string(buf[:n]), "\n")
	if pid, err := strconv.Atoi(strings.TrimSpace(first)); err == nil && pid > 0 {
		return fmt.Errorf("%w (process %d)", ErrLocked, pid)
	}
	return ErrLocked
}

// sign writes our process id into the file, for people; nothing hangs on it.
func (l *Held) sign() {
	l.write(strconv.Itoa(os.Getpid()) + "\n")
}

// Unlock gives the lock back. The file stays: to remove it would let two runs
// hold a lock of the same name.
func (l *Held) Unlock() error {
	l.write("")
	return l.file.Close()
}
