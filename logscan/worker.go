package logscan

import (
	"bytes"
	"fmt"
	"runtime"
	"time"

	"blockhosts/internal/record"
)

// A worker takes lines apart, holds them against the rules and dates what they
// find, one core's work. What comes of them is put in order by the scan, so
// that it makes no difference how many there are.
type worker struct {
	matcher  Matcher
	another  func() Matcher // in place of one that has panicked; may be nil
	parser   parser
	line     record.Line  // the one at hand
	match    record.Match // what the rules say of it
	dates    dating
	accused  accused
	programs programs
	program  *ProgramReport // that of the line at hand, where some rule reads it
	places   []int          // of its blames in the failures, by number; the scan's
}

// A batch is whole lines on their way through a worker.
type batch struct {
	buf  []byte
	text []byte // of buf: the lines, each with its newline
	of   *setting
	by   *worker

	finds       []find          // in the order of the lines
	blames      []*record.Blame // that the worker has met for the first time
	lines       int
	skipped     int      // lines over MaxLine
	ambiguous   int      // lines whose address cannot be told for sure
	ambiguities []string // the first of them, cut
	slow        []string // rules that took too long
	broken      []string // what rules or parsers panicked with
	trouble     trouble
	done        chan struct{}
}

// A find is a failure that a worker has found.
type find struct {
	at     int64  // microseconds since 1970
	blame  uint32 // its number
	repeat uint32
	user   string
	pid    []byte // of the batch, as is line
	line   []byte
}

func newBatch() *batch { return &batch{buf: make([]byte, blockSize), done: make(chan struct{}, 1)} }

// maxWorkers is how many cores a scan takes: reading and putting in order keep
// no more of them busy.
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
	return &worker{matcher: m, another: another}
}

// begin makes a batch ready for new lines.
func (b *batch) begin(of *setting) {
	*b = batch{buf: b.buf, of: of, finds: b.finds[:0], blames: b.blames[:0], done: b.done}
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
	b.by = w
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
	b.by = w
	w.one(b, raw)
}

// entry works on a line that was taken apart already.
func (w *worker) entry(b *batch, line *record.Line) {
	defer w.rescue(b)
	b.by = w
	w.line = *line
	w.ask(b)
}

// rescue takes note of a panic. Otherwise each run would end on the same line.
// What a line brings is noted last, so that this one has brought nothing.
func (w *worker) rescue(b *batch) {
	if p := recover(); p != nil {
		b.broken = append(b.broken, fmt.Sprint(p))
		if w.another != nil {
			w.matcher = w.another()
		}
	}
}

// one deals with one line.
func (w *worker) one(b *batch, raw []byte) {
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
	w.parser.parse(&w.line, raw)
	if w.line.Form == record.FormBare && !b.of.bare {
		whole(&w.line, raw)
	}
	w.ask(b)
}

// ask holds the line at hand against the rules.
func (w *worker) ask(b *batch) {
	m := &w.match
	w.matcher.MatchInto(&w.line, m)
	if m.Known {
		w.program = w.programs.of(w.line.Program)
		w.program.Lines++
	}
	switch {
	case m.Ambiguous:
		if b.ambiguous++; b.ambiguous <= maxAmbiguities {
			b.ambiguities = append(b.ambiguities, cutText(w.line.Raw))
		}
	case m.Matched && m.Addr.IsValid(), m.Host != "":
		w.found(b, m)
	}
	b.slow = append(b.slow, m.TimedOut...)
}

// maxAmbiguities is how many ambiguous lines are shown.
const maxAmbiguities = 10

// found dates a failure and notes it.
func (w *worker) found(b *batch, m *record.Match) {
	at, fate := w.dates.when(b.of, &w.line)
	if fate == wrongZone {
		b.trouble.zone(w.dates.written)
	}
	switch fate {
	case seenBefore:
		b.trouble.again++
	case counted, wrongZone:
		if m.Known {
			w.program.Matched++
		}
		n, fresh := w.accused.number(m.Addr, m.Rule, w.line.Program)
		if fresh {
			b.blames = append(b.blames, &record.Blame{Addr: m.Addr, Host: m.Host, Service: m.Service, Rule: m.Rule, Program: string(w.line.Program)})
		}
		b.finds = append(b.finds, find{at, n, uint32(max(w.line.Repeat, 1)), m.User, w.line.PID, w.line.Raw})
	}
}

// trouble is what was odd about the stamps of one log.
type trouble struct {
	lines int       // in the wrong zone, it seems
	first time.Time // of these
	again int       // not counted again
}

// zone takes note of a line that is stamped so.
func (t *trouble) zone(at time.Time) {
	if t.lines++; t.lines == 1 {
		t.first = at
	}
}

// add adds what was odd about later lines.
func (t *trouble) add(o trouble) {
	if t.lines == 0 {
		t.first = o.first
	}
	t.lines += o.lines
	t.again += o.again
}
