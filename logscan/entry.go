package logscan

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// entryFields are the fields of an entry that are asked for, see
// systemd.journal-fields(7). Those that begin with "_" journald itself has
// found out about the sender; the others are the sender's words.
var entryFields = []string{"MESSAGE", "SYSLOG_IDENTIFIER", "_TRANSPORT", "_COMM", "_EXE", "_UID", "_PID", "_SYSTEMD_UNIT", "_HOSTNAME", "_SOURCE_REALTIME_TIMESTAMP"}

// An entry is one entry of the journal, as "journalctl -o json" shows it.
type entry struct {
	Cursor   field `json:"__CURSOR"`
	Realtime field `json:"__REALTIME_TIMESTAMP"`
	Source   field `json:"_SOURCE_REALTIME_TIMESTAMP"`

	Message    field `json:"MESSAGE"`
	Identifier field `json:"SYSLOG_IDENTIFIER"`
	Transport  field `json:"_TRANSPORT"`
	Comm       field `json:"_COMM"`
	Exe        field `json:"_EXE"`
	UID        field `json:"_UID"`
	PID        field `json:"_PID"`
	Unit       field `json:"_SYSTEMD_UNIT"`
	Host       field `json:"_HOSTNAME"`
}

// A field is one value, whose bytes journalctl writes as text where they are
// such, else as numbers. It is odd where there are several, or where the value
// was too long for journalctl (4 KiB), which then writes null.
type field struct {
	text []byte
	odd  bool
}

// UnmarshalJSON takes every form that journalctl writes.
func (f *field) UnmarshalJSON(b []byte) error {
	f.odd = true
	switch {
	case len(b) > 0 && b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		f.text, f.odd = []byte(s), false
	case len(b) > 0 && b[0] == '[':
		var bytes []uint16 // a []uint8 would be taken for base64
		if json.Unmarshal(b, &bytes) != nil {
			return nil // several values
		}
		for _, c := range bytes {
			f.text = append(f.text, byte(c))
		}
		f.odd = false
	}
	return nil
}

// read takes a line of journalctl's apart.
func (e *entry) read(line []byte) error { return json.Unmarshal(line, e) }

func (e *entry) cursor() string { return string(e.Cursor.text) }

// time is when the sender sent the entry, else when journald received it.
func (e *entry) time() time.Time {
	at := micros(e.Realtime.text)
	if sent := micros(e.Source.text); !sent.IsZero() && sent.Before(at) {
		at = sent
	}
	return at
}

