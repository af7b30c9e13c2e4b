package logscan

import (
	"errors"
	"io"
	"sync"
)

// turns is a stretch on its way to the workers, who take turns in reading it: a
// block stays in the cache of the core that read it.
type turns struct {
	log   *log
	of    *setting
	lines *blockReader
	goOn  func() bool // false: what was not read is for another run
	free  chan *batch
	begun chan *batch // in the order of the lines; closed at the end

	mu       sync.Mutex // guards lines, begun and what follows
	ended    bool
	err      error // why it cannot be read any further
	panicked any   // what reading it has panicked with
}

// hand has the workers read what r does, and takes what comes of it in the order
// of the lines.
func (s *scan) hand(l *log, st *stretch, r *blockReader) {
	crew := s.crew(max(st.file.size-st.pos, 0))
	depth := 1 // batches at a time
	if len(crew) > 1 {
		depth = 2 * len(crew)
	}
	for len(s.batches) < depth {
		s.batches = append(s.batches, newBatch())
	}
	t := &turns{log: l, of: s.setting(l, st), lines: r, free: make(chan *batch, depth), begun: make(chan *batch, depth)}
	t.goOn = func() bool { return s.ctx.Err() == nil || st != l.own } // what was rotated is read to its end
	for _, b := range s.batches[:depth] {
		t.free <- b
	}
	if len(crew) == 1 {
		for crew[0].turn(t) {
			s.collect(t)
		}
	} else {
		for _, w := range crew {
			go w.serve(t)
		}
		for s.collect(t) {
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.panicked != nil {
		panic(t.panicked) // where somebody tells of it
	}
	if err := t.err; err != nil {
		s.problem(true, "source "+l.path+": "+reason(err), "source %s: reading %s at byte %d: %s", l.path, st.file.path, st.pos+r.taken, reason(err))
	}
}

// serve takes turns until all is read.
func (w *worker) serve(t *turns) {
	defer t.rescue()
	for w.turn(t) {
	}
}

// turn reads a batch and works on it; false where there is none.
func (w *worker) turn(t *turns) bool {
	b := <-t.free
	if !t.read(b) {
		t.free <- b
		return false
	}
	w.work(b)
	return true
}

// read reads the lines of one batch; false at the end, and where the file cannot
// be read any further.
func (t *turns) read(b *batch) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return false
	}
	var err error
	if t.ended = !t.goOn(); !t.ended {
		b.begin(t.of)
		t.lines.use(b.buf)
		b.text, err = t.lines.next()
		t.ended = err != nil
	}
	if t.ended {
		if !errors.Is(err, io.EOF) {
			t.err = err
		}
		close(t.begun)
		return false
	}
	t.begun <- b // there is room for all
	return true
}

// rescue ends the reading where it has panicked.
func (t *turns) rescue() {
	if p := recover(); p != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.panicked = p; !t.ended {
			t.ended = true
			close(t.begun)
		}
	}
}

// collect waits for the next batch and adds what came of it; false at the end.
func (s *scan) collect(t *turns) bool {
	b, ok := <-t.begun
	if !ok {
		return false
	}
	<-b.done
	s.gather(t.log, b)
	s.progress(int64(len(b.text)))
	t.free <- b
	return true
}
