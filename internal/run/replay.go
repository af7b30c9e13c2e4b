package run

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sort"
	"time"

	"blockhosts/expire"
	"blockhosts/internal/config"
	"blockhosts/internal/record"
	"blockhosts/internal/report"
	"blockhosts/logscan"
)

// Replay runs the limits over the logs by the logs' own time, from a section
// in which nothing stands, and tells what blocks there would have been.
// Nothing is written. The denylist has no part in it, the allowlist has. What
// a block would have kept out is counted as the logs have it.
func Replay(ctx context.Context, c config.Config, o Options, w World) (report.Replay, error) {
	c.Clock = config.ClockLog
	o.DryRun, o.IgnoreOffset, o.Sync, o.Mail = true, true, false, false
	j, err := prepare(c, o, w)
	if err != nil {
		return report.Replay{}, err
	}
	defer j.log.Close()
	if err := j.lists(ctx); err != nil {
		return report.Replay{}, setup(err)
	}
	j.askSpared()
	j.policy.Deny = nil
	j.scan = j.readBy(ctx, nil, newWitness(j.rules), func() logscan.Matcher { return newWitness(j.rules.Clone()) })
	j.problems = append(j.problems, j.scan.Problems...)
	j.news()

	failures, logins := parted(j.scan.Failures)
	r := report.Replay{Now: w.Now.In(w.Local), Lines: j.scan.Lines, Failures: len(failures), Addresses: addressesOf(failures)}
	for f := range j.scan.Failures.All() {
		if r.From.IsZero() || f.Time.Before(r.From) {
			r.From = f.Time
		}
		if f.Time.After(r.To) {
			r.To = f.Time
		}
	}
	p := play{policy: j.policy, open: map[netip.Prefix]int{}}
	p.run(failures, j.end())
	p.addLogins(logins)
	r.Blocked = p.rows
	return r, j.outcome()
}

// end is when a replay ends: blocks that last longer end as things stand then.
func (j *job) end() time.Time {
	if !j.opt.Until.IsZero() && j.opt.Until.Before(j.world.Now) {
		return j.opt.Until
	}
	return j.world.Now
}

// parted tells failures from log-ins, both by time.
func parted(found *record.Failures) (failures, logins []record.Failure) {
	for f := range found.All() {
		if f.Rule == successRule {
			logins = append(logins, f)
		} else {
			failures = append(failures, f)
		}
	}
	for _, all := range [][]record.Failure{failures, logins} {
		sort.SliceStable(all, func(i, j int) bool { return all[i].Time.Before(all[j].Time) })
	}
	return failures, logins
}

func addressesOf(failures []record.Failure) int {
	seen := map[netip.Addr]bool{}
	for _, f := range failures {
		seen[f.Addr] = true
	}
	return len(seen)
}

// A play is the limits at work on old failures.
type play struct {
	policy expire.Policy
	state  record.State
	ends   time.Time            // no block of the state ends before this; zero: none ends
	open   map[netip.Prefix]int // blocks that last, by index in rows
	rows   []report.Replayed
}

// A run decides once a minute, as cron has it. Where the logs are long, it
// decides less often, so that there are no more than maxSteps decisions, but
// at least twice within the shortest block: counts and times are those of the
// failures in any case.
const (
	stepTime = time.Minute
	maxSteps = 3000
)

func (p *play) stepOf(failures []record.Failure) time.Duration {
	if len(failures) == 0 {
		return stepTime
	}
	span := failures[len(failures)-1].Time.Sub(failures[0].Time)
	shortest := shortestBlock(p.policy.Limits)
	for _, l := range p.policy.Services {
		shortest = min(shortest, shortestBlock(l))
	}
	return max(stepTime, min(span/maxSteps, shortest/2))
}

func shortestBlock(l expire.Limits) time.Duration {
	if l.BlockFor > 0 {
		return l.BlockFor
	}
	return l.Discard
}

