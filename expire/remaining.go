package expire

import (
	"net/netip"
	"sort"

	"blockhosts/internal/record"
)

// A quiet is a watched host that may be forgotten early.
type quiet struct {
	last  moment
	net   netip.Prefix
	place int // in slots, or behind them in added
}

// trim forgets the hosts that were quiet the longest where there are too many.
// A blocked one is never forgotten early.
func (c *counts) trim() {
	limit := c.policy.MaxTracked
	if limit <= 0 || len(c.slots)+len(c.added) <= limit {
		return
	}
	watched, kept := c.watched()
	excess := min(kept-limit, len(watched))
	if excess <= 0 {
		return
	}
	sort.Slice(watched, func(i, j int) bool {
		a, b := &watched[i], &watched[j]
		return a.last < b.last || a.last == b.last && byNet(a.net, b.net) < 0
	})
	for _, x := range watched[:excess] {
		if x.place < len(c.slots) {
			c.wake(x.place).gone = true
		} else {
			c.added[x.place-len(c.slots)].gone = true
		}
	}
	c.dropped = excess
}

// watched returns the hosts that are not blocked, and how many there are with
// the blocked ones.
func (c *counts) watched() (all []quiet, kept int) {
	note := func(h *host, place int) {
		if h.gone {
			return
		}
		if kept++; h.term == nil {
			all = append(all, quiet{h.sum.last, h.net, place})
		}
	}
	for i := range c.slots {
		if h := c.slots[i].work; h != nil {
			note(h, i)
		} else if kept++; !c.isBlocked(i) {
			all = append(all, quiet{momentOf(c.prev.Hosts[i].Last), c.prev.Hosts[i].Net, i})
		}
	}
	for i, h := range c.added {
		note(h, len(c.slots)+i)
	}
	return all, kept
}

// remaining returns the hosts of the next state, in order: where nothing is
// new, the previous state's own list.
func (c *counts) remaining() []record.Host {
	services, idle := 0, true
	for h := range c.active() {
		services += len(h.services)
		idle = false
	}
	if idle {
		return c.prev.Hosts[:len(c.prev.Hosts):len(c.prev.Hosts)]
	}
	hosts := make([]record.Host, 0, len(c.slots)+len(c.added))
	backing := make([]record.ServiceCount, 0, services)
	next := 0 // of prev.Hosts
	for h := range c.active() {
		i := next
		for i < len(c.slots) && byNet(c.prev.Hosts[i].Net, h.net) < 0 {
			i++
		}
		hosts = append(hosts, c.prev.Hosts[next:i]...)
		if next = i; i < len(c.slots) && c.slots[i].work == h {
			next++
		}
		if !h.gone {
			var r record.Host
			r, backing = h.record(backing)
			hosts = append(hosts, r)
		}
	}
	hosts = append(hosts, c.prev.Hosts[next:]...)
	if len(hosts) == 0 {
		return nil
	}
	return hosts
}
