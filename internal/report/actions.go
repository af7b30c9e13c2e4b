package report

import (
	"fmt"
	"os"
	"syscall"
)

// OpenActions opens the action log for appending and creates it, readable for
// its group, where there is none. It must be a regular file, since a FIFO
// without a reader would hold the run. Each line is one write, so that lines
// of two runs never mix (open(2), O_APPEND).
func OpenActions(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open the action log: %w; see log.file", err)
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%q is not a regular file", path)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open the action log: %w; see log.file", err)
	}
	return f, nil
}
