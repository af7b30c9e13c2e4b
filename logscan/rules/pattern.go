package rules

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A kind is what a node of a pattern does.
type kind uint8

const (
	kLit    kind = iota // one character, exactly
	kSet                // one character of a set
	kCat                // its subs, one after the other
	kAlt                // one of its subs
	kGroup              // its sub; atomic or not
	kRepeat             // its sub, min to max times
	kBegin              // ^ \A
	kEnd                // $ \z \Z
	kZero               // \b \B
	kLook               // look-around; ahead or not
	kHost               // {HOST_IP}
)

// A node is a part of a pattern.
type node struct {
	kind     kind
	lit      rune
	set      charset
	subs     []*node
	min, max int  // max -1: no end
	atomic   bool // of kGroup and kRepeat: what it took it keeps
	lazy     bool // of kRepeat: as few as there can be
	ahead    bool // of kLook: (?= and (?!
	not      bool // of kLook: (?! and (?<!
	user     bool // of kGroup: (?<user>
	pos, end int  // where it stands in the pattern's body, in bytes
}

// hostRune stands for an address in the text that a pattern sees. It is the
// first of the private use area; one that a log brings is taken out.
const hostRune = '\ue000'

// hostGroup is what {HOST_IP} becomes: a group, so that a pattern in which it
// is optional can be told to have matched without it.
const hostGroup = `(?<HOST_IP>\ue000)`

// parser reads the part of regexp2's dialect in which rules are written. What
// it does not know is an error, never a guess: Lint relies on it.
type parser struct {
	s     string
	i     int
	fold  bool // (?i)
	depth int
	out   strings.Builder // the pattern for regexp2, copied up to done
	done  int
}

// maxDepth is how deep groups may be nested: deeper than any rule needs.
const maxDepth = 50

// parse returns the tree of a pattern's body, and the pattern for regexp2.
func parse(body string) (*node, string, error) {
	p := &parser{s: body}
	n, err := p.alt()
	if err == nil && p.i < len(p.s) {
		err = errors.New(`unmatched ")"`)
	}
	if err != nil {
		return nil, "", fmt.Errorf("at byte %d: %w", p.i+1, err)
	}
	p.emit(len(p.s), "", 0)
	return n, p.out.String(), nil
}

// emit copies the pattern up to at, then text in place of n bytes.
func (p *parser) emit(at int, text string, n int) {
	p.out.WriteString(p.s[p.done:at])
	p.out.WriteString(text)
	p.done = at + n
}

func (p *parser) has(s string) bool { return strings.HasPrefix(p.s[p.i:], s) }

func (p *parser) take(s string) bool {
	if p.has(s) {
		p.i += len(s)
		return true
	}
	return false
}

func (p *parser) alt() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("groups are nested too deep")
	}
	defer func() { p.depth-- }()
	n := &node{kind: kAlt, pos: p.i}
	for {
		c, err := p.cat()
		if err != nil {
			return nil, err
		}
		n.subs = append(n.subs, c)
		if !p.take("|") {
			break
		}
	}
	if n.end = p.i; len(n.subs) == 1 {
		return n.subs[0], nil
	}
	return n, nil
}

func (p *parser) cat() (*node, error) {
	n := &node{kind: kCat, pos: p.i}
	for p.i < len(p.s) && p.s[p.i] != '|' && p.s[p.i] != ')' {
		pos := p.i
		a, err := p.atom()
		if err != nil {
			return nil, err
		}
		if a == nil { // a comment or an option
			continue
		}
		a.pos, a.end = pos, p.i
		if a, err = p.quantified(a); err != nil {
			return nil, err
		}
		n.subs = append(n.subs, a)
	}
	n.end = p.i
	return n, nil
}

func (p *parser) atom() (*node, error) {
	if p.has(keyHost) {
		p.emit(p.i, hostGroup, len(keyHost))
		p.i += len(keyHost)
		return &node{kind: kHost}, nil
	}
	r, size := utf8.DecodeRuneInString(p.s[p.i:])
	if r == utf8.RuneError && size == 1 || r == hostRune {
		return nil, errors.New("a character that cannot stand in a pattern")
	}
	switch r {
	case '(':
		return p.group()
	case '[':
		return p.class()
	case '\\':
		return p.escape()
	case '*', '+', '?':
		return nil, fmt.Errorf("%q repeats nothing", r)
	}
	p.i += size
	switch r {
	case '.':
		return &node{kind: kSet, set: anything}, nil
	case '^':
		return &node{kind: kBegin}, nil
	case '$':
		return &node{kind: kEnd}, nil
	}
	return p.literal(r), nil
}

// literal is a character, or the set of its cases under (?i).
func (p *parser) literal(r rune) *node {
	if !p.fold {
		return &node{kind: kLit, lit: r}
	}
	var s charset
	s.add(r, r)
	if low := r | 0x20; low >= 'a' && low <= 'z' {
		s.add(r^0x20, r^0x20)
	}
	return &node{kind: kSet, set: s}
}

// quantified reads the quantifier behind a, if there is one.
func (p *parser) quantified(a *node) (*node, error) {
	lo, hi, n := quantifier(p.s[p.i:])
	if n == 0 {
		return a, nil
	}
	if p.i += n; a.kind == kBegin || a.kind == kEnd || a.kind == kZero || a.kind == kLook {
		return nil, errors.New("a quantifier behind what takes no character")
	}
	r := &node{kind: kRepeat, subs: []*node{a}, min: lo, max: hi, pos: a.pos}
	if r.lazy = p.take("?"); !r.lazy {
		r.atomic = p.take("+")
	}
	r.end = p.i
	if _, _, n := quantifier(p.s[p.i:]); n > 0 {
		return nil, errors.New("two quantifiers in a row")
	}
	return r, nil
}

// quantifier reads * + ? {n} {n,} {n,m}; n is its length, 0 where s begins
// with none. Any other brace is a plain character.
func quantifier(s string) (lo, hi, n int) {
	if s == "" {
		return 0, 0, 0
	}
	switch s[0] {
	case '*':
		return 0, -1, 1
	case '+':
		return 1, -1, 1
	case '?':
		return 0, 1, 1
	case '{':
	default:
		return 0, 0, 0
	}
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return 0, 0, 0
	}
	from, to, comma := strings.Cut(s[1:end], ",")
	lo, err := strconv.Atoi(from)
	if err != nil || lo < 0 || from[0] == '+' || from[0] == '-' {
		return 0, 0, 0
	}
	if hi = lo; comma {
		if hi = -1; to != "" {
			if hi, err = strconv.Atoi(to); err != nil || hi < 0 || to[0] == '+' {
				return 0, 0, 0
			}
		}
	}
	return lo, hi, end + 1
}
