package expire

import (
	"net/netip"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// tallyAge is how long lines of one program, pid and address belong together:
// longer than sshd's LoginGraceTime of 120 s (sshd_config(5)) keeps a silent
// log-in open, shorter than a pid takes to come round again.
const tallyAge = 2 * time.Minute

// fewAttempts is how many attempts are kept without asking which of them are
// of long ago.
const fewAttempts = 1024

// An attempt is what one program said under one pid about one address. There
// are 100,000 in a flood, so that it has no pointer that the garbage collector
// would follow.
type attempt struct {
	key  uint64
	last moment
	most int          // the largest of the lines: the attempts so far
	few  [3]ruleLines // more than three rules seldom meet
	n    int32        // of few, in use
	more int32        // the place of others in attempts.more, from 1; 0: there are none
}

type ruleLines struct {
	n    int
	rule int32 // its place in attempts.rules
}

// attempts tells attempts from lines. A daemon may write several lines about
// one attempt, each matched by another rule; it may also write about many
// attempts under one pid. Both are right when the attempts of a key are the
// largest number of lines that any one rule has matched.
type attempts struct {
	all   []attempt
	place table         // of a key in all
	more  [][]ruleLines // see attempt
	rules []string
	// purgeAt is the number of attempts at which those of long ago are dropped:
	// what fits the processor's cache is what a flood needs.
	purgeAt int
	latest  *charge    // of the line counted last: the next one is mostly of the same attempt
	pid     record.PID // of that line
	at      int32      // of its attempt in all
	text    []byte     // memory for a pid
}

func attemptsOf(tallies []record.Tally) *attempts {
	as := &attempts{place: newTable(), purgeAt: fewAttempts}
	as.place.clear(len(tallies))
	for i := range tallies {
		t := &tallies[i]
		a := &as.all[as.of(t.Key)]
		*as.lines(a, as.rule(t.Rule)) = t.Lines
		a.most = max(a.most, t.Lines)
		a.last = momentOf(t.Last)
	}
	return as
}

// of returns the place of the attempt of key, which is a new one where there
// is none.
func (as *attempts) of(key uint64) int32 {
	t := &as.place
	hash := t.mix(key, 0)
	for i := t.cell(hash); t.cells[i] != 0; i = t.next(i) {
		if at := t.cells[i] - 1; as.all[at].key == key {
			return at
		}
	}
	if t.isFull() {
		as.index(2 * len(as.all))
	}
	at := int32(len(as.all))
	if len(as.all) == cap(as.all) {
		as.all = slices.Grow(as.all, max(64, len(as.all))) // append would copy three times as much
	}
	as.all = append(as.all, attempt{key: key})
	t.put(hash, at)
	return at
}

// index fills the table anew, with room for n.
func (as *attempts) index(n int) {
	as.place.clear(n)
	for i := range as.all {
		as.place.put(as.place.mix(as.all[i].key, 0), int32(i))
	}
}

// rule returns the place of a rule. There are few in one log.
func (as *attempts) rule(name string) int32 {
	for i := range as.rules {
		if as.rules[i] == name {
			return int32(i)
		}
	}
	as.rules = append(as.rules, name)
	return int32(len(as.rules) - 1)
}

// lines returns the count of a rule in a. It is valid until the next call.
func (as *attempts) lines(a *attempt, rule int32) *int {
	for i := range a.few[:a.n] {
		if a.few[i].rule == rule {
			return &a.few[i].n
		}
	}
	if int(a.n) < len(a.few) {
		a.n++
		a.few[a.n-1] = ruleLines{rule: rule}
		return &a.few[a.n-1].n
	}
	if a.more == 0 {
		as.more = append(as.more, nil)
		a.more = int32(len(as.more))
	}
	more := &as.more[a.more-1]
	for i := range *more {
		if (*more)[i].rule == rule {
			return &(*more)[i].n
		}
	}
	*more = append(*more, ruleLines{rule: rule})
	return &(*more)[len(*more)-1].n
}

// count returns how many new attempts the line of the failure at place i is,
// which stands for n of them: n where it names no program or pid, else by how
// much it raises the largest tally of its key.
func (as *attempts) count(x *charge, fs *record.Failures, i int, at moment, n int) int {
	pid := fs.PID(i)
	if !x.named || pid == record.NoPID {
		return n
	}
	if l := as.latest; l == nil || as.pid != pid || l.source != x.source || l.start != x.start {
		if len(as.all) >= as.purgeAt {
			as.purge(at)
		}
		as.text = fs.AppendPID(as.text[:0], i)
		as.latest, as.pid, as.at = x, pid, as.of(attemptKey(x.start, as.text, x.addr))
	}
	a := &as.all[as.at]
	if d := at.since(a.last); d > tallyAge || d < -tallyAge {
		*a = attempt{key: a.key, last: a.last, more: a.more}
		if a.more > 0 {
			as.more[a.more-1] = as.more[a.more-1][:0]
		}
	}
	a.last = max(a.last, at)
	lines := as.lines(a, x.rule)
	*lines += n
	fresh := max(0, *lines-a.most)
	a.most += fresh
	return fresh
}

// purge drops the attempts that no line can belong to any more: lines come in
// order of time.
func (as *attempts) purge(at moment) {
	as.all = slices.DeleteFunc(as.all, func(a attempt) bool { return at.since(a.last) > tallyAge })
	as.purgeAt = max(fewAttempts, 2*len(as.all))
	as.index(as.purgeAt)
}

// offset and prime are those of FNV-1a with 64 bits (RFC 9923, 5). zeros is what
// the prime comes to for the zeros that an IPv4 address of 16 bytes begins with.
const (
	offset = 14695981039346656037
	prime  = 1099511628211
	zeros  = prime * prime * prime * prime * prime * prime * prime * prime * prime * prime % (1 << 64)
)

// attemptKey is the FNV-1a hash of program, pid and address; start is that of
// the program. It stands in the section, so that it must be the same in every
// run.
func attemptKey(start uint64, pid []byte, addr netip.Addr) uint64 {
	h := hashText(start, pid)
	b := addr.As16()
	rest := b[:]
	if addr.Is4() {
		h, rest = h*zeros, b[10:]
	}
	for _, x := range rest {
		h = (h ^ uint64(x)) * prime
	}
	return h
}

// hashText goes on with s and the zero byte that marks its end.
func hashText[T string | []byte](h uint64, s T) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return h * prime
}
