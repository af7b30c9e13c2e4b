package logscan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// OpenFIFO opens a FIFO for who holds it open and reads it all the time. It
// makes one where there is none, and refuses what a scan would refuse.
func OpenFIFO(path string) (*os.File, error) {
	if err := unix.Mkfifo(path, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make it: %w", err)
	}
	if err := checkFIFO(path); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	st, err := file.Stat()
	if err == nil && st.Mode()&fs.ModeNamedPipe == 0 {
		err = errors.New("it was replaced meanwhile")
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// ReceivedFIFO is the FIFO at path for one scan, with the lines that were read
// out of it already; the scan takes out no more.
func ReceivedFIFO(path string, lines [][]byte) *FIFO {
	f := &FIFO{Path: path, drained: true, lines: lines}
	for _, line := range lines {
		f.read += int64(len(line)) + 1
	}
	return f
}

// Follow returns the command that prints something whenever one of the entries
// that j selects is written, until it is stopped. It is a doorbell: a scan
// reads the entries themselves, with their trusted fields. It begins with the
// latest entry, so that it rings when it is in place.
func (j *Journal) Follow() []string {
	all := journalRead{}
	all.add(j)
	argv := []string{j.Tool, "--follow", "--lines=1", "--output=cat", "--no-pager", "--quiet"}
	if j.Directory != "" {
		argv = append(argv, "--directory="+j.Directory)
	}
	return append(argv, all.matches...)
}
