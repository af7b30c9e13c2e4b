package rules

// An ahead is what is known to stand behind a repetition: with it the places
// to which it may give back are found without trying each.
type ahead struct {
	lit  wording  // literal text
	set  *charset // in place of lit: one character of this; nil: lit tells
	host bool     // then the address
	end  bool     // then the end of the text
}

// looked notes what follows repetitions, and where one of any characters goes
// up to the address, "(?<user>.*) from {HOST_IP}", makes one instruction of it.
func looked(code []instruction) []instruction {
	for i := range code {
		code[i].lit = wordingOf(code[i].lit.text)
	}
	for i := range code {
		toHost(code, i)
	}
	for i := range code {
		decide(code, i)
		if in := &code[i]; in.op == opRun || in.op == opSplit {
			in.next = following(code, i+1)
			if in.op == opRun { // it has taken what the set might take
				in.next.set = nil
			}
			in.next.lit = wordingOf(in.next.lit.text)
		}
	}
	return code
}

// toHost puts one instruction before those of which it does the work: they stay,
// since others may jump to them.
func toHost(code []instruction, i int) {
	pc, user := i, false
	if code[pc].op == opUser {
		pc, user = pc+1, true
	}
	if in := &code[pc]; in.op != opRun || in.set != anything || in.min > 0 || in.max >= 0 {
		return
	}
	if pc++; user {
		if code[pc].op != opUserEnd {
			return
		}
		pc++
	}
	var lit wording
	if code[pc].op == opLit {
		lit = code[pc].lit
		pc++
	}
	if code[pc].op == opHost {
		code[i] = instruction{op: opToHost, lit: lit, user: user, to: pc + 1}
	}
}

// following returns what has to stand where the instructions from pc on begin.
func following(code []instruction, pc int) (a ahead) {
	for ; ; pc++ {
		switch in := &code[pc]; in.op {
		case opUser, opUserEnd:
		case opJump:
			if in.to <= pc {
				return a
			}
			pc = in.to - 1
		case opLit:
			a.lit.text += in.lit.text
		case opSet:
			if a.lit.text == "" {
				a.set = &in.set
			}
			return a
		case opRun, opKeep:
			if a.lit.text == "" && in.min > 0 {
				a.set = &in.set
			}
			return a
		case opHost:
			a.host = true
			return a
		case opEnd:
			a.end = true
			return a
		default:
			return a
		}
	}
}

// decide notes where the next character tells which way to go: of a repetition
// whose characters cannot come behind it there is one end, and of two ways that
// begin with different characters there is one to go.
func decide(code []instruction, pc int) {
	switch in := &code[pc]; in.op {
	case opRun:
		if b := comes(code, pc+1); !b.any && b.apart(&in.set) {
			in.op = opKeep
		}
	case opSplit:
		if b := comes(code, pc+1); !b.any && !b.end {
			other := comes(code, in.to)
			in.first, in.only = &b.set, !other.any && other.apart(&b.set)
		}
	}
}

// A coming is what can come next.
type coming struct {
	set charset // the characters; other: the address
	end bool    // the end of the text
	any bool    // anything: nobody knows
}

func (c *coming) apart(s *charset) bool {
	return c.set.ascii[0]&s.ascii[0] == 0 && c.set.ascii[1]&s.ascii[1] == 0 && !(c.set.other && s.other)
}

// farOff is at how many instructions one looks to know what comes.
const farOff = 200

// comes returns what can come where the instructions from pc on begin.
func comes(code []instruction, pc int) (c coming) {
	l := looker{code: code, left: farOff}
	l.look(&c, pc)
	return c
}

type looker struct {
	code []instruction
	left int
}

func (l *looker) look(c *coming, pc int) {
	if l.left--; l.left < 0 {
		c.any = true
		return
	}
	switch in := &l.code[pc]; in.op {
	case opLit:
		c.set.add(rune(in.lit.text[0]), rune(in.lit.text[0]))
	case opSet:
		c.set.join(in.set)
	case opHost:
		c.set.other = true
	case opRun, opKeep, opLazy:
		if c.set.join(in.set); in.min == 0 {
			l.look(c, pc+1)
		}
	case opSplit:
		l.look(c, pc+1)
		l.look(c, in.to)
	case opBranch:
		for _, w := range in.ways {
			l.look(c, w)
		}
	case opJump, opAhead, opNotAhead:
		l.look(c, in.to)
	case opUser, opUserEnd, opAtomic:
		l.look(c, pc+1)
	case opEnd:
		c.end = true
	default:
		c.any = true
	}
}

// needs returns the literal texts of three bytes and more that every match of a
// sequence has, in their order: those of a look-ahead at its begin, or its own.
func needs(n *node) (all []wording) {
	if n.kind != kCat || len(n.subs) == 0 {
		return nil
	}
	if s := n.subs[0]; s.kind == kLook && s.ahead && !s.not {
		return needs(s.subs[0])
	} else if s.kind != kRepeat { // it sees soon enough what is not there
		return nil
	}
	text := ""
	for _, s := range append(n.subs[:len(n.subs):len(n.subs)], &node{kind: kEnd}) {
		if s.kind == kLit && s.lit < 0x80 {
			text += string(s.lit)
			continue
		}
		if len(text) >= 3 {
			all = append(all, wordingOf(text))
		}
		text = ""
	}
	return all
}
