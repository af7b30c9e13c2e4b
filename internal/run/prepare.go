package run

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"blockhosts/blockfile"
	"blockhosts/expire"
	"blockhosts/internal/config"
	"blockhosts/internal/record"
	"blockhosts/logscan"
	"blockhosts/logscan/rules"
)

// prepare makes of the configuration what the rooms take. What is wrong here
// is wrong before anything was touched. What a watch kept of the run before is
// used again.
func prepare(c config.Config, o Options, w World) (*job, error) {
	policy, err := policyOf(c)
	if err != nil {
		return nil, setup(err)
	}
	enabled, err := enabledBy(c)
	if err != nil {
		return nil, setup(err)
	}
	j := &job{config: c, opt: o, world: w, policy: policy}
	if o.Sync {
		if err := j.openBlockers(); err != nil {
			return nil, setup(err)
		}
	}
	if o.CheckIP != "" {
		if _, err := record.ParseAddr(o.CheckIP); err != nil {
			return nil, setup(fmt.Errorf("--check-ip: %w", err))
		}
	}
	if j.log, err = j.openLog(); err != nil {
		return nil, setup(err)
	}
	if !o.LoadOnly {
		j.compile(enabled)
	}
	return j, nil
}

// compile takes the rules that a watch has compiled, or compiles them.
func (j *job) compile(enabled func(name, class string) bool) {
	k := j.opt.keep
	if k == nil {
		k = new(kept)
	}
	if k.rules == nil {
		k.rules, k.problems = rules.Compile(defsOf(j.config), enabled, rules.Options{Names: j.config.Resolve})
	}
	j.rules = k.rules
	j.problems = slices.Concat(j.problems, k.problems, k.odd)
}

func policyOf(c config.Config) (p expire.Policy, err error) {
	if p.Limits, err = limitsOf(c.Limits); err != nil {
		return p, err
	}
	for name, s := range c.Services {
		if !s.HasLimits {
			continue
		}
		if p.Services == nil {
			p.Services = map[string]expire.Limits{}
		}
		if p.Services[name], err = limitsOf(s.Limits); err != nil {
			return p, fmt.Errorf("services.%s: %w", name, err)
		}
	}
	p.ByService = c.Limits.CountBy == config.CountByService
	p.IPv6Prefix, p.PrefixMin, p.Remember = c.Limits.IPv6Prefix, c.Limits.PrefixMin, c.Limits.Remember
	p.MaxTracked, p.FoldLines = c.MaxTracked, c.IgnoreDuplicates
	return p, nil
}

func limitsOf(l config.Limits) (expire.Limits, error) {
	users, err := expire.NewUsers(l.Users)
	return expire.Limits{
		Limiter: expire.Limiter(l.Limiter), Blockcount: l.Blockcount, Window: l.Window, HalfLife: l.HalfLife, Discard: l.Discard,
		BlockFor: l.BlockFor, BlockFactor: l.BlockFactor, BlockMax: l.BlockMax, BlockPerHundred: l.BlockPerHundred,
		PermanentAfter: l.PermanentAfter, PermanentFailures: l.PermanentFailures, Users: users,
	}, err
}

// enabledBy returns which rules a configuration runs: those whose names begin
// with a match of enable_rules, as blockhosts.py had it, of an enabled class.
func enabledBy(c config.Config) (func(name, class string) bool, error) {
	re, err := regexp.Compile("^(?:" + c.EnableRules + ")")
	if err != nil {
		return nil, fmt.Errorf("enable_rules %.60q: %w", c.EnableRules, err)
	}
	return func(name, class string) bool {
		return slices.Contains(c.EnableClasses, class) && re.MatchString(name)
	}, nil
}

// defsOf returns the shipped rules with the local ones added, or in place of
// those of the same name.
func defsOf(c config.Config) []rules.Def { return withLocal(rules.Shipped(), c) }

// withLocal adds the local rules of the configuration to defs.
func withLocal(defs []rules.Def, c config.Config) []rules.Def {
	for _, r := range c.Rules {
		d := rules.Def{Name: r.Name, Class: r.Class, Pattern: r.Pattern, Ignores: r.Ignores, Unpinned: r.Unpinned, File: r.File, Line: r.Line}
		for _, s := range r.Samples {
			d.Samples = append(d.Samples, rules.Sample{Line: s.Line, Address: s.Address, User: s.User})
		}
		if i := slices.IndexFunc(defs, func(x rules.Def) bool { return x.Name == d.Name }); i >= 0 {
			defs[i] = d
		} else {
			defs = append(defs, d)
		}
	}
	return defs
}

// read scans what the sources gained since they were read up to offsets.
func (j *job) read(ctx context.Context, offsets []record.Offset) logscan.Result {
	return j.readBy(ctx, offsets, j.rules, func() logscan.Matcher { return j.rules.Clone() })
}

// readBy is read with another matcher than the rules alone; another makes one
// more of it.
func (j *job) readBy(ctx context.Context, offsets []record.Offset, m logscan.Matcher, another func() logscan.Matcher) logscan.Result {
	o := logscan.Options{
		Now: j.world.Now, Local: j.world.Local, ClockRun: j.config.Clock == "run",
		IgnoreOffset: j.opt.IgnoreOffset, Progress: j.progress(),
		Since: j.opt.Since, Until: j.opt.Until, Oldest: j.oldest(), Another: another,
	}
	if j.mailWanted() {
		o.Evidence = record.EvidenceLines
	}
	r := logscan.Scan(ctx, j.opt.keep.sources(j.sources()), offsets, m, o)
	r.Failures = j.named(ctx, r.Failures)
	return r
}

func (j *job) blockfileOptions() blockfile.Options {
	return blockfile.Options{
		Template: blockfile.Template(j.config.Blockline),
		Now:      j.world.Now, Local: j.world.Local, IPv6Prefix: j.config.Limits.IPv6Prefix,
	}
}

// progressEvery is how many bytes are read between two words to a terminal.
const progressEvery = 64 << 20

// progress returns what tells somebody who watches that a long read goes on.
func (j *job) progress() func(done, total int64) {
	if !j.world.Terminal {
		return nil
	}
	var next int64 = progressEvery
	return func(done, total int64) {
		if done < next {
			return
		}
		next = done + progressEvery
		fmt.Fprintf(j.world.Stderr, "\rreading logs: %d of %d MB\033[K", done>>20, total>>20)
		if done >= total {
			fmt.Fprint(j.world.Stderr, "\r\033[K")
		}
	}
}
