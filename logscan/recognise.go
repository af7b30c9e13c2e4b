package logscan

import (
	"path/filepath"
	"strings"

	"blockhosts/internal/record"
)

// recognise finds out which earlier reading each file continues: by path and
// number first, then by number under another name (a glob may name a log and
// what rotation makes of it alike), then by what it says.
func (s *scan) recognise(logs []*log) {
	for _, l := range logs {
		for i, o := range s.prev {
			if o.Path == l.path {
				l.last = i
			}
		}
		s.adopt(l, logs)
		if l.last >= 0 && l.file != nil && !s.opt.IgnoreOffset {
			if o := s.prev[l.last]; sameFile(o, l.file) || o.Inode == 0 {
				s.take(l, l.last, unclear)
			}
		}
	}
	if s.opt.IgnoreOffset {
		return
	}
	for _, l := range logs {
		for i := range s.prev {
			if l.file != nil && l.on == nil && !s.used[i] && sameFile(s.prev[i], l.file) && (s.prev[i].Pos > 0 || l.file.changedSince(s.prev[i].Read)) {
				s.take(l, i, unclear)
			}
		}
	}
	for _, l := range logs {
		if l.file != nil && l.on == nil {
			s.takeByContent(l)
		}
	}
	s.total = 0
	for _, l := range logs {
		if l.file != nil {
			s.total += max(l.file.size-l.from.pos, 0)
		}
	}
}

func sameFile(o record.Offset, f *logFile) bool { return f.id == id{o.Device, o.Inode} }

// take lets l continue the reading at i if that is as sure as it must be.
func (s *scan) take(l *log, i int, want proof) bool {
	r, pos, p := l.file.continues(s.prev[i])
	if p < want {
		return false
	}
	o := &s.prev[i]
	l.on = o
	l.from = stretch{file: l.file, r: r, pos: pos, read: o.Read, mode: goesOn, prev: o}
	if o.Read.IsZero() {
		l.from.mode = begins
	}
	s.used[i] = true
	return true
}

// takeByContent looks among the readings that no file has continued, the one
// under the log's own path first. Two files of equal content cannot be told
// apart, but then it does no harm.
func (s *scan) takeByContent(l *log) {
	if l.last >= 0 && !s.used[l.last] && !s.renamed(l) && s.take(l, l.last, proven) {
		return
	}
	for i := range s.prev {
		if i != l.last && !s.used[i] && s.take(l, i, proven) {
			return
		}
	}
}

// renamed tells whether what was read under the log's path still exists
// beside it under another name, so that the log is a new file.
func (s *scan) renamed(l *log) bool {
	o := s.prev[l.last]
	for _, r := range l.beside() {
		if r.id == (id{o.Device, o.Inode}) {
			return true
		}
	}
	return false
}

// adopt gives a log the readings of its rotated files, which are followed for
// a while: a daemon may write to them until it opens the new one.
func (s *scan) adopt(l *log, logs []*log) {
	dir, base := filepath.Split(l.real)
	for i, o := range s.prev {
		if s.used[i] || i == l.last || named(logs, o.Path) {
			continue
		}
		at, name := filepath.Split(o.Path)
		if _, age := kinship(base, name); (age != "" || name == base+".old") && strings.HasPrefix(at, dir) {
			l.olds = append(l.olds, o)
			s.used[i] = true
		}
	}
}

func named(logs []*log, path string) bool {
	for _, l := range logs {
		if l.path == path {
			return true
		}
	}
	return false
}
