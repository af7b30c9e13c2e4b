package logscan

import (
	"bytes"
	"io"
	"time"

	"blockhosts/internal/record"
)

// A stretch is a part of one file that is read in this run.
type stretch struct {
	file    *logFile
	r       io.Reader
	pos     int64     // bytes; where r begins, and after reading where it was read to
	waiting int64     // bytes behind pos: a line without its newline
	read    time.Time // when the log was read last; zero where it never was
	mode    mode
	bare    int8           // 1: lines begin without a stamp, -1: they do not; see bareLog
	prev    *record.Offset // the reading that it continues; nil where it is read from its start
}

// A mode says what an old stamp means.
type mode uint8

const (
	begins mode = iota // never read before: lines are as old as they say
	goesOn             // what follows an earlier reading: old stamps are in the wrong zone
	again              // a file that took the place of another, whose end was not found: it may hold lines that were read
)

// settle is how long before an earlier reading a line may be stamped and
// still have been written after it: daemons and syslog write with a delay.
const settle = 2 * time.Minute

// followFor is how long after its last change a rotated file is still
// followed. Daemons write to it until they are told to open the new one;
// Apache's workers do so until their last request has ended.
const followFor = time.Hour

// follow reads what one log gained: the rest of what was rotated away, then
// what was rotated since, then the file itself.
//
// The last line of a rotated file waits for its newline like any other, for
// followFor; what then has none is given up, since a line cut short could
// name a wrong address. A line of which copytruncate left the first part in
// the copy and the second in the new file is put together.
func (s *scan) follow(l *log) {
	if l.file != nil {
		defer l.file.close()
	}
	if !l.kept && s.ctx.Err() == nil {
		var behind *stretch
		var rest []byte
		for _, st := range s.plan(l) {
			joined := s.join(l, st, rest)
			if behind != nil {
				s.leaveBehind(l, behind, joined)
			}
			rest = s.read(l, st)
			if behind = st; st == l.own {
				l.report.Waiting += st.waiting
				behind = nil
			}
		}
		if behind != nil {
			s.leaveBehind(l, behind, false)
		}
	} else {
		s.Offsets = append(s.Offsets, l.olds...)
	}
	s.finish(l)
}

// plan says what is to be read of one log, in order, the log's own stretch
// last. Where the log is missing, that is the youngest rotated file.
func (s *scan) plan(l *log) []*stretch {
	if s.opt.IgnoreOffset {
		s.Offsets = append(s.Offsets, l.olds...)
		return s.fromStart(l, nil, begins)
	}
	var todo []*stretch
	for i := range l.olds {
		if st := s.locateOld(l, l.olds[i]); st != nil {
			st.prev = &l.olds[i]
			todo = append(todo, st)
		}
	}
	switch {
	case l.on != nil:
		if l.on.Pos == 0 && dirsChanged(l.real, l.on.Read) { // nothing of it was read, so that a truncation leaves no trace
			todo = append(todo, s.fresh(l, *l.on, todo)...)
		}
		l.own = &l.from
		return append(todo, l.own)
	case l.last < 0:
		return s.fromStart(l, todo, begins)
	case s.used[l.last]: // another source's file continues it
		return s.fromStart(l, todo, goesOn)
	}
	s.used[l.last] = true
	rotated, found := s.rotations(l, todo)
	if todo = append(todo, rotated...); found {
		l.own = rotated[len(rotated)-1]
		return s.fromStart(l, todo, goesOn)
	}
	return s.fromStart(l, todo, again)
}

// fromStart adds the whole file, if it is there.
func (s *scan) fromStart(l *log, todo []*stretch, m mode) []*stretch {
	if l.file == nil {
		return todo
	}
	r, err := l.file.content()
	if err != nil {
		return todo
	}
	l.from = stretch{file: l.file, r: r, mode: m}
	if l.last >= 0 && m != begins {
		l.from.read = s.prev[l.last].Read
	}
	l.own = &l.from
	return append(todo, l.own)
}

// finish records how far the log was read. One that was not keeps its offset.
func (s *scan) finish(l *log) {
	if l.last >= 0 {
		s.used[l.last] = true
	}
	switch st := l.own; {
	case st != nil:
		l.report.Offset, l.report.Size = st.pos, st.file.size
		s.Offsets = append(s.Offsets, s.withLoss(l, s.offset(l.path, st)))
		if st.file != l.file {
			st.file.close()
		}
	case l.on != nil:
		o := *l.on
		o.Path = l.path
		s.Offsets = append(s.Offsets, o)
	case l.last >= 0:
		l.report.Offset = s.prev[l.last].Pos
		s.Offsets = append(s.Offsets, s.prev[l.last])
	}
	if l.own != nil || l.kept || l.last >= 0 {
		s.Files = append(s.Files, l.report)
	}
	s.tell(l)
	s.Lines += l.report.Lines
	s.Matched += l.report.Matched
}

