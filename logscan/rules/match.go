package rules

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"unicode/utf8"

	"blockhosts/internal/record"

	"github.com/dlclark/regexp2/v2"
)

// maxText is the length in bytes of the longest text that is held against
// patterns, that of the longest line which logscan hands on. A longer one is
// left alone, since a cut one would end where a client wants.
const maxText = 64 << 10

// shortestCut is the length in bytes of the shortest line that a syslog daemon
// may have cut: RFC 3164, 4.1, lets it keep 1024 bytes of what a program sent,
// without the host name, and write it with another stamp. Others keep 2048 or
// 8192. What a client has written would then stand at the end, in the place of
// the daemon's own words.
const shortestCut = 1000

// Match holds a line against the rules that read it.
func (s *Set) Match(l *record.Line) (m record.Match) {
	readers, known := s.reading(l)
	m.Known = known
	chosen := s.candidates(readers, l)
	if len(chosen) == 0 {
		return m
	}
	s.scratch.reset()
	for _, r := range chosen {
		t := s.scratch.text(r.program != nil, l)
		if quick := r.fast != nil && r.program != nil && len(t.bytes) <= maxText; quick || t.mayHold(r) && r.sift(t.bytes) == 0 {
			s.merge(&m, r, s.try(r, t))
		}
	}
	if m.Ambiguous {
		m.Matched, m.Addr, m.Host, m.User = false, netip.Addr{}, "", ""
	}
	return m
}

// candidates returns the rules that a line may match by its first bytes, in
// the order of their names.
func (s *Set) candidates(messages *group, l *record.Line) []*rule {
	of, all := messages.among(trimmed(l.Message), s.opt.Names), s.whole.among(trimmed(l.Raw), s.opt.Names)
	switch {
	case len(of) == 0:
		return all
	case len(all) == 0:
		return of
	}
	s.chosen = append(append(s.chosen[:0], of...), all...)
	slices.SortFunc(s.chosen, func(a, b *rule) int { return cmp.Compare(a.order, b.order) })
	return s.chosen
}

// merge adds what one rule found to what those before it found.
func (s *Set) merge(m *record.Match, r *rule, v *verdict) {
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
	at                           *reading // of the text
	userAt                       [2]int   // runes of the text with the marker in it; -1, -1: none
	why                          miss
}

// A miss is why a rule blames nobody.
type miss uint8

const (
	tooLong miss = iota + 1
	noHead
	noLiteral
	noPattern
	noAddress
	noMatch
	tooSlow
	twoWays
	mayBeCut
)

// sift holds a text against what is cheap to know of the rule's pattern.
func (r *rule) sift(b []byte) miss {
	switch {
	case len(b) > maxText:
		return tooLong
	case !r.begins(b):
		return noHead
	case !bytes.Contains(b, r.needle):
		return noLiteral
	}
	return 0
}

// try holds the rule's pattern against every reading of the text. The verdict
// is valid until the next call.
func (s *Set) try(r *rule, t *text) *verdict {
	v := &s.verdict
	*v = verdict{why: noPattern}
	if !r.prepared {
		r.prepare()
	}
	if r.broken || r.fast == nil && r.re == nil && r.compile(s.opt.Timeout) != nil {
		return v
	}
	s.readings(v, r, t, t.addresses())
	if s.opt.Names && !v.matched && !v.ambiguous && !v.timedOut {
		*v = verdict{}
		s.readings(v, r, t, t.names())
	}
	if v.matched && t.long && r.prefixed && !r.front && !r.unpinned {
		v.matched, v.ambiguous, v.why = false, true, mayBeCut
	}
	return v
}

// begins reports whether a text begins as the rule's pattern does.
func (r *rule) begins(b []byte) bool {
	for _, h := range r.heads {
		if len(b) >= len(h) && string(b[:len(h)]) == h {
			return true
		}
	}
	return len(r.heads) == 0
}

