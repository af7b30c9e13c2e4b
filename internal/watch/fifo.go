package watch

import (
	"bytes"
	"errors"
	"os"
	"syscall"
)

// A FIFO is held open and read, so that no writer ever waits for a run.
type FIFO struct {
	name  string
	file  *os.File
	keep  *os.File // a writer of our own: without any, a reader would see the end again and again
	max   int
	queue *Queue
	bell  Bell
	ended chan struct{}
}

// ReadFIFO reads file, a FIFO that was opened for reading with O_NONBLOCK,
// until Close, which closes it. A line over max bytes is cut there, so that it
// is as long as what is skipped. Name is the source's in q.
func ReadFIFO(file *os.File, name string, max int, q *Queue, bell Bell) (*FIFO, error) {
	keep, err := os.OpenFile(file.Name(), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err == nil && !same(file, keep) {
		err = errors.Join(errors.New(file.Name()+" was replaced meanwhile"), keep.Close())
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	f := &FIFO{name: name, file: file, keep: keep, max: max, queue: q, bell: bell, ended: make(chan struct{})}
	go f.receive()
	return f, nil
}

func same(a, b *os.File) bool {
	x, err := a.Stat()
	if err != nil {
		return false
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}

// Current tells whether the FIFO of that name is still this one.
func (f *FIFO) Current() bool {
	now, err := os.Stat(f.file.Name())
	if err != nil {
		return false
	}
	mine, err := f.file.Stat()
	return err == nil && os.SameFile(now, mine)
}

// Close ends the reading; what has no newline yet is lost then.
func (f *FIFO) Close() {
	_ = f.file.Close()
	_ = f.keep.Close()
	<-f.ended
}

func (f *FIFO) receive() {
	defer close(f.ended)
	buf := make([]byte, maxDatagram)
	var rest []byte
	for {
		n, err := f.file.Read(buf)
		if rest = f.take(append(rest, buf[:n]...)); err != nil {
			return // closed: with a writer of our own there is no end
		}
	}
}

// take keeps the whole lines of b and returns what follows them.
func (f *FIFO) take(b []byte) []byte {
	rung := false
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			break
		}
		f.queue.Add(f.name, bytes.Clone(b[:min(end, f.max+1)]))
		b, rung = b[end+1:], true
	}
	if rung {
		f.bell.Ring()
	}
	return bytes.Clone(b[:min(len(b), f.max+1)])
}
