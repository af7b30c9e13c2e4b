package blockers

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A kind sorts errors by what the caller does about them.
type kind int

const (
	kindOther   kind = iota
	kindMissing      // the tool is not installed
	kindOff          // the kernel does not speak this family: nothing to block, nothing to fear
	kindHung         // the tool does not answer
)

// A toolError is one thing that one tool could not do: cause and cure in
// plain words, and the tool's own behind them.
type toolError struct {
	kind  kind
	tool  string
	cause string
	cure  string
	words string // the tool's own; foreign text
}

func (e *toolError) Error() string {
	s := e.tool + ": " + e.cause
	if e.words != "" {
		s += ": " + quote(e.words)
	}
	if e.cure != "" {
		s += "; " + e.cure
	}
	return s
}

func kindOf(err error) kind {
	if t, ok := errors.AsType[*toolError](err); ok {
		return t.kind
	}
	return kindOther
}

// maxWords is the length in bytes at which a tool's own words are cut.
const maxWords = 300

func quote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxWords {
		s = s[:maxWords] + "…"
	}
	return strconv.Quote(s)
}

func missing(tool string, dirs []string) error {
	if len(dirs) == 1 && dirs[0] == "" {
		return &toolError{kind: kindMissing, tool: tool, cause: "no such program", cure: "install it or correct its path"}
	}
	return &toolError{kind: kindMissing, tool: tool, cause: "not found in " + strings.Join(dirs, ":"),
		cure: "install it, or choose another blocker"}
}

func hung(tool string, after time.Duration) error {
	return &toolError{kind: kindHung, tool: tool, cause: fmt.Sprintf("no answer within %v, ended", after),
		cure: "see what it waits for"}
}

// A symptom is what a tool says when something known is wrong. The texts were
// seen with iptables 1.8.9 (nft and legacy), nftables 1.0.6, ipset 7.17 and
// iproute2 6.1; LC_ALL=C keeps them English.
type symptom struct {
	says  []string
	kind  kind
	cause string
	cure  string
}

func symptoms() []symptom {
	return []symptom{
		{[]string{"xtables lock"}, kindOther,
			"another program holds the xtables lock", "the next run tries again; if it lasts, see who holds /run/xtables.lock"},
		{[]string{"Address family not supported"}, kindOff,
			"this kernel has no IPv6", "nothing to do while it stays so"},
		{[]string{"is incompatible, use 'nft' tool"}, kindOther,
			"the table holds what only nft can change", `use the blocker "nftables"`},
		{[]string{"missing kernel module", "do you need to insmod", "iptables or your kernel needs to be upgraded",
			"set type not supported", "Cannot open session to kernel", "Operation not supported", "Protocol not supported",
			"Module ", "Failed to initialize nft"}, kindOther,
			"the kernel cannot do this", "load the kernel's module for it (modprobe), or choose another blocker"},
	}
}

// denied are the tools' words for a caller who may not change the network.
var denied = []string{"Permission denied", "Operation not permitted", "must be root"}

// diagnose makes an error of a tool's failure, by its words: exit statuses
// differ from version to version.
func diagnose(tool string, err error, words string) error {
	e := &toolError{tool: tool, words: words, cause: err.Error()}
	if says(words, denied) || errors.Is(err, os.ErrPermission) {
		e.cause, e.cure = "not permitted", "run as root"
		if os.Geteuid() == 0 {
			e.cure = "root may not do this here: a container needs CAP_NET_ADMIN"
		}
		return e
	}
	for _, s := range symptoms() {
		if says(words, s.says) {
			e.kind, e.cause, e.cure = s.kind, s.cause, s.cure
			return e
		}
	}
	return e
}

func says(words string, any []string) bool {
	return slices.ContainsFunc(any, func(s string) bool { return strings.Contains(words, s) })
}

func texts(errs []error) []string {
	var list []string
	for _, err := range errs {
		list = append(list, err.Error())
	}
	return list
}

// join makes one error of several. What ails several tools alike is said
// once: "iptables and ip6tables: not permitted".
func join(errs []error) error {
	var list []error
	for _, err := range errs {
		t, ok := err.(*toolError)
		i := slices.IndexFunc(list, func(other error) bool {
			o, same := other.(*toolError)
			return ok && same && o.cause == t.cause && o.cure == t.cure
		})
		if !ok || i < 0 {
			list = append(list, err)
			continue
		}
		merged := *list[i].(*toolError)
		if !slices.Contains(strings.Split(merged.tool, " and "), t.tool) {
			merged.tool += " and " + t.tool
		}
		list[i] = &merged
	}
	var all error
	for _, err := range list {
		if all == nil {
			all = err
		} else {
			all = fmt.Errorf("%w; %w", all, err)
		}
	}
	return all
}
