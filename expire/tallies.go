package expire

import (
	"cmp"
	"slices"

	"blockhosts/internal/record"
)

// maxTallies bounds what a flood leaves in the section for the next run.
const maxTallies = 100_000

// A place is where the attempt of a key stands.
type place struct {
	key uint64
	at  int32
}

// tallies returns what the next run needs: what is within tallyAge of the
// latest line, so that a run that ends between two lines of an attempt makes
// no difference.
func (as *attempts) tallies(now moment) []record.Tally {
	var latest moment
	for i := range as.all {
		latest = max(latest, as.all[i].last)
	}
	latest = min(latest, now)
	var recent []place
	n := 0
	for i := range as.all {
		if a := &as.all[i]; latest.since(a.last) <= tallyAge {
			recent = append(recent, place{a.key, int32(i)})
			n += as.ruleCount(a)
		}
	}
	if n == 0 {
		return nil
	}
	if n > maxTallies {
		recent = as.newest(recent)
	}
	slices.SortFunc(recent, byKey)
	ts := make([]record.Tally, 0, min(n, maxTallies))
	for _, p := range recent {
		ts = as.appendTallies(ts, &as.all[p.at])
	}
	return ts
}

func byKey(a, b place) int { return cmp.Compare(a.key, b.key) }

// newest returns the attempts of the latest lines, as many as make maxTallies
// or less: one that is half known would be worth nothing.
func (as *attempts) newest(ps []place) []place {
	slices.SortFunc(ps, func(a, b place) int {
		return cmp.Or(cmp.Compare(as.all[b.at].last, as.all[a.at].last), byKey(a, b))
	})
	n := 0
	for i, p := range ps {
		if n += as.ruleCount(&as.all[p.at]); n > maxTallies {
			return ps[:i]
		}
	}
	return ps
}

// ruleCount returns how many rules matched lines of a.
func (as *attempts) ruleCount(a *attempt) int {
	if a.more > 0 {
		return int(a.n) + len(as.more[a.more-1])
	}
	return int(a.n)
}

// appendTallies appends what is known of a, sorted by rule.
func (as *attempts) appendTallies(ts []record.Tally, a *attempt) []record.Tally {
	start, last := len(ts), a.last.time()
	add := func(l ruleLines) {
		ts = append(ts, record.Tally{Key: a.key, Rule: as.rules[l.rule], Lines: l.n, Last: last})
		for i := len(ts) - 1; i > start && ts[i].Rule < ts[i-1].Rule; i-- { // there are few
			ts[i], ts[i-1] = ts[i-1], ts[i]
		}
	}
	for _, l := range a.few[:a.n] {
		add(l)
	}
	if a.more > 0 {
		for _, l := range as.more[a.more-1] {
			add(l)
		}
	}
	return ts
}
