package rules

import "bytes"

// maxSteps is how many ways back one text may cost before it is regexp2's,
// which has a clock: more than any line of a daemon's takes. A search along the
// text costs one for every 64 bytes, too.
const (
	maxSteps = 20_000
	perStep  = 64
)

// A machine runs programs on bytes. It is kept from line to line.
type machine struct {
	text      []byte
	host      span // where the address stands
	stack     []way
	user      [2]int // bytes; -1: none
	steps     int
	exhausted bool
}

type span struct{ start, end int }

// A way is a place to go back to.
type way struct {
	pc, at int
	low    int // of opRun and opLazy: how far at may still go; -1 for others
	user   [2]int
}

// match holds the program against t with its address at p. It tells
// whether it came to a result at all.
func (m *machine) match(f *fast, t []byte, p *reading) (found, known bool) {
	m.text, m.host, m.steps, m.exhausted = t, span{p.start, p.end}, 0, false
	m.stack = m.stack[:0] // a text that was too much has left its ways
	pc := 0
	if f.anchors && f.code[0].op == opBegin {
		pc = 1
	}
	for start := 0; start <= len(t); start = m.next(start) {
		m.user = [2]int{-1, -1}
		_, ok := m.run(f.code, pc, start)
		if m.exhausted || m.steps > maxSteps {
			return false, false
		}
		if ok {
			return true, true
		}
		if f.anchors {
			break
		}
	}
	return false, true
}

// next is the place behind the character at i. The address is one character.
func (m *machine) next(i int) int {
	if i == m.host.start {
		return m.host.end
	}
	return i + 1
}

// previous is the place in front of the character that ends at i.
func (m *machine) previous(i int) int {
	if i == m.host.end {
		return m.host.start
	}
	return i - 1
}

// takes tells whether the character at i is in the set.
func (m *machine) takes(s *charset, i int) bool {
	if i == m.host.start {
		return s.other
	}
	c := m.text[i]
	return s.ascii[c>>6&1]&(1<<(c&63)) != 0 // c is ASCII
}

// run runs the instructions from pc on, at a place in the text, and returns
// where it ended. The stack is as it was before, ways into the run are gone.
func (m *machine) run(code []instruction, pc, at int) (end int, ok bool) {
	base := len(m.stack)
	for {
		in := &code[pc]
		good := true
		switch in.op {
		case opMatch:
			m.stack = m.stack[:base]
			return at, true
		case opLit:
			good = m.stands(&in.lit, at)
			at += len(in.lit.text)
		case opSet:
			if good = at < len(m.text) && m.takes(&in.set, at); good {
				at = m.next(at)
			}
		case opRun, opLazy:
			at, good = m.runSet(in, pc, at)
		case opKeep:
			var n int
			at, n = m.take(&in.set, at, in.max)
			good = n >= in.min
		case opSplit:
			if !m.split(in, at) {
				pc = in.to - 1
			}
		case opJump:
			pc = in.to - 1
		case opBranch:
			pc, good = m.branch(in, at)
			pc--
		case opBegin:
			good = at == 0
		case opEnd:
			good = at == len(m.text)
		case opHost:
			good, at = at == m.host.start, m.host.end
		case opToHost:
			good = m.toHost(in, at)
			pc, at = in.to-1, m.host.end
		case opUser:
			m.user[0] = at
		case opUserEnd:
			m.user[1] = at
		case opAtomic:
			at, good = m.run(code, pc+1, at)
			pc = in.to - 1
		case opAhead, opNotAhead:
			good = m.look(code, pc, at)
			pc = in.to - 1
		}
		if pc++; !good {
			if pc, at, good = m.back(code, base); !good {
				return 0, false
			}
		}
	}
}

// split tells whether the first of two ways can begin at a place, and notes the
// other, if that can begin there as well.
func (m *machine) split(in *instruction, at int) bool {
	if in.first != nil && (at == len(m.text) || !m.takes(in.first, at)) {
		return false
	}
	if in.only {
		return true
	}
	if in.next.lit.text != "" && !m.follows(&in.next, at) {
		return false
	}
	m.stack = append(m.stack, way{pc: in.to, at: at, low: -1, user: m.user})
	return true
}

// toHost tells whether the address can follow what begins at a place, and notes
// the user between them.
func (m *machine) toHost(in *instruction, at int) bool {
	end := m.host.start - len(in.lit.text)
	if end < at || !m.stands(&in.lit, end) {
		return false
	}
	if in.user {
		m.user = [2]int{at, end}
	}
	return true
}

// look tells whether the look-ahead at pc holds at a place.
func (m *machine) look(code []instruction, pc, at int) bool {
	in, user := &code[pc], m.user
	ok := m.begins(in.heads, at) && m.has(in.needs, at)
	if ok {
		_, ok = m.run(code, pc+1, at)
	}
	good := ok == (in.op == opAhead) && !m.exhausted
	if !ok || !good {
		m.user = user
	}
	return good
}

// begins tells whether one of the texts stands at i; true where there are none.
func (m *machine) begins(heads []wording, i int) bool {
	for k := range heads {
		if m.stands(&heads[k], i) {
			return true
		}
	}
	return len(heads) == 0
}

