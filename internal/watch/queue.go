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
	hand    []line // taken by a run that has not ended
	dropped map[string]int
}

type line struct {
	source string
	text   []byte
}

// Add keeps a line of a source, which the caller may change no more, or drops
// it.
func (q *Queue) Add(source string, text []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(line{source, text})
}

func (q *Queue) add(l line) {
	if len(q.lines) >= MaxLines || q.bytes+len(l.text) > MaxBytes {
		if q.dropped == nil {
			q.dropped = map[string]int{}
		}
		q.dropped[l.source]++
		return
	}
	q.lines = append(q.lines, l)
	q.bytes += len(l.text)
}

// Empty tells whether nothing waits.
func (q *Queue) Empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.lines) == 0
}

// Take hands out what waits, by source and in order, until Done or Back. What
// comes meanwhile finds the queue empty.
func (q *Queue) Take() map[string][][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hand, q.lines, q.bytes = q.lines, nil, 0
	all := map[string][][]byte{}
	for _, l := range q.hand {
		all[l.source] = append(all[l.source], l.text)
	}
	return all
}

// Done forgets what was taken.
func (q *Queue) Done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hand = nil
}

// Back puts what was taken in front of what came meanwhile, of which the last
// is dropped where both together are too much.
func (q *Queue) Back() {
	q.mu.Lock()
	defer q.mu.Unlock()
	meanwhile := q.lines
	q.lines, q.hand, q.bytes = q.hand, nil, 0
	for _, l := range q.lines {
		q.bytes += len(l.text)
	}
	for _, l := range meanwhile {
		q.add(l)
	}
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
