package expire

import (
	"cmp"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// tallyAge is how long lines of one program, pid and address belong together:
// longer than sshd's LoginGraceTime of 120 s (sshd_config(5)) keeps a silent
// log-in open, shorter than a pid takes to come round again.
const tallyAge = 2 * time.Minute

// maxTallies bounds what a flood leaves in the section for the next run.
const maxTallies = 100_000

// An attempt is what one program said under one pid about one address.
type attempt struct {
	key   uint64
	most  int // the largest of lines: the attempts so far
	last  time.Time
	lines []ruleLines
	few   [3]ruleLines // backs lines: more than three rules seldom meet, and a flood brings 100,000 attempts
}

type ruleLines struct {
	rule string
	n    int
}

// of returns the count of rule.
func (a *attempt) of(rule string) *int {
	for i := range a.lines {
		if a.lines[i].rule == rule {
			return &a.lines[i].n
		}
	}
	if a.lines == nil {
		a.lines = a.few[:0]
	}
	a.lines = append(a.lines, ruleLines{rule: rule})
	return &a.lines[len(a.lines)-1].n
}

// attempts tells attempts from lines. A daemon may write several lines about
// one attempt, each matched by another rule; it may also write about many
// attempts under one pid. Both are right when the attempts of a key are the
// largest number of lines that any one rule has matched.
type attempts struct {
	byKey map[uint64]*attempt
	slab  []attempt // allocated in blocks; never moved
	// purgeAt is the number of attempts at which those of long ago are dropped:
	// a map that fits the processor's cache is what a flood needs.
	purgeAt int
}

func attemptsOf(tallies []record.Tally) *attempts {
	as := &attempts{byKey: make(map[uint64]*attempt, len(tallies)), purgeAt: 4096}
	for _, t := range tallies {
		a := as.of(t.Key)
		*a.of(t.Rule) = t.Lines
		a.most = max(a.most, t.Lines)
		a.last = t.Last
	}
	return as
}

func (as *attempts) of(key uint64) *attempt {
	a := as.byKey[key]
	if a == nil {
		if len(as.slab) == cap(as.slab) {
			as.slab = make([]attempt, 0, min(1024, 8+2*len(as.byKey)))
		}
		as.slab = append(as.slab, attempt{key: key})
		a = &as.slab[len(as.slab)-1]
		as.byKey[key] = a
	}
	return a
}

// count returns how many new attempts a line that stands for n of them is: n
// where it names no program or pid, else by how much it raises the largest
// tally of its key.
func (as *attempts) count(f *record.Failure, at time.Time, n int) int {
	if f.Program == "" || f.PID == "" {
		return n
	}
	if len(as.byKey) >= as.purgeAt {
		as.purge(at)
	}
	a := as.of(attemptKey(f))
	if at.Sub(a.last).Abs() > tallyAge {
		a.lines, a.most = nil, 0
	}
	if at.After(a.last) {
		a.last = at
	}
	lines := a.of(f.Rule)
	*lines += n
	fresh := max(0, *lines-a.most)
	a.most += fresh
	return fresh
}

// purge drops the attempts that no line can belong to any more: lines come in
// order of time.
func (as *attempts) purge(at time.Time) {
	for key, a := range as.byKey {
		if at.Sub(a.last) > tallyAge {
			delete(as.byKey, key)
		}
	}
	as.purgeAt = max(4096, 2*len(as.byKey))
}

// attemptKey is the FNV-1a hash of program, pid and address. It stands in the
// section, so that it must be the same in every run.
func attemptKey(f *record.Failure) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for _, part := range [...]string{f.Program, f.PID} {
		for i := range len(part) {
			h = (h ^ uint64(part[i])) * prime
		}
		h *= prime // the end of the part, as a zero byte would mark it
	}
	for _, b := range f.Addr.As16() {
		h = (h ^ uint64(b)) * prime
	}
	return h
}

// tallies returns what the next run needs: what is within tallyAge of the
// latest line, so that a run that ends between two lines of an attempt makes
// no difference.
func (as *attempts) tallies(now time.Time) []record.Tally {
	var latest time.Time
	for _, a := range as.byKey {
		if a.last.After(latest) {
			latest = a.last
		}
	}
	if now.Before(latest) {
		latest = now
	}
	var ts []record.Tally
	for key, a := range as.byKey {
		if latest.Sub(a.last) > tallyAge {
			continue
		}
		for _, l := range a.lines {
			ts = append(ts, record.Tally{Key: key, Rule: l.rule, Lines: l.n, Last: a.last})
		}
	}
	if len(ts) > maxTallies {
		slices.SortFunc(ts, func(a, b record.Tally) int {
			return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Rule, b.Rule))
		})
		ts = ts[:maxTallies]
	}
	slices.SortFunc(ts, func(a, b record.Tally) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Rule, b.Rule))
	})
	return ts
}