// has tells whether the texts stand one behind the other from i on.
func (m *machine) has(texts []wording, i int) bool {
	for k := range texts {
		t := &texts[k]
		m.steps += (len(m.text) - i) / perStep
		n := m.find(t, i)
		if n < 0 {
			return false
		}
		i = n + len(t.text)
	}
	return true
}

// find returns where a text stands from i on, -1 for nowhere. Its rare byte is
// looked for: a search for its first one would stop at every blank.
func (m *machine) find(w *wording, i int) int {
	for from := i + w.rare; from < len(m.text); m.steps++ {
		n := bytes.IndexByte(m.text[from:], w.text[w.rare])
		if n < 0 {
			break
		}
		if from += n + 1; m.stands(w, from-1-w.rare) {
			return from - 1 - w.rare
		}
	}
	return -1
}

// runSet takes the characters of a repeated set, and notes the ways back.
func (m *machine) runSet(in *instruction, pc, at int) (int, bool) {
	limit := in.max
	if in.op == opLazy {
		limit = in.min
	}
	low := at
	if in.min > 0 {
		var n int
		if low, n = m.take(&in.set, at, in.min); n < in.min {
			return at, false
		}
		limit -= in.min // one without end stays so
	}
	at = low
	if in.op == opLazy {
		if in.max < 0 || in.min < in.max {
			m.stack = append(m.stack, way{pc: pc, at: at, low: in.min, user: m.user})
		}
		return at, true
	}
	if limit != 0 {
		at, _ = m.take(&in.set, at, limit)
	}
	if at = m.last(&in.next, low, at); at > low && !in.next.host && !in.next.end { // of those there is one place alone
		m.stack = append(m.stack, way{pc: pc, at: at, low: low, user: m.user})
	}
	return at, at >= 0
}

// take takes up to limit characters of the set; a negative limit is none.
func (m *machine) take(s *charset, at, limit int) (end, n int) {
	for text := m.text; ; {
		from, stop := at, len(text)
		if at <= m.host.start {
			stop = m.host.start
		}
		if limit >= 0 {
			stop = min(stop, at+limit-n)
		}
		if s.ascii == anything.ascii {
			at = stop
		} else if at < stop {
			at += s.leads(text[at:stop])
		}
		n += at - from
		m.steps += n / perStep
		if at < stop || at != m.host.start || n == limit || !s.other {
			return at, n
		}
		at = m.host.end // the address is one character
		n++
	}
}

// leads returns how many characters of the set text begins with.
func (s *charset) leads(text []byte) int {
	lower, upper := s.ascii[0], s.ascii[1]
	for i, c := range text {
		half := lower
		if c >= 64 {
			half = upper
		}
		if half>>(c&63)&1 == 0 {
			return i
		}
	}
	return len(text)
}

// follows tells whether what is known to follow can stand at i.
func (m *machine) follows(a *ahead, i int) bool {
	if !m.stands(&a.lit, i) {
		return false
	}
	end := i + len(a.lit.text)
	return (!a.host || end == m.host.start) && (!a.end || end == len(m.text))
}

// last returns the last place from low to at where what is known to follow can
// stand, -1 for none.
func (m *machine) last(a *ahead, low, at int) int {
	switch {
	case a.host:
		low = max(low, m.host.start-len(a.lit.text))
		at = min(at, low)
	case a.end:
		low = max(low, len(m.text)-len(a.lit.text))
		at = min(at, low)
	case a.lit.text == "":
		return at
	}
	if a.lit.text != "" {
		return m.lastLiteral(a, low, min(at, len(m.text)-len(a.lit.text)))
	}
	if at >= low && m.follows(a, at) {
		return at
	}
	return -1
}

// lastLiteral is last where literal text follows. A place inside of the address
// is none, but there it cannot follow either.
func (m *machine) lastLiteral(a *ahead, low, at int) int {
	m.steps += max(0, at-low) / perStep
	for b := a.lit.text[a.lit.rare]; at >= low; at-- {
		if m.text[at+a.lit.rare] == b && m.follows(a, at) {
			return at
		}
	}
	return -1
}

// back takes the latest way back; false where there is none.
func (m *machine) back(code []instruction, base int) (pc, at int, ok bool) {
	if m.exhausted {
		m.stack = m.stack[:base]
	}
	for len(m.stack) > base {
		if m.steps++; m.steps > maxSteps {
			m.exhausted = true
			return 0, 0, false
		}
		w := &m.stack[len(m.stack)-1]
		m.user = w.user
		in := &code[w.pc]
		switch {
		case w.low < 0:
			pc, at = w.pc, w.at
			m.stack = m.stack[:len(m.stack)-1]
			return pc, at, true
		case in.op == opLazy:
			if w.at >= len(m.text) || in.max >= 0 && w.low >= in.max || !m.takes(&in.set, w.at) {
				m.stack = m.stack[:len(m.stack)-1]
				continue
			}
			w.at = m.next(w.at)
			w.low++
			return w.pc + 1, w.at, true
		default:
			w.at = m.last(&in.next, w.low, m.previous(w.at))
			pc, at = w.pc+1, w.at
			if w.at <= w.low {
				m.stack = m.stack[:len(m.stack)-1]
			}
			if at < 0 {
				continue
			}
			return pc, at, true
		}
	}
	return 0, 0, false
}
