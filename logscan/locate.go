package logscan

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// beside lists the files that the log may once have been, the oldest first.
// It is asked for only where something was rotated.
func (l *log) beside() []rotated {
	if l.listed == nil {
		l.listed, l.certain = rotatedOf(l.real)
	}
	return l.listed
}

// patience is how often files that were renamed while they were looked for
// are looked for again.
const patience = 3

// locate finds the file that o was read from among those beside the log: by
// its number, else by its content, in a copy or compressed. at is its index in
// beside.
func (s *scan) locate(l *log, o record.Offset) (st *stretch, at int) {
	for range patience {
		gone := false
		for at := range l.beside() {
			if l.listed[at].id == (id{o.Device, o.Inode}) {
				if st := s.try(l, at, o, unclear, &gone); st != nil {
					return st, at
				}
			}
		}
		if o.Tail != "" || o.FirstLine != "" {
			for at := len(l.listed) - 1; at >= 0; at-- {
				if l.listed[at].kin {
					if st := s.try(l, at, o, proven, &gone); st != nil {
						return st, at
					}
				}
			}
		}
		if !gone {
			break
		}
		l.listed = nil
	}
	return nil, -1
}

// locateOld is locate for what was rotated not long ago and mostly is still
// where it was.
func (s *scan) locateOld(l *log, o record.Offset) *stretch {
	if info, err := os.Stat(o.Path); err == nil && idOf(info) == (id{o.Device, o.Inode}) {
		all, gone := l.listed, false
		l.listed = []rotated{{path: o.Path, id: idOf(info), kin: true}}
		st := s.try(l, 0, o, unclear, &gone)
		l.listed = all
		if st != nil {
			return st
		}
	}
	st, _ := s.locate(l, o)
	return st
}

// try opens a file beside the log and compares it with o. Where nothing of a
// file had been read, its number alone is little: when it was removed, the
// number goes to the next file that is made, whatever that is.
func (s *scan) try(l *log, at int, o record.Offset, want proof, gone *bool) *stretch {
	f := s.openBeside(l, at, gone)
	if f == nil {
		return nil
	}
	r, pos, p := f.continues(o)
	if p < want || p == unclear && (!l.listed[at].kin || !f.changedSince(o.Read) || s.known(f)) {
		f.close()
		return nil
	}
	st := &stretch{file: f, r: r, pos: pos, read: o.Read, mode: goesOn}
	if o.Read.IsZero() {
		st.mode = begins
	}
	return st
}

// openBeside opens a file beside the log that no source names on its own.
func (s *scan) openBeside(l *log, at int, gone *bool) *logFile {
	r := l.listed[at]
	if s.ids[r.id] {
		return nil
	}
	f, err := openLog(r.path)
	if err == nil && f.id == r.id {
		if _, err = f.content(); err == nil {
			return f
		}
	}
	switch {
	case f != nil:
		f.close()
		*gone = *gone || err == nil // another file has that name by now
	case isMissing(err):
		*gone = true
	}
	if r.kin {
		l.cannotRead(r, err)
	}
	return nil
}

// rotations finds the rest of what the log was when it was read last, and all
// that was rotated since. It is false where the former is not found.
func (s *scan) rotations(l *log, todo []*stretch) (all []*stretch, found bool) {
	o := s.prev[l.last]
	for range patience {
		st, at := s.locate(l, o)
		if st == nil {
			break
		}
		st.prev = &s.prev[l.last]
		all = append(all[:0], st)
		moved := false
		for _, r := range younger(l.listed, at) {
			younger := s.whole(l, r, o, goesOn, &moved)
			switch {
			case younger == nil:
			case !l.certain && (s.known(younger.file) || !s.startsAfter(l, younger.file, o.Read)):
				younger.file.close()
			default:
				all = append(all, younger)
			}
		}
		if !moved {
			return all, true
		}
		for _, st := range all {
			st.file.close()
		}
		l.listed = nil // rotated again meanwhile
	}
	return s.fresh(l, o, todo), false
}

// whole opens a rotated file to read all of it.
func (s *scan) whole(l *log, r rotated, o record.Offset, m mode, moved *bool) *stretch {
	if s.ids[r.id] {
		return nil
	}
	f, err := openLog(r.path)
	if err != nil {
		*moved = *moved || isMissing(err)
		l.cannotRead(r, err)
		return nil
	}
	text, err := f.content()
	if err != nil || f.id != r.id {
		f.close()
		*moved = *moved || err == nil
		l.cannotRead(r, err)
		return nil
	}
	return &stretch{file: f, r: text, read: o.Read, mode: m}
}

func (l *log) cannotRead(r rotated, err error) {
	if name := filepath.Base(r.path); err != nil && !isMissing(err) && !strings.Contains(l.notRead, name) {
		l.notRead += fmt.Sprintf(", and %s cannot be read: %s", name, reason(err))
	}
}

// fresh finds what was written since the log was read last and rotated at
// once, where what was read then is not found: rotated files that changed
// since and whose first line says that it was written since.
func (s *scan) fresh(l *log, o record.Offset, todo []*stretch) (all []*stretch) {
	if l.file == nil {
		return nil
	}
	l.report.Gap = o.Pos > 0
	if o.Read.IsZero() {
		return nil
	}
	for _, r := range l.beside() {
		if r.age == "" || r.mtime.Before(o.Read.Add(-mtimeSlack)) || slices.ContainsFunc(todo, func(st *stretch) bool { return st.file.id == r.id }) {
			continue
		}
		var moved bool
		st := s.whole(l, r, o, again, &moved)
		if st != nil && (s.known(st.file) || !s.startsAfter(l, st.file, o.Read)) {
			st.file.close()
			st = nil
		}
		if st != nil {
			all = append(all, st)
		}
	}
	return all
}

// known tells whether an earlier run has read of the file.
func (s *scan) known(f *logFile) bool {
	head, err := f.head()
	return err == nil && slices.ContainsFunc(s.prev, func(o record.Offset) bool {
		return head != "" && o.Head == head
	})
}

// startsAfter tells whether a file's first line is stamped after t.
func (s *scan) startsAfter(l *log, f *logFile, t time.Time) bool {
	first, err := f.first()
	if err != nil {
		return false
	}
	first, _, _ = bytes.Cut(first, []byte("\n"))
	line := ParseLine(first)
	at, ok := Stamp(&line, s.opt.Now, l.zone)
	return ok && at.After(t.Add(-settle))
}
