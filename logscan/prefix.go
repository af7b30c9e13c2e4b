package logscan

import (
	"bytes"

	"blockhosts/internal/record"
)

// MaxRepeat is the most attempts that one "message repeated N times" line
// stands for: more than any syslog daemon counts before it writes again.
const MaxRepeat = 1_000_000

// ParseLine takes a log line apart by the structure of its prefix, from its
// first byte on and never by searching, so that nothing behind the prefix can
// move it. It keeps slices of raw and copies nothing.
func ParseLine(raw []byte) record.Line {
	var l record.Line
	parse(&l, raw)
	return l
}

// A parser is ParseLine for many lines in a row: where one begins with the
// same stamp and host as the line before, only its program is looked for.
// Each of a thousand lines a second has that in common with the next.
type parser struct {
	common []byte // what stood before the program
	form   record.Form
}

func (p *parser) parse(l *record.Line, raw []byte) {
	if n := len(p.common); n > 0 && len(raw) > n && string(raw[:n]) == string(p.common) {
		whole(l, raw)
		if program(l, raw, n) {
			l.Form = p.form
			unwrap(l)
			return
		}
	}
	parse(l, raw)
	if l.Form == record.FormSyslog || l.Form == record.FormISO || l.Form == record.FormBusyBox {
		n := cap(raw) - cap(l.Program) // l.Program is a slice of raw
		p.common, p.form = append(p.common[:0], raw[:n]...), l.Form
	}
}

// whole makes l a line in which no prefix was found. Field by field: a literal is
// built beside it and copied, and that takes longer than all else.
func whole(l *record.Line, raw []byte) {
	l.Raw, l.Message = raw, raw
	l.Program, l.PID = nil, nil
	l.Form, l.Repeat = record.FormNone, 1
}

func parse(l *record.Line, raw []byte) {
	whole(l, raw)
	var m moment
	form, at := prefixStamp(raw, &m)
	ok := false
	switch form {
	case record.FormNone:
		form = record.FormBare
		ok = bare(l, raw)
	case record.FormMultilog:
		l.Message, ok = raw[at+1:], true
	case record.FormRFC5424:
		ok = rfc5424(l, raw, at)
	default:
		if form, ok = tag(l, raw, at, form), l.Program != nil; !ok {
			whole(l, raw)
		}
	}
	if ok {
		l.Form = form
		unwrap(l)
	}
}

// tag reads what stands between stamp and message: "www sshd[1643]: ".
// Program stays nil where that is not there.
func tag(l *record.Line, b []byte, i int, form record.Form) record.Form {
	j := blanks(b, i)
	if j == i {
		return form
	}
	i = verbose(b, j)
	if i < len(b) && b[i] == '[' && form == record.FormSyslog {
		metalog(l, b, i)
		return record.FormMetalog
	}
	if program(l, b, i) {
		return form
	}
	if j = hostEnd(b, i); j < 0 {
		return form
	}
	if spacedPID(l, b, i, j) {
		return form
	}
	if program(l, b, blanks(b, j)) {
		if form == record.FormSyslog && facility(b[i:j]) {
			return record.FormBusyBox // without a host
		}
		return form
	}
	j = blanks(b, j)
	if k := bytes.IndexByte(b[j:], ' '); k > 0 && facility(b[j:j+k]) && program(l, b, blanks(b, j+k)) && form == record.FormSyslog {
		return record.FormBusyBox
	}
	return form
}

// bare reads a line without stamp: "www sshd[1643]: " or "sshd[1643]: ". It
// wants a process number, since any text can begin with a word and a colon;
// behind a priority, "<38>sshd: ", the word is enough.
func bare(l *record.Line, b []byte) bool {
	i := priority(b)
	if program(l, b, i) && (i > 0 || l.PID != nil) {
		return true
	}
	if j := hostEnd(b, i); j > 0 && program(l, b, blanks(b, j)) && l.PID != nil {
		return true
	}
	whole(l, b)
	return false
}