// run decides over all failures, which are in order, and until end.
func (p *play) run(failures []record.Failure, end time.Time) {
	step := p.stepOf(failures)
	for len(failures) > 0 {
		first := failures[0].Time
		n, _ := slices.BinarySearchFunc(failures, first.Add(step), func(f record.Failure, t time.Time) int { return f.Time.Compare(t) })
		p.endUntil(first)
		p.decide(failures[:n], failures[n-1].Time)
		failures = failures[n:]
	}
	p.endUntil(end)
	for net, i := range p.open {
		p.rows[i].Until = p.endOf(net)
	}
	sort.SliceStable(p.rows, func(i, j int) bool {
		a, b := p.rows[i], p.rows[j]
		return cmp.Or(a.Since.Compare(b.Since), a.Net.Addr().Compare(b.Net.Addr())) < 0
	})
}

// endUntil ends the blocks that end by t, each at its own time.
func (p *play) endUntil(t time.Time) {
	for !p.ends.IsZero() && !p.ends.After(t) {
		at := p.ends
		p.decide(nil, at)
		if !p.ends.IsZero() && !p.ends.After(at) { // a block that does not end at its end: not again and again
			p.ends = at.Add(time.Second)
		}
	}
}

// decide lets the limits decide at a moment, and notes which blocks begin and
// which end.
func (p *play) decide(failures []record.Failure, now time.Time) {
	until := map[netip.Prefix]time.Time{}
	if !p.ends.IsZero() && !now.Before(p.ends) {
		for net := range p.open {
			until[net] = p.endOf(net)
		}
	}
	var ds []record.Decision
	p.state, ds = expire.Apply(p.state, record.Pack(failures), p.policy, now)
	for _, d := range ds {
		switch d.Action {
		case record.ActionRelease:
			end := until[d.Net]
			if end.IsZero() || end.After(now) { // ended by what came, not by its time
				end = now
			}
			p.close(d.Net, end)
		case record.ActionBlock:
			p.close(d.Net, d.At)
			p.open[d.Net] = len(p.rows)
			p.rows = append(p.rows, report.Replayed{Net: d.Net, Since: d.At, Count: d.Count, Services: d.Services, Reason: d.Reason, Detail: d.Detail})
		}
	}
	p.ends = time.Time{}
	standing := map[netip.Prefix]bool{}
	for _, b := range p.state.Blocks {
		standing[b.Net] = true
		if e := expire.Ends(p.state, b, p.policy); !e.IsZero() && (p.ends.IsZero() || e.Before(p.ends)) {
			p.ends = e
		}
	}
	for net := range p.open {
		if !standing[net] { // its prefix is blocked instead
			p.close(net, now)
		}
	}
}

// close ends the row of a block that lasts.
func (p *play) close(net netip.Prefix, at time.Time) {
	if i, ok := p.open[net]; ok {
		p.rows[i].Until = at
		delete(p.open, net)
	}
}

// endOf is when the block of net ends as things stand; zero: never.
func (p *play) endOf(net netip.Prefix) time.Time {
	for _, b := range p.state.Blocks {
		if b.Net == net {
			return expire.Ends(p.state, b, p.policy)
		}
	}
	return time.Time{}
}

// addLogins gives each log-in to the latest block of its address that began
// before it.
func (p *play) addLogins(logins []record.Failure) {
	rows := map[netip.Prefix][]int{}
	lengths := map[int]bool{}
	for i, r := range p.rows {
		rows[r.Net] = append(rows[r.Net], i)
		lengths[r.Net.Bits()] = true
	}
	for _, l := range logins {
		latest := -1
		for bits := range lengths {
			net, err := l.Addr.Prefix(bits)
			if err != nil {
				continue
			}
			for _, i := range rows[net] {
				if !p.rows[i].Since.After(l.Time) && (latest < 0 || isLater(&p.rows[i], &p.rows[latest])) {
					latest = i
				}
			}
		}
		if latest >= 0 {
			addLogin(&p.rows[latest], l)
		}
	}
}

// isLater tells whether block a began after b, or with it and in its place, as
// that of a prefix does.
func isLater(a, b *report.Replayed) bool {
	c := a.Since.Compare(b.Since)
	return c > 0 || c == 0 && a.Net.Bits() < b.Net.Bits()
}

func addLogin(r *report.Replayed, l record.Failure) {
	blocked := r.Until.IsZero() || l.Time.Before(r.Until)
	r.LoggedIn++
	if blocked {
		r.KeptOut++
	}
	if len(r.Logins) < report.MaxLogins {
		r.Logins = append(r.Logins, report.Login{At: l.Time, Addr: l.Addr, User: l.User, Service: l.Service, Blocked: blocked})
	}
}
