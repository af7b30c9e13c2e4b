package logscan

import (
	"bytes"
	"reflect"
	"testing"

	"blockhosts/internal/record"
)

const failed = "Failed password for root from 192.0.2.1 port 56502 ssh2"

// prefixes: each stands before the message, and names this program and
// process.
var prefixes = []struct {
	prefix, program, pid string
	form                 record.Form
}{
	{"Jan  5 01:31:41 www sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan 05 01:31:41 www sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan 5 01:31:41 www sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan 15 01:31:41 www sshd[1643]:", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 2026 www sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 2026 01:31:41 www sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"2026 Jan  5 01:31:41 www sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41.123456 www sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 2026 sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"<38>Jan  5 01:31:41 www sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"<38>sshd[1643]: ", "sshd", "1643", record.FormBare},
	{"<38>sshd: ", "sshd", "", record.FormBare},
	{"Jan  5 01:31:41 www.example.com sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 2001:db8::1 sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 2001:db8:: sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 fe80::1%eth0 sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 local@www/relay sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41   sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 <4.6> www sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 <auth.info> www sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 [auth.info] www sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 www auth.info sshd[1643]: ", "sshd", "1643", record.FormBusyBox},
	{"Mon Jan  5 01:31:41 2026 authpriv.info dropbear[1643]: ", "dropbear", "1643", record.FormBusyBox},
	{"Jan  5 01:31:41 www sshd[1643]: [ID 800047 auth.info] ", "sshd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 www kernel: [   12.345678] ", "kernel", "", record.FormSyslog},
	{"Jan  5 01:31:41 www kernel: ", "kernel", "", record.FormSyslog},
	{"Jan  5 01:31:41 www sshd: ", "sshd", "", record.FormSyslog},
	{"Jan  5 01:31:41 www sshd-session[1643]: ", "sshd-session", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 www postfix/smtpd[1643]: ", "postfix/smtpd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 www postfix/submission/smtpd[1643]: ", "postfix/submission/smtpd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 www ftp(pam_unix)[1643]: ", "ftp(pam_unix)", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 www sshd(pam_unix): ", "sshd(pam_unix)", "", record.FormSyslog},
	{"Jan  5 01:31:41 www (sd-pam)[1643]: ", "(sd-pam)", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 auth-worker(1643): ", "auth-worker", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 www proftpd[1643] ", "proftpd", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 sogod [1643]: ", "sogod", "1643", record.FormSyslog},
	{"Jan  5 01:31:41 [sshd] ", "sshd", "", record.FormMetalog},
	{"Jan  5 01:31:41 [sshd]: ", "sshd", "", record.FormMetalog},
	{"Jan  5 01:31:41 [sshd(pam_unix)] ", "sshd(pam_unix)", "", record.FormMetalog},
	{"2026-01-05T01:31:41.123456+01:00 www sshd[1643]: ", "sshd", "1643", record.FormISO},
	{"2026-01-05T01:31:41,123Z www sshd[1643]: ", "sshd", "1643", record.FormISO},
	{"2026-01-05T01:31:41+0100 www sshd[1643]: ", "sshd", "1643", record.FormISO},
	{"2026-01-05 01:31:41 www sshd[1643]: ", "sshd", "1643", record.FormISO},
	{"2026-01-05 01:31:41 +0100 www sshd[1643]: ", "sshd", "1643", record.FormISO},
	{"2026-01-05T01:31:41Z www sshd: ", "sshd", "", record.FormISO},
	{"<38>2026-01-05T01:31:41Z www sshd[1643]: ", "sshd", "1643", record.FormISO},
	{"Mon 2026-01-05 01:31:41 CET www sshd[1643]: ", "sshd", "1643", record.FormISO},
	{"Mon 2026-01-05 01:31:41.123456 UTC www sshd[1643]: ", "sshd", "1643", record.FormISO},
	{"1767573101.123456 www sshd[1643]: ", "sshd", "1643", record.FormSyslog},
	{"<38>1 2026-01-05T01:31:41.123456Z www sshd 1643 - - ", "sshd", "1643", record.FormRFC5424},
	{"1 2026-01-05T01:31:41Z www sshd 1643 - - ", "sshd", "1643", record.FormRFC5424},
	{"<38>1 2026-01-05T01:31:41Z www sshd - ID47 - ", "sshd", "", record.FormRFC5424},
	{"<38>1 - www sshd 1643 - - ", "sshd", "1643", record.FormRFC5424},
	{"<38>1 2026-01-05T01:31:41Z www - - - - ", "", "", record.FormRFC5424},
	{`<38>1 2026-01-05T01:31:41Z www sshd 1643 - [a@1 x="y"] `, "sshd", "1643", record.FormRFC5424},
	{`<38>1 2026-01-05T01:31:41Z www sshd 1643 - [a x="\"] sshd 1 - - "][b] `, "sshd", "1643", record.FormRFC5424},
	{"<38>1 2026-01-05T01:31:41Z www sshd 1643 - - \ufeff", "sshd", "1643", record.FormRFC5424},
	{"@4000000052d7a9f51e0d5a3c ", "", "", record.FormMultilog},
	{"www sshd[1643]: ", "sshd", "1643", record.FormBare},
	{"sshd[1643]: ", "sshd", "1643", record.FormBare},
}

func TestParseLine(t *testing.T) {
	for _, p := range prefixes {
		l := ParseLine([]byte(p.prefix + failed))
		if l.Form != p.form || string(l.Program) != p.program || string(l.PID) != p.pid || string(l.Message) != failed || l.Repeat != 1 {
			t.Errorf("%q: form %d, program %q, pid %q, message %q", p.prefix, l.Form, l.Program, l.PID, l.Message)
		}
	}
}

// TestNoPrefix: lines of logs that are not syslog's, in which nothing may pass
// for a prefix.
func TestNoPrefix(t *testing.T) {
	for _, in := range []string{
		"",
		"Failed password for root from 192.0.2.1 port 56502 ssh2",
		"Jan  5 01:31:41",
		"Jan  5 01:31:41 www",
		"Jan  5 01:31:41 www last message repeated 3 times",
		"Jan  5 25:31:41 www sshd[1]: x",
		"Jan  0 01:31:41 www sshd[1]: x",
		"Jon  5 01:31:41 www sshd[1]: x",
		"Jan  5 01:31:41 www sshd[]: x",
		"Jan  5 01:31:41 www sshd[1 2]: x",
		"Jan  5 01:31:41 www a sshd[1]: x",
		"Jan  5 01:31:41 www auth.info www sshd[1]: x",
		"Jan  5 01:31:41 www system,error,critical login failure",
		"Jan  5 01:31:41 auth(x sshd[1]: y,192.0.2.1)<z>: Info",
		"2026-01-05 01:31:41 H=(x) [192.0.2.1] sshd[1]: x",
		"2026-01-05 01:31:41 login authenticator failed for (x) [192.0.2.1]: 535",
		"2026-01-05 01:31:41 [conn5] end connection 192.0.2.1:1",
		"2026-01-05 01:31:41.123 6 [Note] sshd[1]: x",
		"2026-01-05T01:31:41Z: Failed Login: username=a ip=192.0.2.1",
		"[Mon Jan 05 01:31:41 2026] [error] [client 192.0.2.1] sshd[1]: x",
		"Mon Jan  5 01:31:41 2026 [pid 8618] [bob] FAIL LOGIN: Client \"192.0.2.1\"",
		"192.0.2.1 - sshd[1]: [05/Jan/2026:01:31:41 +0100] \"GET /\" 401 1",
		"WARNING: Authentication attempt from 192.0.2.1",
		"Invalid user sshd[1]: x from 192.0.2.1 port 1",
		"260105  1:31:41 [Warning] Access denied for user 'sshd[1]: x'",
		"1767573101.123      5 192.0.2.1 NONE/405 3364 CONNECT",
		"<38>1 2026-01-05T01:31:41Z www sshd 1643 - [a x=\"y] m",
		"<38>1 2026-01-05T01:31:41Z www sshd",
		"@400000004",
		"@40000000zzd7a9f51e0d5a3c x",
	} {
		if l := ParseLine([]byte(in)); l.Form != record.FormNone || l.Program != nil || l.PID != nil || string(l.Message) != in {
			t.Errorf("%q: form %d, program %q, message %q", in, l.Form, l.Program, l.Message)
		}
	}
}

func TestRepeated(t *testing.T) {
	for in, want := range map[string]int{
		"message repeated 3 times: [ " + failed + "]":                       3,
		"message repeated 3 times: [" + failed + "]":                        3,
		"message repeated 99999999999999999999 times: [ " + failed + "]":    MaxRepeat,
		"[ID 800047 auth.info] message repeated 2 times: [ " + failed + "]": 2,
	} {
		l := ParseLine([]byte("Jan  5 01:31:41 www sshd[1]: " + in))
		if l.Repeat != want || string(l.Message) != failed {
			t.Errorf("%q: repeat %d, message %q", in, l.Repeat, l.Message)
		}
	}
	for _, in := range []string{
		"message repeated 0 times: [ x]", "message repeated times: [ x]", "message repeated 2 times: [ x", "message repeated 2 times: x]",
		"message repeated 2 times: [", "last message repeated 2 times", "x message repeated 2 times: [ x]",
	} {
		l := ParseLine([]byte("Jan  5 01:31:41 www sshd[1]: " + in))
		if l.Repeat != 1 || string(l.Message) != in {
			t.Errorf("%q: repeat %d, message %q", in, l.Repeat, l.Message)
		}
	}
}

// FuzzParseLine: the message is a part of the line, and nothing in it has a
// say in the prefix.
func FuzzParseLine(f *testing.F) {
	for _, p := range prefixes {
		f.Add([]byte(p.prefix+failed), []byte("x"))
		f.Add([]byte(p.prefix+"message repeated 3 times: [ "+failed+"]"), []byte("www sshd[1]: "))
		f.Add([]byte(p.prefix+"sshd[2]: "+failed), []byte("]: [ID 1 auth.info] "))
		f.Add([]byte(p.prefix+"message repeated 1 times: [x]"), []byte("x"))
	}
	f.Fuzz(func(t *testing.T, raw, tail []byte) {
		l := ParseLine(raw)
		inner := l.Message
		if l.Repeat > 1 || !bytes.HasSuffix(raw, inner) { // repeated, maybe 1 time
			inner = append(bytes.Clone(inner), ']')
		}
		if !bytes.HasSuffix(raw, inner) || l.Repeat < 1 || l.Repeat > MaxRepeat {
			t.Fatalf("%q: message %q, repeat %d", raw, l.Message, l.Repeat)
		}
		if l.Form == record.FormNone && (l.Program != nil || string(l.Message) != string(raw)) {
			t.Fatalf("%q: no form, but program %q", raw, l.Program)
		}
		if l.Form == record.FormNone || len(l.Message) == 0 {
			return
		}
		other := ParseLine(append(bytes.Clone(raw[:len(raw)-len(inner)]), tail...))
		if len(tail) > 0 && (string(other.Program) != string(l.Program) || string(other.PID) != string(l.PID) || other.Form != l.Form) {
			t.Fatalf("%q with the message %q: program %q[%q], was %q[%q]", raw, tail, other.Program, other.PID, l.Program, l.PID)
		}
	})
}

// FuzzParser: a line reads the same whatever line stood before it.
func FuzzParser(f *testing.F) {
	for i, p := range prefixes {
		f.Add([]byte(p.prefix+failed), []byte(prefixes[(i+1)%len(prefixes)].prefix+failed))
		f.Add([]byte(p.prefix+failed), []byte(p.prefix+"x"))
		f.Add([]byte(p.prefix), []byte(p.prefix+p.prefix))
	}
	f.Fuzz(func(t *testing.T, before, raw []byte) {
		var p parser
		var l record.Line
		p.parse(&l, before)
		p.parse(&l, raw)
		if want := ParseLine(raw); !reflect.DeepEqual(l, want) {
			t.Fatalf("%q behind %q: %+v, alone %+v", raw, before, l, want)
		}
	})
}

func BenchmarkParseLine(b *testing.B) {
	for _, p := range prefixes[:1] {
		raw := []byte(p.prefix + failed)
		var l record.Line
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			parse(&l, raw)
		}
	}
}
