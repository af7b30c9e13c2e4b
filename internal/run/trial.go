package run

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"blockhosts/blockfile"
	"blockhosts/internal/config"
	"blockhosts/internal/record"
	"blockhosts/internal/report"
	"blockhosts/logscan"
	"blockhosts/logscan/rules"
	"blockhosts/mail"
)

// A Trial holds lines against the rules, for people who want to know what
// matches: nothing is counted.
type Trial struct {
	set     *rules.Set
	enabled func(name, class string) bool
	world   World
	Trace   bool // show every rule that was tried
	Total   report.TrialTotal
}

// NewTrial makes a trial of all rules of all classes, the configuration's own
// among them; where only is not empty, of those whose names begin with a match
// of it. What is wrong with a rule is in the problems.
func NewTrial(c config.Config, only string, w World) (*Trial, []record.Problem, error) {
	enabled, err := enabledBy(c)
	if err != nil {
		return nil, nil, setup(err)
	}
	taken, err := regexp.Compile("^(?:" + only + ")")
	if err != nil {
		return nil, nil, setup(fmt.Errorf("--enable-rules: %w", err))
	}
	set, problems := rules.Compile(defsOf(c), func(name, _ string) bool { return taken.MatchString(name) }, rules.Options{Names: true})
	return &Trial{set: set, enabled: enabled, world: w, Total: report.NewTrialTotal()}, problems, nil
}

// Line holds one line, without its newline, against the rules.
func (t *Trial) Line(raw []byte) report.Tried {
	l := logscan.ParseLine(raw)
	m := t.set.Match(&l)
	at, stamped := logscan.Stamp(&l, t.world.Now, t.world.Local)
	if !stamped {
		at = t.world.Now
	}
	t.Total.Lines++
	r := report.Tried{N: t.Total.Lines, Line: string(raw), Match: m, Time: at, Stamped: stamped, Repeat: l.Repeat, Program: string(l.Program)}
	r.Enabled = !m.Matched || t.enabled(m.Rule, m.Class)
	if t.Trace || m.Matched && t.world.Terminal {
		for _, x := range t.set.Trace(&l) {
			if x.Rule == m.Rule && x.Matched {
				r.Marks = []report.Mark{{From: x.AddrAt.From, To: x.AddrAt.To}, {From: x.UserAt.From, To: x.UserAt.To}}
			}
			if t.Trace && (x.Matched || x.Ambiguous || x.TimedOut || !strings.HasPrefix(x.Why, otherProgram)) {
				r.Rules = append(r.Rules, traceText(x))
			}
		}
	}
	t.Total.Add(r, string(l.Message))
	return r
}

// otherProgram begins what a trace says of a rule that was not tried, since it
// reads the lines of another program: most of them, of which nobody wants to know.
const otherProgram = "it reads the lines of"

// traceText says in one line what came of a rule.
func traceText(x rules.Tried) string {
	switch {
	case x.Ambiguous:
		return fmt.Sprintf("%s: ambiguous, %s or %s", x.Rule, x.Addr, x.Other)
	case x.Matched:
		return fmt.Sprintf("%s: match, %s", x.Rule, x.Addr)
	case x.TimedOut:
		return x.Rule + ": took too long"
	}
	return x.Rule + ": no match: " + x.Why
}

// Lines holds the lines of r against the rules, one after the other. A last
// line without newline is one, too.
func (t *Trial) Lines(r io.Reader, each func(report.Tried) error) error {
	in := bufio.NewReaderSize(r, 256<<10)
	for {
		line, err := readLine(in)
		if len(line) > 0 || err == nil {
			if err := each(t.Line(line)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readLine returns the next line without its newline; of one over
// logscan.MaxLine, the beginning.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if room := logscan.MaxLine - len(line); room > 0 {
			line = append(line, part[:min(len(part), room)]...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), err
		}
	}
}

// OpenLog opens a log, plain or gzip.
func OpenLog(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	head := bufio.NewReader(f)
	if magic, _ := head.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) { // RFC 1952, 2.3.1
		return readCloser{head, f}, nil
	}
	z, err := gzip.NewReader(head)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return readCloser{z, f}, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// CheckRules holds every rule, shipped or local, against its samples and its
// ignores, and lints it. A shipped rule that a local one replaces is left out.
func CheckRules(c config.Config) ([]record.Problem, error) {
	documented, err := rules.Documented()
	if err != nil {
		return nil, err
	}
	var problems []record.Problem
	for _, d := range withLocal(documented, c) {
		problems = append(problems, rules.Check(d, logscan.ParseLine)...)
	}
	return problems, nil
}

// CheckBlockfile tells what about the blockfile works, and is worth a word all
// the same.
func CheckBlockfile(c config.Config) []record.Problem {
	if notice, ok := blockfile.Mounted(c.Blockfile); ok {
		return []record.Problem{notice}
	}
	return nil
}

// TestMail sends a mail that says nothing but that it came.
func TestMail(ctx context.Context, c config.Config, w World) error {
	j := &job{config: c, world: w}
	in := "This mail was sent by \"blockhosts test --mail\" on " + w.Host + ". Mail works.\n"
	return j.post(ctx, mail.Message{From: j.sender(), To: c.Mail.To, Subject: "[blockhosts] " + w.Host + ": test mail", Body: in, Date: w.Now.In(w.Local)})
}
