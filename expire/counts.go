package expire

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// counts is the first half of a decision: who attempted how often, and whom
// that blocks.
type counts struct {
	policy    Policy
	now       time.Time
	prev      record.State
	attempts  *attempts
	hosts     []host                        // prev.Hosts in their order, then new ones
	known     int                           // how many of hosts were there before
	fresh     map[netip.Prefix]int          // index of the new ones
	permanent map[netip.Prefix]record.Block // by host, which may be forgotten long since
	allowed   map[netip.Addr]*record.Decision
	dropped   int // by max_tracked
}

func newCounts(prev record.State, p Policy, now time.Time) *counts {
	c := &counts{policy: p, now: now, prev: prev, attempts: attemptsOf(prev.Tallies), known: len(prev.Hosts),
		hosts: make([]host, len(prev.Hosts)), fresh: map[netip.Prefix]int{}, permanent: map[netip.Prefix]record.Block{}, allowed: map[netip.Addr]*record.Decision{}}
	for i, h := range prev.Hosts {
		c.hosts[i] = hostOf(h)
		c.hosts[i].wasOver = !p.ByService && c.hosts[i].sum.over(&p.Limits)
	}
	for _, past := range prev.Past {
		if i, ok := c.find(past.Net); ok {
			c.hosts[i].blocks = past.Blocks
		}
	}
	for _, b := range prev.Blocks {
		if !b.Host.IsValid() {
			continue
		}
		if b.Reason == record.ReasonPermanent {
			c.permanent[b.Host] = b
		}
		if i, ok := c.find(b.Host); ok {
			c.hosts[i].hold(b, p.of(b.By))
			c.hosts[i].blocks = max(0, c.blocksOf(b.Host)-1) // the present one is counted
		}
	}
	return c
}

// blocksOf returns how often the host that counts for key was blocked so far.
func (c *counts) blocksOf(key netip.Prefix) int {
	past, ok := c.pastOf(key)
	if !ok || !c.remembered(past) {
		return 0
	}
	return past.Blocks
}

// pastOf returns what the previous state remembers of key.
func (c *counts) pastOf(key netip.Prefix) (record.Past, bool) {
	i, ok := slices.BinarySearchFunc(c.prev.Past, key, func(x record.Past, k netip.Prefix) int { return byNet(x.Net, k) })
	if !ok {
		return record.Past{}, false
	}
	return c.prev.Past[i], true
}

func (c *counts) remembered(p record.Past) bool { return c.now.Before(p.Last.Add(c.policy.Remember)) }

// find returns the index of the host that counts for key.
func (c *counts) find(key netip.Prefix) (int, bool) {
	if i, ok := c.fresh[key]; ok {
		return i, true
	}
	return slices.BinarySearchFunc(c.hosts[:c.known], key, func(h host, k netip.Prefix) int { return byNet(h.net, k) })
}

// moment is when f counts as having happened.
func (c *counts) moment(f *record.Failure) time.Time {
	if at := tenths(f.Time); at.Before(c.now) {
		return at
	}
	return c.now
}

// add counts one failure.
func (c *counts) add(f *record.Failure) {
	if !countable(f.Addr) {
		return
	}
	if entry, ok := c.policy.Allow.Find(f.Addr); ok {
		c.noteAllowed(*f, entry)
		return
	}
	at := c.moment(f)
	weight := c.policy.of(f.Service).Users.weight(f.User)
	atOnce := weight == Block
	n := f.Repeat * max(weight, 0)
	if atOnce {
		n = f.Repeat
	}
	if c.policy.FoldLines {
		n = c.attempts.count(f, at, n)
	}
	key := c.policy.Key(f.Addr)
	i, ok := c.find(key)
	if !ok && n == 0 {
		return // one more line of an attempt that the administrator has forgiven, or of a user who weighs nothing
	}
	if !ok {
		i = len(c.hosts)
		h := host{net: key, blocks: c.blocksOf(key)}
		if b, ok := c.permanent[key]; ok {
			h.hold(b, c.policy.of(b.By))
		}
		c.hosts = append(c.hosts, h)
		c.fresh[key] = i
	}
	c.hosts[i].add(f, at, n, atOnce, &c.policy)
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

// settle ends the run for each host, and forgets those that the allowlist has
// come to hold.
func (c *counts) settle() {
	for i := range c.hosts {
		h := &c.hosts[i]
		h.settle(c.now, &c.policy)
		if !h.gone && c.isAllowed(h) {
			h.endTerm(c.now)
			h.gone = true
		}
	}
	c.trim()
}

// isAllowed tells whether nobody that h counts may be counted at all.
func (c *counts) isAllowed(h *host) bool {
	if !c.policy.Allow.Overlaps(h.net) {
		return false
	}
	for _, a := range h.addrs() {
		if _, ok := c.policy.Allow.Find(a); !ok {
			return false
		}
	}
	return true
}

// addrs returns the single addresses that h counts.
func (h *host) addrs() []netip.Addr {
	if h.net.Addr().Is4() {
		return []netip.Addr{h.net.Addr()}
	}
	return h.offenders
}

// trim forgets the hosts that were quiet the longest where there are too many.
// A blocked one is never forgotten early.
func (c *counts) trim() {
	limit := c.policy.MaxTracked
	if limit <= 0 || len(c.hosts) <= limit {
		return
	}
	var watched []int
	kept := 0
	for i := range c.hosts {
		if h := &c.hosts[i]; !h.gone {
			kept++
			if h.term == nil {
				watched = append(watched, i)
			}
		}
	}
	excess := min(kept-limit, len(watched))
	if excess <= 0 {
		return
	}
	slices.SortFunc(watched, func(i, j int) int {
		return cmp.Or(c.hosts[i].sum.Last.Compare(c.hosts[j].sum.Last), byNet(c.hosts[i].net, c.hosts[j].net))
	})
	for _, i := range watched[:excess] {
		c.hosts[i].gone = true
	}
	c.dropped = excess
}

// remaining returns the hosts of the next state, in order.
func (c *counts) remaining() []record.Host {
	hosts := make([]record.Host, 0, len(c.hosts))
	for i := range c.hosts {
		if !c.hosts[i].gone {
			hosts = append(hosts, c.hosts[i].record())
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
