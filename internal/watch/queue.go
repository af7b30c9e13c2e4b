package watch

import "sync"

// What a queue holds at most: two seconds of a busy log host, a few megabytes.
const (
	MaxLines = 10_000
	MaxBytes = 16 << 20
)

// A Queue keeps the lines that were received until a run has saved what
// follows from them. A full one drops what comes, and counts it: what came
// first is what blocks an attacker.
type Queue struct {
	mu      sync.Mutex
	lines   []line
	bytes   int
	dropped map[string]int
}

type line struct {
	source string
	text   []byte
}

// Add keeps a line of a source, which the caller may change no more. It is
// false where the line was dropped.
func (q *Queue) Add(source string, text []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) >= MaxLines || q.bytes+len(text) > MaxBytes {
		if q.dropped == nil {
			q.dropped = map[string]int{}
		}
		q.dropped[source]++
		return false
	}
	q.lines = append(q.lines, line{source, text})
	q.bytes += len(text)
	return true
}

// Lines returns what waits, by source and in order, and how many lines that
// are: Done takes this number.
func (q *Queue) Lines() (bySource map[string][][]byte, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	bySource = map[string][][]byte{}
	for _, l := range q.lines {
		bySource[l.source] = append(bySource[l.source], l.text)
	}
	return bySource, len(q.lines)
}

// Done forgets the first n lines.
func (q *Queue) Done(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lines[:n] {
		q.bytes -= len(l.text)
	}
	q.lines = append([]line(nil), q.lines[n:]...) // a burst's memory goes with it
}

// Dropped returns how many lines of each source were dropped since it was
// asked last.
func (q *Queue) Dropped() map[string]int {
	q.mu.Lock()
	defer q.mu.Unlock()
	d := q.dropped
	q.dropped = nil
	return d
}
