package config

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// former has the names under which older programs, and other people, know
// what a key says: blockhosts.py's settings and options, DictDefence's and
// fail2ban's words for limits, and "password", which has no key because a
// secret does not belong in this file.
var former = map[string]string{
	"hostsblockfile": "blockfile",
	"hostblockline":  "blockline",
	"countthreshold": "limits.blockcount",
	"agethreshold":   "limits.discard",
	"logfiles":       "sources",
	"logfile":        "sources",
	"whitelist":      "allowlist",
	"blacklist":      "denylist",
	"ipblock":        "blockers",
	"notifyaddress":  "mail.to",
	"senderaddress":  "mail.from",
	"smtpserver":     "mail.smtp.host",
	"timeperiod":     "limits.window",
	"findtime":       "limits.window",
	"maxretry":       "limits.blockcount",
	"bantime":        "limits.block_for",
	"ignoreip":       "allowlist",
	"password":       "mail.smtp.password_file",
}

// fold makes one of the ways in which people write a key: HOSTS_BLOCKFILE,
// hosts-blockfile, hostsBlockfile.
func fold(key string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(key))
}

// meant returns the part of the message that asks for the key that was
// probably meant by key in the section path, or "".
func meant(key, path string, section, all []field) string {
	known := append(names(path, section), names("", all)...)
	dotted := former[fold(key)]
	if dotted == "" {
		dotted = nearestKey(key, path, known)
	}
	at, last := cutLast(dotted)
	if slices.ContainsFunc(section, func(f field) bool { return f.key == last }) {
		at = path // where a service has the keys of limits, its own is meant
	}
	switch {
	case dotted == "":
		return ""
	case at == path:
		return fmt.Sprintf("; did you mean %q?", last)
	case at == "":
		return fmt.Sprintf("; did you mean %q at the left margin?", last)
	}
	return fmt.Sprintf("; did you mean %q under %q?", last, at)
}

// nearestKey returns the dotted name whose last part key is a slip of, or "".
// One of the section path is preferred to those that are at most one slip
// nearer: under services.sshd, "port" is ports, not the mail server's port.
func nearestKey(key, path string, dotted []string) string {
	var found string
	best := math.MaxInt
	for _, d := range dotted {
		at, last := cutLast(d)
		if d == key && at != "" {
			return d
		}
		slips := distance(fold(key), fold(last))
		if slips > allowed(key) {
			continue
		}
		n := 2 * slips
		if at != path {
			n += 3
		}
		if n < best {
			best, found = n, d
		}
	}
	return found
}

// nearest returns the word that s is a slip of, or "".
func nearest(s string, words []string) string {
	var found string
	best := allowed(s) + 1
	for _, w := range words {
		if n := distance(fold(s), fold(w)); n < best {
			best, found = n, w
		}
	}
	return found
}

// allowed is how many slips of the finger a word of this length may hold
// before it is another word.
func allowed(word string) int {
	switch n := len(word); {
	case n > 40: // no key is; and distance costs the product of the lengths
		return -1
	case n <= 3:
		return 1
	case n <= 8:
		return 2
	}
	return 3
}

// cutLast cuts "mail.smtp.host" into "mail.smtp" and "host".
func cutLast(dotted string) (path, last string) {
	i := strings.LastIndexByte(dotted, '.')
	if i < 0 {
		return "", dotted
	}
	return dotted[:i], dotted[i+1:]
}

// distance counts the bytes to insert, drop, change or swap with their
// neighbour to make b of a (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
