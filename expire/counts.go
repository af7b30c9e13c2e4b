package expire

import (
	"net/netip"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// counts is the first half of a decision: who attempted how often, and whom
// that blocks.
type counts struct {
	policy   Policy
	now      time.Time
	end      moment // now
	prev     record.State
	attempts *attempts
	sources  sources
	slots    []slot                 // one for each of prev.Hosts
	hostOf   []int32                // the place of its host in prev.Hosts, for each of prev.Blocks; none: -1
	fresh    map[netip.Prefix]*host // those that are not in prev.Hosts
	added    []*host                // the same, in order once all is counted
	scratch  host                   // see load
	slab     []host
	orphans  map[netip.Prefix]*record.Block // permanent blocks by host, where the host is forgotten; see orphan
	ended    bool                           // the block of some host has ended
	dropped  int                            // by max_tracked
	services []*judged                      // those that were attacked
}

func newCounts(prev record.State, p Policy, now time.Time) *counts {
	c := &counts{policy: p.ready(), now: now, end: momentOf(now), prev: prev, attempts: attemptsOf(prev.Tallies),
		sources: sources{place: newTable()}, fresh: map[netip.Prefix]*host{}}
	c.fillSlots()
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
func (c *counts) pastOf(key netip.Prefix) (*record.Past, bool) {
	i, ok := seek(c.prev.Past, netOfPast, key, 0)
	if !ok {
		return nil, false
	}
	return &c.prev.Past[i], true
}

func (c *counts) remembered(p *record.Past) bool {
	return c.now.Before(p.Last.Add(c.policy.Remember))
}

// add counts a hit.
func (c *counts) add(x *hit) {
	s := &c.sources.all[x.source]
	if s.host == nil && !c.give(s, x.n > 0) {
		return // one more line of an attempt that the administrator has forgiven, or of a user who weighs nothing
	}
	s.host.add(x, &c.policy)
}

// give finds the host that counts s. Where there is none, one is made if it is
// wanted.
func (c *counts) give(s *source, wanted bool) bool {
	key := c.policy.Key(s.addr)
	if h := c.fresh[key]; h != nil {
		s.host = h
		return true
	}
	if i, ok := c.known(key, 0); ok {
		s.host = c.wake(i)
		return true
	}
	if !wanted {
		return false
	}
	h := c.newHost()
	h.net, h.blocks = key, c.blocksOf(key)
	if b := c.orphan(key); b != nil {
		h.hold(b, c.policy.of(b.By))
	}
	c.fresh[key], c.added, s.host = h, append(c.added, h), h
	return true
}

// orphan returns the permanent block of a host that is not on record any more.
func (c *counts) orphan(key netip.Prefix) *record.Block {
	if c.orphans == nil {
		c.orphans = map[netip.Prefix]*record.Block{}
		for i := range c.prev.Blocks {
			if b := &c.prev.Blocks[i]; c.hostOf[i] < 0 && b.Host.IsValid() && b.Reason == record.ReasonPermanent {
				c.orphans[b.Host] = b
			}
		}
	}
	return c.orphans[key]
}

// settle ends the run for each host, and forgets those that the allowlist has
// come to hold. An idle host of which that changes something is so no longer.
func (c *counts) settle() {
	slices.SortFunc(c.added, func(a, b *host) int { return byNet(a.net, b.net) })
	for i := range c.slots {
		h := c.slots[i].work
		if h == nil {
			h = c.load(&c.scratch, i)
			if c.finish(h); h.same(&c.prev.Hosts[i]) && (h.term != nil) == (c.slots[i].block >= 0) && (h.term == nil || !h.term.fresh) {
				continue
			}
			h = c.wake(i)
		}
		c.finish(h)
		c.ended = c.ended || !h.ended.IsZero()
	}
	for _, h := range c.added {
		c.finish(h)
		c.ended = c.ended || !h.ended.IsZero()
	}
	c.trim()
}

// finish ends the run for h.
func (c *counts) finish(h *host) {
	h.settle(c.end, &c.policy)
	if !h.gone && c.isAllowed(h) {
		h.endTerm(c.now)
		h.gone = true
	}
}

// isAllowed tells whether nobody that h counts may be counted at all.
func (c *counts) isAllowed(h *host) bool {
	if !c.policy.Allow.Overlaps(h.net) {
		return false
	}
	for a := range h.addrs() {
		if _, ok := c.policy.Allow.Find(a); !ok {
			return false
		}
	}
	return true
}
