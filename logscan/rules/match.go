package rules

import (
	"bytes"
	"net/netip"
	"unicode/utf8"

	"blockhosts/internal/record"

	"github.com/dlclark/regexp2/v2"
)

// maxText is the length in bytes of the longest text that is held against
// patterns: Apache's longest request line, referer and agent together. A
// longer one is left alone, since a cut one would end where a client wants.
const maxText = 32 << 10

// Match holds a line against the rules that read it.
func (s *Set) Match(l *record.Line) record.Match {
	readers, known := s.reading(l)
	m := record.Match{Known: known}
	s.scratch.reset()
	for _, r := range readers {
		s.merge(&m, r, s.try(r, l))
	}
	if m.Ambiguous {
		m.Matched, m.Addr, m.Host, m.User = false, netip.Addr{}, "", ""
	}
	return m
}

// merge adds what one rule found to what those before it found.
func (s *Set) merge(m *record.Match, r *rule, v verdict) {
	if v.timedOut {
		m.TimedOut = append(m.TimedOut, r.name)
		return
	}
	if !v.matched && !v.ambiguous {
		return
	}
	switch {
	case m.Rule == "":
		m.Rule, m.Service, m.Class = r.name, r.service, r.class
		m.Matched, m.Ambiguous = v.addr.IsValid(), v.ambiguous
		m.Addr, m.Host, m.User = v.addr, v.host, v.user
	case v.ambiguous || v.addr != m.Addr || v.host != m.Host:
		m.Ambiguous = true
	}
}

// A verdict is what one rule made of one line.
type verdict struct {
	matched, ambiguous, timedOut bool
	addr, other                  netip.Addr // other: of another reading, where ambiguous
	host                         string     // instead of addr
	user                         string
	at                           reading
	userAt                       [2]int // runes of the text with the marker in it; -1, -1: none
	why                          string // for people, where it did not match
}

// try holds one rule against a line: first what is cheap, then every reading.
func (s *Set) try(r *rule, l *record.Line) verdict {
	t := s.scratch.text(r.program != nil, l)
	if len(t.bytes) > maxText {
		return verdict{why: "the line is too long"}
	}
	if !bytes.HasPrefix(t.bytes, []byte(r.prefix)) || !bytes.Contains(t.bytes, []byte(r.literal)) {
		return verdict{why: "its text is not in the line"}
	}
	if r.broken || r.re == nil && r.compile(s.opt.Timeout) != nil {
		return verdict{why: "it does not compile"}
	}
	v := s.readings(r, t, t.addresses())
	if s.opt.Names && !v.matched && !v.ambiguous && !v.timedOut {
		v = s.readings(r, t, t.names())
	}
	return v
}

// readings puts each place where an address stands before the pattern as the
// one that {HOST_IP} means.
func (s *Set) readings(r *rule, t *text, places []reading) (v verdict) {
	v.why = "the pattern does not match"
	if len(places) == 0 {
		v.why = "there is no address in the line"
	}
	overflow := len(places) > maxReadings
	for _, p := range places {
		host := ""
		if !p.addr.IsValid() {
			host = string(t.bytes[p.start:p.end])
		}
		if v.matched && p.addr == v.addr && host == v.host {
			continue
		}
		found, err := s.scratch.match(r, t, p)
		if err != nil {
			return verdict{timedOut: true, why: "it took too long"}
		}
		if !found {
			continue
		}
		if v.matched || overflow {
			v.matched, v.ambiguous, v.other, v.why = false, true, p.addr, "the line can be read in two ways"
			return v
		}
		v = verdict{matched: true, addr: p.addr, host: host, at: p, userAt: s.scratch.userAt}
		v.user = s.scratch.userText()
	}
	return v
}

// scratch is the memory that matching reuses from line to line.
type scratch struct {
	message, raw text
	runes        []rune // a text with hostRune in place of one address
	userAt       [2]int
	hostSeen     bool
	rule         *rule
	view         func(regexp2.MatchView) bool // kept, so that it is made once
}

func (c *scratch) reset() {
	c.message.ready, c.raw.ready = false, false
}

// text returns the message or the whole line, without blanks at its end.
func (c *scratch) text(message bool, l *record.Line) *text {
	t, b := &c.raw, l.Raw
	if message {
		t, b = &c.message, l.Message
	}
	if !t.ready {
		*t = text{bytes: bytes.TrimRight(b, " \t\r\n\x00"), ready: true, runes: t.runes[:0], places: t.places[:0]}
	}
	return t
}

// match holds r's pattern against t read with its address at p.
func (c *scratch) match(r *rule, t *text, p reading) (bool, error) {
	c.runes = append(append(append(c.runes[:0], t.runes[:p.from]...), hostRune), t.runes[p.to:]...)
	if c.view == nil {
		c.view = c.look
	}
	c.rule, c.hostSeen, c.userAt = r, false, [2]int{-1, -1}
	err := r.re.FindRunesMatches(c.runes, 0, c.view)
	return c.hostSeen, err
}

// look takes what is needed from a match; the view is gone after it.
func (c *scratch) look(v regexp2.MatchView) bool {
	if _, _, c.hostSeen = v.GroupRange(c.rule.host); !c.hostSeen {
		return true // it matched without the address: look on
	}
	if c.rule.user >= 0 {
		if at, n, ok := v.GroupRange(c.rule.user); ok {
			c.userAt = [2]int{at, at + n}
		}
	}
	return false
}

// userText returns the user of the latest match, cut at record.MaxUser bytes.
func (c *scratch) userText() string {
	if c.userAt[0] < 0 {
		return ""
	}
	var b [record.MaxUser]byte
	n := 0
	for _, r := range c.runes[c.userAt[0]:c.userAt[1]] {
		if n+utf8.RuneLen(r) > len(b) {
			break
		}
		n += utf8.EncodeRune(b[n:], r)
	}
	return string(b[:n])
}

// A text is what patterns are held against.
type text struct {
	bytes  []byte
	runes  []rune
	places []reading
	ready  bool
	found  bool // places are those of addresses
}

// addresses returns where addresses stand; runes are ready after it.
func (t *text) addresses() []reading {
	if !t.found {
		t.found = true
		t.places = addresses(t.places[:0], t.bytes)
		if len(t.places) > 0 {
			t.decode(t.places)
		}
	}
	return t.places
}

// names returns where host names stand.
func (t *text) names() []reading {
	n := names(nil, t.bytes)
	t.decode(n)
	return n
}

// decode makes the runes of the text, and the places in them. A byte that is
// no UTF-8, hostRune and line breaks become U+FFFD.
func (t *text) decode(places []reading) {
	t.runes = t.runes[:0]
	for i := range places {
		places[i].from, places[i].to = places[i].start, places[i].end
	}
	for i := 0; i < len(t.bytes); {
		r, n := rune(t.bytes[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(t.bytes[i:])
		}
		if r == hostRune || r == '\n' || r == '\r' {
			r = utf8.RuneError
		}
		t.runes = append(t.runes, r)
		if i += n; n > 1 {
			shift(places, i, n-1)
		}
	}
}

// shift moves the places at or behind byte at down by n runes.
func shift(places []reading, at, n int) {
	for i := range places {
		if places[i].start >= at {
			places[i].from -= n
			places[i].to -= n
		}
	}
}
