package expire

import (
	"slices"
	"time"

	"blockhosts/internal/record"
)

// A term is one block in time.
type term struct {
	fresh    bool // begun in this run
	since    time.Time
	until    time.Time // zero: until discard has passed, or never
	stays    bool      // it is permanent
	reason   record.Reason
	count    int
	by       string   // the service whose limit was crossed; "": all together
	services []string // sorted
}

// hold takes up a block of the previous state.
func (h *host) hold(b *record.Block, l *Limits) {
	reason, until := b.Reason, b.Until
	switch reason {
	case record.ReasonManual, record.ReasonDenylist: // the count's own block, under a stronger one that is over when it is over
		reason, until = l.reason(), time.Time{}
	case record.ReasonPrefix, record.ReasonPermanent:
		reason = l.reason()
	}
	h.heldTerm = true
	h.wasOver = false
	h.room = term{stays: b.Reason == record.ReasonPermanent, since: b.Since, until: until, reason: reason, count: b.Count, by: b.By, services: b.Services}
	h.term = &h.room
}

// passes lets time go by until at: a block may end, and a count be forgotten.
func (h *host) passes(at moment, p *Policy) {
	t := h.term
	if t == nil || t.stays || t.until.IsZero() && !h.counterOf(t.by).quiet(at, p.of(t.by)) {
		return
	}
	if end := h.end(p); !end.IsZero() && !at.time().Before(end) {
		h.endTerm(end)
	}
}

// end is when the present block ends as things stand; zero: never.
func (h *host) end(p *Policy) time.Time {
	switch {
	case h.term == nil || h.term.stays:
		return time.Time{}
	case !h.term.until.IsZero():
		return h.term.until
	}
	return h.counterOf(h.term.by).last.time().Add(p.of(h.term.by).Discard)
}

// endTerm ends the block. All counts begin at 0 again, so that nobody is
// blocked a second time for the same attempts.
func (h *host) endTerm(at time.Time) {
	if h.heldTerm && h.ended.IsZero() {
		h.ended = at
		h.blocks++
	}
	h.term = nil
	h.sum.reset()
	h.services, h.offenders = nil, nil
}

// begin begins a block by the limits of one service, or of all together.
func (h *host) begin(at moment, by string, l *Limits) {
	t := &h.room
	*t = term{fresh: true, since: at.time(), reason: l.reason(), count: h.counterOf(by).count, by: by}
	if by == "" {
		t.services = h.names()
	} else {
		t.services = []string{by}
	}
	if d := l.term(h.blocks); d > 0 {
		t.until = t.since.Add(d)
	}
	t.stays = l.PermanentAfter > 0 && h.blocks+1 >= l.PermanentAfter
	h.term = t
}

// widen adds the service s to the present block, where it has crossed its own
// limit or all are judged together.
func (h *host) widen(s *service, x *hit) {
	at, ok := slices.BinarySearch(h.term.services, s.name)
	if ok || h.term.by != "" && !(x.judged.judged && s.over(x.limits)) {
		return
	}
	h.term.services = slices.Insert(slices.Clone(h.term.services), at, s.name)
}
