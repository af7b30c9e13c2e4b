package logscan

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"blockhosts/internal/record"

	"golang.org/x/sys/unix"
)

// A FIFO is a named pipe that a syslog daemon writes to. What is taken out of
// it is there no more: a FIFO is drained once, and gives the same lines to
// each scan that has it, so that a run that decides again loses none. What a
// run that dies has taken out is lost.
type FIFO struct {
	Path  string
	Leave bool // take nothing out and make nothing, as a dry run

	drained bool
	lines   [][]byte
	read    int64 // bytes in lines, newlines included
	lost    int64 // bytes of a line that did not end
	cut     bool  // the writer may yet write the rest of it
	full    bool  // there was more than a run takes
	err     error
}

// maxFIFO is how many bytes one run takes out of a FIFO: more than a pipe
// holds (1 MiB, pipe(7)); a writer that has still more waits meanwhile.
const maxFIFO = 8 << 20

// A FIFO is empty when nothing came for quietTime. For the end of a line that
// has begun, cutTimes as long. Who writes all the time is left after maxWaits.
const (
	quietTime = 20 // ms
	cutTimes  = 5
	maxWaits  = 50
)

// cutMark stands in the offset of a FIFO in place of a cursor: the next bytes
// are the rest of a line whose beginning was lost, and no line.
const cutMark = "cut"

// fifo takes apart what a FIFO holds.
func (s *scan) fifo(f *FIFO, zone *time.Location) {
	prev := record.Offset{Path: f.Path}
	for i, o := range s.prev {
		if o.Path == f.Path {
			prev, s.used[i] = o, true
		}
	}
	if f.drain(prev.Cursor == cutMark); f.err != nil {
		s.problem(true, "source "+f.Path+": "+reason(f.err), "source %s cannot be read: %s", f.Path, reason(f.err))
	}
	if f.Leave || f.err != nil {
		if f.err == nil {
			s.problem(false, "source "+f.Path+": left", "source %s: a dry run takes nothing out of a FIFO", f.Path)
		}
		if !prev.Read.IsZero() {
			s.Offsets = append(s.Offsets, prev)
		}
		return
	}
	s.handed(&Handed{Name: f.Path, Lines: f.lines, Since: prev.Read}, zone)
	r := &s.Files[len(s.Files)-1]
	r.Read, r.PossiblyLost = f.read, f.lost
	r.Offset = prev.Pos + f.read + f.lost
	r.Size = r.Offset
	o := record.Offset{Path: f.Path, Pos: r.Offset, Read: s.opt.Now, Lost: prev.Lost + f.lost, Gap: prev.Gap}
	if f.cut {
		o.Cursor = cutMark
	}
	s.Unrepeatable = s.Unrepeatable || o.Cursor != prev.Cursor || f.lost > 0
	s.Offsets = append(s.Offsets, o)
	if f.lost > 0 {
		s.Problems = append(s.Problems, record.Problem{Key: "source " + f.Path + ": unfinished line", Warns: true,
			Text: fmt.Sprintf("source %s: %d bytes of a line that did not end within %d ms were lost", f.Path, f.lost, quietTime*cutTimes)})
	}
	if f.full {
		s.problem(false, "source "+f.Path+": more", "source %s holds more than the %d MiB that a run reads; the next run goes on", f.Path, maxFIFO>>20)
	}
}

// drain takes the lines out of the FIFO, and makes one where there is none.
func (f *FIFO) drain(cut bool) {
	if f.drained {
		return
	}
	f.drained = true
	if f.Leave {
		if _, err := os.Lstat(f.Path); err == nil {
			f.err = checkFIFO(f.Path)
		}
		return
	}
	if err := unix.Mkfifo(f.Path, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		f.err = fmt.Errorf("make it: %w", err)
		return
	}
	if f.err = checkFIFO(f.Path); f.err != nil {
		return
	}
	fd, err := unix.Open(f.Path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		f.err = err
		return
	}
	defer func() { _ = unix.Close(fd) }()
	file := new(unix.Stat_t)
	if f.err = unix.Fstat(fd, file); f.err != nil {
		return
	}
	if f.err = checkPipe(uint32(file.Mode), file.Uid); f.err != nil { // replaced meanwhile
		return
	}
	text, open, err := readPipe(fd)
	f.err = err
	f.split(text, cut, open)
}

// split cuts what was read into lines. open tells that the writer of the last
// line, if that has no end, is still there; cut, that the first has no
// beginning.
func (f *FIFO) split(text []byte, cut, open bool) {
	f.full = len(text) >= maxFIFO
	if cut {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			f.lost, f.cut = int64(len(text)), open
			return
		}
		f.lost, text = int64(end+1), text[end+1:]
	}
	end := bytes.LastIndexByte(text, '\n') + 1
	if rest := len(text) - end; rest > 0 {
		f.lost += int64(rest)
		f.cut = open
	}
	f.read = int64(end)
	if end > 0 {
		f.lines = bytes.Split(text[:end-1], []byte("\n"))
	}
}

// checkFIFO refuses what is not a FIFO, and one that others may write to:
// each of its lines can have somebody blocked.
func checkFIFO(path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return checkPipe(uint32(st.Mode), st.Uid)
}

func checkPipe(mode, owner uint32) error {
	switch {
	case mode&unix.S_IFMT != unix.S_IFIFO:
		return errors.New("it is not a FIFO; remove it, and the next run makes one")
	case owner != 0 && owner != uint32(os.Geteuid()):
		return fmt.Errorf("it belongs to user %d; give it to root, or remove it, and the next run makes one", owner)
	case mode&0o002 != 0:
		return errors.New("everybody may write to it; chmod o-w")
	}
	return nil
}

// readPipe reads what there is. open tells that somebody may still write.
func readPipe(fd int) (text []byte, open bool, err error) {
	chunk := make([]byte, 64<<10)
	waits, quiet := 0, 0
	for {
		whole := len(text) == 0 || text[len(text)-1] == '\n'
		room := maxFIFO - len(text)
		if room <= 0 { // the last line, to its end and no further
			if whole || room <= -MaxLine {
				return text, true, nil
			}
			room = 1
		}
		n, err := unix.Read(fd, chunk[:min(len(chunk), room)])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			if whole && quiet > 0 || quiet >= cutTimes || waits >= maxWaits {
				return text, true, nil
			}
			waits++
			if arrived(fd) {
				quiet = 0
			} else {
				quiet++
			}
			continue
		case err != nil:
			return text, true, err
		case n == 0: // no writer is left
			return text, false, nil
		}
		text = append(text, chunk[:n]...)
	}
}

// arrived waits for quietTime, less where something comes.
func arrived(fd int) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, quietTime)
	return err == nil && n > 0
}
