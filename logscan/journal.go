package logscan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"blockhosts/internal/record"
)

// A Journal is systemd's journal, read by journalctl(1): what one of Units or
// one of Identifiers has written; both empty, see logInMatches. All journals
// of one Directory are read as one and have one cursor, so that a change of
// Units has no entry counted twice.
type Journal struct {
	Tool        string   // path of journalctl; "" where there is none
	Units       []string // "ssh.service"; without a type it is a service
	Identifiers []string // the names that programs give to syslog(3)
	Directory   string   // of journal files; empty: this host's own
}

// JournalPath is the path under which an Offset and a FileReport name the
// journal of a directory.
func JournalPath(directory string) string {
	if directory == "" {
		return "journal"
	}
	return "journal:" + directory
}

// logInMatches select what syslog would have put into the log of log-ins: the
// facilities auth, authpriv and ftp (RFC 5424, 6.2.1), and whatever sshd's own
// units say, as it may be told another facility or none (sshd -e).
var logInMatches = []string{"SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10", "SYSLOG_FACILITY=11", "+", "_SYSTEMD_UNIT=ssh.service", "_SYSTEMD_UNIT=sshd.service"}

// journalTime is how long journalctl may take. What it has written until then
// is read, and the next run goes on there. From its start, a journal is read by
// somebody who waits for it.
const (
	journalTime      = time.Minute
	journalWholeTime = time.Hour
)

// cursorAge is how old a cursor becomes where nothing is written that is
// read. It is then moved on, so that no vacuum takes its entry away.
const cursorAge = time.Hour

