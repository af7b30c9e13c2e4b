package record

import (
	"iter"
	"strconv"
	"time"
)

// Failures are the hostile acts that a scan found, in the order of its lines. A
// flood brings hundreds of thousands in a minute: each takes 24 bytes without a
// pointer, an eighth of a Failure and nothing that the garbage collector would
// go through. What they have in common is kept once. The nil Failures and the
// zero Failures are none.
type Failures struct {
	acts   []act
	blames []*Blame
	texts  []string // the first one is empty
	extras []extra  // the first one says nothing
	recent [1024]uint32
	mixed  bool // some act is earlier than the one before it
}

// An act is one failure; numbers are places in blames, texts and extras.
type act struct {
	at          int64 // microseconds since 1970
	pid         PID
	blame, user uint32
	extra       uint32 // 0: it stands for one attempt, and its line was not kept
}

// An extra is what few failures have.
type extra struct {
	repeat int
	text   string
}

// Pack returns a list of failures as Failures.
func Pack(list []Failure) *Failures {
	fs := &Failures{}
	fs.Grow(len(list))
	places := map[*Blame]int{}
	for i := range list {
		f := &list[i]
		blame, ok := places[f.Blame]
		if !ok {
			blame = fs.AddBlame(f.Blame)
			places[f.Blame] = blame
		}
		fs.Add(blame, f.Time.UnixMicro(), []byte(f.PID), f.User, f.Repeat, f.Text)
	}
	return fs
}

// AddBlame makes room for failures that have b in common, and returns its place
// for Add. It must not be changed any more.
func (fs *Failures) AddBlame(b *Blame) int {
	fs.blames = append(fs.blames, b)
	return len(fs.blames) - 1
}

// Add adds a failure at a time in microseconds since 1970.
func (fs *Failures) Add(blame int, at int64, pid []byte, user string, repeat int, text string) {
	a := act{at: at, blame: uint32(blame), pid: fs.number(pid), user: fs.textOf(user)}
	if repeat != 1 || text != "" {
		if len(fs.extras) == 0 {
			fs.extras = append(fs.extras, extra{repeat: 1})
		}
		a.extra = uint32(len(fs.extras))
		fs.extras = append(fs.extras, extra{repeat, text})
	}
	if n := len(fs.acts); n > 0 && at < fs.acts[n-1].at {
		fs.mixed = true
	}
	fs.acts = append(fs.acts, a)
}

// InOrder tells whether none is earlier than the one before it.
func (fs *Failures) InOrder() bool { return fs == nil || !fs.mixed }

// A PID is the process number of a failure. Where two of the same Failures are
// equal, so are the texts that they stand for.
type PID uint32

// NoPID is that of a failure whose line names none.
const NoPID PID = 0

// isNumber marks a PID that is the number itself, as nearly all are: a flood has
// a hundred thousand of them, each of which would need room as a text.
const isNumber = 1 << 31

// number returns the PID for b.
func (fs *Failures) number(b []byte) PID {
	if len(b) == 0 || len(b) > 9 || b[0] == '0' {
		return PID(fs.text(b))
	}
	n := PID(0)
	for _, c := range b {
		if c -= '0'; c > 9 {
			return PID(fs.text(b))
		}
		n = n*10 + PID(c)
	}
	return isNumber | n
}

// text returns the place of b. A text that was met not long ago is kept once.
func (fs *Failures) text(b []byte) uint32 {
	if len(b) == 0 {
		return 0
	}
	at := fs.lately(b[0], b[len(b)-1], b[len(b)/2], len(b))
	if fs.texts[*at] != string(b) {
		*at = fs.keep(string(b))
	}
	return *at
}

// textOf is text for what is a string already.
func (fs *Failures) textOf(s string) uint32 {
	if s == "" {
		return 0
	}
	at := fs.lately(s[0], s[len(s)-1], s[len(s)/2], len(s))
	if fs.texts[*at] != s {
		*at = fs.keep(s)
	}
	return *at
}

// lately returns where the place of a text is noted, see mixed.
func (fs *Failures) lately(first, last, middle byte, n int) *uint32 {
	if len(fs.texts) == 0 {
		fs.texts = append(fs.texts, "")
	}
	return &fs.recent[mixed(first, last, middle, n)%uint(len(fs.recent))]
}

// keep adds a text, behind the empty one.
func (fs *Failures) keep(s string) uint32 {
	if len(fs.texts) == 0 {
		fs.texts = append(fs.texts, "")
	}
	fs.texts = append(fs.texts, s)
	return uint32(len(fs.texts) - 1)
}

// Grow makes room for n failures more.
func (fs *Failures) Grow(n int) {
	if n > fs.Room() {
		fs.acts = append(make([]act, 0, len(fs.acts)+n), fs.acts...)
	}
}

// Room is how many failures fit in before memory has to be found.
func (fs *Failures) Room() int { return cap(fs.acts) - len(fs.acts) }

// Len is how many there are.
func (fs *Failures) Len() int {
	if fs == nil {
		return 0
	}
	return len(fs.acts)
}

// At returns the failure at a place from 0 on.
func (fs *Failures) At(i int) Failure {
	return Failure{Blame: fs.blames[fs.acts[i].blame], Time: time.UnixMicro(fs.Micros(i)).UTC(), Repeat: fs.Repeat(i),
		PID: string(fs.AppendPID(nil, i)), User: fs.User(i), Text: fs.Text(i)}
}

// PID returns the process number of the failure at a place.
func (fs *Failures) PID(i int) PID { return fs.acts[i].pid }

// AppendPID appends the process number of the failure at a place, as it is
// written.
func (fs *Failures) AppendPID(b []byte, i int) []byte {
	n := fs.acts[i].pid
	if n&isNumber != 0 {
		return strconv.AppendUint(b, uint64(n&^isNumber), 10)
	}
	return append(b, fs.textAt(uint32(n))...)
}

// A UserKey stands for the user of a failure. Where two of the same Failures are
// equal, so are the users.
type UserKey uint32

// UserKey returns that of the failure at a place.
func (fs *Failures) UserKey(i int) UserKey { return UserKey(fs.acts[i].user) }

// User returns the user of the failure at a place.
func (fs *Failures) User(i int) string { return fs.textAt(fs.acts[i].user) }

func (fs *Failures) textAt(i uint32) string {
	if i == 0 {
		return ""
	}
	return fs.texts[i]
}

// Repeat returns how many attempts the failure at a place stands for.
func (fs *Failures) Repeat(i int) int {
	if n := fs.acts[i].extra; n > 0 {
		return fs.extras[n].repeat
	}
	return 1
}

// Text returns the evidence of the failure at a place.
func (fs *Failures) Text(i int) string {
	if n := fs.acts[i].extra; n > 0 {
		return fs.extras[n].text
	}
	return ""
}

// Micros returns when the failure at a place happened, in microseconds since
// 1970.
func (fs *Failures) Micros(i int) int64 { return fs.acts[i].at }

// BlameAt returns the place in Blames of what is said of the failure at a place.
func (fs *Failures) BlameAt(i int) int { return int(fs.acts[i].blame) }

// Blames returns what failures have in common, each of which is there for one
// of them at least.
func (fs *Failures) Blames() []*Blame {
	if fs == nil {
		return nil
	}
	return fs.blames
}

// All yields them in their order.
func (fs *Failures) All() iter.Seq[Failure] {
	return func(yield func(Failure) bool) {
		for i := range fs.Len() {
			if !yield(fs.At(i)) {
				return
			}
		}
	}
}
