package expire

import (
	"net/netip"
	"slices"

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
		if h := &b.hosts[i]; h.gone && h.before && !h.held {
			ds = append(ds, b.forgotten(h))
		}
	}
	for _, d := range b.allowed {
		ds = append(ds, *d)
	}
	ds = append(ds, b.refused...)
	b.addEvidence(ds, failures)
	slices.SortFunc(ds, byDecision)
	return ds
}

// endedBetween tells whether a block's time was over and the same host earned
// another in this run.
func (b *blocks) endedBetween(old record.Block) bool {
	i, ok := b.find(old.Host)
	return ok && !b.hosts[i].ended.IsZero()
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
	if i, ok := b.find(n.Host); ok {
		h := &b.hosts[i]
		d.Last, d.Count = h.Last, h.Count
		if n.Reason != record.ReasonDenylist {
			d.Detail = h.detail(b.policy.Limits.Blockcount)
		}
		past, _ := b.pastOf(h.Net)
		d.Before, d.Prior = past.Blocks, past.Last
		if !h.ended.IsZero() {
			d.Before, d.Prior = max(d.Before, 1), h.ended
		}
	}
	return d
}

func (b *blocks) over(old record.Block) record.Decision {
	d := record.Decision{Detail: "no longer on the denylist"}
	d.At, d.Action, d.Net, d.Reason, d.Count, d.Services = b.now, record.ActionRelease, old.Net, old.Reason, old.Count, old.Services
	if old.Reason != record.ReasonDenylist {
		d.Detail = "no failure for as long as discard says"
	}
	if b.policy.Allow.Overlaps(old.Net) {
		d.Detail = "on the allowlist by now"
	}
	if past, ok := b.pastOf(old.Host); ok {
		d.Before = past.Blocks
	}
	return d
}

func (b *blocks) forgotten(h *host) record.Decision {
	d := record.Decision{Detail: "no failure for as long as discard says", Last: h.Last}
	d.At, d.Action, d.Net, d.Count, d.Services = b.now, record.ActionForget, h.Net, h.Count, h.services()
	return d
}

// addEvidence gives each new block the names that were tried and the lines
// that did it.
func (b *blocks) addEvidence(ds []record.Decision, failures []record.Failure) {
	fresh := map[netip.Prefix][]int{} // by the key under which the failures were counted
	for i, d := range ds {
		if d.Action == record.ActionBlock && d.Net.IsSingleIP() {
			key := b.policy.key(d.Net.Addr())
			fresh[key] = append(fresh[key], i)
		} else if d.Action == record.ActionBlock {
			fresh[d.Net] = append(fresh[d.Net], i)
		}
	}
	if len(fresh) == 0 {
		return
	}
	for _, f := range failures {
		for _, i := range fresh[b.policy.key(f.Addr)] {
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
	return slices.Index([]record.Action{record.ActionAllowed, record.ActionForget, record.ActionRelease, record.ActionBlock}, a)
}
