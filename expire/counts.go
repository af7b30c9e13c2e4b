package expire

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// counts is the first half of a decision: who attempted how often.
type counts struct {
	policy   Policy
	now      time.Time
	attempts *attempts
	hosts    []host               // prev.Hosts in their order, then new ones
	known    int                  // how many of hosts were there before
	fresh    map[netip.Prefix]int // index of the new ones
	allowed  map[netip.Addr]*record.Decision
}

// A host is a record.Host on its way from one state to the next.
type host struct {
	record.Host
	before  bool      // it was on record
	held    bool      // a block of the previous state holds it
	ended   time.Time // when that block ended, as the host was quiet for long enough; zero: it did not
	crossed time.Time // the attempt that brought it over the limit; zero where none of this run did
	since   time.Time // when its block began, in this run or before
	count   int       // attempts at that moment
	copied  bool      // Services is no longer prev's
	gone    bool      // forgotten, or allowed by now
}

func newCounts(prev record.State, p Policy, now time.Time) *counts {
	c := &counts{policy: p, now: now, attempts: attemptsOf(prev.Tallies), known: len(prev.Hosts),
		hosts: make([]host, len(prev.Hosts)), fresh: map[netip.Prefix]int{}, allowed: map[netip.Addr]*record.Decision{}}
	for i, h := range prev.Hosts {
		c.hosts[i] = host{Host: h, before: true}
	}
	for _, b := range prev.Blocks {
		if !b.Host.IsValid() {
			continue
		}
		if i, ok := c.find(b.Host); ok {
			h := &c.hosts[i]
			h.held, h.since, h.count = true, b.Since, b.Count
		}
	}
	return c
}

// find returns the index of the host that counts for key.
func (c *counts) find(key netip.Prefix) (int, bool) {
	if i, ok := c.fresh[key]; ok {
		return i, true
	}
	return slices.BinarySearchFunc(c.hosts[:c.known], key, func(h host, k netip.Prefix) int { return byNet(h.Net, k) })
}

// add counts one failure.
func (c *counts) add(f record.Failure) {
	if !countable(f.Addr) {
		return
	}
	if entry, ok := c.policy.Allow.Find(f.Addr); ok {
		c.noteAllowed(f, entry)
		return
	}
	n := f.Repeat
	if c.policy.FoldLines {
		n = c.attempts.count(f)
	}
	key := c.policy.key(f.Addr)
	i, ok := c.find(key)
	if !ok && n == 0 {
		return // one more line of an attempt that the administrator has forgiven
	}
	if !ok {
		i = len(c.hosts)
		c.hosts = append(c.hosts, host{Host: record.Host{Net: key}})
		c.fresh[key] = i
	}
	c.hosts[i].add(f, n, c.policy.Limits)
}

func (c *counts) noteAllowed(f record.Failure, entry string) {
	d := c.allowed[f.Addr]
	if d == nil {
		d = &record.Decision{Detail: "on the allowlist: " + entry}
		d.At, d.Action, d.Net = c.now, record.ActionAllowed, record.Single(f.Addr)
		c.allowed[f.Addr] = d
	}
	d.Count += f.Repeat
	if f.Time.After(d.Last) {
		d.Last = f.Time
	}
	if i, ok := slices.BinarySearch(d.Services, f.Service); !ok {
		d.Services = slices.Insert(d.Services, i, f.Service)
	}
}

// add counts n attempts at the time of f. What was counted before a quiet
// spell of discard is forgotten, as a run at that time would have done.
func (h *host) add(f record.Failure, n int, l Limits) {
	known := !h.Last.IsZero()
	if known && !h.Last.Before(f.Time.Add(l.Discard)) && h.Last.After(f.Time) {
		return // a late line about what would be forgotten by now
	}
	if known && !f.Time.Before(h.Last.Add(l.Discard)) {
		h.forget(l)
	}
	h.Count += n
	if f.Time.After(h.Last) {
		h.Last = f.Time
	}
	h.addService(f, n)
	h.addOffender(f.Addr)
	if !h.blocked() && h.Count > l.Blockcount {
		h.cross(f.Time)
	}
}

// blocked tells whether a block holds h at this point of the run.
func (h *host) blocked() bool { return h.held && h.ended.IsZero() || !h.crossed.IsZero() }

func (h *host) cross(at time.Time) { h.crossed, h.since, h.count = at, at, h.Count }

func (h *host) forget(l Limits) {
	if h.held && h.ended.IsZero() {
		h.ended = h.Last.Add(l.Discard)
	}
	h.Count, h.Services, h.Offenders, h.crossed = 0, nil, nil, time.Time{}
}

// addService and addOffender copy what they change, once: the slices are prev's.
func (h *host) addService(f record.Failure, n int) {
	i, ok := slices.BinarySearchFunc(h.Services, f.Service, func(s record.ServiceCount, name string) int {
		return strings.Compare(s.Service, name)
	})
	if !h.copied {
		h.Services, h.copied = slices.Clone(h.Services), true
	}
	if !ok {
		h.Services = slices.Insert(h.Services, i, record.ServiceCount{Service: f.Service})
	}
	s := &h.Services[i]
	s.Count += n
	if f.Time.After(s.Last) {
		s.Last = f.Time
	}
}

func (h *host) addOffender(a netip.Addr) {
	if a.Is4() || len(h.Offenders) == record.MaxOffenders {
		return
	}
	if i, ok := slices.BinarySearchFunc(h.Offenders, a, netip.Addr.Compare); !ok {
		h.Offenders = slices.Insert(slices.Clone(h.Offenders), i, a)
	}
}

// settle forgets the hosts that are quiet for long enough now, and those that
// the allowlist has come to hold.
func (c *counts) settle() {
	l := c.policy.Limits
	for i := range c.hosts {
		h := &c.hosts[i]
		if !c.now.Before(h.Last.Add(l.Discard)) {
			h.forget(l)
			h.gone = true
		} else if c.isAllowed(h) {
			h.gone, h.ended = true, c.now
		} else if !h.blocked() && h.Count > l.Blockcount {
			h.cross(c.now) // the limit was lowered
		}
	}
}

// isAllowed tells whether nobody that h counts may be blocked.
func (c *counts) isAllowed(h *host) bool {
	if !c.policy.Allow.Overlaps(h.Net) {
		return false
	}
	if h.Net.Addr().Is4() {
		_, ok := c.policy.Allow.Find(h.Net.Addr())
		return ok
	}
	return !slices.ContainsFunc(h.Offenders, c.mayBlock)
}

func (c *counts) mayBlock(a netip.Addr) bool {
	_, ok := c.policy.Allow.Find(a)
	return !ok
}

// remaining returns the hosts of the next state, in order.
func (c *counts) remaining() []record.Host {
	hosts := make([]record.Host, 0, len(c.hosts))
	for i := range c.hosts {
		if !c.hosts[i].gone {
			hosts = append(hosts, c.hosts[i].Host)
		}
	}
	if len(c.hosts) > c.known {
		slices.SortFunc(hosts, func(a, b record.Host) int { return byNet(a.Net, b.Net) })
	}
	if len(hosts) == 0 {
		return nil
	}
	return hosts
}
