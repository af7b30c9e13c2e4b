// Package logscan reads what the logs gained: sources → whole lines → failures
// and new offsets. It knows how lines are prefixed and stamped and how logs
// are rotated; what a message means is the Matcher's to say. It keeps no
// state: what a run has read is in the offsets that it returns, and the next
// run may rely on each being just past a newline of the file they describe.
package logscan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// A Matcher is all that this package sees of the rules.
type Matcher interface {
	// MatchInto makes m what the rules say of a line: to return it would mean
	// to copy it, for each line.
	MatchInto(line *record.Line, m *record.Match)
}

// A Source names logs: a file, or all that a glob finds at each scan.
type Source struct {
	File    string         // a path, or a glob as in path.Match
	Literal bool           // File is a path even where it looks like a glob
	Zone    *time.Location // of stamps that name none; nil: Options.Local
	Handed  *Handed        // lines from memory, in place of File
	FIFO    *FIFO          // in place of File
	Journal *Journal       // in place of File
}

func (src *Source) isFile() bool { return src.Handed == nil && src.FIFO == nil && src.Journal == nil }

// Options are about one scan.
type Options struct {
	Now          time.Time               // the moment of the run; later stamps count as this
	Local        *time.Location          // nil: UTC
	ClockRun     bool                    // every failure happens at Now, as blockhosts.py had it
	IgnoreOffset bool                    // files are read from their start
	Since, Until time.Time               // failures before and after these are passed over; zero: none is
	Oldest       time.Time               // a journal that was never read is read from here on; zero: from its start
	Progress     func(done, total int64) // bytes; called for each block; may be nil
	Evidence     int                     // lines of one address that are kept in the failures
	Another      func() Matcher          // one that does the same, for another core; nil: one core does all
}

// A Result is what a scan found.
type Result struct {
	Failures    *record.Failures // in the order of the sources and of their lines
	Offsets     []record.Offset  // for the next run
	Files       []FileReport     // in the order of the sources
	Problems    []record.Problem
	Programs    []ProgramReport // by name; those that some rule reads
	Lines       int             // complete lines read
	Matched     int             // lines that brought a failure
	Ambiguous   int             // lines whose address cannot be told for sure
	Ambiguities []string        // the first of them, cut at record.MaxEvidence bytes; foreign text

	// Unrepeatable: an offset holds what no other run can find out again, so
	// that it should be saved even if nothing else has changed.
	Unrepeatable bool
}

// A FileReport is what a scan made of one log.
type FileReport struct {
	Path         string
	Offset       int64 // bytes read of the file, in all runs
	Size         int64 // bytes in the file
	Read         int64 // bytes read in this run, of rotated files too
	Waiting      int64 // bytes of a last line that has no newline yet
	PossiblyLost int64 // bytes that are known to be there and were not read
	Gap          bool  // what was written before the file was truncated or replaced was not found: nobody knows how much
	Lines        int
	Matched      int
	Skipped      int // lines over MaxLine
	Untrusted    int // entries of a journal whose sender is not, or may not be, the program that it says
}

// A ProgramReport is what a program wrote in this run.
type ProgramReport struct {
	Program string
	Lines   int
	Matched int
}

// Scan reads what the sources gained since prev. What cannot be read is told
// in Problems and keeps its offset; the rest is read. When ctx ends, the scan
// ends after the block at hand, with offsets that fit its failures.
func Scan(ctx context.Context, sources []Source, prev []record.Offset, m Matcher, o Options) Result {
	if o.Local == nil {
		o.Local = time.UTC
	}
	s := &scan{ctx: ctx, opt: o, prev: prev, used: make([]bool, len(prev)), ids: map[id]bool{},
		workers: []*worker{newWorker(m, o.Another)}}
	logs := s.open(sources)
	s.recognise(logs)
	for _, l := range logs {
		s.follow(l)
	}
	s.journals(sources)
	for _, src := range sources {
		switch {
		case src.Handed != nil:
			s.handed(src.Handed, src.Zone)
		case src.FIFO != nil:
			s.fifo(src.FIFO, src.Zone)
		}
	}
	s.keepOthers()
	s.Programs = s.programReports()
	s.Failures = &s.found.failures
	return s.Result
}

// A scan is one call of Scan on its way.
type scan struct {
	Result
	ctx     context.Context
	opt     Options
	prev    []record.Offset
	used    []bool      // of prev: stands for a file that was read, or is out of date
	ids     map[id]bool // the files that the sources name
	found   found
	workers []*worker // the first is always there
	batches []*batch
	single  batch // of one line
	done    int64 // bytes, for Progress
	total   int64
}

