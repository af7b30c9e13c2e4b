package expire

import (
	"fmt"
	"slices"
	"sort"
	"strconv"

	"blockhosts/internal/record"
)

// decisions compares the blocks with those before, in order of address.
func (b *blocks) decisions() []record.Decision {
	ds := b.changes()
	for h := range b.active() {
		ds = b.ofHost(ds, h)
	}
	for i := range b.sources.all {
		if d := b.sources.all[i].allowed; d != nil {
			ds = append(ds, *d)
		}
	}
	ds = append(ds, b.refused...)
	if b.dropped > 0 {
		d := record.Decision{Detail: fmt.Sprintf("max_tracked is %d: the addresses that were quiet the longest are forgotten early", b.policy.MaxTracked)}
		d.At, d.Action, d.Count = b.now, record.ActionDropped, b.dropped
		ds = append(ds, d)
	}
	if !slices.IsSortedFunc(ds, byDecision) {
		sort.Slice(ds, func(i, j int) bool { return byDecision(ds[i], ds[j]) < 0 })
	}
	return ds
}

// changes returns the blocks that began and those that are over. Both lists
// are in order, so that one pass finds what they do not share.
func (b *blocks) changes() []record.Decision {
	now := b.all.list()
	if b.all.isWhole() && !b.ended {
		return nil
	}
	ds := make([]record.Decision, 0, max(0, len(now)-len(b.prev.Blocks)))
	at, ok := 0, false
	for i := range now {
		if at, ok = seek(b.prev.Blocks, netOfBlock, now[i].Net, at); !ok || b.endedBetween(at, &now[i]) {
			ds = append(ds, b.startOf(&now[i]))
		}
	}
	at = 0
	for i := range b.prev.Blocks {
		old := &b.prev.Blocks[i]
		at, ok = seek(now, netOfBlock, old.Net, at)
		if ok && b.endedBetween(i, &now[at]) || !ok && !b.widened(old, now) {
			ds = append(ds, b.over(old))
		}
	}
	return ds
}

// endedBetween tells of the previous state's block of number i, on the net of
// n, whether its time was over and the same host earned another in this run.
// One for good stays, whatever becomes of others of its host.
func (b *blocks) endedBetween(i int, n *record.Block) bool {
	if !b.ended {
		return false
	}
	old := &b.prev.Blocks[i]
	stays := old.Reason == record.ReasonPermanent && n.Reason == record.ReasonPermanent
	h := b.fresh[old.Host]
	if at := b.hostOf[i]; at >= 0 {
		h = b.slots[at].work
	}
	return h != nil && !h.ended.IsZero() && old.Reason != record.ReasonDenylist && old.Reason != record.ReasonManual && !stays
}

// widened tells whether the prefix of an address that was blocked singly is
// blocked now: nobody is released.
func (b *blocks) widened(old *record.Block, now []record.Block) bool {
	_, ok := seek(now, netOfBlock, old.Host, 0)
	return ok
}

func (b *blocks) startOf(n *record.Block) record.Decision {
	d := record.Decision{Detail: "on the denylist"}
	d.At, d.Action, d.Net, d.Reason, d.Count, d.Services = n.Since, record.ActionBlock, n.Net, n.Reason, n.Count, n.Services
	if !n.Host.IsValid() {
		return d
	}
	h, ok := b.find(n.Host)
	if !ok {
		return d
	}
	d.Last, d.Count, d.Before = h.sum.last.time(), h.sum.count, h.blocks
	if past, ok := b.pastOf(h.net); ok && d.Before > 0 {
		d.Prior = past.Last
	}
	if !h.ended.IsZero() {
		d.Prior = h.ended
	}
	if n.Reason != record.ReasonDenylist {
		d.Detail = b.arithmetic(h)
	}
	return d
}

// arithmetic spells out why h is blocked. A flood asks for thousands of these:
// appending takes a third of the time of fmt.
func (b *blocks) arithmetic(h *host) string {
	t := h.term
	l := b.policy.of(t.by)
	c := h.counterOf(t.by)
	text := make([]byte, 0, 128)
	switch t.reason {
	case record.ReasonWindow:
		text = fmt.Appendf(text, "more than %d failures within %s", l.Blockcount, hours(l.Window))
	case record.ReasonEma:
		text = fmt.Appendf(text, "moving average over %d, half-life %s, %d failures", l.Blockcount, hours(l.HalfLife), c.count)
	default:
		text = append(strconv.AppendInt(text, int64(c.count), 10), " failures"...)
	}
	text = h.appendShares(text)
	if !h.net.IsSingleIP() && len(h.offenders) > 1 {
		text = fmt.Appendf(text, " from %d addresses of %s", len(h.offenders), h.net)
	}
	if t.reason == record.ReasonCount {
		text = strconv.AppendInt(append(text, ", limit "...), int64(l.Blockcount), 10)
	}
	if t.by != "" {
		text = append(append(text, " for "...), t.by...)
	}
	if c.count <= l.Blockcount && t.reason == record.ReasonCount {
		text = append(text, ", a user name that blocks at once"...)
	}
	if t.stays {
		text = append(text, "; it stays until it is unblocked by hand"...)
	}
	return string(text)
}

// appendShares lists the attempts by service.
func (h *host) appendShares(b []byte) []byte {
	if len(h.services) == 0 {
		return b
	}
	for i := range h.services {
		if b = append(b, ", "...); i == 0 {
			b = append(b[:len(b)-2], " ("...)
		}
		b = append(append(b, h.services[i].name...), ' ')
		b = strconv.AppendInt(b, int64(h.services[i].count), 10)
	}
	return append(b, ')')
}

func (b *blocks) over(old *record.Block) record.Decision {
	d := record.Decision{Detail: "its time is over"}
	d.At, d.Action, d.Net, d.Reason, d.Count, d.Services = b.now, record.ActionRelease, old.Net, old.Reason, old.Count, old.Services
	switch {
	case b.policy.Allow.Overlaps(old.Net):
		d.Detail = "on the allowlist by now"
	case !b.noneSpared(old.Net):
		d.Detail = "spared by now"
	case old.Reason == record.ReasonDenylist:
		d.Detail = "no longer on the denylist"
	}
	d.Before = b.blocksOf(old.Host)
	return d
}

// ofHost tells of a watched host that is forgotten, and of one that a block
// would have held and that is spared.
func (b *blocks) ofHost(ds []record.Decision, h *host) []record.Decision {
	if h.gone && h.on && !h.heldTerm {
		d := record.Decision{Detail: "no failure for as long as discard says"}
		d.At, d.Action, d.Net = b.now, record.ActionForget, h.net
		ds = append(ds, d)
	}
	if h.term == nil || !h.term.fresh || h.wasOver || len(b.policy.Spared) == 0 {
		return ds
	}
	for a := range h.addrs() {
		if why := b.policy.sparedWhy(a); why != "" {
			d := record.Decision{Detail: b.arithmetic(h) + "; spared: " + why, Last: h.sum.last.time()}
			d.At, d.Action, d.Net, d.Reason, d.Count, d.Services = b.now, record.ActionSpared, record.Single(a), h.term.reason, h.sum.count, h.names()
			ds = append(ds, d)
		}
	}
	return ds
}

func byDecision(x, y record.Decision) int {
	if c := byNet(x.Net, y.Net); c != 0 {
		return c
	}
	// The release of an old block comes before the new block of the same address.
	return order(x.Action) - order(y.Action)
}

func order(a record.Action) int {
	return slices.Index([]record.Action{record.ActionDropped, record.ActionAllowed, record.ActionForget, record.ActionSpared, record.ActionRelease, record.ActionBlock}, a)
}
