package blockfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A Plan is what has to be done so that a file holds the two markers.
type Plan struct {
	Path   string
	Exists bool   // else it is created, owner root, mode 0644
	Done   bool   // both markers are there: nothing to do
	Line   int    // the markers go above this line, from 1; 0: at the end
	Rule   string // that line, as far as it helps to know it; foreign text
	Backup string // the copy that is made first; "" where there is nothing to copy

	target string
	info   os.FileInfo
	old    []byte
	new    []byte
}

// backupStamp is how the moment stands in the name of a backup, in UTC.
const backupStamp = "20060102-150405"

// PlanInit finds out what Init would do to the file at path, and changes
// nothing. The section has to stand above the first rule that grants to all or
// that spawns the run: libwrap heeds the first rule that matches. One marker,
// or more than two, is a *MarkerError.
func PlanInit(path string, now time.Time) (*Plan, error) {
	p := &Plan{Path: path}
	f := &File{Path: path}
	text, err := f.read()
	if errors.Is(err, fs.ErrNotExist) {
		return p, p.create(err)
	}
	if err != nil {
		return nil, err
	}
	p.Exists, p.target, p.info, p.old = true, f.target, f.info, []byte(text)
	switch _, count := findMarkers(text); count {
	case 0:
	case 2:
		p.Done = true
		return p, nil
	default:
		return nil, &MarkerError{Path: path, Count: count, Backup: existing(backupInPlace(f.target))}
	}
	p.Backup = f.target + ".blockhosts-" + now.UTC().Format(backupStamp)
	p.place()
	return p, nil
}

// create plans a new file. A symlink to nowhere stays what it is.
func (p *Plan) create(missing error) error {
	if _, err := os.Lstat(p.Path); err == nil {
		return fmt.Errorf("read %s: is a symlink to a file that is missing; make that file, or remove the link", p.Path)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(p.Path))
	if err != nil {
		return missing
	}
	p.target = filepath.Join(dir, filepath.Base(p.Path))
	p.new = []byte(emptySection)
	return nil
}

const emptySection = Marker + "\n" + Marker + "\n"

// place puts an empty section into the old text.
func (p *Plan) place() {
	at := len(p.old)
	for begin, number := 0, 1; begin < len(p.old); {
		l, end, next := nextLogical(p.old, begin, number)
		if mustStandBelow(l.text) {
			at, p.Line, p.Rule = begin, number, string(bytes.Trim(l.text[:min(len(l.text), 200)], blanks))
			break
		}
		begin, number = end, next
	}
	p.new = append(p.new, p.old[:at]...)
	if at == len(p.old) {
		p.new = append(p.new, lineEnd(p.old)...)
	}
	p.new = append(p.new, emptySection...)
	p.new = append(p.new, p.old[at:]...)
}

// lineEnd is what must follow the last line so that the marker is a line of
// its own, to libwrap as well: a backslash at the end would swallow it.
func lineEnd(text []byte) string {
	switch {
	case bytes.HasSuffix(text, []byte("\\\n")):
		return "\n"
	case bytes.HasSuffix(text, []byte(`\`)):
		return "\n\n"
	case len(text) > 0 && text[len(text)-1] != '\n':
		return "\n"
	}
	return ""
}

// mustStandBelow tells whether a rule of hosts_access(5) decides for every
// client, or runs a command (hosts_options(5)).
func mustStandBelow(line []byte) bool {
	if len(line) == 0 || line[0] == '#' {
		return false
	}
	fields := ruleFields(line)
	if len(fields) < 2 {
		return false
	}
	for _, word := range bytes.FieldsFunc(fields[1], isListSpace) {
		if bytes.EqualFold(word, []byte("EXCEPT")) {
			break
		}
		if bytes.EqualFold(word, []byte("ALL")) {
			return true
		}
	}
	for _, option := range fields[2:] {
		word := bytes.TrimLeft(option, blanks)
		word = word[:min(len(word), len("spawn"))]
		if bytes.EqualFold(word, []byte("spawn")) {
			return true
		}
	}
	return false
}

func isListSpace(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\r' }

// ruleFields splits a rule at its colons: not at those in brackets, which are
// an IPv6 address's, and not at "\:".
func ruleFields(line []byte) (fields [][]byte) {
	start, bracket := 0, false
	for i, c := range line {
		switch {
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case c == ':' && !bracket && (i == 0 || line[i-1] != '\\'):
			fields = append(fields, line[start:i])
			start = i + 1
		}
	}
	return append(fields, line[start:])
}

// String says in one line what is to be done.
func (p *Plan) String() string {
	switch {
	case p.Done:
		return fmt.Sprintf("%s: has its two marker lines; nothing to do", p.Path)
	case !p.Exists:
		return fmt.Sprintf("%s: create it, with the two marker lines", p.Path)
	case p.Line == 0:
		return fmt.Sprintf("%s: add the two marker lines at its end; the copy of what it is now is %s", p.Path, p.Backup)
	}
	return fmt.Sprintf("%s: put the two marker lines above line %d, %s; the copy of what it is now is %s", p.Path, p.Line, quote(p.Rule), p.Backup)
}

// Do carries the plan out: the backup, then the file, in one step each. It
// returns ErrChanged (errors.Is) where the file is no longer what it was.
func (p *Plan) Do(ctx context.Context) error {
	if p.Done {
		return nil
	}
	err := p.do(ctx)
	if err != nil {
		return fmt.Errorf("write %s: %w%s", p.Path, err, hint(err))
	}
	return nil
}

func (p *Plan) do(ctx context.Context) error {
	if !unchanged(p.target, p.info) {
		return ErrChanged
	}
	if p.Exists {
		if err := backup(ctx, p.target, p.Backup, p.old); err != nil {
			return err
		}
	}
	_, err := replace(ctx, p.target, p.info, slices.Values([][]byte{p.new}))
	if errors.Is(err, errMounted) {
		return p.rewrite()
	}
	return err
}

// rewrite is for a file that is mounted on its name.
func (p *Plan) rewrite() error {
	file, err := os.OpenFile(p.target, os.O_RDWR, 0)
	if err != nil {
		return cause(err)
	}
	defer file.Close()
	if err := overwrite(file, p.new, 0); err != nil {
		return errors.Join(fmt.Errorf("rewrite in place: %w", cause(err)), overwrite(file, p.old, 0))
	}
	return nil
}
