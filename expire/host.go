package expire

import (
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// A host is a record.Host on its way from one state to the next: its counters
// and the block that they brought, attempt by attempt. It is never copied.
type host struct {
	net       netip.Prefix
	sum       counter
	services  []service // sorted by name
	offenders []netip.Addr
	on        bool      // it was on record
	blocks    int       // how often it was blocked before the present block
	term      *term     // the present block; it is room, or nil
	heldTerm  bool      // the previous state had a block of it
	ended     time.Time // when that block ended; zero: it has not
	run       int       // attempts in this run
	wasOver   bool      // it was over the limit and not blocked: it is spared, and that was said
	blockable bool      // of a host whose block began: an address of it is neither allowed nor spared
	gone      bool      // nothing of it is left to keep
	elsewhere bool      // what it counts is blocked for another host; see heldElsewhere
	room      term
}

type service struct {
	name string
	counter
}

// A hit is one failure as its host counts it.
type hit struct {
	*charge
	at     moment
	n      int  // attempts
	atOnce bool // by a user whose first attempt blocks
}

// take makes h the host r of the previous state. Slices stay the state's until
// something is added to them; the room for services is used again.
func (h *host) take(r *record.Host) {
	services := h.services[:0]
	for i := range r.Services {
		services = append(services, service{r.Services[i].Service, counterOf(&r.Services[i].Counter)})
	}
	*h = host{net: r.Net, sum: counterOf(&r.Counter), services: services, offenders: r.Offenders, on: true}
}

// same tells whether the next state has h as r.
func (h *host) same(r *record.Host) bool {
	return !h.gone && h.sum.is(&r.Counter) && len(h.services) == len(r.Services) && len(h.offenders) == len(r.Offenders)
}

// record returns the host as the next state has it. Its services are the end
// of all, which is returned as well: one allocation for the services of many.
func (h *host) record(all []record.ServiceCount) (record.Host, []record.ServiceCount) {
	r := record.Host{Net: h.net, Counter: h.sum.record(), Offenders: h.offenders}
	if len(h.services) > 0 {
		start := len(all)
		for i := range h.services {
			all = append(all, record.ServiceCount{Service: h.services[i].name, Counter: h.services[i].record()})
		}
		r.Services = all[start:len(all):len(all)]
	}
	return r, all
}

// add counts x.
func (h *host) add(x *hit, p *Policy) {
	h.passes(x.at, p)
	if !h.sum.add(x.at, x.n, &p.Limits) {
		return
	}
	h.run += x.n
	s := h.service(x.name)
	s.add(x.at, x.n, x.limits)
	h.addOffender(x.addr)
	switch {
	case h.term != nil:
		h.widen(s, x)
	case x.atOnce:
		h.begin(x.at, x.name, x.limits)
	case !p.ByService && h.sum.over(&p.Limits):
		h.begin(x.at, "", &p.Limits)
	case x.judged.judged && s.over(x.limits):
		h.begin(x.at, x.name, x.limits)
	}
	if h.term == nil {
		return
	}
	if l := p.of(h.term.by); l.PermanentFailures > 0 && h.counterOf(h.term.by).count >= l.PermanentFailures {
		h.term.stays = true
	}
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

// service returns a service, which it adds where it is new. It is valid until
// the next one is added.
func (h *host) service(name string) *service {
	if len(h.services) == 1 && h.services[0].name == name { // as nearly always
		return &h.services[0]
	}
	i, ok := h.find(name)
	if !ok {
		h.services = slices.Insert(h.services, i, service{name: name})
	}
	return &h.services[i]
}

func (h *host) names() []string {
	if len(h.services) == 0 {
		return nil
	}
	names := make([]string, 0, len(h.services))
	for i := range h.services {
		names = append(names, h.services[i].name)
	}
	return names
}

// addrs yields the single addresses that h counts.
func (h *host) addrs() iter.Seq[netip.Addr] { return addrsOf(h.net, h.offenders) }

// addrsOf yields the single addresses that the host of net counts.
func addrsOf(net netip.Prefix, offenders []netip.Addr) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		if net.Addr().Is4() {
			yield(net.Addr())
			return
		}
		for _, a := range offenders {
			if !yield(a) {
				return
			}
		}
	}
}

func (h *host) addOffender(a netip.Addr) {
	if a.Is4() || len(h.offenders) == record.MaxOffenders {
		return
	}
	if i, ok := slices.BinarySearchFunc(h.offenders, a, netip.Addr.Compare); !ok {
		h.offenders = slices.Insert(slices.Clone(h.offenders), i, a)
	}
}

// mayBeBlocked tells whether an address of h is neither allowed nor spared.
func (h *host) mayBeBlocked(p *Policy) bool {
	for a := range h.addrs() {
		if p.mayBlock(a) {
			return true
		}
	}
	return false
}

// settle is the end of the run for h, at now.
func (h *host) settle(now moment, p *Policy) {
	h.passes(now, p)
	if h.term == nil && h.sum.last != 0 && !h.elsewhere {
		h.lowered(now, p)
	}
	if t := h.term; t != nil && t.fresh {
		h.blockable = h.mayBeBlocked(p)
		if l := p.of(t.by); h.counterOf(t.by).quiet(now, l) {
			h.term = nil // old lines block nobody today
		} else if !t.until.IsZero() {
			t.until = t.until.Add(time.Duration(h.run/100) * l.BlockPerHundred)
		}
	}
	h.forgetQuiet(now, p)
	h.gone = h.sum.last == 0 && len(h.services) == 0 && (h.term == nil || h.term.stays)
}

// lowered blocks who was under the limit when he attempted and is over it now.
// A window that is past and an average that has decayed are left alone.
func (h *host) lowered(now moment, p *Policy) {
	isOver := func(c *counter, l *Limits) bool {
		return l.reason() == record.ReasonCount && c.over(l) && !c.quiet(now, l) && h.mayBeBlocked(p)
	}
	if !p.ByService && isOver(&h.sum, &p.Limits) {
		h.begin(now, "", &p.Limits)
		return
	}
	for i := range h.services {
		s := &h.services[i]
		if l := p.of(s.name); p.judges(s.name) && isOver(&s.counter, l) {
			h.begin(now, s.name, l)
			return
		}
	}
}

// forgetQuiet drops the counters for which discard has passed. While a block
// lasts, what brought it stays on record.
func (h *host) forgetQuiet(now moment, p *Policy) {
	if h.term != nil && !h.term.stays {
		return
	}
	if h.sum.quiet(now, &p.Limits) {
		h.sum.reset()
	}
	h.services = slices.DeleteFunc(h.services, func(s service) bool { return s.quiet(now, p.of(s.name)) })
	if h.sum.last == 0 && len(h.services) == 0 {
		h.offenders = nil
	}
}
