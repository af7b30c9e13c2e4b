package rules

import (
	"errors"
	"regexp"
	"strings"
)

var (
	named   = regexp.MustCompile(`^\(\?(P?)(?:<(\w+)>|'(\w+)')`)
	options = regexp.MustCompile(`^\(\?([ins]*)(-[ins]+)?([:)])`)
)

// looks are the look-arounds; true: ahead.
var looks = []struct {
	open  string
	ahead bool
}{{"(?=", true}, {"(?!", true}, {"(?<=", false}, {"(?<!", false}}

// group reads what stands in parentheses; nil for a comment or an option.
func (p *parser) group() (*node, error) {
	if p.has("(?#") {
		end := strings.IndexByte(p.s[p.i:], ')')
		if end < 0 {
			return nil, errors.New("a comment is not closed")
		}
		p.i += end + 1
		return nil, nil
	}
	for _, l := range looks {
		if p.take(l.open) {
			return p.closing(&node{kind: kLook, ahead: l.ahead, not: strings.HasSuffix(l.open, "!")}, p.fold)
		}
	}
	if p.take("(?>") {
		return p.closing(&node{kind: kGroup, atomic: true}, p.fold)
	}
	if m := named.FindStringSubmatch(p.s[p.i:]); m != nil {
		if m[2] == "HOST_IP" || m[3] == "HOST_IP" {
			return nil, errors.New("the group HOST_IP is {HOST_IP}'s own")
		}
		if m[1] != "" { // Python's (?P<
			p.emit(p.i+2, "", 1)
		}
		p.i += len(m[0])
		return p.closing(&node{kind: kGroup, user: m[2]+m[3] == "user"}, p.fold)
	}
	if m := options.FindStringSubmatch(p.s[p.i:]); m != nil {
		return p.option(m)
	}
	if p.has("(?") || p.has("(*") {
		return nil, errors.New("a kind of group that is not known here")
	}
	p.i++
	return p.closing(&node{kind: kGroup}, p.fold)
}

// option reads (?i) and (?i:…). Only i matters: n and s change nothing that
// is asked of the tree, as no text has a line break.
func (p *parser) option(m []string) (*node, error) {
	p.i += len(m[0])
	fold := p.fold
	if strings.Contains(m[1], "i") {
		p.fold = true
	}
	if strings.Contains(m[2], "i") {
		p.fold = false
	}
	if m[3] == ")" {
		return nil, nil
	}
	return p.closing(&node{kind: kGroup}, fold)
}

// closing reads the inside of a group, and restores fold behind it.
func (p *parser) closing(n *node, fold bool) (*node, error) {
	sub, err := p.alt()
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, errors.New(`a "(" is not closed`)
	}
	p.fold = fold
	n.subs = []*node{sub}
	return n, nil
}
