package expire

import (
	"net/netip"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// past returns what the next state remembers of blocks, in order. While a
// block lasts, its number is remembered in any case. Where all is as it was,
// it is the previous state's own list.
func (c *counts) past() []record.Past {
	changed := c.pastChanges()
	all := kept[record.Past]{was: c.prev.Past, new: len(changed)}
	var at int
	for i := range c.prev.Past {
		p := &c.prev.Past[i]
		for len(changed) > 0 && byNet(changed[0].Net, p.Net) < 0 {
			c.keepPast(&all, &changed[0])
			changed = changed[1:]
		}
		if len(changed) > 0 && changed[0].Net == p.Net {
			continue
		}
		if c.remembered(p) || c.holds(p.Net, &at) {
			all.add(p, samePast)
		}
	}
	for i := range changed {
		c.keepPast(&all, &changed[i])
	}
	return all.list()
}

// keepPast adds p, of a host whose block began or ended in this run.
func (c *counts) keepPast(all *kept[record.Past], p *record.Past) {
	if c.remembered(p) || c.holds(p.Net, new(int)) {
		all.add(p, samePast)
	}
}

func samePast(a, b *record.Past) bool { return *a == *b }

// pastChanges returns the past of the hosts whose block began or ended, in
// order.
func (c *counts) pastChanges() []record.Past {
	changed := make([]record.Past, 0, len(c.added))
	for h := range c.active() {
		switch {
		case h.began():
			changed = append(changed, record.Past{Net: h.net, Blocks: h.blocks + 1, Last: h.term.since})
		case h.heldTerm && !h.ended.IsZero():
			changed = append(changed, record.Past{Net: h.net, Blocks: h.blocks, Last: h.ended})
		}
	}
	return changed
}

// began tells whether a block of h began in this run, and is in force.
func (h *host) began() bool { return h.term != nil && h.term.fresh && h.blockable }

// holds tells whether the host that counts for key is blocked. The search
// begins at the host of number at, which it moves on.
func (c *counts) holds(key netip.Prefix, at *int) bool {
	if h := c.fresh[key]; h != nil {
		return h.term != nil
	}
	i, ok := c.known(key, *at)
	*at = i
	return ok && c.isBlocked(i)
}

// Ends returns when a block of st ends as things stand, zero for never.
func Ends(st record.State, b record.Block, p Policy) time.Time {
	if !b.Until.IsZero() || !b.Host.IsValid() || b.Reason == record.ReasonPermanent || b.Reason == record.ReasonManual || b.Reason == record.ReasonDenylist {
		return b.Until
	}
	i, ok := slices.BinarySearchFunc(st.Hosts, b.Host, func(h record.Host, k netip.Prefix) int { return byNet(h.Net, k) })
	if !ok {
		return time.Time{}
	}
	var h host
	h.take(&st.Hosts[i])
	h.hold(&b, p.of(b.By))
	return h.end(&p)
}
