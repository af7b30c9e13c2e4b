package expire

import (
	"net/netip"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// past returns what the next state remembers of blocks, in order. While a
// block lasts, its number is remembered in any case.
func (c *counts) past() []record.Past {
	changed := c.pastChanges()
	var all []record.Past
	for _, p := range c.prev.Past {
		if _, ok := changed[p.Net]; !ok && (c.remembered(p) || c.holds(p.Net)) {
			all = append(all, p)
		}
	}
	if len(changed) == 0 {
		return all
	}
	for _, p := range changed {
		if c.remembered(p) || c.holds(p.Net) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(x, y record.Past) int { return byNet(x.Net, y.Net) })
	return all
}

// pastChanges returns the past of the hosts whose block began or ended.
func (c *counts) pastChanges() map[netip.Prefix]record.Past {
	changed := map[netip.Prefix]record.Past{}
	for i := range c.hosts {
		h := &c.hosts[i]
		switch {
		case h.began():
			changed[h.net] = record.Past{Net: h.net, Blocks: h.blocks + 1, Last: h.term.since}
		case h.heldTerm && !h.ended.IsZero():
			changed[h.net] = record.Past{Net: h.net, Blocks: h.blocks, Last: h.ended}
		}
	}
	return changed
}

// began tells whether a block of h began in this run, and is in force.
func (h *host) began() bool { return h.term != nil && h.term.fresh && h.blockable }

// holds tells whether the host that counts for key is blocked.
func (c *counts) holds(key netip.Prefix) bool {
	i, ok := c.find(key)
	return ok && c.hosts[i].term != nil
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
	h := hostOf(st.Hosts[i])
	h.hold(b, p.of(b.By))
	return h.end(&p)
}