// cursorForm is what a cursor looks like; systemd does not promise it, but it
// has been so from the first version on.
//
// Compiled at first use: at every start it would be 0.25 ms of a run's 4.
var cursorForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z]=[0-9a-f]{1,32}(;[a-z]=[0-9a-f]{1,32}){2,9}$`)
})

// IsCursor tells whether s is a cursor of a journal.
func IsCursor(s string) bool { return cursorForm().MatchString(s) }

// journals reads what the journals among the sources gained.
func (s *scan) journals(sources []Source) {
	var dirs []string
	for _, src := range sources {
		if src.Journal != nil && !slices.Contains(dirs, src.Journal.Directory) {
			dirs = append(dirs, src.Journal.Directory)
		}
	}
	for _, dir := range dirs {
		j := journalRead{scan: s, dir: dir, log: &log{path: JournalPath(dir), last: -1, zone: time.UTC}}
		for _, src := range sources {
			if src.Journal != nil && src.Journal.Directory == dir {
				j.add(src.Journal)
			}
		}
		j.run()
	}
}

// A journalRead is the reading of one directory's journal in one run.
type journalRead struct {
	*scan
	dir     string
	tool    string
	matches []string
	log     *log
	prev    record.Offset // zero where it was never read
	cursor  string        // of the entry that was read last
	latest  string        // cursor of the journal's last entry, whatever wrote it, before the reading began
	since   time.Time     // entries before this are not read
	units   []string      // those that the sources name
	started bool          // the first entry was seen
	whole   bool          // it was read to its end
	of      *setting
	line    []byte
}

// add adds what one source selects. journalctl takes the matches of one field
// as alternatives, and what "+" parts as well.
func (j *journalRead) add(src *Journal) {
	j.tool = src.Tool
	var groups [][]string
	if len(src.Units)+len(src.Identifiers) == 0 {
		groups = append(groups, logInMatches)
	}
	if len(src.Units) > 0 {
		units := matchesOf("", src.Units, withType)
		j.units = append(j.units, units...)
		groups = append(groups, matchesOf("_SYSTEMD_UNIT=", units, strings.Clone))
	}
	if len(src.Identifiers) > 0 {
		groups = append(groups, matchesOf("SYSLOG_IDENTIFIER=", src.Identifiers, strings.Clone))
	}
	for _, g := range groups {
		if len(j.matches) > 0 {
			j.matches = append(j.matches, "+")
		}
		j.matches = append(j.matches, g...)
	}
}

func matchesOf(field string, values []string, whole func(string) string) []string {
	var all []string
	for _, v := range values {
		all = append(all, field+whole(v))
	}
	return all
}

// withType completes the name of a unit as systemctl(1) does.
func withType(unit string) string {
	if i := strings.LastIndexByte(unit, '.'); i >= 0 && slices.Contains([]string{"service", "scope", "slice", "socket", "mount", "timer"}, unit[i+1:]) {
		return unit
	}
	return unit + ".service"
}

// run reads from the cursor on. A journal without the cursor's entry is read
// from the time of the reading before.
func (j *journalRead) run() {
	j.log.report.Path = j.log.path
	for i, o := range j.scan.prev {
		if o.Path == j.log.path {
			j.prev, j.used[i] = o, true
		}
	}
	limit := journalTime
	if j.opt.IgnoreOffset {
		limit = journalWholeTime
	}
	ctx, cancel := context.WithTimeout(j.ctx, limit)
	defer cancel()
	j.of = j.setting(j.log, &stretch{mode: begins, bare: -1})
	err := j.read(ctx)
	if j.whole = err == nil; err != nil {
		j.failed(ctx, err)
	}
	j.finish()
}

func (j *journalRead) read(ctx context.Context) error {
	if j.tool == "" {
		return errors.New("there is no journalctl on this host; name log files instead")
	}
	from := j.begin()
	if from == "" || j.opt.Now.Sub(cursorTime(from)).Abs() > cursorAge {
		first, err := j.first(ctx, "--lines=1")
		if err != nil {
			return err
		}
		j.latest = first.cursor
		switch {
		case j.latest != "":
		case j.prev.Read.IsZero():
			return errors.New("it holds no entry that this user may read; is journald running?")
		default:
			return j.vacuumed(ctx)
		}
	}
	if from == "" {
		return j.stream(ctx, "")
	}
	err := j.stream(ctx, from)
	if errors.Is(err, errNoCursor) {
		if err = j.vacuumed(ctx); err == nil {
			err = j.stream(ctx, "")
		}
	}
	return err
}

// begin returns the cursor to read from or, where there is none, sets since.
func (j *journalRead) begin() (cursor string) {
	switch {
	case j.opt.IgnoreOffset:
		j.since = j.opt.Since
	case IsCursor(j.prev.Cursor):
		j.cursor = j.prev.Cursor
		return j.cursor
	case !j.prev.Read.IsZero():
		j.since = j.prev.Read
	default:
		j.since = j.opt.Oldest
	}
	return ""
}

// errNoCursor is a journal in which the entry that was read last is not to be
// found where the reading began.
var errNoCursor = errors.New("the entry read last is not there")

// vacuumed finds out whether the entry that was read last is in the journal
// at all, and whether others may have gone with it: those that are younger
// than the last reading and older than all that is left.
func (j *journalRead) vacuumed(ctx context.Context) error {
	oldest, err := j.first(ctx)
	if err != nil {
		return err
	}
	j.cursor, j.since, j.started = "", j.prev.Read, false
	if j.latest == "" {
		latest, err := j.first(ctx, "--lines=1")
		if err != nil {
			return err
		}
		j.latest = latest.cursor
	}
	path := j.log.path
	if lost := oldest.cursor == "" || oldest.at.After(j.prev.Read); lost {
		j.log.report.Gap = true
		j.Problems = append(j.Problems, record.Problem{Key: "source " + path + ": vacuumed", Warns: true,
			Text: fmt.Sprintf("source %s: the entry that was read last has been removed, and entries written since %s may be lost; reading goes on with the oldest there is; let the journal keep more (journald.conf(5), SystemMaxUse)", path, j.prev.Read.Format(time.RFC3339))})
	} else {
		j.problem(false, "source "+path+": cursor", "source %s: the entry that was read last has been removed; reading goes on with what was written after %s, nothing is lost", path, j.prev.Read.Format(time.RFC3339))
	}
	return nil
}

// failed tells what went wrong. What was read before stays read.
func (j *journalRead) failed(ctx context.Context, err error) {
	path := j.log.path
	switch {
	case j.ctx.Err() != nil:
	case ctx.Err() != nil:
		j.problem(!j.started, "source "+path+": slow", "source %s: journalctl took too long and was stopped; the next run goes on after the %d entries that were read", path, j.log.report.Lines)
	default:
		j.problem(true, "source "+path+": unreadable", "source %s cannot be read: %v", path, err)
	}
}

// finish records how far the journal was read.
func (j *journalRead) finish() {
	r := &j.log.report
	if j.whole && j.latest != "" && (j.cursor == "" || j.cursor == j.prev.Cursor) {
		j.cursor = j.latest
	}
	o := j.prev
	o.Path = j.log.path
	if j.cursor != "" {
		o = record.Offset{Path: j.log.path, Cursor: j.cursor, Read: j.opt.Now, Lost: o.Lost, Gap: o.Gap}
	}
	if r.Gap {
		o.Gap = j.opt.Now
	}
	if o.Cursor != "" || !o.Read.IsZero() {
		j.Offsets = append(j.Offsets, o)
	}
	if r.Skipped > 0 {
		j.problem(false, "source "+r.Path+": long lines", "source %s: %d entries were skipped, their message being longer than 4 KiB, or there twice", r.Path, r.Skipped)
	}
	j.Files = append(j.Files, *r)
	j.Lines += r.Lines
	j.Matched += r.Matched
}

// An origin is where an entry stands in the journal.
type origin struct {
	cursor string
	at     time.Time
}

// first returns the first entry that journalctl shows with args, whatever has
// written it; zero where there is none.
func (j *journalRead) first(ctx context.Context, args ...string) (first origin, err error) {
	err = j.journalctl(ctx, append(args, "--output-fields=_PID"), func(line []byte) bool {
		var e entry
		if e.read(line) == nil {
			first = origin{e.cursor(), e.time()}
		}
		return false
	})
	return first, err
}

// stream reads the entries from a cursor on, or since j.since.
func (j *journalRead) stream(ctx context.Context, from string) error {
	args := []string{"--output-fields=" + strings.Join(entryFields, ",")}
	switch {
	case from != "":
		args = append(args, "--cursor="+from)
	case !j.since.IsZero():
		args = append(args, "--since=@"+strconv.FormatInt(j.since.Unix(), 10))
	}
	missing := false
	err := j.journalctl(ctx, append(args, j.matches...), func(line []byte) bool {
		var e entry
		if err := e.read(line); err != nil {
			j.log.report.Skipped++
			return true
		}
		if from != "" && !j.started {
			j.started = true
			if e.cursor() == from {
				return true // --after-cursor of systemd before 246 skips an entry that was not read, where this one is gone
			}
			if missing = !j.stands(ctx, from); missing {
				return false
			}
		}
		j.started = true
		if !micros(e.Realtime.text).Before(j.since) {
			j.entry(&e)
		}
		j.cursor = e.cursor()
		return true
	})
	if err == nil && from != "" && !j.started && j.latest != "" {
		missing = !j.stands(ctx, from)
	}
	if missing {
		return errNoCursor
	}
	return err
}

// stands tells whether the entry of a cursor is in the journal. The entries
// that are read now need not include it: their selection may have changed.
func (j *journalRead) stands(ctx context.Context, cursor string) bool {
	first, err := j.first(ctx, "--cursor="+cursor)
	return err == nil && first.cursor == cursor
}

// maxComplaint is how much is kept of what journalctl says is wrong, bytes.
const maxComplaint = 400

// journalctl runs the tool and hands out its lines until each is false.
func (j *journalRead) journalctl(ctx context.Context, args []string, each func(line []byte) bool) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	all := []string{"--output=json", "--no-pager", "--quiet"}
	if j.dir != "" {
		all = append(all, "--directory="+j.dir)
	}
	cmd := exec.CommandContext(ctx, j.tool, append(all, args...)...)
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	cmd.WaitDelay = time.Second
	complaint := &firstBytes{max: maxComplaint}
	cmd.Stderr = complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	all, err = nil, j.each(out, each)
	enough := errors.Is(err, errEnough)
	if enough {
		stop()
	}
	failed := cmd.Wait()
	switch {
	case enough:
		return nil
	case err == nil && failed != nil && len(complaint.text) > 0:
		return fmt.Errorf("%s: %w: %q", j.tool, failed, bytes.TrimSpace(complaint.text))
	case err == nil && failed != nil:
		return fmt.Errorf("%s: %w", j.tool, failed)
	}
	return err
}

var errEnough = errors.New("enough")

// each hands out the lines of r; errEnough where each has had enough.
func (j *journalRead) each(r io.Reader, each func(line []byte) bool) error {
	blocks := newBlockReader(r, make([]byte, blockSize))
	for {
		b, err := blocks.next()
		if errors.Is(err, io.EOF) {
			j.log.report.Skipped += blocks.skipped
			return nil
		}
		if err != nil {
			return err
		}
		for len(b) > 0 {
			end := bytes.IndexByte(b, '\n')
			if !each(b[:end]) {
				return errEnough
			}
			b = b[end+1:]
		}
	}
}

// firstBytes keeps the beginning of what is written to it.
type firstBytes struct {
	text []byte
	max  int
}

func (f *firstBytes) Write(p []byte) (int, error) {
	f.text = append(f.text, p[:min(len(p), f.max-len(f.text))]...)
	return len(p), nil
}
