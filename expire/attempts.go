package expire

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
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
	lines map[string]int // by rule
	most  int            // the largest of lines: the attempts so far
	last  time.Time
}

// attempts tells attempts from lines. A daemon may write several lines about
// one attempt, each matched by another rule; it may also write about many
// attempts under one pid. Both are right when the attempts of a key are the
// largest number of lines that any one rule has matched.
type attempts map[uint64]*attempt

func attemptsOf(tallies []record.Tally) attempts {
	as := attempts{}
	for _, t := range tallies {
		a := as.of(t.Key)
		a.lines[t.Rule] = t.Lines
		a.most = max(a.most, t.Lines)
		a.last = t.Last
	}
	return as
}

func (as attempts) of(key uint64) *attempt {
	a := as[key]
	if a == nil {
		a = &attempt{lines: map[string]int{}}
		as[key] = a
	}
	return a
}

// count returns how many new attempts f is: f.Repeat where the line names no
// program or pid, else by how much it raises the largest tally of its key.
func (as attempts) count(f record.Failure, at time.Time) int {
	if f.Program == "" || f.PID == "" {
		return f.Repeat
	}
	a := as.of(attemptKey(f))
	if at.Sub(a.last).Abs() > tallyAge {
		clear(a.lines)
		a.most = 0
	}
	if at.After(a.last) {
		a.last = at
	}
	a.lines[f.Rule] += f.Repeat
	fresh := max(0, a.lines[f.Rule]-a.most)
	a.most += fresh
	return fresh
}

func attemptKey(f record.Failure) uint64 {
	h := fnv.New64a()
	for _, part := range [...]string{f.Program, f.PID} {
		h.Write(binary.AppendUvarint(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	b := f.Addr.As16()
	h.Write(b[:])
	return h.Sum64()
}

// tallies returns what the next run needs: what is within tallyAge of the
// latest line, so that a run that ends between two lines of an attempt makes
// no difference.
func (as attempts) tallies(now time.Time) []record.Tally {
	var latest time.Time
	for _, a := range as {
		if a.last.After(latest) {
			latest = a.last
		}
	}
	if now.Before(latest) {
		latest = now
	}
	var ts []record.Tally
	for key, a := range as {
		if latest.Sub(a.last) > tallyAge {
			continue
		}
		for rule, n := range a.lines {
			ts = append(ts, record.Tally{Key: key, Rule: rule, Lines: n, Last: a.last})
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
