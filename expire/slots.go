package expire

import (
	"iter"
	"net/netip"

	"blockhosts/internal/record"
)

// A slot is what is known of a host of the previous state. Most are idle: in
// this run nobody fails there and nothing ends. They are not copied, but
// looked at in passing.
type slot struct {
	work  *host // nil: idle
	block int32 // its first in prev.Blocks; none: -1
	past  int32 // its place in prev.Past; none: -1
}

// fillSlots finds the past and the block of each host. All three lists are in
// order, so that this is one walk along them.
func (c *counts) fillSlots() {
	c.slots = make([]slot, len(c.prev.Hosts))
	for i := range c.slots {
		c.slots[i] = slot{block: -1, past: -1}
	}
	at, ok := 0, false
	for i := range c.prev.Past {
		if at, ok = c.known(c.prev.Past[i].Net, at); ok {
			c.slots[at].past = int32(i)
		}
	}
	c.hostOf = make([]int32, len(c.prev.Blocks))
	at = 0
	for i := range c.prev.Blocks {
		c.hostOf[i] = -1
		if !c.prev.Blocks[i].Host.IsValid() {
			continue
		}
		if at, ok = c.known(c.prev.Blocks[i].Host, at); ok {
			c.hostOf[i] = int32(at)
			if s := &c.slots[at]; s.block < 0 { // others are of one more offender of the same prefix
				s.block = int32(i)
			}
		}
	}
}

// known returns the place of key in prev.Hosts; the search begins at from.
func (c *counts) known(key netip.Prefix, from int) (int, bool) {
	return seek(c.prev.Hosts, netOfHost, key, from)
}

// load makes h the host at place i of the previous state, as it was.
func (c *counts) load(h *host, i int) *host {
	h.take(&c.prev.Hosts[i])
	h.wasOver = !c.policy.ByService && h.sum.over(&c.policy.Limits)
	s := &c.slots[i]
	if s.past >= 0 {
		h.blocks = c.prev.Past[s.past].Blocks
	}
	if s.block >= 0 {
		b := &c.prev.Blocks[s.block]
		h.hold(b, c.policy.of(b.By))
		if s.past < 0 || !c.remembered(&c.prev.Past[s.past]) {
			h.blocks = 0
		}
		h.blocks = max(0, h.blocks-1) // the present one is counted
	} else {
		h.elsewhere = c.heldElsewhere(h)
	}
	return h
}

// heldElsewhere tells of a host that a former ipv6_prefix has left whether the
// blocks of others hold all that it counts.
func (c *counts) heldElsewhere(h *host) bool {
	if c.policy.Key(h.net.Addr()) == h.net {
		return false
	}
	for a := range h.addrs() {
		if i, ok := seek(c.prev.Blocks, netOfBlock, record.Single(a), 0); !ok || !c.prev.Blocks[i].Host.IsValid() {
			return false
		}
	}
	return true
}

// wake returns the host at place i of the previous state to work on.
func (c *counts) wake(i int) *host {
	if s := &c.slots[i]; s.work == nil {
		s.work = c.load(c.newHost(), i)
	}
	return c.slots[i].work
}

// newHost allocates many at a time.
func (c *counts) newHost() *host {
	if len(c.slab) == 0 {
		c.slab = make([]host, 64)
	}
	h := &c.slab[0]
	c.slab = c.slab[1:]
	return h
}

// find returns the host that counts for key. One that is idle is a copy.
func (c *counts) find(key netip.Prefix) (*host, bool) {
	if h := c.fresh[key]; h != nil {
		return h, true
	}
	i, ok := c.known(key, 0)
	switch {
	case !ok:
		return nil, false
	case c.slots[i].work != nil:
		return c.slots[i].work, true
	}
	return c.load(new(host), i), true
}

// isBlocked tells whether a block holds the host at place i.
func (c *counts) isBlocked(i int) bool {
	if h := c.slots[i].work; h != nil {
		return h.term != nil
	}
	return c.slots[i].block >= 0
}

// active yields the hosts of which something is new, in order.
func (c *counts) active() iter.Seq[*host] {
	return c.each(func(int) bool { return false })
}

// each yields the hosts in order: those that are active, and of the idle ones
// those that want takes. An idle one is valid until the next.
func (c *counts) each(want func(i int) bool) iter.Seq[*host] {
	return func(yield func(*host) bool) {
		added := c.added
		for i := range c.slots {
			h := c.slots[i].work
			if h == nil && !want(i) {
				continue
			}
			for len(added) > 0 && byNet(added[0].net, c.prev.Hosts[i].Net) < 0 {
				if !yield(added[0]) {
					return
				}
				added = added[1:]
			}
			if h == nil {
				h = c.load(&c.scratch, i)
			}
			if !yield(h) {
				return
			}
		}
		for _, h := range added {
			if !yield(h) {
				return
			}
		}
	}
}
