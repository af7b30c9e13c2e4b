package expire

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"blockhosts/internal/record"
)

// maxUsers is how many of the names tried a decision carries: enough to see
// whether somebody guesses or has mistyped.
const maxUsers = 10

// decisions compares the blocks with those before, in order of address.
func (b *blocks) decisions(failures []record.Failure) []record.Decision {
	var ds []record.Decision
	for _, n := range b.all {
		if old, ok := b.before(n.Net); !ok || b.endedBetween(old) {
			ds = append(ds, b.began(n))
		}
	}
	for _, old := range b.prev.Blocks {
		_, stays := blockOn(b.all, old.Net)
		if stays && b.endedBetween(old) || !stays && !b.widened(old) {
			ds = append(ds, b.over(old))
		}
	}
	for i := range b.hosts {
		ds = append(ds, b.ofHost(&b.hosts[i])...)
	}
	for _, d := range b.allowed {
		ds = append(ds, *d)
	}
	ds = append(ds, b.refused...)
	if b.dropped > 0 {
		d := record.Decision{Detail: fmt.Sprintf("max_tracked is %d: the addresses that were quiet the longest are forgotten early", b.policy.MaxTracked)}
		d.At, d.Action, d.Count = b.now, record.ActionDropped, b.dropped
		ds = append(ds, d)
	}
	b.addEvidence(ds, failures)
	slices.SortFunc(ds, byDecision)
	return ds
}

// endedBetween tells whether a block's time was over and the same host earned
// another in this run.
func (b *blocks) endedBetween(old record.Block) bool {
	i, ok := b.find(old.Host)
	return ok && old.Host.IsValid() && !b.hosts[i].ended.IsZero() && old.Reason != record.ReasonDenylist && old.Reason != record.ReasonManual
}

// widened tells whether the prefix of an address that was blocked singly is
// blocked now: nobody is released.
func (b *blocks) widened(old record.Block) bool {
	_, ok := blockOn(b.all, old.Host)
	return ok
}

func (b *blocks) began(n record.Block) record.Decision {
	d := record.Decision{Detail: "on the denylist"}
	d.At, d.Action, d.Net, d.Reason, d.Count, d.Services = n.Since, record.ActionBlock, n.Net, n.Reason, n.Count, n.Services
	i, ok := b.find(n.Host)
	if !ok || !n.Host.IsValid() {
		return d
	}
	h := &b.hosts[i]
	d.Last, d.Count, d.Before = h.sum.Last, h.sum.Count, h.blocks
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

// arithmetic spells out why h is blocked.
func (b *blocks) arithmetic(h *host) string {
	t := h.term
	l := b.policy.of(t.by)
	c := h.counterOf(t.by)
	var text string
	switch t.reason {
	case record.ReasonWindow:
		text = fmt.Sprintf("more than %d failures within %s", l.Blockcount, hours(l.Window))
	case record.ReasonEma:
		text = fmt.Sprintf("moving average over %d, half-life %s, %d failures", l.Blockcount, hours(l.HalfLife), c.Count)
	default:
		text = fmt.Sprintf("%d failures", c.Count)
	}
	if names := h.shares(); names != "" {
		text += " (" + names + ")"
	}
	if !h.net.IsSingleIP() && len(h.offenders) > 1 {
		text += fmt.Sprintf(" from %d addresses of %s", len(h.offenders), h.net)
	}
	if t.reason == record.ReasonCount {
		text += fmt.Sprintf(", limit %d", l.Blockcount)
	}
	if t.by != "" {
		text += " for " + t.by
	}
	if c.Count <= l.Blockcount && t.reason == record.ReasonCount {
		text += ", a user name that blocks at once"
	}
	if t.stays {
		text += "; it stays until it is unblocked by hand"
	}
	return text
}

// shares lists the attempts by service.
func (h *host) shares() string {
	var parts []string
	for _, s := range h.services {
		parts = append(parts, fmt.Sprintf("%s %d", s.name, s.Count))
	}
	return strings.Join(parts, ", ")
}

func (b *blocks) over(old record.Block) record.Decision {
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
func (b *blocks) ofHost(h *host) []record.Decision {
	var ds []record.Decision
	if h.gone && h.on && !h.heldTerm {
		d := record.Decision{Detail: "no failure for as long as discard says"}
		d.At, d.Action, d.Net = b.now, record.ActionForget, h.net
		ds = append(ds, d)
	}
	if h.term == nil || !h.term.fresh || h.wasOver {
		return ds
	}
	for _, a := range h.addrs() {
		if why := b.policy.sparedWhy(a); why != "" {
			d := record.Decision{Detail: b.arithmetic(h) + "; spared: " + why, Last: h.sum.Last}
			d.At, d.Action, d.Net, d.Reason, d.Count, d.Services = b.now, record.ActionSpared, record.Single(a), h.term.reason, h.sum.Count, h.names()
			ds = append(ds, d)
		}
	}
	return ds
}

// addEvidence gives each new block the names that were tried and the lines
// that did it.
func (b *blocks) addEvidence(ds []record.Decision, failures []record.Failure) {
	fresh := map[netip.Prefix][]int{} // by the key under which the failures were counted
	for i, d := range ds {
		if d.Action != record.ActionBlock && d.Action != record.ActionSpared {
			continue
		}
		key := d.Net
		if d.Net.IsSingleIP() {
			key = b.policy.Key(d.Net.Addr())
		}
		fresh[key] = append(fresh[key], i)
	}
	if len(fresh) == 0 {
		return
	}
	for _, f := range failures {
		for _, i := range fresh[b.policy.Key(f.Addr)] {
			if ds[i].Net.Contains(f.Addr) {
				addEvidence(&ds[i], f)
			}
		}
	}
}

func addEvidence(d *record.Decision, f record.Failure) {
	if f.Text != "" && len(d.Lines) < record.EvidenceLines {
		d.Lines = append(d.Lines, f.Text)
	}
	if f.User == "" || len(d.Users) == maxUsers {
		return
	}
	if i, ok := slices.BinarySearch(d.Users, f.User); !ok {
		d.Users = slices.Insert(d.Users, i, f.User)
	}
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
