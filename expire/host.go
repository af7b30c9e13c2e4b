package expire

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// A host is a record.Host on its way from one state to the next: its counters
// and the block that they brought, attempt by attempt.
type host struct {
	net       netip.Prefix
	sum       counter
	services  []service // sorted by name
	offenders []netip.Addr
	on        bool      // it was on record
	blocks    int       // how often it was blocked before the present block
	term      *term     // the present block
	heldTerm  bool      // the previous state had a block of it
	ended     time.Time // when that block ended; zero: it has not
	run       int       // attempts in this run
	wasOver   bool      // it was over the limit and not blocked: it is spared, and that was said
	blockable bool      // an address of it is neither allowed nor spared
	gone      bool      // nothing of it is left to keep
}

type service struct {
	name string
	counter
}

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
	limit    int
}

// hostOf takes a host from the previous state. Slices stay the state's until
// something is added to them.
func hostOf(h record.Host) host {
	return host{net: h.Net, sum: counter{Counter: h.Counter, shared: true}, offenders: h.Offenders, on: true,
		services: servicesOf(h.Services)}
}

func servicesOf(counts []record.ServiceCount) []service {
	if len(counts) == 0 {
		return nil
	}
	all := make([]service, len(counts))
	for i, s := range counts {
		all[i] = service{name: s.Service, counter: counter{Counter: s.Counter, shared: true}}
	}
	return all
}

// record returns the host as the next state has it.
func (h *host) record() record.Host {
	r := record.Host{Net: h.net, Counter: h.sum.Counter, Offenders: h.offenders}
	if len(h.services) > 0 {
		r.Services = make([]record.ServiceCount, len(h.services))
		for i, s := range h.services {
			r.Services[i] = record.ServiceCount{Service: s.name, Counter: s.Counter}
		}
	}
	return r
}

// hold takes up a block of the previous state.
func (h *host) hold(b record.Block, l *Limits) {
	if h.term != nil { // one more offender of the same prefix
		return
	}
	reason, until := b.Reason, b.Until
	switch reason {
	case record.ReasonManual, record.ReasonDenylist: // the count's own block, under a stronger one that is over when it is over
		reason, until = l.reason(), time.Time{}
	case record.ReasonPrefix, record.ReasonPermanent:
		reason = l.reason()
	}
	h.heldTerm = true
	h.wasOver = false
	h.term = &term{stays: b.Reason == record.ReasonPermanent, since: b.Since, until: until, reason: reason, count: b.Count, by: b.By, services: b.Services, limit: l.Blockcount}
}

// add counts n attempts of f at a moment. atOnce is for a user whose first attempt blocks.
func (h *host) add(f *record.Failure, at time.Time, n int, atOnce bool, p *Policy) {
	h.passes(at, p)
	if !h.sum.add(at, n, &p.Limits) {
		return
	}
	h.run += n
	i := h.service(f.Service)
	own := p.of(f.Service)
	h.services[i].add(at, n, own)
	h.addOffender(f.Addr)
	switch {
	case h.term != nil:
		h.widen(i, own, p)
	case atOnce:
		h.begin(at, f.Service, own, p)
	case !p.ByService && h.sum.over(&p.Limits):
		h.begin(at, "", &p.Limits, p)
	case p.judges(f.Service) && h.services[i].over(own):
		h.begin(at, f.Service, own, p)
	}
	if l := p.of(h.by()); h.term != nil && l.PermanentFailures > 0 && h.counterOf(h.by()).Count >= l.PermanentFailures {
		h.term.stays = true
	}
}

