package expire

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// Why explains what is known of an address and what follows from it.
func Why(st record.State, p Policy, a netip.Addr, now time.Time) record.Explanation {
	e := record.Explanation{Addr: a, Spared: p.sparedWhy(a)}
	e.Allowed, _ = p.Allow.Find(a)
	e.Denied, _ = p.Deny.Find(a)
	for _, b := range st.Blocks {
		if b.Net.Contains(a) {
			e.Blocks = append(e.Blocks, record.Held{Block: b, Ends: Ends(st, b, p)})
		}
	}
	key := p.Key(a)
	if i, ok := slices.BinarySearchFunc(st.Hosts, key, func(h record.Host, k netip.Prefix) int { return byNet(h.Net, k) }); ok {
		e.Host = &st.Hosts[i]
		e.Counts = p.explainCounts(st.Hosts[i], now)
	}
	if i, ok := slices.BinarySearchFunc(st.Past, key, func(x record.Past, k netip.Prefix) int { return byNet(x.Net, k) }); ok {
		e.Past = &st.Past[i]
	}
	e.Verdict = verdict(e)
	return e
}

// explainCounts holds each counter of h against its limit, in words.
func (p *Policy) explainCounts(h record.Host, now time.Time) []string {
	var lines []string
	if !p.ByService {
		lines = append(lines, "all services: "+p.Limits.explain(h.Counter, now))
	}
	for _, s := range h.Services {
		if p.judges(s.Service) {
			lines = append(lines, s.Service+": "+p.of(s.Service).explain(s.Counter, now))
		} else {
			lines = append(lines, fmt.Sprintf("%s: %d failures, part of the sum", s.Service, s.Count))
		}
	}
	return lines
}

// explain holds one counter against the limit.
func (l *Limits) explain(c record.Counter, now time.Time) string {
	forgotten := fmt.Sprintf("forgotten %s after the last", hours(l.Discard))
	switch l.Limiter {
	case LimiterWindow:
		n := 0
		for _, at := range c.Stamps {
			if now.Sub(at) <= l.Window {
				n++
			}
		}
		return fmt.Sprintf("%d failures within the last %s, over %d block; %d in all, %s", n, hours(l.Window), l.Blockcount, c.Count, forgotten)
	case LimiterEma:
		x := counterOf(&c)
		x.decay(momentOf(now), 0, l.HalfLife)
		return fmt.Sprintf("moving average %.2f (half-life %s), over %d blocks; %d failures in all, %s", x.average, hours(l.HalfLife), l.Blockcount, c.Count, forgotten)
	}
	return fmt.Sprintf("%d failures, over %d block, %s", c.Count, l.Blockcount, forgotten)
}

// hours writes a duration without the units that are 0 at its end: 12h, 10m.
func hours(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// verdict is the first of the reasons, in order of precedence.
func verdict(e record.Explanation) string {
	switch {
	case e.Allowed != "":
		return "never blocked: on the allowlist (" + e.Allowed + ")"
	case e.Spared != "":
		return "not blocked automatically: " + e.Spared
	case len(e.Blocks) > 0:
		return "blocked: " + string(e.Blocks[0].Reason)
	case e.Denied != "":
		return "on the denylist (" + e.Denied + "): blocked from the next run on, by a pattern only once it is watched"
	case e.Host != nil:
		return "watched, not blocked"
	}
	return "not on record"
}
