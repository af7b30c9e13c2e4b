package rules

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A charset is the ASCII characters that a set takes, and whether it takes
// any other beyond letters and digits.
type charset struct {
	ascii [2]uint64
	other bool
}

var anything = charset{ascii: [2]uint64{^uint64(0), ^uint64(0)}, other: true}

func (s *charset) add(from, to rune) {
	for r := from; r <= to && r < utf8.RuneSelf; r++ {
		s.ascii[r/64] |= 1 << (r % 64)
	}
	if to >= utf8.RuneSelf {
		s.other = true
	}
}

func (s *charset) has(r rune) bool { return s.ascii[r/64]&(1<<(r%64)) != 0 }

func (s *charset) join(o charset) {
	s.ascii[0] |= o.ascii[0]
	s.ascii[1] |= o.ascii[1]
	s.other = s.other || o.other
}

func (s *charset) invert() {
	s.ascii[0], s.ascii[1], s.other = ^s.ascii[0], ^s.ascii[1], true
}

func (s *charset) foldCase() {
	for r := 'a'; r <= 'z'; r++ {
		if s.has(r) || s.has(unicode.ToUpper(r)) {
			s.add(r, r)
			s.add(unicode.ToUpper(r), unicode.ToUpper(r))
		}
	}
}

// narrow reports whether a run of such characters cannot hold what it takes to
// forge an address where one is expected: it is blanks alone, or has no blank,
// quote, bracket, comma, semicolon, control character or character beyond
// ASCII, letters and digits excepted.
func (s charset) narrow() bool {
	const never = "\"'`()<>[]{},;\\|"
	blanks, rest := false, s.other
	for r := rune(0); r < utf8.RuneSelf; r++ {
		switch {
		case !s.has(r):
		case r == ' ' || r == '\t':
			blanks = true
		case strings.ContainsRune(never, r) || r < ' ' && r != '\n' && r != '\v' && r != '\f' && r != '\r' || r == 0x7f:
			return false
		case r > ' ':
			rest = true
		}
	}
	return !s.other && !(blanks && rest)
}

// numeric reports whether a run of such characters is a number, a time or a
// blank: nothing that a client chooses.
func (s charset) numeric() bool {
	for r := rune(0); r < utf8.RuneSelf; r++ {
		if s.has(r) && !strings.ContainsRune("0123456789.:+- \t\n\v\f\r", r) {
			return false
		}
	}
	return !s.other
}

// namedClass is what a letter behind a backslash means, as far as it matters here:
// \d and \w also take digits and letters beyond ASCII.
func namedClass(c byte) (charset, bool) {
	var s charset
	switch c | 0x20 {
	case 'd':
		s.add('0', '9')
	case 'w':
		s.add('0', '9')
		s.add('A', 'Z')
		s.add('a', 'z')
		s.add('_', '_')
	case 's':
		for _, r := range " \t\n\v\f\r" {
			s.add(r, r)
		}
	default:
		return s, false
	}
	if c < 'a' {
		s.invert()
	}
	return s, true
}

// escape reads what a backslash begins, outside of a class.
func (p *parser) escape() (*node, error) {
	if p.i+1 >= len(p.s) {
		return nil, errors.New("a backslash at the end")
	}
	c := p.s[p.i+1]
	if s, ok := namedClass(c); ok {
		p.i += 2
		return &node{kind: kSet, set: s}, nil
	}
	zero := map[byte]kind{'A': kBegin, 'z': kEnd, 'Z': kEnd, 'b': kZero, 'B': kZero}
	if k, ok := zero[c]; ok {
		p.i += 2
		return &node{kind: k}, nil
	}
	r, err := p.char()
	if err != nil {
		return nil, err
	}
	return p.literal(r), nil
}

// char reads an escaped character.
func (p *parser) char() (rune, error) {
	r, size := utf8.DecodeRuneInString(p.s[p.i+1:])
	p.i += 1 + size
	if strings.ContainsRune("tnrfve", r) {
		return map[rune]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'v': '\v', 'e': 0x1b}[r], nil
	}
	if r == 'x' || r == 'u' {
		return p.hex(map[rune]int{'x': 2, 'u': 4}[r])
	}
	if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == utf8.RuneError {
		return 0, fmt.Errorf(`"\%c" is not known here`, r)
	}
	return r, nil
}

func (p *parser) hex(digits int) (rune, error) {
	if p.i+digits > len(p.s) {
		return 0, errors.New("hexadecimal digits are missing")
	}
	var r rune
	for _, c := range p.s[p.i : p.i+digits] {
		d := strings.IndexRune("0123456789abcdef", unicode.ToLower(c))
		if d < 0 {
			return 0, errors.New("hexadecimal digits are missing")
		}
		r = r<<4 | rune(d)
	}
	if p.i += digits; r == hostRune {
		return 0, errors.New("a character that cannot stand in a pattern")
	}
	return r, nil
}

// class reads [...].
func (p *parser) class() (*node, error) {
	p.i++
	negate := p.take("^")
	var s charset
	others := false // it has all others, and [^\W] has none
	for first := true; ; first = false {
		if p.i >= len(p.s) {
			return nil, errors.New(`a "[" is not closed`)
		}
		if !first && p.take("]") {
			break
		}
		if p.has("[:") || p.has("-[") {
			return nil, errors.New("a kind of class that is not known here")
		}
		others = others || p.has(`\W`) || p.has(`\D`) || p.has(`\S`)
		if err := p.member(&s); err != nil {
			return nil, err
		}
	}
	if p.fold {
		s.foldCase()
	}
	if negate {
		s.invert()
		s.other = !others
	}
	return &node{kind: kSet, set: s}, nil
}

// member reads a character, a range or a named class inside of a class.
func (p *parser) member(s *charset) error {
	if p.has(`\`) && p.i+1 < len(p.s) {
		if named, ok := namedClass(p.s[p.i+1]); ok {
			p.i += 2
			s.join(named)
			return nil
		}
	}
	from, err := p.memberRune()
	if err != nil {
		return err
	}
	to := from
	if p.has("-") && p.i+1 < len(p.s) && p.s[p.i+1] != ']' {
		p.i++
		if to, err = p.memberRune(); err != nil {
			return err
		}
	}
	if to < from {
		return errors.New("a range in a class is the wrong way round")
	}
	s.add(from, to)
	return nil
}

func (p *parser) memberRune() (rune, error) {
	r, size := utf8.DecodeRuneInString(p.s[p.i:])
	if r == '\\' {
		return p.char()
	}
	if r == utf8.RuneError || r == hostRune {
		return 0, errors.New("a character that cannot stand in a pattern")
	}
	p.i += size
	return r, nil
}
