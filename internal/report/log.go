package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// A Level is the weight of a message, the gravest first.
type Level int

// The levels that the original had.
const (
	LevelError Level = iota
	LevelWarning
	LevelNotice
	LevelInfo
	LevelDebug // a word of the original; nothing is so light that LevelInfo hides it
)

var levelNames = [...]string{"error", "warning", "notice", "info", "debug"}

// ParseLevel reads a level's word.
func ParseLevel(s string) (Level, error) {
	for i, name := range levelNames {
		if s == name {
			return Level(i), nil
		}
	}
	return LevelWarning, fmt.Errorf("%.60q is not a level; it is one of %s", s, strings.Join(levelNames[:], ", "))
}

// maxMessage is the length in bytes at which a message is cut: what a syslog
// daemon of RFC 5424, 6.1 should at least receive.
const maxMessage = 2048

// LogOptions say where messages go.
type LogOptions struct {
	Stderr     io.Writer
	Level      Level     // the lightest that Stderr gets; syslog gets notices and graver in any case
	Syslog     *Syslog   // nil: none
	Actions    io.Writer // the action log; nil: none
	TimeFormat string    // of the action log, a layout of package time; empty: 2006-01-02 15:04:05
	Now        time.Time // the moment of the run, in the zone that people are shown
	DryRun     bool      // nothing happens: only Stderr is told, and what would be done
}

// A Log tells people what a run does. Every message is one line of clean text.
type Log struct {
	o   LogOptions
	err error // the first of the action log
}

// NewLog returns a Log that goes where o says.
func NewLog(o LogOptions) *Log {
	if o.TimeFormat == "" {
		o.TimeFormat = stampLayout
	}
	return &Log{o: o}
}

// Errorf says that something failed.
func (l *Log) Errorf(format string, args ...any) { l.printf(LevelError, format, args) }

// Warningf says that something may be wrong.
func (l *Log) Warningf(format string, args ...any) { l.printf(LevelWarning, format, args) }

// Noticef says that something was changed.
func (l *Log) Noticef(format string, args ...any) { l.printf(LevelNotice, format, args) }

// Infof says what is done.
func (l *Log) Infof(format string, args ...any) { l.printf(LevelInfo, format, args) }

// Enabled tells whether anybody sees a message of this level, where making it
// costs something.
func (l *Log) Enabled(level Level) bool { return l.shows(level) || l.sends(level) }

func (l *Log) shows(level Level) bool { return l.o.Stderr != nil && level <= l.o.Level }

func (l *Log) sends(level Level) bool {
	return l.o.Syslog != nil && !l.o.DryRun && level <= max(l.o.Level, LevelNotice)
}

func (l *Log) printf(level Level, format string, args []any) {
	if l.Enabled(level) {
		text := Clean(fmt.Sprintf(format, args...), maxMessage)
		l.show(level, text)
		l.send(level, text)
	}
}

func (l *Log) show(level Level, text string) {
	if !l.shows(level) {
		return
	}
	prefix := ""
	if level <= LevelWarning {
		prefix = "blockhosts: "
	}
	fmt.Fprintf(l.o.Stderr, "%s%s\n", prefix, text)
}

func (l *Log) send(level Level, text string) {
	if l.sends(level) {
		l.o.Syslog.Send(level, text)
	}
}

// Echo writes the tag that the administrator gave this run, in the words of
// the original.
func (l *Log) Echo(tag string) { l.Noticef("echo tag: %s", Clean(tag, 200)) }

// Decided tells what was decided: people on Stderr, syslog in the words of the
// original, which logwatch(8) reads, and the action log.
func (l *Log) Decided(ds []record.Decision) {
	for _, d := range ds {
		level := LevelInfo
		switch d.Action {
		case record.ActionBlock, record.ActionRelease, record.ActionSpared:
			level = LevelNotice
		case record.ActionDropped:
			level = LevelWarning
		}
		if l.shows(level) {
			l.show(level, DecisionText(d, l.o.DryRun))
		}
		if l.sends(level) {
			l.send(level, syslogText(d))
		}
		l.act(d)
	}
}

// syslogText is what the original wrote about a block and its end.
func syslogText(d record.Decision) string {
	switch d.Action {
	case record.ActionBlock:
		return fmt.Sprintf("count=%d, blocking host: %s", d.Count, record.FormatNet(d.Net))
	case record.ActionRelease:
		return "removing expired host: " + record.FormatNet(d.Net)
	}
	return DecisionText(d, false)
}

// verbs of the actions: what is done, and what would be done.
var verbs = map[record.Action][2]string{
	record.ActionBlock:   {"blocking", "would block"},
	record.ActionRelease: {"removing", "would remove"},
	record.ActionForget:  {"forgetting", "would forget"},
	record.ActionAllowed: {"leaving alone", "would leave alone"},
	record.ActionSpared:  {"sparing", "would spare"},
	record.ActionDropped: {"dropping", "would drop"},
}

// DecisionText is one line for people about d; would is for a dry run.
func DecisionText(d record.Decision, would bool) string {
	verb := verbs[d.Action][0]
	if would {
		verb = verbs[d.Action][1]
	}
	what := fmt.Sprintf("%d addresses", d.Count)
	if d.Net.IsValid() {
		what = record.FormatNet(d.Net)
	}
	s := verb + " " + what
	if d.Detail != "" {
		s += ": " + d.Detail
	}
	return Clean(s, maxMessage)
}

// act writes a line to the action log.
func (l *Log) act(d record.Decision) {
	if l.o.Actions == nil || l.o.DryRun || d.Action != record.ActionBlock && d.Action != record.ActionRelease {
		return
	}
	line := Clean(l.o.Now.Format(l.o.TimeFormat), 100) + " " + DecisionText(d, false) + "\n"
	if _, err := io.WriteString(l.o.Actions, line); err != nil && l.err == nil {
		l.err = err
	}
}

// Close ends the connection to syslog, closes the action log where it can be
// closed, and returns the first error that the action log met.
func (l *Log) Close() error {
	if l.o.Syslog != nil {
		l.o.Syslog.Close()
	}
	if c, ok := l.o.Actions.(io.Closer); ok {
		if err := c.Close(); err != nil && l.err == nil {
			l.err = err
		}
	}
	if l.err != nil {
		return fmt.Errorf("write the action log: %w", l.err)
	}
	return nil
}
