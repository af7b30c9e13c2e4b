// Package expire decides who is watched, blocked and released. It is pure: the
// state, the failures, the policy and the moment come in, the next state and
// the decisions go out; nothing is read, written, logged or asked for the time.
//
// Precedence, the strongest first: the allowlist (never counted, never
// blocked), what is spared (counted, never blocked), blocks by hand, the
// denylist (blocked without any failure), permanent blocks, the counts. A
// prefix in which an allowed or spared address may sit is never blocked whole:
// its offenders are blocked singly.
package expire

import (
	"net/netip"
	"time"

	"blockhosts/internal/record"
)

// A Limiter is a way to tell too many attempts from few.
type Limiter string

// The limiters.
const (
	LimiterCount  Limiter = "count"  // all attempts since the last quiet spell of Discard, as blockhosts.py counted
	LimiterWindow Limiter = "window" // the attempts within Window, exactly
	LimiterEma    Limiter = "ema"    // an exponential moving average, halved every HalfLife, as DictDefence had it
)

// Limits say when an address is blocked, for how long, and when it is forgotten.
type Limits struct {
	Limiter           Limiter       // empty: LimiterCount
	Blockcount        int           // attempts, or the average, that are tolerated; with LimiterWindow at most 100
	Window            time.Duration // for LimiterWindow
	HalfLife          time.Duration // for LimiterEma
	Discard           time.Duration // an address is forgotten this long after its last attempt; 0: at once
	BlockFor          time.Duration // how long a block lasts; 0: until the last attempt + Discard
	BlockFactor       float64       // a block lasts this many times longer at every repetition; 0 or 1: always the same
	BlockMax          time.Duration // at most this long; 0: no bound
	BlockPerHundred   time.Duration // added to a block for every hundred attempts of the run that begins it
	PermanentAfter    int           // the block of this number stays; 0: none
	PermanentFailures int           // so many attempts make a block stay; 0: none
	Users             *Users        // weight of an attempt by the user tried
}

// A Spared is an address that automatic blocks leave alone.
type Spared struct {
	Addr netip.Addr
	Why  string
}

// A Policy is what the administrator wants, ready for use.
type Policy struct {
	Limits     Limits            // for all services together, and for each that has none of its own
	Services   map[string]Limits // own limits of a service, complete
	ByService  bool              // each service is held against its limits alone, the sum against none
	IPv6Prefix int               // bits: IPv6 is counted by this prefix
	PrefixMin  int               // distinct offenders in it from which on the whole prefix is blocked
	Remember   time.Duration     // how long after its block an address's number of blocks is remembered
	MaxTracked int               // addresses on record; the oldest unblocked ones go first; 0: no bound
	Allow      *List
	Deny       *List
	Spared     []Spared       // never blocked, but by hand
	OnLink     []netip.Prefix // IPv6 networks of the host, never blocked whole
	// FoldLines counts attempts instead of lines: what one program says under
	// one pid about one address in several lines is one attempt.
	FoldLines bool

	own map[string]*Limits // Services, see ready
}

// of returns the limits for one service.
func (p *Policy) of(service string) *Limits {
	if len(p.Services) == 0 {
		return &p.Limits // the most common: this much is inlined
	}
	return p.ofService(service)
}

// ofService is not inlined, or each of a dozen places had two searches of maps.
//
//go:noinline
func (p *Policy) ofService(service string) *Limits {
	if l := p.own[service]; l != nil {
		return l
	}
	if l, ok := p.Services[service]; ok {
		return &l
	}
	return &p.Limits
}

// ready returns p with the limits of the services where of finds them without
// a copy for each question.
func (p Policy) ready() Policy {
	p.own = make(map[string]*Limits, len(p.Services))
	for name, l := range p.Services {
		p.own[name] = &l
	}
	return p
}

// judges tells whether a service's own count is held against a limit.
func (p *Policy) judges(service string) bool {
	_, own := p.Services[service]
	return own || p.ByService
}

// Key returns what a is counted as: itself for IPv4, its prefix for IPv6. A
// link-local address says nothing about its neighbours (RFC 4291, 2.5.6), so
// that it is counted alone.
func (p *Policy) Key(a netip.Addr) netip.Prefix {
	if a.Is4() || a.IsLinkLocalUnicast() {
		return record.Single(a)
	}
	k, _ := a.Prefix(p.IPv6Prefix)
	return k
}

// mayBlock tells whether an automatic block may hold a.
func (p *Policy) mayBlock(a netip.Addr) bool {
	if _, allowed := p.Allow.Find(a); allowed {
		return false
	}
	return p.sparedWhy(a) == ""
}

func (p *Policy) sparedWhy(a netip.Addr) string {
	for _, s := range p.Spared {
		if s.Addr == a {
			return s.Why
		}
	}
	return ""
}

// mayBlockWhole tells whether nobody who is allowed, spared or a neighbour may
// sit in net.
func (p *Policy) mayBlockWhole(net netip.Prefix) bool {
	if p.Allow.Overlaps(net) {
		return false
	}
	for _, s := range p.Spared {
		if net.Contains(s.Addr) {
			return false
		}
	}
	for _, n := range p.OnLink {
		if n.Overlaps(net) && !net.IsSingleIP() {
			return false
		}
	}
	return net.IsSingleIP() || !net.Overlaps(linkLocal)
}

// linkLocal is fe80::/10 (RFC 4291, 2.5.6).
var linkLocal = netip.MustParsePrefix("fe80::/10")

// countable tells whether a can be the address of a client at all: a line
// that blames 0.0.0.0 or a multicast group is the daemon's mishap.
func countable(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
