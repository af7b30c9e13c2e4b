package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"
)

// maxFile is the size in bytes of the largest configuration that is read. The
// shipped sample has a hundredth of it; long lists belong in files of their own.
const maxFile = 1 << 20

// readFile reads a regular file of at most limit bytes.
func readFile(path string, limit int64, checkOwner bool) ([]byte, error) {
	// O_NONBLOCK: a FIFO must not hold the run before it is seen to be one.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("is a directory; want a file")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	if checkOwner {
		if err := checkInfo(info); err != nil {
			return nil, err
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("is larger than %d bytes", limit)
	}
	return data, err
}

// fileError says of a file that could not be read at all why, and what to do.
func fileError(path string, err error) Error {
	e := Error{File: path, Msg: err.Error()}
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		e.File, e.Msg = at.Path, at.Err.Error()
	}
	_, foreign := errors.AsType[*ownerError](err)
	switch {
	case foreign:
		e.Hint = fmt.Sprintf("look at what it says, then: chown 0:0 %[1]s && chmod go-w %[1]s", path)
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "without --configfile, " + DefaultPath + " is read where it exists, and the defaults hold where it does not"
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "run as root, or name a file that you may read with --configfile"
	}
	return e
}

// text takes a byte order mark off and finds the first byte that a
// configuration cannot hold.
func text(data []byte) ([]byte, *Error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		i := 0
		for r, n := utf8.DecodeRune(data); r != utf8.RuneError || n > 1; r, n = utf8.DecodeRune(data[i:]) {
			i += n
		}
		return nil, &Error{Line: lineAt(data, i), Msg: fmt.Sprintf("byte 0x%02x is not UTF-8", data[i]), Hint: "save the file as UTF-8"}
	}
	i := bytes.IndexFunc(data, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f })
	if i >= 0 {
		return nil, &Error{Line: lineAt(data, i), Msg: fmt.Sprintf("control character 0x%02x", data[i]), Hint: `in a text write it as "\x1b", in double quotes`}
	}
	for n, line := range bytes.Split(data, []byte("\n")) {
		rest := bytes.TrimLeft(line, " \t\r")
		if len(rest) > 0 && rest[0] != '#' && bytes.IndexByte(line[:len(line)-len(rest)], '\t') >= 0 {
			return nil, &Error{Line: n + 1, Msg: "a tab before the text", Hint: "YAML is indented with blanks"}
		}
	}
	return data, nil
}

// lineAt returns the number of the line that holds data[i], from 1.
func lineAt(data []byte, i int) int { return 1 + bytes.Count(data[:i], []byte("\n")) }

// maxPassword is the length in bytes of the longest password file: a mistaken
// name is noticed before it is sent somewhere.
const maxPassword = 4096

// ReadPassword returns the first line of a password file. With checkOwner it
// is refused as CheckOwner has it. Errors do not tell what it holds.
func ReadPassword(path string, checkOwner bool) (string, error) {
	data, err := readFile(path, maxPassword, checkOwner)
	if err != nil {
		e := fileError(path, err)
		return "", fmt.Errorf("read password file %s: %s", path, e.Msg)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", fmt.Errorf("read password file %s: its first line is empty", path)
	}
	return line, nil
}
