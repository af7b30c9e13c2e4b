package logscan

import (
	"bytes"
	"errors"
	"io"
	"time"

	"blockhosts/internal/record"
)

// read reads a stretch to its end and returns what follows its last newline.
func (s *scan) read(l *log, st *stretch) []byte {
	if packing(st.file.path) == "" && st.pos >= st.file.size {
		return nil // gained nothing, as most do: no buffer for that
	}
	if s.buf == nil {
		s.buf = make([]byte, blockSize)
	}
	s.found.newStretch()
	r := newBlockReader(st.r, s.buf)
	for {
		b, err := r.next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				s.problem(true, "source "+l.path+": "+reason(err), "source %s: reading %s at byte %d: %s", l.path, st.file.path, st.pos+r.taken, reason(err))
			}
			break
		}
		s.block(l, st, b)
		s.progress(int64(len(b)))
		if s.ctx.Err() != nil && st == l.own { // what was rotated is read to its end
			break
		}
	}
	st.pos += r.taken
	l.report.Read += r.taken
	l.report.Skipped += r.skipped
	text, size := r.rest()
	st.waiting = size
	return bytes.Clone(text)
}

func (s *scan) progress(n int64) {
	s.done += n
	if s.opt.Progress != nil {
		s.opt.Progress(s.done, max(s.total, s.done))
	}
}

// share is how much of what is to be read was read so far, from 0 to 1.
func (s *scan) share() float64 { return float64(s.done) / float64(max(s.total, s.done, 1)) }

// block takes whole lines apart.
func (s *scan) block(l *log, st *stretch, b []byte) {
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		s.one(l, st, b[:end])
		b = b[end+1:]
	}
}

// one deals with one line.
func (s *scan) one(l *log, st *stretch, raw []byte) {
	if len(raw) > 0 && raw[0] == 0 {
		raw = bytes.TrimLeft(raw, "\x00")
	}
	if n := len(raw); n > 0 && raw[n-1] == '\r' {
		raw = raw[:n-1]
	}
	if len(raw) > MaxLine {
		l.report.Skipped++
		return
	}
	l.report.Lines++
	line := &s.line
	s.parser.parse(line, raw)
	if line.Form == record.FormBare && !s.bareLog(st) {
		*line = record.Line{Raw: raw, Message: raw, Repeat: 1}
	}
	m := s.matcher.Match(line)
	if m.Known || m.Matched || m.Ambiguous || m.TimedOut != nil {
		s.matched(l, st, line, &m)
	}
}

// bareLog tells whether a file's lines begin without a stamp, as its first
// one does. In others what looks like such a prefix is a client's text: in
// what "sshd -E" writes, a line can begin "User sshd[1]: …", a name.
func (s *scan) bareLog(st *stretch) bool {
	if st.bare == 0 {
		st.bare = -1
		if first, err := st.file.first(); err == nil {
			first, _, _ = bytes.Cut(bytes.TrimLeft(first, "\x00"), []byte("\n"))
			if line := ParseLine(first); line.Form == record.FormBare {
				st.bare = 1
			}
		}
	}
	return st.bare > 0
}

// matched deals with a line that the rules have something to say about.
func (s *scan) matched(l *log, st *stretch, line *record.Line, m *record.Match) {
	for _, rule := range m.TimedOut {
		s.problem(false, "rule "+rule+": too slow", "rule %s took too long on a line of %s; the line was passed over, and the rule should be mended", rule, l.path)
	}
	if m.Ambiguous {
		s.Ambiguous++
		if len(s.Ambiguities) < maxAmbiguities {
			s.Ambiguities = append(s.Ambiguities, cutText(line.Raw))
		}
	}
	hit := m.Matched && m.Addr.IsValid() || m.Host != "" && !m.Ambiguous
	if hit {
		var at time.Time
		if at, hit = s.when(l, st, line); hit {
			l.report.Matched++
			s.found.add(line, m, at, s.share())
		}
	}
	if m.Known {
		s.found.program(line.Program, hit)
	}
}

// maxAmbiguities is how many ambiguous lines are shown.
const maxAmbiguities = 10

// trouble is what was odd about the stamps of one log.
type trouble struct {
	lines int       // in the wrong zone, it seems
	first time.Time // of these
	again int       // not counted again
}

// zoneSlack is how much older than the reading before a new line may be
// stamped. The hour that summer time's end repeats is just within it.
const zoneSlack = time.Hour

// when returns the time at which a line's failure counts; false where it was
// counted in an earlier run, or is not of the time that is asked for.
func (s *scan) when(l *log, st *stretch, line *record.Line) (time.Time, bool) {
	now := s.opt.Now.UTC()
	at, ok := s.found.stamp(line, now, l.zone)
	if !ok {
		at = now
	}
	if at.Before(s.opt.Since) || !s.opt.Until.IsZero() && at.After(s.opt.Until) {
		return at, false
	}
	if !ok {
		return now, true
	}
	switch {
	case st.read.IsZero():
	case st.mode == goesOn && at.Before(st.read.Add(-zoneSlack)):
		if l.trouble.lines++; l.trouble.lines == 1 {
			l.trouble.first = at
		}
		at = now
	case st.mode == again && at.Before(st.read.Add(-settle)):
		l.trouble.again++
		return at, false
	}
	if s.opt.ClockRun {
		at = now
	}
	return at, true
}
