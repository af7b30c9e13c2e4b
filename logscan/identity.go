package logscan

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// noTail is a hash that no text is expected to have: nothing continues here.
const noTail = "0000000000000000"

const (
	headSize = 4096 // bytes of a first line that are hashed
	tailSize = 256  // bytes before an offset that are hashed
)

// first returns the first headSize bytes, fewer where there are not more.
func (f *logFile) first() ([]byte, error) {
	if f.start != nil {
		return f.start, nil
	}
	r, err := f.content()
	if err != nil {
		return nil, err
	}
	b := make([]byte, headSize)
	n, err := io.ReadFull(r, b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	f.start = b[:n]
	return f.start, nil
}

// head returns the hash of the first line, "" while that is not complete.
func (f *logFile) head() (string, error) {
	b, err := f.first()
	if err != nil {
		return "", err
	}
	end := bytes.IndexByte(b, '\n')
	if end < 0 && len(b) < headSize {
		return "", nil
	}
	if end >= 0 {
		b = b[:end]
	}
	return hash(b), nil
}

// from returns the text behind pos, and the hash of what stands before it.
// Where the file does not reach so far the error is io.EOF.
func (f *logFile) from(pos int64) (r io.Reader, tail string, err error) {
	before := min(pos, tailSize)
	b := make([]byte, before)
	if packing(f.path) == "" {
		if pos > f.size {
			return nil, "", io.EOF
		}
		if _, err := f.f.ReadAt(b, pos-before); err != nil {
			return nil, "", err
		}
		return io.NewSectionReader(f.f, pos, f.size-pos), hash(b), nil
	}
	if r, err = f.content(); err != nil {
		return nil, "", err
	}
	if _, err := io.CopyN(io.Discard, r, pos-before); err != nil {
		return nil, "", err
	}
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, "", io.EOF
	}
	return r, hash(b), nil
}

// hash is FNV-1a, 64 bits: the same on every host and in every run.
func hash(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	h := fnv.New64a()
	_, _ = h.Write(b)
	return fmt.Sprintf("%016x", h.Sum64())
}

// A proof is how sure it is that a file is the one that was read.
type proof int

const (
	another proof = iota // it is not
	unclear              // nothing speaks against it, and nothing for it
	proven               // what stands before the offset is what was read
)

// continues compares the file with what was read, by content alone, and
// returns what follows.
func (f *logFile) continues(o record.Offset) (io.Reader, int64, proof) {
	if o.Pos < 0 {
		return nil, 0, another
	}
	if o.FirstLine != "" && o.Head == "" {
		return f.continuesOriginal(o)
	}
	head, err := f.head()
	if err != nil || o.Head != "" && o.Head != head {
		return nil, 0, another
	}
	if f.id == (id{o.Device, o.Inode}) && f.readWhole(o.Pos) {
		return strings.NewReader(""), o.Pos, proven
	}
	r, tail, err := f.from(o.Pos)
	switch {
	case err != nil || o.Tail != "" && o.Tail != tail:
		return nil, 0, another
	case o.Tail != "":
	case packing(f.path) != "" && head != "": // its number was given to another file
		return nil, 0, another
	default:
		return r, o.Pos, unclear
	}
	return r, o.Pos, proven
}

// mtimeSlack is how much earlier than a run a change may be dated that came
// after it: file systems date them by up to two seconds.
const mtimeSlack = 2 * time.Second

func (f *logFile) changedSince(t time.Time) bool { return f.mtime.After(t.Add(-mtimeSlack)) }

// readWhole tells whether a compressed file was read to its end, without
// decompressing it: gzip's last four bytes are the length of the text, modulo
// 2^32 (RFC 1952, 2.3.1).
func (f *logFile) readWhole(pos int64) bool {
	var b [4]byte
	if packing(f.path) != ".gz" || pos == 0 || f.size < 18 {
		return false
	}
	_, err := f.f.ReadAt(b[:], f.size-4)
	return err == nil && binary.LittleEndian.Uint32(b[:]) == uint32(pos)
}

// continuesOriginal compares the first line's text as blockhosts.py kept it:
// stripped, and perhaps cut. Its offset may lie within a line that was not
// complete yet; that line is read from its start.
func (f *logFile) continuesOriginal(o record.Offset) (io.Reader, int64, proof) {
	start, err := f.first()
	if err != nil {
		return nil, 0, another
	}
	line, _, _ := bytes.Cut(start, []byte("\n"))
	is, was := strings.TrimSpace(string(line)), strings.TrimSpace(o.FirstLine)
	const enough = 16 // bytes that a cut line has to have: a stamp
	if is != was && !(len(was) >= enough && strings.HasPrefix(is, was)) {
		return nil, 0, another
	}
	if packing(f.path) != "" || o.Pos > f.size {
		return nil, 0, another
	}
	pos := f.lineStart(o.Pos)
	return io.NewSectionReader(f.f, pos, f.size-pos), pos, proven
}

// lineStart returns the start of the line that pos lies in.
func (f *logFile) lineStart(pos int64) int64 {
	b := make([]byte, min(pos, MaxLine))
	if _, err := f.f.ReadAt(b, pos-int64(len(b))); err != nil {
		return pos
	}
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		return pos - int64(len(b)-1-i)
	}
	return pos - int64(len(b))
}

// offset returns where the file was read to.
func (f *logFile) offset(path string, pos int64, now time.Time) record.Offset {
	o := record.Offset{Path: path, Pos: pos, Device: f.id.dev, Inode: f.id.ino, Read: now}
	o.Head, _ = f.head()
	if pos > 0 {
		var err error
		if _, o.Tail, err = f.from(pos); err != nil { // truncated while it was read
			o.Tail = noTail
		}
	}
	return o
}
