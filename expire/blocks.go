package expire

import (
	"net/netip"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// blocks is the second half of a decision: what is kept out.
type blocks struct {
	*counts
	named   map[netip.Prefix]*record.Block // by hand, by the denylist, or for good
	counted []record.Block                 // by the counts
	all     []record.Block                 // both, in order
	refused []record.Decision              // denylist entries that the allowlist overrules
}

func newBlocks(c *counts) *blocks { return &blocks{counts: c, named: map[netip.Prefix]*record.Block{}} }

// before returns the block of the previous state on net.
func (b *blocks) before(net netip.Prefix) (record.Block, bool) { return blockOn(b.prev.Blocks, net) }

// blockOn returns the block on net of blocks, which are in order.
func blockOn(blocks []record.Block, net netip.Prefix) (record.Block, bool) {
	i, ok := slices.BinarySearchFunc(blocks, net, func(x record.Block, n netip.Prefix) int { return byNet(x.Net, n) })
	if !ok {
		return record.Block{}, false
	}
	return blocks[i], true
}

// decide fills in the blocks, the strongest reason first: who stands under
// several keeps the first.
func (b *blocks) decide() {
	b.byHand()
	b.fromDenylist()
	b.forGood()
	b.fromCounts()
	b.sort()
}

// byHand goes on with the administrator's own blocks until they are over.
func (b *blocks) byHand() {
	for _, x := range b.prev.Blocks {
		over := !x.Until.IsZero() && !b.now.Before(x.Until)
		if x.Reason == record.ReasonManual && !over && !b.policy.Allow.Overlaps(x.Net) && b.noneSpared(x.Net) {
			x.Host = netip.Prefix{}
			b.named[x.Net] = &x
		}
	}
}

func (b *blocks) noneSpared(net netip.Prefix) bool {
	return !slices.ContainsFunc(b.policy.Spared, func(s Spared) bool { return net.Contains(s.Addr) })
}

// fromDenylist blocks what the denylist names. A prefix in which an allowed or
// spared address sits is not blocked whole, and a pattern names nobody: of
// both, the addresses on record are blocked.
func (b *blocks) fromDenylist() {
	if b.policy.Deny == nil {
		return
	}
	for net := range b.policy.Deny.Nets() {
		if b.policy.mayBlockWhole(net) {
			b.deny(net, netip.Prefix{})
		} else {
			b.refuse(net)
		}
	}
	for i := range b.hosts {
		if h := &b.hosts[i]; !h.gone {
			b.denyOffenders(h)
		}
	}
}

func (b *blocks) denyOffenders(h *host) {
	for _, a := range h.addrs() {
		if _, ok := b.policy.Deny.Find(a); ok && b.policy.mayBlock(a) {
			b.deny(record.Single(a), h.net)
		}
	}
}

func (b *blocks) refuse(net netip.Prefix) {
	d := record.Decision{Detail: "on the denylist, but an allowed or spared address is in it, or a network of this host"}
	d.At, d.Action, d.Net, d.Reason = b.now, record.ActionAllowed, net, record.ReasonDenylist
	b.refused = append(b.refused, d)
}

func (b *blocks) deny(net, host netip.Prefix) {
	if b.covered(net) || b.named[net] != nil {
		return
	}
	n := &record.Block{Net: net, Reason: record.ReasonDenylist, Since: b.now}
	if old, ok := b.before(net); ok {
		n.Since = old.Since
	}
	if i, ok := b.find(host); ok {
		n.Count, n.Services = b.hosts[i].sum.Count, b.hosts[i].names()
	}
	b.named[net] = n
}

// covered tells whether a wider entry of the denylist holds net already.
func (b *blocks) covered(net netip.Prefix) bool {
	for bits := net.Bits() - 1; bits >= 0; bits-- {
		wider, _ := net.Addr().Prefix(bits)
		if x := b.named[wider]; x != nil && x.Reason == record.ReasonDenylist {
			return true
		}
	}
	return false
}

// forGood goes on with permanent blocks, whose hosts may long be forgotten.
func (b *blocks) forGood() {
	for _, x := range b.prev.Blocks {
		if x.Reason == record.ReasonPermanent && b.named[x.Net] == nil && b.policy.mayBlockWhole(x.Net) {
			b.named[x.Net] = &x
		}
	}
}

// fromCounts blocks the hosts over a limit.
func (b *blocks) fromCounts() {
	for i := range b.hosts {
		h := &b.hosts[i]
		if h.term == nil || h.gone && !h.term.stays {
			continue
		}
		nets, whole := b.nets(h)
		for _, net := range nets {
			b.hold(net, whole, h)
		}
	}
}

// nets returns what to block of h: its prefix when enough of it offends and
// nobody allowed may sit in it, else the offenders singly.
func (b *blocks) nets(h *host) (nets []netip.Prefix, whole bool) {
	if !h.net.IsSingleIP() && len(h.offenders) >= b.policy.PrefixMin && b.policy.mayBlockWhole(h.net) {
		return []netip.Prefix{h.net}, true
	}
	for _, a := range h.addrs() {
		if b.policy.mayBlock(a) {
			nets = append(nets, record.Single(a))
		}
	}
	return nets, false
}

// hold blocks net for h. Where something stronger has it already, that block
// keeps the name of the host, so that the count's own block outlives it.
func (b *blocks) hold(net netip.Prefix, whole bool, h *host) {
	if x := b.named[net]; x != nil {
		x.Host = h.net
		if x.Reason == record.ReasonPermanent {
			x.Services = h.term.services
		}
		return
	}
	t := h.term
	n := record.Block{Net: net, Host: h.net, Reason: t.reason, Since: t.since, Until: t.until, Count: t.count, By: t.by, Services: t.services}
	if whole {
		n.Reason = record.ReasonPrefix
	}
	if t.stays {
		n.Reason, n.Until = record.ReasonPermanent, time.Time{}
	}
	b.counted = append(b.counted, n)
}

// sort puts the blocks of both kinds in order.
func (b *blocks) sort() {
	b.all = b.counted
	for _, x := range b.named {
		b.all = append(b.all, *x)
	}
	inOrder := func(x, y record.Block) int { return byNet(x.Net, y.Net) }
	if !slices.IsSortedFunc(b.all, inOrder) {
		slices.SortFunc(b.all, inOrder)
	}
}
