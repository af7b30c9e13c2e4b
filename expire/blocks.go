package expire

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// blocks is the second half of a decision: what is kept out.
type blocks struct {
	*counts
	named   map[netip.Prefix]*record.Block // by hand, by the denylist, or for good
	widths  map[int]bool                   // lengths of the denylist's prefixes in named
	all     kept[record.Block]             // those in named and those by the counts, in order
	refused []record.Decision              // denylist entries that the allowlist overrules
}

func newBlocks(c *counts) *blocks {
	return &blocks{counts: c, named: map[netip.Prefix]*record.Block{}, widths: map[int]bool{}, all: kept[record.Block]{was: c.prev.Blocks, new: len(c.added)}}
}

// before returns the block of the previous state on net.
func (b *blocks) before(net netip.Prefix) (*record.Block, bool) {
	i, ok := seek(b.prev.Blocks, netOfBlock, net, 0)
	if !ok {
		return nil, false
	}
	return &b.prev.Blocks[i], true
}

// decide fills in the blocks, the strongest reason first: who stands under
// several keeps the first.
func (b *blocks) decide() {
	b.byHand()
	b.fromDenylist()
	b.forGood()
	b.fromCounts()
}

// byHand goes on with the administrator's own blocks until they are over.
func (b *blocks) byHand() {
	for i := range b.prev.Blocks {
		if b.prev.Blocks[i].Reason != record.ReasonManual {
			continue
		}
		x := b.prev.Blocks[i]
		over := !x.Until.IsZero() && !b.now.Before(x.Until)
		if !over && !b.policy.Allow.Overlaps(x.Net) && b.noneSpared(x.Net) {
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
	if b.policy.Deny.isEmpty() {
		return
	}
	for net := range b.policy.Deny.Nets() {
		if b.policy.mayBlockWhole(net) {
			b.deny(net, netip.Prefix{})
		} else {
			b.refuse(net)
		}
	}
	for i := range b.slots {
		h := &b.prev.Hosts[i]
		switch work := b.slots[i].work; {
		case work == nil:
			b.denyOffenders(h.Net, h.Offenders)
		case !work.gone:
			b.denyOffenders(work.net, work.offenders)
		}
	}
	for _, h := range b.added {
		if !h.gone {
			b.denyOffenders(h.net, h.offenders)
		}
	}
}

func (b *blocks) denyOffenders(net netip.Prefix, offenders []netip.Addr) {
	for a := range addrsOf(net, offenders) {
		if _, ok := b.policy.Deny.Find(a); ok && b.policy.mayBlock(a) {
			b.deny(record.Single(a), net)
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
	if h, ok := b.find(host); ok {
		n.Count, n.Services = h.sum.count, h.names()
	}
	b.named[net] = n
	b.widths[net.Bits()] = true
}

// covered tells whether a wider entry of the denylist holds net already.
func (b *blocks) covered(net netip.Prefix) bool {
	for bits := range b.widths {
		if bits >= net.Bits() {
			continue
		}
		wider, _ := net.Addr().Prefix(bits)
		if x := b.named[wider]; x != nil && x.Reason == record.ReasonDenylist {
			return true
		}
	}
	return false
}

// forGood goes on with permanent blocks, whose hosts may long be forgotten.
func (b *blocks) forGood() {
	for i := range b.prev.Blocks {
		if b.prev.Blocks[i].Reason != record.ReasonPermanent {
			continue
		}
		if x := b.prev.Blocks[i]; b.named[x.Net] == nil && b.policy.mayBlockWhole(x.Net) {
			b.named[x.Net] = &x
		}
	}
}

// fromCounts blocks the hosts over a limit, and puts the named blocks among
// them. A host comes before what lies in its prefix, so that no named block is
// changed by a later one.
func (b *blocks) fromCounts() {
	named := slices.SortedFunc(maps.Values(b.named), func(x, y *record.Block) int { return byNet(x.Net, y.Net) })
	for h := range b.each(b.isBlocked) {
		for len(named) > 0 && byNet(named[0].Net, h.net) < 0 {
			b.all.add(named[0], sameBlock)
			named = named[1:]
		}
		if h.term != nil && (!h.gone || h.term.stays) {
			b.fromHost(h)
		}
	}
	for _, x := range named {
		b.all.add(x, sameBlock)
	}
	b.all.sort(func(x, y record.Block) int { return byNet(x.Net, y.Net) })
	b.all.own = b.oneEach(b.all.own)
}

// oneEach leaves one block on each net, in place. Only where ipv6_prefix was
// another before, two hosts count the same address: the block is that of the
// host that counts it now.
func (b *blocks) oneEach(all []record.Block) []record.Block {
	n := 0
	for i := range all {
		switch {
		case n == 0 || all[n-1].Net != all[i].Net:
			all[n] = all[i]
			n++
		case b.countsNow(&all[i]):
			all[n-1] = all[i]
		}
	}
	clear(all[n:])
	return all[:n]
}

// countsNow tells whether the host of x is the one that counts its address.
func (b *blocks) countsNow(x *record.Block) bool { return x.Host == b.policy.Key(x.Net.Addr()) }

// fromHost blocks h: its prefix when enough of it offends and nobody allowed
// may sit in it, else the offenders singly.
func (b *blocks) fromHost(h *host) {
	if !h.net.IsSingleIP() && len(h.offenders) >= b.policy.PrefixMin && b.policy.mayBlockWhole(h.net) {
		b.hold(h.net, true, h)
		return
	}
	for a := range h.addrs() {
		if b.policy.mayBlock(a) {
			b.hold(record.Single(a), false, h)
		}
	}
}

// hold blocks net for h. Where something stronger has it already, that block
// keeps the name of the host, so that the count's own block outlives it.
func (b *blocks) hold(net netip.Prefix, whole bool, h *host) {
	if x := b.named[net]; x != nil {
		if b.countsNow(x) && x.Host != h.net {
			return // see oneEach
		}
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
	b.all.add(&n, sameBlock)
}

func sameBlock(a, b *record.Block) bool {
	return a.Net == b.Net && a.Host == b.Host && a.Reason == b.Reason && a.Since == b.Since && a.Until == b.Until &&
		a.Count == b.Count && a.By == b.By && a.Note == b.Note && slices.Equal(a.Services, b.Services)
}