// passes lets time go by until at: a block may end, and a count be forgotten.
func (h *host) passes(at time.Time, p *Policy) {
	if end := h.end(p); h.term != nil && !end.IsZero() && !at.Before(end) {
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
	return h.counterOf(h.term.by).Last.Add(p.of(h.term.by).Discard)
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
func (h *host) begin(at time.Time, by string, l *Limits, p *Policy) {
	t := &term{fresh: true, since: at, reason: l.reason(), count: h.counterOf(by).Count, by: by, services: []string{by}, limit: l.Blockcount}
	if by == "" {
		t.services = h.names()
	}
	if d := l.term(h.blocks); d > 0 {
		t.until = t.since.Add(d)
	}
	t.stays = l.PermanentAfter > 0 && h.blocks+1 >= l.PermanentAfter
	h.term = t
}

// widen adds a service to the present block, where it has crossed its own
// limit or all are judged together.
func (h *host) widen(i int, own *Limits, p *Policy) {
	name := h.services[i].name
	at, ok := slices.BinarySearch(h.term.services, name)
	if ok || h.term.by != "" && !(p.judges(name) && h.services[i].over(own)) {
		return
	}
	h.term.services = slices.Insert(slices.Clone(h.term.services), at, name)
}

func (h *host) by() string {
	if h.term == nil {
		return ""
	}
	return h.term.by
}

// counterOf returns the counter of a service, or of all together. A service
// whose count was forgotten counts as silent from the beginning of the block.
func (h *host) counterOf(by string) *counter {
	if by == "" {
		return &h.sum
	}
	if i, ok := h.find(by); ok {
		return &h.services[i].counter
	}
	return &h.sum
}

func (h *host) find(name string) (int, bool) {
	return slices.BinarySearchFunc(h.services, name, func(s service, n string) int { return strings.Compare(s.name, n) })
}

// service returns the index of a service, which it adds where it is new.
func (h *host) service(name string) int {
	i, ok := h.find(name)
	if !ok {
		h.services = slices.Insert(h.services, i, service{name: name})
	}
	return i
}

func (h *host) names() []string {
	var names []string
	for _, s := range h.services {
		names = append(names, s.name)
	}
	return names
}

func (h *host) addOffender(a netip.Addr) {
	if a.Is4() || len(h.offenders) == record.MaxOffenders {
		return
	}
	if i, ok := slices.BinarySearchFunc(h.offenders, a, netip.Addr.Compare); !ok {
		h.offenders = slices.Insert(slices.Clone(h.offenders), i, a)
	}
}

// settle is the end of the run for h, at now.
func (h *host) settle(now time.Time, p *Policy) {
	h.passes(now, p)
	h.blockable = slices.ContainsFunc(h.addrs(), p.mayBlock)
	if h.term == nil && !h.sum.Last.IsZero() && h.blockable {
		h.lowered(now, p)
	}
	if t := h.term; t != nil && t.fresh {
		if l := p.of(t.by); h.counterOf(t.by).quiet(now, l) {
			h.term = nil // old lines block nobody today
		} else if !t.until.IsZero() {
			t.until = t.until.Add(time.Duration(h.run/100) * l.BlockPerHundred)
		}
	}
	h.forgetQuiet(now, p)
	h.gone = h.sum.Last.IsZero() && len(h.services) == 0 && (h.term == nil || h.term.stays)
}

// lowered blocks who was under the limit when he attempted and is over it now.
// A window that is past and an average that has decayed are left alone.
func (h *host) lowered(now time.Time, p *Policy) {
	if !p.ByService && p.Limits.reason() == record.ReasonCount && h.sum.over(&p.Limits) && !h.sum.quiet(now, &p.Limits) {
		h.begin(now, "", &p.Limits, p)
		return
	}
	for i := range h.services {
		s := &h.services[i]
		if l := p.of(s.name); p.judges(s.name) && l.reason() == record.ReasonCount && s.over(l) && !s.quiet(now, l) {
			h.begin(now, s.name, l, p)
			return
		}
	}
}

// forgetQuiet drops the counters for which discard has passed. While a block
// lasts, what brought it stays on record.
func (h *host) forgetQuiet(now time.Time, p *Policy) {
	if h.term != nil && !h.term.stays {
		return
	}
	if h.sum.quiet(now, &p.Limits) {
		h.sum.reset()
	}
	if slices.ContainsFunc(h.services, func(s service) bool { return s.quiet(now, p.of(s.name)) }) {
		h.services = slices.DeleteFunc(slices.Clone(h.services), func(s service) bool { return s.quiet(now, p.of(s.name)) })
	}
	if h.sum.Last.IsZero() && len(h.services) == 0 {
		h.offenders = nil
	}
}
