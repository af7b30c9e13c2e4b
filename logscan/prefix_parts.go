package logscan

import (
	"bytes"

	"blockhosts/internal/record"
)

// The classes of bytes that the parts of a prefix are made of. No part holds
// a blank, so that a client's text cannot pass for more than one of them.
const (
	inHost    = 1 << iota // host names, addresses, syslog-ng's "source@host/relay"
	inProgram             // the name a program gives to openlog(3)
	inGroup               // what stands in "program(pam_unix)"
	inPID                 // a process number, or what some daemons put in its place
)

var class = byteClasses()

func byteClasses() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			t[c] = inHost | inProgram | inGroup | inPID
		case c >= 0x80:
			t[c] = inHost
		}
	}
	for set, bit := range map[string]uint8{".:-_@%/": inHost, `_./@+-#~%\`: inProgram, "_.:/-": inGroup, "._-": inPID} {
		for i := range len(set) {
			t[set[i]] |= bit
		}
	}
	return t
}

func isDigit(c byte) bool { return c-'0' < 10 }

func digits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}

// blanks returns the index of the first byte from i on that is not a blank.
func blanks(b []byte, i int) int {
	for i < len(b) && b[i] == ' ' {
		i++
	}
	return i
}

// hostEnd returns the index of the blank behind the host at i, or -1.
func hostEnd(b []byte, i int) int {
	j := i
	for j < len(b) && class[b[j]]&inHost != 0 {
		j++
	}
	if j == i || j >= len(b) || b[j] != ' ' {
		return -1
	}
	return j
}

// groupEnd returns the index behind the "(pam_unix)" at i, or -1.
func groupEnd(b []byte, i int) int {
	for j := i + 1; j < len(b); j++ {
		if b[j] == ')' {
			return j + 1
		}
		if class[b[j]]&inGroup == 0 {
			break
		}
	}
	return -1
}

// pidEnd returns the index of the bracket that closes the number at i, or -1.
func pidEnd(b []byte, i int) int {
	j := i
	for j < len(b) && class[b[j]]&inPID != 0 {
		j++
	}
	if j == i || j >= len(b) || b[j] != ']' {
		return -1
	}
	return j
}

// priority returns the length of a "<38>" in front, RFC 3164, 4.1.1, or 0.
func priority(b []byte) int {
	if len(b) < 3 || b[0] != '<' {
		return 0
	}
	for i := 1; i < len(b) && i <= 4; i++ {
		if b[i] == '>' && i > 1 {
			return i + 1
		}
		if !isDigit(b[i]) {
			break
		}
	}
	return 0
}

// verbose returns the index behind "<4.6> ", "<auth.info> " or
// "[auth.info] ", which BSD's syslogd writes with -v (syslogd(8)).
func verbose(b []byte, i int) int {
	if i >= len(b) || b[i] != '<' && b[i] != '[' {
		return i
	}
	closing := byte('>')
	if b[i] == '[' {
		closing = ']'
	}
	j := i + 1
	for j < len(b) && j-i < 20 && (class[b[j]]&inPID != 0) {
		j++
	}
	if j+1 >= len(b) || b[j] != closing || b[j+1] != ' ' {
		return i
	}
	if word := b[i+1 : j]; closing == ']' && !facility(word) || bytes.IndexByte(word, '.') < 0 && !digits(word) {
		return i
	}
	return blanks(b, j+1)
}

// facility tells whether b is a facility and a level as syslog.conf(5) has
// them: "auth.info".
func facility(b []byte) bool {
	f, level, ok := bytes.Cut(b, []byte("."))
	if !ok {
		return false
	}
	switch string(level) {
	case "emerg", "panic", "alert", "crit", "err", "error", "warning", "warn", "notice", "info", "debug":
	default:
		return false
	}
	switch string(f) {
	case "kern", "user", "mail", "daemon", "auth", "authpriv", "security", "syslog", "lpr", "news", "uucp", "cron", "ftp", "ntp", "audit", "console":
		return true
	}
	return len(f) == 6 && string(f[:5]) == "local" && f[5] >= '0' && f[5] <= '7'
}

// rfc5424 reads what follows the stamp of an RFC 5424 line: host, program,
// process, message id, structured data, message (section 6).
func rfc5424(l *record.Line, b []byte, i int) bool {
	var field [4][]byte
	for n := range field {
		if i >= len(b) || b[i] != ' ' {
			return false
		}
		end := bytes.IndexByte(b[i+1:], ' ')
		if end <= 0 {
			return false
		}
		field[n] = b[i+1 : i+1+end]
		i += 1 + end
	}
	if i = structured(b, i+1); i < 0 {
		return false
	}
	if string(field[1]) != "-" {
		l.Program = field[1]
	}
	if string(field[2]) != "-" {
		l.PID = field[2]
	}
	if i < len(b) {
		i++
	}
	l.Message = bytes.TrimPrefix(b[i:], []byte("\ufeff"))
	return true
}

// structured returns the index behind the structured data at i, "-" or
// [id name="value" …] in which a backslash guards quotes and brackets, or -1.
func structured(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	} else {
		start, quoted, open := i, false, false
		for ; i < len(b) && (open || b[i] == '['); i++ {
			switch {
			case b[i] == '\\' && quoted:
				i++
			case b[i] == '"':
				quoted = !quoted
			case b[i] == '[' && !quoted:
				open = true
			case b[i] == ']' && !quoted:
				open = false
			}
		}
		if i == start || open || i > len(b) {
			return -1
		}
	}
	if i < len(b) && b[i] != ' ' {
		return -1
	}
	return i
}