// readings puts each place where an address stands before the pattern as the
// one that {HOST_IP} means. A reading of another address makes the line
// ambiguous.
func (s *Set) readings(v *verdict, r *rule, t *text, places []reading) {
	if v.why = noMatch; len(places) == 0 {
		v.why = noAddress
	}
	tries := 0
	for k := range places {
		p := inwards(places, k)
		if !r.fits(t.bytes, p) {
			continue
		}
		if tries++; tries > maxReadings {
			return
		}
		found, err := s.hold(r, t, p)
		if err != nil {
			v.timedOut, v.why = true, tooSlow
			return
		}
		if found {
			v.matched, v.addr, v.at, v.userAt, v.user, v.why = true, p.addr, p, s.scratch.userAt, s.scratch.userText(), 0
			if len(places) > 1 {
				s.others(v, r, t, places)
			}
			v.settle(t)
			return
		}
	}
}

// inwards returns the k-th of places from both ends inwards, so that a pinned
// rule soon finds its own, however many others a client has added.
func inwards(places []reading, k int) *reading {
	if k%2 == 1 {
		return &places[len(places)-1-k/2]
	}
	return &places[k/2]
}

// others looks for a reading of another address. Where more fit than are
// tried, a loose rule cannot tell that it has seen them all.
func (s *Set) others(v *verdict, r *rule, t *text, places []reading) {
	tries := 0
	for k := range places {
		p := inwards(places, k)
		if p.same(v.at, t.bytes) || !r.fits(t.bytes, p) {
			continue
		}
		if tries++; tries > maxReadings {
			v.ambiguous = r.loose
			return
		}
		found, err := s.holdWide(r, t, p)
		if err != nil && r.wide == "" {
			*v = verdict{timedOut: true, why: tooSlow}
			return
		}
		if found || err != nil {
			v.ambiguous, v.other = true, p.addr
			return
		}
	}
}

// hold holds the rule's pattern against t read with its address at p.
func (s *Set) hold(r *rule, t *text, p *reading) (bool, error) {
	if found, known := s.scratch.quick(r.fast, t, p); known {
		return found, nil
	}
	if r.re == nil && r.compile(s.opt.Timeout) != nil {
		return false, nil
	}
	return s.scratch.match(r.re, r.host, r.user, t, p)
}

// holdWide does the same with the pattern for other readings.
func (s *Set) holdWide(r *rule, t *text, p *reading) (bool, error) {
	if r.wide == "" {
		return s.hold(r, t, p)
	}
	re, host := r.widened(s.opt.Timeout)
	return s.scratch.match(re, host, -1, t, p)
}

// settle makes an ambiguous verdict one that blames nobody.
func (v *verdict) settle(t *text) {
	if v.ambiguous {
		v.matched, v.why = false, twoWays
	}
	if v.matched && !v.addr.IsValid() {
		v.host = string(t.bytes[v.at.start:v.at.end])
	}
}

// same reports whether two places name the same address or host.
func (p *reading) same(q *reading, b []byte) bool {
	return p.addr == q.addr && (p.addr.IsValid() || string(b[p.start:p.end]) == string(b[q.start:q.end]))
}

// fits reports whether the address at p has the neighbours that the pattern
// wants.
func (r *rule) fits(b []byte, p *reading) bool {
	from, to := p.start-len(r.before), p.end+len(r.after)
	return from >= 0 && to <= len(b) && string(b[from:p.start]) == r.before && string(b[p.end:to]) == r.after
}

// scratch is the memory that matching reuses from line to line.
type scratch struct {
	message, raw text
	runes        []rune // a text with hostRune in place of one address
	userAt       [2]int
	hostSeen     bool
	host, user   int // numbers of the groups wanted
	machine      machine
	quickUser    []byte // the user, where the machine found it
	users        record.Texts
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
		t.bytes, t.runes, t.places = trimmed(b), t.runes[:0], t.places[:0]
		t.ready, t.found, t.noted, t.ascii = true, false, false, false
		t.long = len(l.Raw) >= shortestCut
	}
	return t
}

