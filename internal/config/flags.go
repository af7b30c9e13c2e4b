package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"time"
)

// Flags are the options of the command line that say something else than the
// file does. A nil pointer is an option that was not given; lists are
// separated by commas.
type Flags struct {
	Blockfile     *string
	Lockfile      *string
	Logfiles      *string // replaces Sources; names are literal
	EnableRules   *string
	Blockcount    *int           // over Services, too
	Discard       *time.Duration // over Services, too; see ParseAge
	Allowlist     *string        // replaces; commas in ( ) [ ] { } or behind a backslash do not separate
	Denylist      *string        // the same
	Mail          bool
	NotifyAddress *string // replaces Mail.To
	Ipblock       *string // replaces Blockers; empty: none
	Quiet         bool    // errors only
	Verbose       bool    // info and more; over Quiet
	Debug         bool    // everything; over both
}

// With lays the command line over the configuration. c is left as it is. An
// error is of type Errors.
func (c Config) With(f Flags) (Config, error) {
	l := line{}
	l.text("blockfile", f.Blockfile, &c.Blockfile, path)
	l.text("lockfile", f.Lockfile, &c.Lockfile, path)
	l.text("enable-rules", f.EnableRules, &c.EnableRules, pattern)
	l.list("allowlist", f.Allowlist, &c.Allowlist, splitEntries, allowEntry)
	l.list("denylist", f.Denylist, &c.Denylist, splitEntries, denyEntry)
	l.list("notify-address", f.NotifyAddress, &c.Mail.To, splitNames, mailbox)
	l.logfiles(f.Logfiles, &c)
	l.limits(f, &c)
	l.ipblock(f.Ipblock, &c)
	c.Mail.Enabled = c.Mail.Enabled || f.Mail
	switch {
	case f.Debug:
		c.Verbose = LevelDebug
	case f.Verbose:
		c.Verbose = LevelInfo
	case f.Quiet:
		c.Verbose = LevelError
	}
	return c, l.errs.orNil()
}

// A line collects what is wrong with the command line.
type line struct{ errs Errors }

// fail notes a mistake in an option; it is not inlined, as that of the decoder.
//
//go:noinline
func (l *line) fail(option, msg, hint string) {
	l.errs = append(l.errs, Error{Msg: "--" + option + ": " + msg, Hint: hint})
}

func (l *line) text(option string, given, p *string, checks ...check) {
	if given == nil {
		return
	}
	if msg, hint := firstWrong(*given, checks); msg != "" {
		l.fail(option, msg, hint)
	}
	*p = *given
}

// list reads the entries of a comma list. Only a list of addresses to allow or
// deny may be empty: it stands for nobody.
func (l *line) list(option string, given *string, p *[]string, split func(string) []string, checks ...check) {
	if given == nil {
		return
	}
	*p = unique(split(*given))
	if len(*p) == 0 && option == "notify-address" {
		l.fail(option, "no address given", "")
	}
	for _, s := range *p {
		if msg, hint := firstWrong(s, checks); msg != "" {
			l.fail(option, msg, hint)
		}
	}
}

func (l *line) logfiles(given *string, c *Config) {
	if given == nil {
		return
	}
	c.Sources = nil
	for _, name := range splitNames(*given) {
		if msg, hint := path(name); msg != "" {
			l.fail("logfiles", msg, hint)
		}
		c.Sources = append(c.Sources, Source{Kind: SourceFile, File: name, Literal: true})
	}
	if len(c.Sources) == 0 {
		l.fail("logfiles", "no name given", "leave it out to read what the configuration names")
	}
}

func (l *line) limits(f Flags, c *Config) {
	if n := f.Blockcount; n != nil && (*n < 0 || *n > maxBlockcount) {
		l.fail("blockcount", fmt.Sprintf("want a whole number from 0 to %d, found %d", maxBlockcount, *n), "")
	}
	if d := f.Discard; d != nil && (*d < 0 || *d > maxAge) {
		l.fail("discard", fmt.Sprintf("want an age from 0 to 100 years, found %v", *d), "")
	}
	over := f.overLimits(&c.Limits)
	c.Services = maps.Clone(c.Services)
	for name, s := range c.Services {
		over = f.overLimits(&s.Limits) || over
		c.Services[name] = s
	}
	if over {
		l.fail("blockcount", fmt.Sprintf("with limiter window a blockcount of at most %d can be held, found %d", maxWindowCount, *f.Blockcount), "")
	}
}

// overLimits lays the two options over the limits of all or of one service, and
// tells whether that is more than a window can count.
func (f Flags) overLimits(l *Limits) bool {
	if f.Discard != nil {
		l.Discard = *f.Discard
	}
	if f.Blockcount == nil {
		return false
	}
	l.Blockcount = *f.Blockcount
	return l.overWindow()
}

func (l *line) ipblock(given *string, c *Config) {
	if given == nil {
		return
	}
	b, ok := parseIpblock(*given)
	if !ok {
		l.fail("ipblock", quote(*given)+" is not a blocker",
			"write one of "+strings.Join(blockers, ", ")+`, "ip route", or the path of iptables, ip6tables or "ip route"`)
	}
	c.Blockers = []Blocker{b}
}

// parseIpblock reads a blocker's name, a path that ends in iptables or
// ip6tables, or "[path/]ip route"; nothing means none.
func parseIpblock(s string) (b Blocker, ok bool) {
	words := strings.Fields(s)
	if len(words) == 0 {
		return Blocker{Name: BlockerNone}, true
	}
	tool := strings.TrimSpace(s) // a path may hold blanks
	if last := words[len(words)-1]; len(words) > 1 && last == "route" {
		tool = strings.TrimSpace(strings.TrimSuffix(tool, "route"))
		b.Name, ok = BlockerIproute, filepath.Base(tool) == "ip"
	} else {
		b.Name = filepath.Base(tool)
		for _, name := range blockers {
			ok = ok || tool == name || b.Name == name && (name == BlockerIptables || name == BlockerIp6tables)
		}
	}
	if strings.Contains(tool, "/") {
		b.Path = tool
	}
	return b, ok
}

// splitNames cuts a list of names at its commas; empty ones are dropped.
func splitNames(s string) []string {
	var list []string
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name != "" {
			list = append(list, name)
		}
	}
	return list
}

// splitEntries cuts a list of addresses and patterns. A comma within brackets
// or behind a backslash belongs to a pattern: 10\.0\.0\.\d{1,3},192.0.2.1.
func splitEntries(s string) []string {
	var list []string
	depth, class, start := 0, false, 0
	add := func(end int) {
		if entry := strings.TrimSpace(s[start:end]); entry != "" {
			list = append(list, entry)
		}
		start = end + 1
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(' || c == '{':
			depth++
		case c == ')' || c == '}':
			depth = max(depth-1, 0)
		case c == ',' && depth == 0:
			add(i)
		}
	}
	add(len(s))
	return list
}
