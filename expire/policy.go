// Package expire decides who is watched, blocked and released. It is pure: the
// state, the failures, the policy and the moment come in, the next state and
// the decisions go out; nothing is read, written, logged or asked for the time.
//
// Precedence, the strongest first: the allowlist (never counted, never
// blocked), the denylist (blocked without any failure), the counts. A prefix
// in which an allowed address may sit is never blocked whole: its offenders
// are blocked singly.
package expire

import (
	"net/netip"
	"time"
)

// Limits say when an address is blocked and when it is forgotten.
type Limits struct {
	Blockcount int           // attempts that are tolerated: one more blocks
	Discard    time.Duration // an address is forgotten this long after its last attempt; 0: at once
	Remember   time.Duration // how long after its block an address's number of blocks is remembered
	IPv6Prefix int           // bits: IPv6 is counted by this prefix
	PrefixMin  int           // distinct offenders in it from which on the whole prefix is blocked
}

// A Policy is what the administrator wants, ready for use.
type Policy struct {
	Limits Limits
	Allow  *List
	Deny   *List
	// FoldLines counts attempts instead of lines: what one program says under
	// one pid about one address in several lines is one attempt.
	FoldLines bool
}

// key returns what a is counted as: itself for IPv4, its prefix for IPv6. A
// link-local address says nothing about its neighbours (RFC 4291, 2.5.6), so
// that it is counted alone.
func (p Policy) key(a netip.Addr) netip.Prefix {
	if a.Is4() || a.IsLinkLocalUnicast() {
		return netip.PrefixFrom(a, a.BitLen())
	}
	k, _ := a.Prefix(p.Limits.IPv6Prefix)
	return k
}

// countable tells whether a can be the address of a client at all: a line
// that blames 0.0.0.0 or a multicast group is the daemon's mishap.
func countable(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
