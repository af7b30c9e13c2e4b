package logscan

import (
	"bytes"
	"slices"

	"blockhosts/internal/record"
)

// read reads a stretch to its end and returns what follows its last newline.
func (s *scan) read(l *log, st *stretch) []byte {
	if packing(st.file.path) == "" && st.pos >= st.file.size {
		return nil // gained nothing, as most do: no buffer for that
	}
	r := newBlockReader(st.r, nil)
	s.hand(l, st, r)
	st.pos += r.taken
	l.report.Read += r.taken
	l.report.Skipped += r.skipped
	text, size := r.rest()
	st.waiting = size
	return bytes.Clone(text)
}

// gather adds what came of a batch.
func (s *scan) gather(l *log, b *batch) {
	l.report.Lines += b.lines
	l.report.Skipped += b.skipped
	l.report.Matched += len(b.finds)
	l.trouble.add(b.trouble)
	b.by.places = s.found.meet(b.by.places, b.blames)
	s.found.add(b.finds, b.by.places, s.share(), s.opt.Evidence)
	s.Ambiguous += b.ambiguous
	s.Ambiguities = append(s.Ambiguities, b.ambiguities[:min(len(b.ambiguities), maxAmbiguities-len(s.Ambiguities))]...)
	for _, rule := range b.slow {
		s.problem(false, "rule "+rule+": too slow", "rule %s took too long on a line of %s; the line was passed over, and the rule should be mended", rule, l.path)
	}
	for _, why := range b.broken {
		key := "source " + l.path + ": a bug"
		if !slices.ContainsFunc(s.Problems, func(p record.Problem) bool { return p.Key == key }) { // the first one tells
			s.problem(true, key, "source %s: a line was passed over, since a rule or a parser panicked on it: %.200s; this is a bug of blockhosts, please report it", l.path, why)
		}
	}
}

func (s *scan) progress(n int64) {
	s.done += n
	if s.opt.Progress != nil {
		s.opt.Progress(s.done, max(s.total, s.done))
	}
}

// share is how much of what is to be read was read so far, from 0 to 1.
func (s *scan) share() float64 { return float64(s.done) / float64(max(s.total, s.done, 1)) }

// one deals with one line.
func (s *scan) one(l *log, of *setting, raw []byte) {
	s.single.begin(of)
	s.workers[0].alone(&s.single, raw)
	s.gather(l, &s.single)
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
