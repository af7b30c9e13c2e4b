package expire

import (
	"fmt"
	"iter"
	"net/netip"
	"regexp"
	"strings"

	"blockhosts/internal/record"

	"github.com/gaissmai/bart"
)

// A List is an allowlist or denylist, ready for use: addresses and prefixes in
// a table, patterns beside it. The nil List is empty.
type List struct {
	nets     *bart.Lite
	patterns []pattern
	names    map[netip.Addr]string // the host names that brought addresses
}

type pattern struct {
	text    string // as the administrator wrote it
	re      *regexp.Regexp
	literal string // with which every address that it matches begins
}

// NewList compiles the entries of a list: an address, a prefix, or a pattern.
// A pattern is anything else, or what follows "re:"; as blockhosts.py did, it
// is matched against the text of the address from its start, not to its end.
// A host name is refused, see IsHostName: as a pattern it would match what
// nobody meant.
func NewList(entries []string) (*List, error) {
	l := &List{nets: new(bart.Lite)}
	for _, e := range entries {
		if err := l.add(e); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *List) add(entry string) error {
	text, isPattern := strings.CutPrefix(entry, "re:")
	if !isPattern {
		if n, err := record.ParseNet(entry); err == nil {
			l.nets.Insert(n)
			return nil
		}
		if IsHostName(entry) {
			return fmt.Errorf("%.60q is a host name, not looked up; write a pattern as re:PATTERN", entry)
		}
	}
	free, err := regexp.Compile(text)
	if err != nil {
		return fmt.Errorf("pattern %.60q: %w", text, err)
	}
	literal, _ := free.LiteralPrefix()
	l.patterns = append(l.patterns, pattern{text: entry, literal: literal, re: regexp.MustCompile("^(?:" + text + ")")})
	return nil
}

// IsHostName tells whether s is to be looked up: it has only the characters of
// a host name (RFC 1123, 2.1), and is no address.
func IsHostName(s string) bool {
	if _, err := record.ParseNet(s); err == nil {
		return false
	}
	for _, r := range s {
		letter := r|0x20 >= 'a' && r|0x20 <= 'z'
		if !letter && (r < '0' || r > '9') && r != '-' && r != '.' {
			return false
		}
	}
	return s != ""
}

// AddNamed puts an address on the list that was found under a name.
func (l *List) AddNamed(a netip.Addr, name string) {
	l.nets.Insert(record.Single(a))
	if l.names == nil {
		l.names = map[netip.Addr]string{}
	}
	l.names[a] = name
}

// Find returns the entry that a stands under.
func (l *List) Find(a netip.Addr) (entry string, found bool) {
	if l == nil {
		return "", false
	}
	if n, ok := l.nets.LookupPrefixLPM(record.Single(a)); ok {
		if name, ok := l.names[a]; ok && n.IsSingleIP() {
			return name, true
		}
		return record.FormatNet(n), true
	}
	if len(l.patterns) == 0 {
		return "", false
	}
	text := a.String()
	for _, p := range l.patterns {
		if p.re.MatchString(text) {
			return p.text, true
		}
	}
	return "", false
}

// Overlaps tells whether an address of p may stand on the list. For patterns
// it errs towards yes: the caller uses it to leave a prefix alone.
func (l *List) Overlaps(p netip.Prefix) bool {
	if l == nil {
		return false
	}
	if l.nets.OverlapsPrefix(p) {
		return true
	}
	for _, t := range l.patterns {
		if t.mayMatchIn(p) {
			return true
		}
	}
	return false
}

func (l *List) isEmpty() bool { return l == nil || len(l.patterns) == 0 && l.nets.Size() == 0 }

// Nets yields the addresses and prefixes of the list, sorted.
func (l *List) Nets() iter.Seq[netip.Prefix] {
	if l == nil {
		return func(func(netip.Prefix) bool) {}
	}
	return l.nets.AllSorted()
}

// mayMatchIn compares the literal text with which the matches begin to the
// first group of p's addresses, which all of them share when p is long enough.
func (t pattern) mayMatchIn(p netip.Prefix) bool {
	separator, shared := ":", 16
	if p.Addr().Is4() {
		separator, shared = ".", 8
	}
	if p.Addr().Is6() && strings.Contains(t.literal, ".") {
		return false // the canonical text of an IPv6 address has no dot
	}
	first, _, whole := strings.Cut(t.literal, separator)
	if !whole || p.Bits() < shared {
		return true
	}
	group, _, _ := strings.Cut(p.Addr().String(), separator)
	return first == group
}