// trimmed takes off what is no part of a text: blanks at its end, and the NULs
// of a file that was truncated under its writer.
func trimmed(b []byte) []byte {
	for n := len(b); n > 0; n-- {
		if c := b[n-1]; c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != 0 {
			return b[:n]
		}
	}
	return nil
}

// quick holds a program against t; known is false where it is regexp2's.
func (c *scratch) quick(f *fast, t *text, p *reading) (found, known bool) {
	if f == nil || !t.ascii {
		return false, false
	}
	c.userAt, c.quickUser = [2]int{-1, -1}, nil
	found, known = c.machine.match(f, t.bytes, p)
	if from, to := c.machine.user[0], c.machine.user[1]; found && from >= 0 && to >= from {
		c.quickUser = t.bytes[from:to]
		c.userAt = [2]int{p.asRune(from), p.asRune(to)}
	}
	return found, known
}

// asRune returns which character of an ASCII text with hostRune in the place
// of p stands at byte i.
func (p *reading) asRune(i int) int {
	if i >= p.end {
		return i - (p.end - p.start) + 1
	}
	return i
}

// match holds a pattern against t read with its address at p.
func (c *scratch) match(re *regexp2.Regexp, host, user int, t *text, p *reading) (bool, error) {
	t.spell()
	c.quickUser = nil
	c.runes = append(append(append(c.runes[:0], t.runes[:p.from]...), hostRune), t.runes[p.to:]...)
	if c.view == nil {
		c.view = c.look
	}
	c.host, c.user = host, user
	c.hostSeen, c.userAt = false, [2]int{-1, -1}
	err := re.FindRunesMatches(c.runes, 0, c.view)
	if err != nil { // the clock is the wall's: a busy machine gets a second chance
		c.hostSeen, c.userAt = false, [2]int{-1, -1}
		err = re.FindRunesMatches(c.runes, 0, c.view)
	}
	return c.hostSeen, err
}

// look takes what is needed from a match; the view is gone after it.
func (c *scratch) look(v regexp2.MatchView) bool {
	if _, _, c.hostSeen = v.GroupRange(c.host); !c.hostSeen {
		return true // it matched without the address: look on
	}
	if c.user >= 0 {
		if at, n, ok := v.GroupRange(c.user); ok {
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
	if c.quickUser != nil {
		return c.users.Once(c.quickUser[:min(len(c.quickUser), record.MaxUser)])
	}
	var b [record.MaxUser]byte
	n := 0
	for _, r := range c.runes[c.userAt[0]:c.userAt[1]] {
		if n+utf8.RuneLen(r) > len(b) {
			break
		}
		n += utf8.EncodeRune(b[n:], r)
	}
	return c.users.Once(b[:n])
}

// A text is what patterns are held against.
type text struct {
	bytes  []byte
	runes  []rune
	places []reading
	ready  bool
	found  bool // places are those of addresses
	long   bool // the line may have been cut
	grams  grams
	noted  bool // grams are those of bytes
	ascii  bool // bytes are characters; runes are spelt when they are needed
}

// addresses returns where addresses stand.
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
	if t.ascii = plain(t.bytes); t.ascii {
		return
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

// spell makes the runes of a text of which only bytes are known.
func (t *text) spell() {
	if t.ascii && len(t.runes) == 0 {
		for _, b := range t.bytes {
			t.runes = append(t.runes, rune(b))
		}
	}
}

// plain tells whether every byte is a character that patterns see as it is.
func plain(b []byte) bool {
	const high = 0x8080808080808080 // the upper bits of eight bytes
	any, rest := uint64(0), b
	for ; len(rest) >= 8; rest = rest[8:] {
		any |= binary.LittleEndian.Uint64(rest)
	}
	for _, c := range rest {
		any |= uint64(c)
	}
	return any&high == 0 && bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') < 0
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
