package rules

import "strings"

// An ahead is what is known to stand behind a repetition: with it the places
// to which it may give back are found without trying each.
type ahead struct {
	lit  string   // literal text
	rare int      // index of a byte of it that few texts have
	set  *charset // in place of lit: one character of this; nil: lit tells
	host bool     // then the address
	end  bool     // then the end of the text
}

// common are the bytes that log lines are full of.
const common = " etaonisrdlu0123456789"

// looked notes what follows repetitions, and where one of any characters goes
// up to the address, "(?<user>.*) from {HOST_IP}", makes one instruction of it.
func looked(code []instruction) []instruction {
	for i := range code {
		toHost(code, i)
		if in := &code[i]; in.op == opRun || in.op == opSplit {
			in.next = following(code, i+1)
			if in.op == opRun { // it has taken what the set might take
				in.next.set = nil
			}
			in.next.rare = max(0, strings.IndexFunc(in.next.lit, func(r rune) bool { return !strings.ContainsRune(common, r) }))
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
	lit := ""
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
			a.lit += in.lit
		case opSet:
			if a.lit == "" {
				a.set = &in.set
			}
			return a
		case opRun, opKeep:
			if a.lit == "" && in.min > 0 {
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

// needs returns the literal texts of three bytes and more that every match of a
// sequence has, in their order.
func needs(n *node) (all [][]byte) {
	if n.kind != kCat || len(n.subs) == 0 || n.subs[0].kind != kRepeat { // else it sees soon enough what is not there
		return nil
	}
	text := ""
	for _, s := range append(n.subs[:len(n.subs):len(n.subs)], &node{kind: kEnd}) {
		if s.kind == kLit && s.lit < 0x80 {
			text += string(s.lit)
			continue
		}
		if len(text) >= 3 {
			all = append(all, []byte(text))
		}
		text = ""
	}
	return all
}
