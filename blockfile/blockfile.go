// Package blockfile reads and writes the file that holds the section: the
// deny lines, and the state that one run leaves for the next. It knows the
// text of the section, the lines that blockhosts.py left there, the lock and
// the atomic replacement. It decides nothing and never looks at a log.
//
// The next run may rely on this: the file is complete at every instant, what
// was saved is loaded again without loss, and not one byte outside the two
// marker lines is changed.
package blockfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"blockhosts/internal/record"
)

// MaxSize is the size in bytes above which a blockfile is refused: a section
// of two million addresses is a third of it.
const MaxSize = 1 << 30

// readSize is how many bytes of a file are asked for at a time.
const readSize = 256 << 10

// ErrChanged says that somebody else wrote the file since it was loaded. Load
// it again and decide again.
var ErrChanged = errors.New("changed since it was loaded; load it and decide again")

// Options say how a blockfile is to be read and written.
type Options struct {
	Template   Template       // zero: DefaultTemplate
	Now        time.Time      // stands in for a time that cannot be read
	Local      *time.Location // of the stamps that blockhosts.py 1.x and 2.x wrote; nil: time.Local
	IPv6Prefix int            // bits; what an IPv6 address that blockhosts.py wrote is counted by; 0: 64
}

// A File is a blockfile as it was when it was loaded.
type File struct {
	Path  string       // as it was asked for
	State record.State // what the section holds
	Dirty bool         // the section has lines that a Save would drop or put right
	// Problems are lines that were dropped, stamps that could not be read,
	// and what makes libwrap ignore a part of the file: one Problem for each
	// kind. Save may add one.
	Problems []record.Problem

	template compiled
	now      time.Time   // of the run
	target   string      // Path with its symlinks resolved
	info     os.FileInfo // of target when it was read; nil where there is none
	head     []byte      // before the first marker line
	tail     []byte      // after the second
	sections bool        // both markers were there
}

// A MarkerError says that a file does not hold exactly two marker lines.
type MarkerError struct {
	Path   string
	Count  int    // marker lines found: 0, 1, or more than 2
	Backup string // a copy made before the file was last rewritten in place; "" where there is none
}

// Error names the next step: the command that puts the markers in, or the
// backup of a rewriting that was interrupted.
func (e *MarkerError) Error() string {
	text := fmt.Sprintf("read %s: ", e.Path)
	switch {
	case e.Count == 0:
		return text + fmt.Sprintf("no %q line; run \"blockhosts init\"", Marker)
	case e.Count == 1:
		text += fmt.Sprintf("only one %q line, want two; put the other one back, or delete it and run \"blockhosts init\"", Marker)
	default:
		text += fmt.Sprintf("%d %q lines, want two; delete those that are too many", e.Count, Marker)
	}
	if e.Backup != "" {
		text += "; an earlier copy is " + e.Backup
	}
	return text
}

// Load reads the blockfile at path. Where the file is missing (errors.Is
// fs.ErrNotExist) or its markers are not two (a *MarkerError), the File comes
// along with the error, with an empty State: Section works, Save refuses.
func Load(path string, o Options) (*File, error) {
	o = o.filled()
	if err := o.Template.Check(); err != nil {
		return nil, err
	}
	f := &File{Path: path, template: o.Template.compile(), now: o.Now}
	data, err := f.read()
	if err != nil {
		return f, err
	}
	cut, count := findMarkers(data)
	if count != 2 {
		return f, &MarkerError{Path: path, Count: count, Backup: existing(backupInPlace(f.target))}
	}
	f.sections = true
	f.head, f.tail = []byte(data[:cut.begin]), []byte(data[cut.end:])
	r := newReader(o, f.template)
	r.readAll(data[cut.inner:cut.outer])
	f.State, f.Problems = r.result(path)
	f.Dirty = len(f.Problems) > 0
	if f.template.libwrap {
		f.Problems = append(f.Problems, outsideProblems(path, f.head, f.tail, cut.lines)...)
	}
	return f, nil
}

func (o Options) filled() Options {
	if o.Template == (Template{}) {
		o.Template = DefaultTemplate
	}
	if o.Local == nil {
		o.Local = time.Local
	}
	if o.IPv6Prefix <= 0 || o.IPv6Prefix > 128 {
		o.IPv6Prefix = 64
	}
	return o
}

// read returns the content of the file and remembers what it was read from.
func (f *File) read() (string, error) {
	target, err := filepath.EvalSymlinks(f.Path)
	if err != nil {
		return "", readError(f.Path, err)
	}
	f.target = target
	data, info, err := readWhole(target)
	if err != nil {
		return "", readError(f.Path, err)
	}
	f.info = info
	return data, nil
}

func readError(path string, err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err // the path is named already
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: %w; run \"blockhosts init\"", path, err)
	}
	return fmt.Errorf("read %s: %w", path, err)
}

// readWhole reads a regular file in one go. A file that is written to
// meanwhile is read again; one that never rests is ErrChanged.
func readWhole(path string) (string, os.FileInfo, error) {
	// O_NONBLOCK: opening a FIFO must not hang.
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, err
	}
	defer file.Close()
	for range 3 {
		before, err := file.Stat()
		if err != nil {
			return "", nil, err
		}
		if !before.Mode().IsRegular() {
			return "", nil, errors.New("is not a regular file")
		}
		if before.Size() > MaxSize {
			return "", nil, fmt.Errorf("is larger than %d bytes", MaxSize)
		}
		var data strings.Builder // what is read becomes a string without a second copy of it
		data.Grow(int(before.Size()))
		if _, err := io.CopyBuffer(&data, io.NewSectionReader(file, 0, before.Size()), make([]byte, readSize)); err != nil {
			return "", nil, err
		}
		if after, err := file.Stat(); err == nil && int64(data.Len()) == before.Size() && sameFile(before, after) {
			return data.String(), before, nil
		}
	}
	return "", nil, ErrChanged
}

// sameFile tells whether nobody wrote to a file between two looks at it.
func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func existing(path string) string {
	if _, err := os.Lstat(path); err != nil {
		return ""
	}
	return path
}

// NeedsInit tells of an error of Load whether the file is missing or without
// markers, so that "blockhosts init" is what comes next.
func NeedsInit(err error) bool {
	m, ok := errors.AsType[*MarkerError](err)
	return errors.Is(err, fs.ErrNotExist) || ok && m.Count == 0
}
