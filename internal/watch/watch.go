// Package watch waits for log sources to gain something, and rings: directories
// of log files through the kernel's notification, the journal through a child
// that follows it. What is gone once it was received, datagrams and what a FIFO
// gives, it keeps in a bounded queue. It knows no rule, no configuration and no
// run; nothing of it turns while nothing happens.
//
// A ring says only that there may be something: the run looks for itself, so
// that a lost or a needless ring costs time and never a line.
package watch

// A Bell rings for whoever waits for it. Ringing twice before it is heard is
// ringing once.
type Bell chan struct{}

// NewBell returns a bell.
func NewBell() Bell { return make(Bell, 1) }

// Ring rings; it never waits.
func (b Bell) Ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}
