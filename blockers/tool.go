package blockers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Limits on a tool: a million addresses are listed in 64 MiB; an answer takes
// at most half a second (50,000 addresses) unless the tool hangs.
const (
	maxOutput      = 64 << 20 // bytes of standard output
	maxStderr      = 64 << 10 // bytes; the rest is dropped
	defaultTimeout = time.Minute
	pipesLinger    = time.Second // for a grandchild that keeps the pipes open
)

// sbin holds the folders in which systems keep these tools and which are not
// in the PATH that cron gives a job ("/usr/bin:/bin" on Debian).
var sbin = []string{"/usr/sbin", "/sbin", "/usr/local/sbin"}

// Dirs returns the folders of PATH and behind them those in which systems keep
// administrators' tools. A relative folder is left out: what lies there is
// anybody's.
func Dirs(path string) []string {
	var dirs []string
	for _, dir := range append(filepath.SplitList(path), sbin...) {
		if filepath.IsAbs(dir) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// A runner runs tools.
type runner struct {
	dirs    []string
	timeout time.Duration
	textual bool // tools list, never the kernel itself: for tests
}

func newRunner(c Config) runner {
	r := runner{dirs: c.Dirs, timeout: c.Timeout}
	if r.dirs == nil {
		r.dirs = sbin
	}
	if r.timeout <= 0 {
		r.timeout = defaultTimeout
	}
	return r
}

// find returns the path of a tool. A name with a slash is a path already.
func (r runner) find(tool string) (string, error) {
	places := r.dirs
	if strings.Contains(tool, "/") {
		places = []string{""}
	}
	for _, dir := range places {
		path := filepath.Join(dir, tool)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", missing(tool, places)
}

// direct tells whether the kernel may be asked in the place of a tool that
// only lists. The tool must be there, or else it would be missed only once
// something is to change; and one whose path was given may do what we do not
// know of, such as enter a network namespace.
func (r runner) direct(tool string) bool {
	_, err := r.find(tool)
	return err == nil && !r.textual && !strings.Contains(tool, "/")
}

// do runs one command. Lines on standard error beside status 0 are warnings.
func (r runner) do(ctx context.Context, c Command) (stdout []byte, warnings []string, err error) {
	out := &limited{max: maxOutput}
	warnings, err = r.pour(ctx, c, out)
	return out.text, warnings, err
}

// lines runs one command and gives each line of its output, without its end,
// to take while the tool goes on printing: on a second core the reading then
// costs no time of its own. After an error what was taken means nothing.
func (r runner) lines(ctx context.Context, c Command, take func(line string)) (warnings []string, err error) {
	out := &lined{max: maxOutput, take: take}
	warnings, err = r.pour(ctx, c, out)
	out.end()
	return warnings, err
}

// pour runs one command and writes its output to out.
func (r runner) pour(ctx context.Context, c Command, out output) (warnings []string, err error) {
	path, err := r.find(c.Args[0])
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	words := &limited{max: maxStderr, drop: true}
	cmd := exec.CommandContext(ctx, path, c.Args[1:]...)
	cmd.Env = []string{"PATH=" + strings.Join(r.dirs, ":"), "LC_ALL=C"}
	cmd.Dir = "/"
	cmd.Stdin = strings.NewReader(c.Stdin)
	cmd.Stdout, cmd.Stderr = out, words
	cmd.WaitDelay = pipesLinger
	// A group of its own, so that what a wrapper started ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Run()
	tool := filepath.Base(c.Args[0])
	switch {
	case out.overflowed():
		err = &toolError{tool: tool, cause: "printed more than 64 MiB", cure: "see what it lists"}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = hung(tool, r.timeout)
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		err = diagnose(tool, err, string(words.text))
	default:
		return warningsOf(tool, string(words.text)), nil
	}
	return nil, err
}

// warningsOf makes warnings of what a tool said beside its success.
func warningsOf(tool, words string) []string {
	var list []string
	for line := range strings.Lines(words) {
		if line = strings.TrimSpace(strings.TrimLeft(line, "# ")); line != "" && len(list) < 5 {
			list = append(list, tool+": "+quote(line))
		}
	}
	return list
}

// An output takes what a tool prints, up to a limit.
type output interface {
	io.Writer
	overflowed() bool
}

var errTooLong = errors.New("output too long")

// A lined output cuts what is written into lines.
type lined struct {
	take func(line string)
	rest []byte // a line without its end
	max  int    // bytes still to come at most
	full bool
}

// Write makes one string of all lines of p: most of them are read and
// forgotten at once. What a line is remembered by must be cloned.
func (l *lined) Write(p []byte) (int, error) {
	if l.max -= len(p); l.max < 0 {
		l.full = true
		return 0, errTooLong
	}
	end := bytes.LastIndexByte(p, '\n') + 1
	if end == 0 {
		l.rest = append(l.rest, p...)
		return len(p), nil
	}
	text := string(append(l.rest, p[:end]...)) // a sum of two strings would be three of them
	l.rest = append(l.rest[:0], p[end:]...)
	for text != "" {
		i := strings.IndexByte(text, '\n')
		l.take(strings.TrimRight(text[:i], "\r"))
		text = text[i+1:]
	}
	return len(p), nil
}

// end takes a last line that has no end.
func (l *lined) end() {
	if len(l.rest) > 0 {
		l.take(string(l.rest))
	}
}

func (l *lined) overflowed() bool { return l.full }

// A limited buffer holds at most max bytes. More are dropped, or end the tool
// that writes them. It embeds no bytes.Buffer: io.Copy would use its ReadFrom,
// which knows no limit.
type limited struct {
	text []byte
	max  int
	drop bool
	full bool
}

func (l *limited) Write(p []byte) (int, error) {
	room := l.max - len(l.text)
	if len(p) <= room {
		l.text = append(l.text, p...)
		return len(p), nil
	}
	l.text = append(l.text, p[:room]...)
	if l.drop {
		return len(p), nil
	}
	l.full = true
	return room, errTooLong
}

func (l *limited) overflowed() bool { return l.full }
