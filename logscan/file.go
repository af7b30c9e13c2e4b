package logscan

import (
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// An id is what tells a file from another while neither is removed.
type id struct{ dev, ino uint64 }

// A logFile is an open log as it was at one moment: what is written later
// belongs to the next run.
type logFile struct {
	path  string
	f     *os.File
	id    id
	size  int64 // bytes in the file; compressed ones, where it is
	mtime time.Time
	start []byte // its first headSize bytes, decompressed; none yet where nil
}

// errNoLog is something that is not a log to be read.
var errNoLog = errors.New("not a log")

// errPacked is a log that only a tool could read.
var errPacked = fmt.Errorf("it is compressed, and only gzip and bzip2 are read; decompress it first: %w", errNoLog)

// openLog opens a regular file and nothing else; a FIFO does not block it.
func openLog(path string) (*logFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := onlyRegular(path, info); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	info, err = f.Stat()
	if err == nil {
		err = onlyRegular(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &logFile{path: path, f: f, id: idOf(info), size: info.Size(), mtime: info.ModTime()}, nil
}

func onlyRegular(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("it is a %s, not a regular file: %w", kind(info.Mode()), errNoLog)}
	}
	return nil
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "directory"
	case m&fs.ModeNamedPipe != 0:
		return "FIFO"
	case m&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// isMissing tells whether there is no such file.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// reason returns an error without the path, which its reader knows.
func reason(err error) string {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err
	}
	return strings.TrimSuffix(err.Error(), ": "+errNoLog.Error())
}

func idOf(info fs.FileInfo) id {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return id{}
	}
	return id{uint64(st.Dev), uint64(st.Ino)} // the types differ from system to system
}

func (f *logFile) close() { _ = f.f.Close() } // only read from

// packing returns how the name of a file says that it is compressed.
func packing(path string) string {
	for _, ext := range [...]string{".gz", ".bz2", ".xz", ".zst", ".lzma", ".lz4", ".Z", ".zip"} {
		if strings.HasSuffix(path, ext) {
			return ext
		}
	}
	return ""
}

// content returns the file's text from its start.
func (f *logFile) content() (io.Reader, error) {
	plain := io.NewSectionReader(f.f, 0, f.size)
	switch ext := packing(f.path); {
	case ext == "" || f.size == 0:
		return plain, nil
	case ext == ".gz":
		return gzip.NewReader(plain)
	case ext == ".bz2":
		return bzip2.NewReader(plain), nil
	}
	return nil, errPacked
}
