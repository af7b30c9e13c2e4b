package config

import (
	"errors"
	"net/mail"
	"net/netip"
	"path/filepath"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:noinline
func oneOf(words []string) check {
	return func(s string) (string, string) {
		if slices.Contains(words, s) {
			return "", ""
		}
		msg := "want one of " + strings.Join(words, ", ") + ", found " + quote(s)
		if best := nearest(s, words); best != "" {
			msg += "; did you mean " + strconv.Quote(best) + "?"
		}
		return msg, ""
	}
}

func filled(s string) (string, string) {
	if strings.TrimSpace(s) == "" {
		return "empty", ""
	}
	return "", ""
}

// path takes any name that a file can have.
func path(s string) (string, string) {
	switch {
	case s == "":
		return "want the name of a file, found nothing", ""
	case strings.ContainsRune(s, 0):
		return quote(s) + " is no name of a file: it holds a NUL", ""
	case strings.HasPrefix(s, "~"):
		return quote(s) + " is taken as it stands: ~ is a shell's word", "write the whole path"
	}
	return "", ""
}

func glob(s string) (string, string) {
	if _, err := filepath.Match(s, ""); err != nil {
		return quote(s) + " is not a glob", `close its [ ], or put a backslash before [`
	}
	return "", ""
}

// oneLine refuses what would begin a new line, or steer a terminal.
func oneLine(s string) (string, string) {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0 {
		return quote(s) + " holds a line break or another control character", ""
	}
	return "", ""
}

// pattern takes what package regexp takes: the names of rules and the text of
// addresses are matched with it.
func pattern(s string) (string, string) {
	_, err := regexp.Compile(s)
	se, wrong := errors.AsType[*syntax.Error](err)
	if !wrong {
		return "", ""
	}
	return quote(s) + " is not a pattern: " + se.Code.String() + " in " + quote(se.Expr), "a bracket that is meant itself has a backslash before it"
}

// balanced refuses a rule's pattern whose brackets cannot be right in any
// dialect. More it cannot tell: rules have a dialect of their own.
func balanced(s string) (string, string) {
	_, err := regexp.Compile(s)
	se, wrong := errors.AsType[*syntax.Error](err)
	if wrong && slices.Contains([]syntax.ErrorCode{syntax.ErrMissingParen, syntax.ErrUnexpectedParen, syntax.ErrMissingBracket}, se.Code) {
		return pattern(s)
	}
	return "", ""
}

// layout refuses a time format in which every time looks the same; among
// them are those of strftime(3), which blockhosts.py had.
func layout(s string) (string, string) {
	a, b := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC), time.Date(2013, 12, 15, 19, 28, 37, 0, time.UTC)
	if strings.Contains(s, "%") || a.Format(s) == b.Format(s) {
		return quote(s) + " is not a time format", `write the moment 2006-01-02 15:04:05 as it shall look: "Jan _2 15:04:05"`
	}
	return "", ""
}

// mailbox takes an address, with or without a name, or a local user's.
func mailbox(s string) (string, string) {
	if _, err := mail.ParseAddress(s); err != nil && !isLocalUser(s) {
		return quote(s) + " is not a mail address", "write root, admin@example.org or Name <admin@example.org>"
	}
	return oneLine(s)
}

// server takes the name or address of a mail server; empty: none.
func server(s string) (string, string) {
	if _, err := netip.ParseAddr(s); err == nil || s == "" {
		return "", ""
	}
	if host, port, found := strings.Cut(s, ":"); found && isHostname(host) {
		return quote(s) + " holds a port", "write host: " + host + " and port: " + cut(port)
	}
	if !isHostname(s) {
		return quote(s) + " is neither the name of a host nor an address", ""
	}
	return "", ""
}

// isHostname takes names of letters, digits, - and . only, in the lengths of
// RFC 1035, 2.3.4; a name of digits alone is an address gone wrong.
func isHostname(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if len(s) > 253 || strings.Trim(s, "0123456789.-") == "" {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || !isHostChars(label) {
			return false
		}
	}
	return true
}

func isHostChars(s string) bool {
	return strings.Trim(s, alnum+"-.") == ""
}

// address takes an address as a sample gives it.
func address(s string) (string, string) {
	if _, err := netip.ParseAddr(s); err != nil {
		return quote(s) + " is not an address", ""
	}
	return "", ""
}

// command takes a word of an argument vector.
func command(s string) (string, string) {
	if strings.ContainsRune(s, 0) {
		return quote(s) + " holds a NUL", ""
	}
	return "", ""
}