// program reads "sshd[1643]: ", "ftp(pam_unix)[8]: ", "postfix/smtpd[9]: ",
// "dovecot: ", "auth-worker(304): ", and "proftpd[12] " without a colon.
func program(l *record.Line, b []byte, i int) bool {
	j, group := i, 0
	for j < len(b) && class[b[j]]&inProgram != 0 {
		j++
	}
	if j < len(b) && b[j] == '(' {
		group = j
		if j = groupEnd(b, j); j < 0 {
			return false
		}
	}
	if j == i || j >= len(b) {
		return false
	}
	name, pid := b[i:j], []byte(nil)
	if b[j] == '[' {
		end := pidEnd(b, j+1)
		if end < 0 {
			return false
		}
		pid, j = b[j+1:end], end+1
	} else if group > i && digits(b[group+1:j-1]) {
		name, pid = b[i:group], b[group+1:j-1]
	}
	return colon(l, b, j, name, pid)
}

// colon reads what ends a program: a colon and the blank that belongs to it.
// Without a process number both have to be there.
func colon(l *record.Line, b []byte, j int, name, pid []byte) bool {
	switch {
	case j+1 < len(b) && b[j] == ':' && b[j+1] == ' ':
		j += 2
	case pid != nil && j < len(b) && (b[j] == ':' || b[j] == ' '):
		j++
	default:
		return false
	}
	l.Program, l.PID, l.Message = name, pid, b[j:]
	return true
}

// spacedPID reads "sogod [26818]: ", a program whose name ends at host.
func spacedPID(l *record.Line, b []byte, i, host int) bool {
	if host+1 >= len(b) || b[host+1] != '[' {
		return false
	}
	end := pidEnd(b, host+2)
	if end < 0 || end+1 >= len(b) || b[end+1] != ':' {
		return false
	}
	return colon(l, b, end+1, b[i:host], b[host+2:end])
}

// metalog reads "[sshd] " and "[sshd]: ".
func metalog(l *record.Line, b []byte, i int) {
	j := i + 1
	for j < len(b) && class[b[j]]&inProgram != 0 {
		j++
	}
	if j < len(b) && b[j] == '(' {
		if j = groupEnd(b, j); j < 0 {
			return
		}
	}
	if j == i+1 || j+1 >= len(b) || b[j] != ']' {
		return
	}
	end := j + 1
	if b[end] == ':' {
		end++
	}
	if end >= len(b) || b[end] != ' ' {
		return
	}
	l.Program, l.Message = b[i+1:j], b[end+1:]
}

// unwrap takes off what a syslog daemon, a kernel or Solaris puts in front of
// the program's own message.
func unwrap(l *record.Line) {
	if len(l.Message) > 0 && l.Message[0] == '[' {
		l.Message = solarisID(l.Message)
		if string(l.Program) == "kernel" {
			l.Message = uptime(l.Message)
		}
	}
	if len(l.Message) > 0 && l.Message[0] == 'm' {
		repeated(l)
	}
}

// repeated reads rsyslog's "message repeated 3 times: [ Failed … ]".
func repeated(l *record.Line) {
	rest, ok := bytes.CutPrefix(l.Message, []byte("message repeated "))
	if !ok {
		return
	}
	n, i := 0, 0
	for ; i < len(rest) && isDigit(rest[i]); i++ {
		n = min(n*10+int(rest[i]-'0'), MaxRepeat)
	}
	inner, ok := bytes.CutPrefix(rest[i:], []byte(" times: ["))
	if !ok || n == 0 || len(inner) == 0 || inner[len(inner)-1] != ']' {
		return
	}
	l.Repeat, l.Message = n, bytes.TrimPrefix(inner[:len(inner)-1], []byte(" "))
}

// solarisID takes off "[ID 800047 auth.info] ", see syslogd(8) of Solaris.
func solarisID(b []byte) []byte {
	rest, ok := bytes.CutPrefix(b, []byte("[ID "))
	if !ok {
		return b
	}
	i := 0
	for i < len(rest) && isDigit(rest[i]) {
		i++
	}
	end := bytes.IndexByte(rest, ']')
	if i == 0 || end <= i || rest[i] != ' ' || !facility(rest[i+1:end]) || end+1 >= len(rest) || rest[end+1] != ' ' {
		return b
	}
	return rest[end+2:]
}

// uptime takes off the seconds since boot, "[   12.345678] ".
func uptime(b []byte) []byte {
	i := blanks(b, 1)
	for i < len(b) && (isDigit(b[i]) || b[i] == '.') {
		i++
	}
	if i+1 >= len(b) || b[i] != ']' || b[i+1] != ' ' || !isDigit(b[i-1]) {
		return b
	}
	return b[i+2:]
}
