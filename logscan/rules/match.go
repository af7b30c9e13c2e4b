package rules

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"

	"blockhosts/internal/record"
)

// maxText is the length in bytes of the longest text that is held against
// patterns, that of the longest line which logscan hands on. A longer one is
// left alone, since a cut one would end where a client wants.
const maxText = 64 << 10

// quickText is up to which length the matcher on bytes comes to a result as soon
// as the rule's literal is looked for. Longer texts can be made to cost it more.
const quickText = 1000

// Match holds a line against the rules that read it.
func (s *Set) Match(l *record.Line) (m record.Match) {
	s.MatchInto(l, &m)
	return m
}

// MatchInto is Match for many lines.
func (s *Set) MatchInto(l *record.Line, m *record.Match) {
	*m = record.Match{}
	readers := s.reading(l)
	m.Known = readers.known
	chosen := s.candidates(readers, l)
	if len(chosen) == 0 {
		return
	}
	s.scratch.reset()
	for _, r := range chosen {
		t := s.scratch.text(r.program != nil, l)
		quick := r.fast != nil && r.program != nil && len(t.bytes) <= quickText
		if !quick && !(t.mayHold(r) && r.sift(t.bytes) == 0) || r.missed && !r.must.in(t.bytes) {
			continue
		}
		v := s.try(r, t)
		r.missed = !v.matched && !v.ambiguous
		s.merge(m, r, v)
	}
	if m.Ambiguous {
		m.Matched, m.Addr, m.Host, m.User = false, netip.Addr{}, "", ""
	}
}

// candidates returns the rules that a line may match by its first bytes, in
// the order of their names.
func (s *Set) candidates(by *readers, l *record.Line) []*rule {
	var of []*rule
	if g := by.group; g != nil && (len(l.Message) == 0 || !g.drops[l.Message[0]]) { // most messages end here
		of = g.among(trimmed(l.Message), s.opt.Names, nil)
	}
	var all []*rule
	raw, sieve := trimmed(l.Raw), s.whole.sieve
	if sieve == nil || !by.lines.drops || !by.lines.whole(sieve, raw) { // and most lines here
		all = s.whole.among(raw, s.opt.Names, &by.lines)
	}
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
	perhapsCut
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
		v.matched, v.ambiguous, v.why = false, true, perhapsCut
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
	if r.fast != nil && r.sift(t.bytes) != 0 { // Match may have asked the matcher on bytes first
		return false, nil
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