// tell makes problems of what was odd about a log.
func (s *scan) tell(l *log) {
	r, key := &l.report, "source "+l.path+": "
	if l.trouble.lines > 0 {
		s.problem(false, key+"time zone", "source %s: %d lines are stamped over an hour before the log was read last, the first %s; they count as now; say the zone of this source's stamps", l.path, l.trouble.lines, l.trouble.first.Format(time.RFC3339))
	}
	if l.trouble.again > 0 {
		s.problem(false, key+"replaced", "source %s was replaced or rewritten; %d failures from before it was read last are not counted again", l.path, l.trouble.again)
	}
	if r.Gap {
		s.problem(false, key+"gap", "source %s was truncated or replaced, and what it held before was not found%s: lines written after it was read last may be lost", l.path, l.notRead)
	}
	if r.PossiblyLost > 0 {
		s.problem(false, key+"lost", "source %s: %d bytes of rotated files were not read: their last line never ended", l.path, r.PossiblyLost)
	}
	if r.Skipped > 0 {
		s.problem(false, key+"long lines", "source %s: %d lines of more than %d KiB were skipped", l.path, r.Skipped, MaxLine>>10)
	}
}

// offset is where a stretch ended. The hashes of a file that gained nothing
// are those that were compared.
func (s *scan) offset(path string, st *stretch) record.Offset {
	if was := st.prev; was != nil && was.Pos == st.pos && was.Tail != "" && was.Head != "" {
		return record.Offset{Path: path, Pos: st.pos, Device: st.file.id.dev, Inode: st.file.id.ino, Head: was.Head, Tail: was.Tail, Read: s.opt.Now}
	}
	return st.file.offset(path, st.pos, s.opt.Now)
}

// withLoss adds to an offset what of the log was lost in all runs.
func (s *scan) withLoss(l *log, o record.Offset) record.Offset {
	if l.last >= 0 {
		o.Lost, o.Gap = s.prev[l.last].Lost, s.prev[l.last].Gap
	}
	o.Lost += l.report.PossiblyLost
	if l.report.Gap {
		o.Gap = s.opt.Now
	}
	return o
}

// leaveBehind ends the reading of a rotated file, or keeps following it.
func (s *scan) leaveBehind(l *log, st *stretch, joined bool) {
	defer st.file.close()
	switch {
	case s.opt.Now.Sub(st.file.mtime) < followFor:
		s.Offsets = append(s.Offsets, s.offset(st.file.path, st))
		if !joined {
			l.report.Waiting += st.waiting
		}
	case !joined:
		l.report.PossiblyLost += st.waiting
	}
}

// join puts together a line whose first part ends an earlier stretch, rest,
// and whose second begins this one: where both together begin as a line does,
// and the second does not begin like that.
func (s *scan) join(l *log, st *stretch, rest []byte) bool {
	if len(rest) == 0 || st.pos != 0 || st.mode == begins {
		return false
	}
	first, err := st.file.first()
	end := bytes.IndexByte(first, '\n')
	if err != nil || end < 0 {
		return false // it waits, too
	}
	part := bytes.TrimLeft(first[:end], "\x00")
	whole := append(bytes.Clone(rest), part...)
	if mark := markOf(whole); mark == (lineMark{}) || mark == markOf(part) {
		return false
	}
	r, _, err := st.file.from(int64(end) + 1)
	if err != nil {
		return false
	}
	st.r, st.pos = r, int64(end)+1
	l.report.Read += st.pos
	s.one(l, s.setting(l, st), whole)
	return true
}

// A lineMark is what a line of a log begins with; zero for one that begins
// with neither prefix nor stamp.
type lineMark struct {
	form record.Form
	own  ownForm // counted from 1
}

func markOf(b []byte) (mark lineMark) {
	line := ParseLine(b)
	if mark.form = line.Form; mark.form == record.FormNone {
		var m moment
		for form := range ownForms {
			if m.own(form, opened(b), 0) > 0 {
				mark.own = form + 1
				break
			}
		}
	}
	return mark
}
