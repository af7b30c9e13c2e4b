package blockfile

import (
	"net/netip"
	"strings"

	"blockhosts/internal/record"
)

// A reader turns the lines of a section into a State, one pass, line by line.
// What it cannot use it counts, and goes on.
type reader struct {
	o        Options
	template compiled
	st       record.State
	denials  []denial
	names    map[string]string
	words    []string // the first few of names, as they stand
	services arena[record.ServiceCount]
	lists    arena[string]
	addrs    arena[netip.Addr]

	unknown    dropped // lines that nobody knows
	unreadable dropped // lines of ours or of blockhosts.py that make no sense
	stamps     dropped // times that cannot be read
	byHand     dropped // deny lines that nobody has a record of
}

// A denial is a block line as it was found.
type denial struct {
	net  netip.Prefix
	line string
}

func newReader(o Options, t compiled) *reader {
	return &reader{o: o, template: t, names: map[string]string{}, words: make([]string, 0, 8)}
}

// trim takes the blanks off both ends. There are seldom any, and this runs
// several times a line: strings.Trim takes longer.
func trim(s string) string {
	s = trimLeft(s)
	for s != "" && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func trimLeft(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	return s
}

func isBlank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' && c != '\n' }

// readAll reads the lines between the markers.
func (r *reader) readAll(section string) {
	hosts, blocks := countLines(section)
	r.st.Hosts = make([]record.Host, 0, hosts)
	r.st.Blocks = make([]record.Block, 0, blocks)
	r.denials = make([]denial, 0, blocks)
	for section != "" {
		var line string
		line, section = cutLine(section)
		if strings.HasPrefix(section, more) {
			line, section = joinLines(line, section)
		}
		r.line(line)
	}
}

// joinLines puts a line that endLine broke together again.
func joinLines(line, section string) (whole, rest string) {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(line, "\r"))
	for strings.HasPrefix(section, more) {
		line, section = cutLine(section)
		b.WriteString(strings.TrimSuffix(line[len(more):], "\r"))
	}
	return b.String(), section
}

// countLines tells how many entries and blocks there are, so that room is made
// once: to let the slices grow takes longer.
func countLines(section string) (hosts, blocks int) {
	for section != "" {
		var line string
		line, section = cutLine(section)
		switch {
		case strings.HasPrefix(line, tag+" ip:"):
			hosts++
		case strings.HasPrefix(line, tag+" block:"):
			blocks++
		}
	}
	return hosts, blocks
}

func cutLine(s string) (line, rest string) {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// line reads one line, "\r" and blanks around it aside.
func (r *reader) line(raw string) {
	line := trim(raw)
	if line == "" {
		return
	}
	rest, ours := strings.CutPrefix(line, tag)
	if !ours {
		if net, ok := r.template.parse(line); ok {
			r.denials = append(r.denials, denial{net, line})
		} else {
			r.unknown.add(line)
		}
		return
	}
	kind, body, ok := strings.Cut(rest, ":")
	if !ok {
		r.unknown.add(line)
		return
	}
	if kind = trim(kind); kind == "first line" { // its blanks are the log's
		_, body, _ = strings.Cut(raw[strings.Index(raw, tag)+len(tag):], ":")
	}
	known, good := r.take(kind, body)
	switch {
	case !known:
		r.unknown.add(line)
	case !good:
		r.unreadable.add(line)
	}
}

// take reads the body of a line of the kind.
func (r *reader) take(kind, body string) (known, good bool) {
	switch kind {
	case "ip":
		return true, r.ip(body)
	case "block":
		return true, r.block(body)
	case "past":
		return true, r.past(body)
	case "tally":
		return true, r.tally(body)
	case "blocker":
		return true, r.blocker(body)
	case "event":
		return true, r.event(body)
	case "name":
		return true, r.hostName(body)
	case "trouble":
		return true, r.trouble(body)
	case "saved":
		return true, r.saved(body)
	case "logfile":
		return true, r.logfile(body)
	case "offset":
		return true, r.offset(body)
	case "first line":
		return true, r.firstLine(body)
	}
	return false, false
}

// name returns the text of a value. The few names there are, are kept once,
// and none of them keeps the whole section in memory.
func (r *reader) name(value string) (string, bool) {
	for _, s := range r.words { // "sshd", "count": a handful, met in every line
		if s == value {
			return s, true
		}
	}
	if s, ok := r.names[value]; ok {
		return s, true
	}
	s, ok := unquote(value)
	if !ok {
		return "", false
	}
	s = strings.Clone(s)
	if r.names[strings.Clone(value)] = s; s == value && len(r.words) < cap(r.words) {
		r.words = append(r.words, s)
	}
	return s, true
}

// A dropped counts what could not be used, and remembers the first.
type dropped struct {
	count int
	first string
}

func (d *dropped) add(text string) {
	if d.count++; d.count == 1 {
		d.first = strings.Clone(trim(text[:min(len(text), 1000)]))
	}
}
