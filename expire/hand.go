package expire

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// BlockByHand returns the state in which net is blocked because the
// administrator says so, until a moment or, where that is zero, for good. An
// allowed or spared address, or a prefix that holds one, is an error: the
// block would never take effect.
func BlockByHand(st record.State, p Policy, net netip.Prefix, until time.Time, note string, now time.Time) (record.State, record.Decision, error) {
	if why := p.neverBlocked(net); why != "" {
		return st, record.Decision{}, fmt.Errorf("%s is not blocked: %s", record.FormatNet(net), why)
	}
	now = tenths(now)
	if !until.IsZero() {
		until = tenths(until)
	}
	n := record.Block{Net: net, Reason: record.ReasonManual, Since: now, Until: until, Note: note[:min(len(note), record.MaxNote)]}
	if h, ok := hostAround(st, net); ok {
		n.Count = h.Count
		for _, s := range h.Services {
			n.Services = append(n.Services, s.Service)
		}
	}
	i, known := slices.BinarySearchFunc(st.Blocks, net, func(x record.Block, k netip.Prefix) int { return byNet(x.Net, k) })
	st.Blocks = slices.Clone(st.Blocks)
	if known {
		n.Host = st.Blocks[i].Host
		st.Blocks[i] = n
	} else {
		st.Blocks = slices.Insert(st.Blocks, i, n)
	}
	d := record.Decision{Detail: "by hand"}
	if note != "" {
		d.Detail += ": " + n.Note
	}
	d.At, d.Action, d.Net, d.Reason, d.Count, d.Services = now, record.ActionBlock, net, n.Reason, n.Count, n.Services
	return st, d, nil
}

// neverBlocked says why nobody may block net; "" where anybody may.
func (p *Policy) neverBlocked(net netip.Prefix) string {
	if p.Allow.Overlaps(net) {
		if entry, ok := p.Allow.Find(net.Addr()); ok && net.IsSingleIP() {
			return "the allowlist has it (" + entry + ")"
		}
		if !net.IsSingleIP() {
			return "an address in it is on the allowlist, or may be"
		}
	}
	for _, s := range p.Spared {
		if net.Contains(s.Addr) {
			return fmt.Sprintf("it would block %s, spared: %s", s.Addr, s.Why)
		}
	}
	return ""
}

// hostAround returns the host that counts for net.
func hostAround(st record.State, net netip.Prefix) (record.Host, bool) {
	i := slices.IndexFunc(st.Hosts, func(h record.Host) bool { return h.Net.Contains(net.Addr()) })
	if i < 0 {
		return record.Host{}, false
	}
	return st.Hosts[i], true
}

// Unblock returns the state in which nothing that overlaps one of nets is
// blocked or on record: its count and its number of blocks begin at 0. What
// the denylist blocks comes back with the next run; it is among the decisions
// with that reason, so that the caller can say so.
func Unblock(st record.State, nets []netip.Prefix, now time.Time) (record.State, []record.Decision) {
	concerned := func(n netip.Prefix) bool {
		return slices.ContainsFunc(nets, func(x netip.Prefix) bool { return x.Overlaps(n) })
	}
	var ds []record.Decision
	hosts := map[netip.Prefix]bool{}
	for _, b := range st.Blocks {
		if concerned(b.Net) {
			hosts[b.Host] = b.Host.IsValid()
			d := record.Decision{Detail: "by hand"}
			d.At, d.Action, d.Net, d.Reason, d.Count, d.Services = tenths(now), record.ActionRelease, b.Net, b.Reason, b.Count, b.Services
			ds = append(ds, d)
		}
	}
	gone := func(n netip.Prefix) bool { return concerned(n) || hosts[n] }
	st.Blocks = without(st.Blocks, func(b record.Block) bool { return gone(b.Net) || hosts[b.Host] })
	st.Hosts = without(st.Hosts, func(h record.Host) bool { return gone(h.Net) })
	st.Past = without(st.Past, func(p record.Past) bool { return gone(p.Net) })
	return st, ds
}

// without returns all but those that are gone, and leaves all as it is.
func without[T any](all []T, gone func(T) bool) []T {
	var kept []T
	for _, x := range all {
		if !gone(x) {
			kept = append(kept, x)
		}
	}
	return kept
}