// A log is one file that the sources name.
type log struct {
	path    string
	real    string // path, without symbolic links
	zone    *time.Location
	file    *logFile        // nil where it is missing or cannot be read
	kept    bool            // it cannot be read: the offset stays
	last    int             // index in prev of the reading under this path, -1
	on      *record.Offset  // the reading that file continues, under whatever path
	from    stretch         // what is to be read of file
	own     *stretch        // what the log's next offset comes from
	olds    []record.Offset // readings of what was rotated away not long ago
	listed  []rotated       // what stands beside it; see beside
	certain bool            // names give the order of listed
	notRead string          // which of them cannot be read and why, for people
	report  FileReport
	trouble trouble
}

// open opens what the sources name, each file once.
func (s *scan) open(sources []Source) []*log {
	var logs []*log
	named := map[string]bool{}
	other := slices.ContainsFunc(sources, func(src Source) bool { return src.FIFO != nil || src.Journal != nil })
	sources = slices.DeleteFunc(slices.Clone(sources), func(src Source) bool { return !src.isFile() })
	for _, src := range sources {
		for _, path := range s.expand(src) {
			if named[path] {
				continue
			}
			named[path] = true
			l := &log{path: path, real: path, zone: src.Zone, last: -1, report: FileReport{Path: path}}
			if real, err := filepath.EvalSymlinks(path); err == nil {
				l.real = real // rotated where it really is
			}
			if l.zone == nil {
				l.zone = s.opt.Local
			}
			if s.openOne(l, isGlob(src)) {
				logs = append(logs, l)
			}
		}
	}
	missing := func(l *log) bool { return l.file == nil && !l.kept }
	if len(sources) > 0 && !other && !slices.ContainsFunc(logs, func(l *log) bool { return !missing(l) }) {
		s.problem(true, "sources: none exists", "none of the logs exists: %s", names(sources))
	}
	return logs
}

func names(sources []Source) string {
	var all []string
	for _, src := range sources {
		all = append(all, src.File)
	}
	return strings.Join(all, ", ")
}

// expand returns the absolute paths that a source stands for.
func (s *scan) expand(src Source) []string {
	paths := []string{src.File}
	if isGlob(src) {
		var err error
		if paths, err = filepath.Glob(src.File); err != nil {
			s.problem(true, "source "+src.File+": bad glob", "source %s: %v; write it as in glob(7)", src.File, err)
		} else if len(paths) == 0 {
			s.problem(false, "source "+src.File+": missing", "source %s: no file matches", src.File)
		}
	}
	for i, p := range paths {
		if abs, err := filepath.Abs(p); err == nil {
			paths[i] = abs
		}
	}
	return paths
}

func isGlob(src Source) bool { return !src.Literal && strings.ContainsAny(src.File, `*?[`) }

// openOne opens a log, or says why it cannot. It is false for what is not to
// be read: what a glob finds beside logs, and a file that is open already.
func (s *scan) openOne(l *log, glob bool) bool {
	f, err := openLog(l.path)
	if err == nil {
		if _, err = f.content(); err != nil {
			f.close()
		}
	}
	switch {
	case err == nil:
		l.file = f
		return !s.twice(l)
	case isMissing(err):
		if !glob {
			s.problem(false, "source "+l.path+": missing", "source %s does not exist", l.path)
		}
	case glob && errors.Is(err, errNoLog):
		return false
	default:
		l.kept = true
		s.problem(true, "source "+l.path+": "+reason(err), "source %s cannot be read: %s", l.path, reason(err))
	}
	return true
}

// twice tells whether another source has opened the same file.
func (s *scan) twice(l *log) bool {
	if s.ids[l.file.id] {
		l.file.close()
		return true
	}
	s.ids[l.file.id] = true
	return false
}

// keepLong is how long the offset of a file is kept that no source of this
// run names: a run with other sources must not make the next one read again.
const keepLong = 30 * 24 * time.Hour

func (s *scan) keepOthers() {
	emitted := map[string]bool{}
	for _, o := range s.Offsets {
		emitted[o.Path] = true
	}
	for i, o := range s.prev {
		if s.used[i] || emitted[o.Path] || !o.Read.IsZero() && s.opt.Now.Sub(o.Read) > keepLong {
			continue
		}
		if _, err := os.Stat(o.Path); err == nil || !o.Read.IsZero() {
			s.Offsets = append(s.Offsets, o)
		}
	}
}

func (s *scan) problem(fails bool, key, format string, args ...any) {
	p := record.Problem{Key: key, Text: fmt.Sprintf(format, args...), Fails: fails}
	if !slices.Contains(s.Problems, p) {
		s.Problems = append(s.Problems, p)
	}
}