func micros(b []byte) time.Time {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// cursorTime is the time that a cursor holds, microseconds in hexadecimal
// digits; zero where it holds none.
func cursorTime(cursor string) time.Time {
	for part := range strings.SplitSeq(cursor, ";") {
		if hex, ok := strings.CutPrefix(part, "t="); ok {
			if n, err := strconv.ParseInt(hex, 16, 64); err == nil {
				return time.UnixMicro(n)
			}
		}
	}
	return time.Time{}
}

// entry deals with one entry of the journal: it becomes the line that syslog
// would have written, with the program that journald vouches for.
func (j *journalRead) entry(e *entry) {
	r := &j.log.report
	r.Lines++
	program := e.program(j.units)
	switch {
	case e.Message.odd:
		r.Skipped++
		return
	case program == nil:
		r.Untrusted++
		return
	case e.Message.text == nil:
		return
	}
	b := e.time().AppendFormat(j.line[:0], "2006-01-02T15:04:05.000000Z07:00")
	b = append(append(b, ' '), e.Host.text...)
	from := len(b) + 1
	b = append(append(b, ' '), program...)
	to, pid := len(b), 0
	if digits(e.PID.text) {
		b = append(append(b, '['), e.PID.text...)
		pid = len(b)
		b = append(b, ']')
	}
	b = append(b, ": "...)
	message := len(b)
	b = appendOneLine(b, bytes.TrimRight(e.Message.text, "\r\n"))
	j.line = b
	l := record.Line{Raw: b, Message: b[message:], Program: b[from:to], Form: record.FormISO, Repeat: 1}
	if pid > 0 {
		l.PID = b[to+1 : pid]
	}
	r.Read += int64(len(b))
	j.single.begin(j.of)
	j.workers[0].entry(&j.single, &l)
	j.gather(j.log, &j.single)
}

// appendOneLine adds text with its control characters written as rsyslog
// writes them, "#012", so that an entry of several lines is one, and no client
// begins a line.
func appendOneLine(b, text []byte) []byte {
	for _, c := range text {
		if c < ' ' && c != '\t' || c == 0x7f {
			b = append(b, '#', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		} else {
			b = append(b, c)
		}
	}
	return b
}

// program returns the program that wrote an entry, as journald knows it: the
// sender's own word for itself where what journald found out bears it out,
// else, of root's processes, the name of the program that the sender is. It is
// nil where that is not known. Whoever may run a program can give it any name,
// and any message to logger(1): what a person's process has written counts for
// nothing, and what a service's has, only in a unit that is asked for.
func (e *entry) program(units []string) []byte {
	ident := e.Identifier.text
	if e.Identifier.odd {
		ident = nil
	}
	if string(e.Transport.text) == "kernel" && string(ident) == "kernel" {
		return ident
	}
	uid, err := strconv.ParseUint(string(e.UID.text), 10, 32)
	root := uid == 0
	if err != nil || speaksForOthers[path.Base(string(e.Exe.text))] || speaksForOthers[string(e.Comm.text)] {
		return nil
	}
	if !root && (isPerson(uid) || !slices.Contains(units, string(e.Unit.text))) {
		return nil
	}
	names := e.names(root)
	for _, name := range names {
		if len(ident) > 0 && bearsOut(string(ident), name) {
			return ident
		}
	}
	if root && len(names) > 0 && isProgram(names[0]) {
		return []byte(names[0])
	}
	return nil
}

// isPerson tells the numbers that systemd gives to people and to containers'
// users from those of root, of services (below 1000, and 61184 to 65519 where
// they are dynamic) and of nobody, 65534 (systemd.io, "Users, Groups, UIDs and
// GIDs on systemd Systems").
func isPerson(uid uint64) bool { return uid >= 1000 && uid < 61184 || uid > 65534 }

// names returns what the sender is, by what journald found out. A process that
// is not root's can call itself what it likes, but its file it cannot choose
// in a directory of the system.
func (e *entry) names(root bool) (names []string) {
	exe, stem := string(e.Exe.text), unitStem(string(e.Unit.text))
	if root && len(e.Comm.text) > 0 {
		names = append(names, string(e.Comm.text))
	}
	if exe != "" && (root || ofSystem(exe)) {
		names = append(names, path.Base(exe))
	}
	if stem != "" && (root || !letsIn[stem]) {
		names = append(names, stem)
	}
	return names
}

// ofSystem tells whether only root can put a file at path.
func ofSystem(path string) bool {
	for _, dir := range [...]string{"/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/nix/store/", "/gnu/store/"} {
		if strings.HasPrefix(path, dir) {
			return true
		}
	}
	return false
}

// speaksForOthers are programs that write what they are told, by root's scripts
// too: log text that a client chose, perhaps.
var speaksForOthers = map[string]bool{"logger": true, "systemd-cat": true}

// letsIn are the services in whose units the processes of those live whom they
// let in, where no session is made for them: that the unit is sshd's does not
// say that sshd has written an entry, unless root did.
var letsIn = map[string]bool{"ssh": true, "sshd": true, "dropbear": true, "cron": true, "crond": true, "atd": true, "getty": true, "serial-getty": true, "telnet": true, "inetd": true, "xinetd": true, "user": true}

// unitStem returns "ssh" of "ssh.service" and of "ssh@3-192.0.2.1:22.service".
func unitStem(unit string) string {
	stem, ok := strings.CutSuffix(unit, ".service")
	if !ok {
		return ""
	}
	stem, _, _ = strings.Cut(stem, "@")
	return stem
}

// commSize is how many bytes of a process's name the kernel keeps (proc(5)).
const commSize = 15

// bearsOut tells whether a sender that is name may call itself ident: "sshd"
// while it is sshd-session or in ssh.service, "postfix/smtpd" while it is
// smtpd or in postfix.service, "exim" while it is exim4.
func bearsOut(ident, name string) bool {
	first, _, _ := strings.Cut(ident, "/")
	last := ident[strings.LastIndexByte(ident, '/')+1:]
	switch {
	case ident == "" || first == "" || last == "" || name == "":
		return false
	case ident == name, first == name, last == name:
		return true
	case first == strings.TrimRight(name, "0123456789."), first == name+"d":
		return true
	case len(name) == commSize && strings.HasPrefix(ident, name):
		return true
	}
	return strings.HasPrefix(name, first+"-")
}

// isProgram tells whether a name can stand before a line's colon.
func isProgram(name string) bool {
	for i := range len(name) {
		if class[name[i]]&inProgram == 0 {
			return false
		}
	}
	return name != ""
}
