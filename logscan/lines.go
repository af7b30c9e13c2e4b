package logscan

import (
	"bytes"
	"errors"
	"io"
)

// MaxLine is the length in bytes over which a line is skipped: rsyslog's
// largest message is 8 KiB unless told otherwise, and a rule needs no more.
const MaxLine = 64 << 10

// blockSize is how much is read at once: enough that system calls cost
// nothing, little enough to stay in a core's cache.
const blockSize = 128 << 10

// A blockReader cuts what it reads into blocks of whole lines. Blocks do not
// depend on each other, so that several workers could share them.
type blockReader struct {
	r    io.Reader
	buf  []byte
	from int // buf[from:to] was read and not given out yet
	to   int

	taken   int64 // bytes given out or skipped: always just past a newline
	pending int64 // bytes of a line over MaxLine that has not ended yet, or of NULs before a line, no longer in buf
	long    bool  // pending is a line over MaxLine
	skipped int   // lines over MaxLine
}

func newBlockReader(r io.Reader, buf []byte) *blockReader {
	return &blockReader{r: r, buf: buf}
}

// use has the next block read into buf, of the same size.
func (r *blockReader) use(buf []byte) {
	r.to = copy(buf, r.buf[r.from:r.to])
	r.from, r.buf = 0, buf
}

// next returns whole lines, each with its newline. The block is valid until
// the next call. At the end it returns io.EOF; what follows the last newline
// is then in rest.
func (r *blockReader) next() ([]byte, error) {
	for {
		n, err := r.fill()
		if b := r.cut(); b != nil {
			return b, nil
		}
		if n == 0 && err == nil {
			err = io.ErrNoProgress
		}
		if err != nil {
			return nil, err
		}
	}
}

// fill moves what is left to the front and reads behind it.
func (r *blockReader) fill() (int, error) {
	if r.from > 0 {
		r.to = copy(r.buf, r.buf[r.from:r.to])
		r.from = 0
	}
	n, err := r.r.Read(r.buf[r.to:])
	r.to += n
	if r.long {
		r.skipLong()
	} else {
		r.skipNULs()
	}
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// cut takes the whole lines out of buf, nil where there is none. A line that
// has outgrown MaxLine is let go.
func (r *blockReader) cut() []byte {
	b := r.buf[r.from:r.to]
	end := bytes.LastIndexByte(b, '\n')
	if end < 0 {
		if len(b) > MaxLine {
			r.long, r.pending, r.from = true, r.pending+int64(len(b)), r.to
		}
		return nil
	}
	r.taken += r.pending + int64(end) + 1
	r.from, r.pending = r.from+end+1, 0
	return b[:end+1]
}

// skipLong drops what was read of a line over MaxLine, up to its newline.
func (r *blockReader) skipLong() {
	b := r.buf[r.from:r.to]
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		r.pending += int64(len(b))
		r.from = r.to
		return
	}
	r.taken += r.pending + int64(end) + 1
	r.from += end + 1
	r.long, r.pending = false, 0
	r.skipped++
	r.skipNULs()
}

// skipNULs drops the block of NULs that a writer leaves in front of its next
// line when the file was truncated under it: it may be larger than any line.
func (r *blockReader) skipNULs() {
	i := r.from
	for i < r.to && r.buf[i] == 0 {
		i++
	}
	r.pending += int64(i - r.from)
	r.from = i
}

// rest is what follows the last newline: the part that is still in memory,
// and the length of all of it, in bytes.
func (r *blockReader) rest() (text []byte, size int64) {
	b := r.buf[r.from:r.to]
	if r.long {
		b = nil
	}
	return b, r.pending + int64(len(b))
}
