package logscan

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"

	"blockhosts/internal/record"
)

// A worker takes lines apart and holds them against the rules, one core's work.
// What comes of them is put in order by the scan, so that it makes no
// difference how many there are.
type worker struct {
	matcher  Matcher
	another  func() Matcher // in place of one that has panicked; may be nil
	parser   parser
	programs programs
	latest   *ProgramReport // the program of the line before
	kept     int            // hits of the batch before the line at hand
}

// A batch is whole lines on their way through a worker.
type batch struct {
	buf  []byte
	text []byte // of buf: the lines, each with its newline
	bare bool   // lines may begin without a stamp

	hits    []hit // in the order of the lines
	lines   int
	skipped int      // lines over MaxLine
	broken  []string // what rules or parsers panicked with
	done    chan struct{}
}

// A hit is a line that the rules have something to say about.
type hit struct {
	line  record.Line
	match record.Match
}

func newBatch() *batch { return &batch{buf: make([]byte, blockSize), done: make(chan struct{}, 1)} }

// maxWorkers is how many cores a scan takes: the part that has to be done in
// order keeps no more of them busy.
const maxWorkers = 4

// aloneUpTo is how many bytes of one file are not worth a second worker, which
// has to compile the rules that it needs for itself.
const aloneUpTo = 2 << 20

// crew returns the workers for size bytes.
func (s *scan) crew(size int64) []*worker {
	if s.opt.Another != nil && size > aloneUpTo {
		for len(s.workers) < min(maxWorkers, runtime.GOMAXPROCS(0)) {
			s.workers = append(s.workers, newWorker(s.opt.Another(), s.opt.Another))
		}
		return s.workers
	}
	return s.workers[:1]
}

func newWorker(m Matcher, another func() Matcher) *worker {
	return &worker{matcher: m, another: another, programs: programs{}}
}

// begin makes a batch ready for new lines.
func (b *batch) begin(bare bool) {
	b.bare, b.hits, b.lines, b.skipped, b.broken = bare, b.hits[:0], 0, 0, nil
}

// work fills in what comes of a batch.
func (w *worker) work(b *batch) {
	for rest := b.text; len(rest) > 0; {
		rest = w.some(b, rest)
	}
	b.done <- struct{}{}
}

// some works on lines until there are none, or until one makes a rule or a
// parser panic: the next call goes on behind it.
func (w *worker) some(b *batch, lines []byte) (rest []byte) {
	defer w.rescue(b)
	for rest = lines; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		raw := rest[:end]
		rest = rest[end+1:]
		w.one(b, raw)
	}
	return rest
}

// alone works on one line that stands by itself.
func (w *worker) alone(b *batch, raw []byte) {
	defer w.rescue(b)
	w.one(b, raw)
}

// entry works on a line that was taken apart already.
func (w *worker) entry(b *batch, line *record.Line) {
	defer w.rescue(b)
	w.kept = len(b.hits)
	h := b.hit()
	h.line = *line
	w.match(b, h)
}

// rescue takes note of a panic. Otherwise each run would end on the same line.
func (w *worker) rescue(b *batch) {
	if p := recover(); p != nil {
		b.hits = b.hits[:w.kept]
		b.broken = append(b.broken, fmt.Sprint(p))
		if w.another != nil {
			w.matcher = w.another()
		}
	}
}

// one deals with one line.
func (w *worker) one(b *batch, raw []byte) {
	w.kept = len(b.hits)
	if len(raw) > 0 && raw[0] == 0 {
		raw = bytes.TrimLeft(raw, "\x00")
	}
	if n := len(raw); n > 0 && raw[n-1] == '\r' {
		raw = raw[:n-1]
	}
	if len(raw) > MaxLine {
		b.skipped++
		return
	}
	b.lines++
	h := b.hit()
	w.parser.parse(&h.line, raw)
	if h.line.Form == record.FormBare && !b.bare {
		h.line = record.Line{Raw: raw, Message: raw, Repeat: 1}
	}
	w.match(b, h)
}

// match holds the line of h, the latest hit, against the rules. It is none
// where they have nothing to say.
func (w *worker) match(b *batch, h *hit) {
	m := w.matcher.Match(&h.line)
	if m.Known {
		w.known(h.line.Program)
	}
	if m.Matched || m.Host != "" || m.Ambiguous || m.TimedOut != nil {
		h.match = m
	} else {
		b.hits = b.hits[:len(b.hits)-1]
	}
}

// hit adds one.
func (b *batch) hit() *hit {
	if len(b.hits) == cap(b.hits) {
		b.hits = slices.Grow(b.hits, 64)
	}
	b.hits = b.hits[:len(b.hits)+1]
	return &b.hits[len(b.hits)-1]
}

// known counts a line of a program that some rule reads.
func (w *worker) known(name []byte) {
	if w.latest == nil || w.latest.Program != string(name) {
		w.latest = w.programs.of(name)
	}
	w.latest.Lines++
}
