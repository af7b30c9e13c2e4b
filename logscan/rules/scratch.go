package rules

import (
	"unicode/utf8"

	"blockhosts/internal/record"

	"github.com/dlclark/regexp2/v2"
)

// scratch is the memory that matching reuses from line to line.
type scratch struct {
	message, raw text
	runes        []rune // a text with hostRune in place of one address
	userAt       [2]int
	hostSeen     bool
	host, user   int // numbers of the groups wanted
	machine      machine
	quickUser    []byte // the user, where the machine found it
	users        record.Texts
	view         func(regexp2.MatchView) bool // kept, so that it is made once
}

func (c *scratch) reset() {
	c.message.ready, c.raw.ready = false, false
}

// text returns the message or the whole line, without blanks at its end.
func (c *scratch) text(message bool, l *record.Line) *text {
	t, b := &c.raw, l.Raw
	if message {
		t, b = &c.message, l.Message
	}
	if !t.ready {
		t.bytes, t.runes, t.places = trimmed(b), t.runes[:0], t.places[:0]
		t.ready, t.found, t.noted, t.ascii = true, false, false, false
		t.long = mayBeCut(l)
	}
	return t
}

// quick holds a program against t; known is false where it is regexp2's.
func (c *scratch) quick(f *fast, t *text, p *reading) (found, known bool) {
	if f == nil || !t.ascii {
		return false, false
	}
	c.userAt, c.quickUser = [2]int{-1, -1}, nil
	found, known = c.machine.match(f, t.bytes, p)
	if from, to := c.machine.user[0], c.machine.user[1]; found && from >= 0 && to >= from {
		c.quickUser = t.bytes[from:to]
		c.userAt = [2]int{p.asRune(from), p.asRune(to)}
	}
	return found, known
}

// asRune returns which character of an ASCII text with hostRune in the place
// of p stands at byte i.
func (p *reading) asRune(i int) int {
	if i >= p.end {
		return i - (p.end - p.start) + 1
	}
	return i
}

// match holds a pattern against t read with its address at p.
func (c *scratch) match(re *regexp2.Regexp, host, user int, t *text, p *reading) (bool, error) {
	t.spell()
	c.quickUser = nil
	c.runes = append(append(append(c.runes[:0], t.runes[:p.from]...), hostRune), t.runes[p.to:]...)
	if c.view == nil {
		c.view = c.look
	}
	c.host, c.user = host, user
	c.hostSeen, c.userAt = false, [2]int{-1, -1}
	err := re.FindRunesMatches(c.runes, 0, c.view)
	if err != nil { // the clock is the wall's: a busy machine gets a second chance
		c.hostSeen, c.userAt = false, [2]int{-1, -1}
		err = re.FindRunesMatches(c.runes, 0, c.view)
	}
	return c.hostSeen, err
}

// look takes what is needed from a match; the view is gone after it.
func (c *scratch) look(v regexp2.MatchView) bool {
	if _, _, c.hostSeen = v.GroupRange(c.host); !c.hostSeen {
		return true // it matched without the address: look on
	}
	if c.user >= 0 {
		if at, n, ok := v.GroupRange(c.user); ok {
			c.userAt = [2]int{at, at + n}
		}
	}
	return false
}

// userText returns the user of the latest match, cut at record.MaxUser bytes.
func (c *scratch) userText() string {
	if c.userAt[0] < 0 {
		return ""
	}
	if c.quickUser != nil {
		return c.users.Once(c.quickUser[:min(len(c.quickUser), record.MaxUser)])
	}
	var b [record.MaxUser]byte
	n := 0
	for _, r := range c.runes[c.userAt[0]:c.userAt[1]] {
		if n+utf8.RuneLen(r) > len(b) {
			break
		}
		n += utf8.EncodeRune(b[n:], r)
	}
	return c.users.Once(b[:n])
}
