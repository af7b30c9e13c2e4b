package expire

import (
	"cmp"
	"slices"
	"strings"

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
			n += int(a.n)
		}
	}
	slices.SortFunc(recent, func(a, b place) int { return cmp.Compare(a.key, b.key) })
	ts := make([]record.Tally, 0, n)
	for _, p := range recent {
		ts = as.appendTallies(ts, &as.all[p.at])
	}
	if len(ts) > maxTallies {
		slices.SortFunc(ts, func(a, b record.Tally) int { return cmp.Or(b.Last.Compare(a.Last), byKey(a, b)) })
		ts = ts[:maxTallies]
		slices.SortFunc(ts, byKey)
	}
	if len(ts) == 0 {
		return nil
	}
	return ts
}

// appendTallies appends what is known of a, by rule.
func (as *attempts) appendTallies(ts []record.Tally, a *attempt) []record.Tally {
	start, last := len(ts), a.last.time()
	for _, l := range a.few[:a.n] {
		ts = append(ts, record.Tally{Key: a.key, Rule: as.rules[l.rule], Lines: l.n, Last: last})
	}
	if a.more > 0 {
		for _, l := range as.more[a.more-1] {
			ts = append(ts, record.Tally{Key: a.key, Rule: as.rules[l.rule], Lines: l.n, Last: last})
		}
	}
	if len(ts) > start+1 {
		slices.SortFunc(ts[start:], byKey)
	}
	return ts
}

func byKey(a, b record.Tally) int {
	if a.Key != b.Key {
		return cmp.Compare(a.Key, b.Key)
	}
	return strings.Compare(a.Rule, b.Rule)
}
