package expire

import (
	"net/netip"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// A source is an address that failures of this run name, with what follows
// from the address alone: a flood brings thousands of lines from each.
type source struct {
	addr    netip.Addr
	host    *host            // that counts it; nil: none so far
	counts  bool             // it can be a client, and is not on the allowlist
	allowed *record.Decision // about it, where it is on the allowlist
}

// sources are the addresses of a run, in the order in which they come.
type sources struct {
	all   []source
	place table
	at    int32 // of the one before: mostly the same again
}

// of returns the place of a, which is added where it is new.
func (ss *sources) of(a netip.Addr) (at int32, fresh bool) {
	if int(ss.at) < len(ss.all) && ss.all[ss.at].addr == a {
		return ss.at, false
	}
	t := &ss.place
	hash := t.hashAddr(a)
	for i := t.cell(hash); t.cells[i] != 0; i = t.next(i) {
		if ss.at = t.cells[i] - 1; ss.all[ss.at].addr == a {
			return ss.at, false
		}
	}
	if t.isFull() {
		t.clear(2 * len(ss.all))
		for i := range ss.all {
			t.put(t.hashAddr(ss.all[i].addr), int32(i))
		}
	}
	ss.at = int32(len(ss.all))
	ss.all = append(ss.all, source{addr: a})
	t.put(hash, ss.at)
	return ss.at, true
}

// source returns the place of an address in c.sources.
func (c *counts) source(a netip.Addr) int32 {
	at, fresh := c.sources.of(a)
	if s := &c.sources.all[at]; fresh && countable(a) {
		entry, found := c.policy.Allow.Find(a)
		s.counts = !found
		if found {
			s.allowed = &record.Decision{Detail: "on the allowlist: " + entry}
			s.allowed.At, s.allowed.Action, s.allowed.Net = c.now, record.ActionAllowed, record.Single(a)
		}
	}
	return at
}

// noteAllowed adds failures to what is said of an address on the allowlist.
func noteAllowed(d *record.Decision, at time.Time, repeat int, service string) {
	d.Count += repeat
	if at.After(d.Last) {
		d.Last = at
	}
	if i, ok := slices.BinarySearch(d.Services, service); !ok {
		d.Services = slices.Insert(d.Services, i, service)
	}
}
