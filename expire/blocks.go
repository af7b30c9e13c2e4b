package expire

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// blocks is the second half of a decision: what is kept out, and what of it is
// news.
type blocks struct {
	*counts
	prev    record.State
	denied  map[netip.Prefix]*record.Block // by the denylist
	counted []record.Block                 // by the counts
	all     []record.Block                 // both, in order
	pasts   map[netip.Prefix]record.Past   // of the hosts whose past changes
	refused []record.Decision              // denylist entries that the allowlist overrules
}

func newBlocks(c *counts, prev record.State) *blocks {
	return &blocks{counts: c, prev: prev, denied: map[netip.Prefix]*record.Block{}, pasts: map[netip.Prefix]record.Past{}}
}

// before returns the block of the previous state on net.
func (b *blocks) before(net netip.Prefix) (record.Block, bool) {
	return blockOn(b.prev.Blocks, net)
}

// blockOn returns the block on net of blocks, which are in order.
func blockOn(blocks []record.Block, net netip.Prefix) (record.Block, bool) {
	i, ok := slices.BinarySearchFunc(blocks, net, func(x record.Block, n netip.Prefix) int { return byNet(x.Net, n) })
	if !ok {
		return record.Block{}, false
	}
	return blocks[i], true
}

// fromDenylist blocks what the denylist names. A prefix in which an allowed
// address sits is not blocked whole, and a pattern names nobody: of both, the
// addresses on record are blocked.
func (b *blocks) fromDenylist() {
	if b.policy.Deny == nil {
		return
	}
	for net := range b.policy.Deny.Nets() {
		if b.policy.Allow.Overlaps(net) {
			b.refuse(net)
			continue
		}
		b.deny(net, netip.Prefix{})
	}
	for i := range b.hosts {
		if h := &b.hosts[i]; !h.gone {
			for _, a := range h.addrs() {
				if _, ok := b.policy.Deny.Find(a); ok && b.mayBlock(a) {
					b.deny(record.Single(a), h.Net)
				}
			}
		}
	}
}

func (b *blocks) refuse(net netip.Prefix) {
	d := record.Decision{Detail: "on the denylist, but the allowlist has it, or an address in it"}
	d.At, d.Action, d.Net, d.Reason = b.now, record.ActionAllowed, net, record.ReasonDenylist
	b.refused = append(b.refused, d)
}

func (b *blocks) deny(net, host netip.Prefix) {
	if b.covered(net) {
		return
	}
	n := &record.Block{Net: net, Reason: record.ReasonDenylist, Since: b.now}
	if old, ok := b.before(net); ok {
		n.Since = old.Since
	}
	if i, ok := b.find(host); ok {
		n.Count, n.Services = b.hosts[i].Count, b.hosts[i].services()
	}
	b.denied[net] = n
}

// covered tells whether a denylisted prefix holds net already.
func (b *blocks) covered(net netip.Prefix) bool {
	for bits := net.Bits() - 1; bits >= 0; bits-- {
		wider, _ := net.Addr().Prefix(bits)
		if b.denied[wider] != nil {
			return true
		}
	}
	return false
}

// addrs returns the single addresses that h counts.
func (h *host) addrs() []netip.Addr {
	if h.Net.Addr().Is4() {
		return []netip.Addr{h.Net.Addr()}
	}
	return h.Offenders
}

func (h *host) services() []string {
	var names []string
	for _, s := range h.Services {
		names = append(names, s.Service)
	}
	return names
}

// fromCounts blocks the hosts over the limit. A block that was there goes on
// under its own record, whatever the limit is now, until its time is over.
func (b *blocks) fromCounts() {
	for i := range b.hosts {
		h := &b.hosts[i]
		switch {
		case h.gone || !h.blocked():
			if h.held {
				b.remember(h, h.ended, false)
			}
			continue
		case !h.crossed.IsZero():
			b.remember(h, h.crossed, true)
		}
		nets, reason := b.nets(h)
		for _, net := range nets {
			b.hold(net, reason, h)
		}
	}
}

// nets returns what to block of h: its prefix when enough of it offends and
// nobody allowed may sit in it, else the offenders singly.
func (b *blocks) nets(h *host) ([]netip.Prefix, record.Reason) {
	if h.Net.IsSingleIP() {
		return []netip.Prefix{h.Net}, record.ReasonCount
	}
	if len(h.Offenders) >= b.policy.Limits.PrefixMin && !b.policy.Allow.Overlaps(h.Net) {
		return []netip.Prefix{h.Net}, record.ReasonPrefix
	}
	var nets []netip.Prefix
	for _, a := range h.Offenders {
		if b.mayBlock(a) {
			nets = append(nets, record.Single(a))
		}
	}
	return nets, record.ReasonCount
}

// hold blocks net for h. Where the denylist has it already, that block keeps
// the name of the host, so that the count's own block outlives the entry.
func (b *blocks) hold(net netip.Prefix, reason record.Reason, h *host) {
	if d := b.denied[net]; d != nil {
		d.Host = h.Net
		return
	}
	b.counted = append(b.counted, record.Block{Net: net, Host: h.Net, Reason: reason, Since: h.since, Count: h.count, Services: h.services()})
}

// remember notes that a block of h began or ended.
func (b *blocks) remember(h *host, at time.Time, began bool) {
	past, _ := b.pastOf(h.Net)
	past.Net, past.Last = h.Net, at
	if began {
		past.Blocks++
	}
	past.Blocks = max(past.Blocks, 1) // blockhosts.py kept no past
	b.pasts[h.Net] = past
}

// pastOf returns what the previous state remembers of key.
func (b *blocks) pastOf(key netip.Prefix) (record.Past, bool) {
	i, ok := slices.BinarySearchFunc(b.prev.Past, key, func(x record.Past, k netip.Prefix) int { return byNet(x.Net, k) })
	if !ok {
		return record.Past{}, false
	}
	return b.prev.Past[i], true
}

// past returns what the next state remembers, in order.
func (b *blocks) past() []record.Past {
	var all []record.Past
	for _, p := range b.prev.Past {
		if _, changed := b.pasts[p.Net]; !changed && b.stillRemembered(p) {
			all = append(all, p)
		}
	}
	if len(b.pasts) == 0 {
		return all
	}
	for _, p := range b.pasts {
		if b.stillRemembered(p) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(x, y record.Past) int { return byNet(x.Net, y.Net) })
	return all
}

func (b *blocks) stillRemembered(p record.Past) bool {
	i, ok := b.find(p.Net)
	held := ok && !b.hosts[i].gone && b.hosts[i].blocked()
	return held || b.now.Before(p.Last.Add(b.policy.Limits.Remember))
}

// sort puts the blocks of both kinds in order.
func (b *blocks) sort() {
	b.all = b.counted
	for _, d := range b.denied {
		b.all = append(b.all, *d)
	}
	inOrder := func(x, y record.Block) int { return byNet(x.Net, y.Net) }
	if !slices.IsSortedFunc(b.all, inOrder) {
		slices.SortFunc(b.all, inOrder)
	}
}

// detail spells out the arithmetic of a block.
func (h *host) detail(limit int) string {
	var parts []string
	for _, s := range h.Services {
		parts = append(parts, fmt.Sprintf("%s %d", s.Service, s.Count))
	}
	text := fmt.Sprintf("%d failures", h.Count)
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	if !h.Net.IsSingleIP() && len(h.Offenders) > 0 {
		text += fmt.Sprintf(" from %d addresses of %s", len(h.Offenders), h.Net)
	}
	return text + fmt.Sprintf(", limit %d", limit)
}
