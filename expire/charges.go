package expire

import (
	"net/netip"

	"blockhosts/internal/record"
)

// A charge is what a Blame comes to: worked out once for all the failures that
// share it.
type charge struct {
	*judged
	addr    netip.Addr
	source  int32            // its place in counts.sources
	counts  bool             // as the source has it, too
	allowed *record.Decision // the same
	rule    int32            // its place in attempts.rules
	start   uint64           // of its attempts' keys; see attemptKey
	named   bool             // by a program, so that its lines can be told to be of one attempt
}

// judged is a service with its limits.
type judged struct {
	name   string
	limits *Limits
	judged bool // its own count is held against them
}

// charges works out what blames come to.
func (c *counts) charges(blames []*record.Blame) []charge {
	all := make([]charge, len(blames))
	for i, b := range blames {
		at := c.source(b.Addr)
		s := &c.sources.all[at]
		all[i] = charge{judged: c.judge(b.Service), addr: b.Addr, source: at, counts: s.counts, allowed: s.allowed,
			rule: c.attempts.rule(b.Rule), start: hashText(offset, b.Program), named: b.Program != ""}
	}
	return all
}

// judge returns a service with its limits. There are few in one log.
func (c *counts) judge(service string) *judged {
	for _, j := range c.services {
		if j.name == service {
			return j
		}
	}
	j := &judged{service, c.policy.of(service), c.policy.judges(service)}
	c.services = append(c.services, j)
	return j
}
