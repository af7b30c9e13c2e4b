package rules_test

import (
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
	"blockhosts/logscan"
	"blockhosts/logscan/rules"
)

func message(program, text string) *record.Line {
	raw := []byte("Jan  5 01:31:41 www " + program + "[7]: " + text)
	return &record.Line{Raw: raw, Message: raw[len(raw)-len(text):], Program: []byte(program), PID: []byte("7"), Form: record.FormSyslog, Repeat: 1}
}

func def(name, pattern string) rules.Def {
	return rules.Def{Name: name, Class: "auth", Pattern: pattern, File: "/etc/blockhosts.yaml", Line: 7}
}

// TestBrokenRule: a local rule that cannot work is left out and named; the
// others work.
func TestBrokenRule(t *testing.T) {
	for pattern, want := range map[string]string{
		`{LOG_PREFIX{app}} from (`:                 "rule app-Bad (/etc/blockhosts.yaml:7) is left out: ",
		`{LOG_PREFIX{app}} from {HOST_IP} (`:       "does not compile",
		`{LOG_PREFIX{app}} from`:                   "no {HOST_IP}",
		`{LOG_PREFIX{app}} .* from {HOST_IP} .*`:   `".*" at byte 19`,
		`{LOG_PREFIX{app}} .* from (?<n>{HOST_IP}`: "does not compile",
	} {
		set, problems := rules.Compile([]rules.Def{def("app-Bad", pattern), def("app-Good", `{LOG_PREFIX{app}} from {HOST_IP}$`)}, nil, rules.Options{})
		if len(problems) != 1 || !problems[0].Fails || !strings.Contains(problems[0].Text, want) || problems[0].Key != "rule app-Bad" {
			t.Errorf("%s: %+v, want %s", pattern, problems, want)
		}
		if m := set.Match(message("app", "from 192.0.2.1")); !m.Matched || m.Rule != "app-Good" {
			t.Errorf("%s: the good rule is gone: %+v", pattern, m)
		}
	}
	for _, d := range []rules.Def{{Name: "nodash", Pattern: "^{HOST_IP}"}, {Name: "a-B", Class: "spam", Pattern: "^{HOST_IP}"}} {
		if _, problems := rules.Compile([]rules.Def{d}, nil, rules.Options{}); len(problems) != 1 {
			t.Errorf("%+v: %v", d, problems)
		}
	}
}

// TestUnpinned: who answers for an unpinned rule gets it, and still nobody is
// blamed for a line that can be read in two ways.
func TestUnpinned(t *testing.T) {
	d := def("app-Fail", `{LOG_PREFIX{app}} .* from {HOST_IP}(?P<user>.*)`)
	d.Unpinned = true
	set := compile(t, []rules.Def{d})
	if m := set.Match(message("app", "x from 192.0.2.1 y")); !m.Matched || m.User != " y" || m.Addr.String() != "192.0.2.1" {
		t.Errorf("%+v", m)
	}
	if m := set.Match(message("app", "x from 192.0.2.1 from 192.0.2.2")); m.Matched || !m.Ambiguous || m.Addr.IsValid() || m.Rule != "app-Fail" {
		t.Errorf("%+v", m)
	}
	if m := set.Match(message("app", "x from 192.0.2.1 from ::ffff:192.0.2.1")); !m.Matched {
		t.Errorf("the same address twice: %+v", m)
	}
}

// TestManyAddresses: a client that adds addresses to its text hides nothing
// from a pinned rule, and a rule that is not pinned does not guess.
func TestManyAddresses(t *testing.T) {
	many := strings.Repeat(" from 198.51.100.7 z", 40)
	set := compile(t, []rules.Def{def("app-Right", `{LOG_PREFIX{app}} .* from {HOST_IP} [xy]$`)})
	if m := set.Match(message("app", "x"+many+" from 192.0.2.1 y")); !m.Matched || m.Addr.String() != "192.0.2.1" {
		t.Errorf("%+v", m)
	}
	set = compile(t, []rules.Def{def("app-Left", `{LOG_PREFIX{app}} a from {HOST_IP} [xy]`)})
	if m := set.Match(message("app", "a from 192.0.2.1 x"+many)); !m.Matched || m.Addr.String() != "192.0.2.1" {
		t.Errorf("%+v", m)
	}
	d := def("app-Loose", `{LOG_PREFIX{app}} .* from {HOST_IP} [xy]`)
	d.Unpinned = true
	if m := compile(t, []rules.Def{d}).Match(message("app", "a from 192.0.2.1 x"+many)); m.Matched || !m.Ambiguous {
		t.Errorf("%+v", m)
	}
}

// TestWide: a word class that a client can break out of keeps the true address
// from the pattern, but not from the wide one.
func TestWide(t *testing.T) {
	set := compile(t, []rules.Def{def("app-A", `{LOG_PREFIX{app}} user \w++(?! x) from {HOST_IP}`)})
	if m := set.Match(message("app", "user bob from 192.0.2.1")); !m.Matched {
		t.Errorf("%+v", m)
	}
	if m := set.Match(message("app", "user bob from 192.0.2.66 from 192.0.2.1")); m.Matched || !m.Ambiguous {
		t.Errorf("%+v", m)
	}
}

// TestTwoRules: several rules, one failure, the first by name; two addresses,
// none.
func TestTwoRules(t *testing.T) {
	set := compile(t, []rules.Def{
		def("app-B", `{LOG_PREFIX{app}} from {HOST_IP}`), def("app-C", `{LOG_PREFIX{app}} from .* by {HOST_IP}$`), def("app-A", `^.* by {HOST_IP}$`)})
	if m := set.Match(message("app", "from 192.0.2.1 by 192.0.2.1")); !m.Matched || m.Rule != "app-A" || m.Service != "app" || m.Class != "auth" || !m.Known {
		t.Errorf("%+v", m)
	}
	if m := set.Match(message("app", "from 192.0.2.1 by 192.0.2.2")); m.Matched || !m.Ambiguous || m.Rule != "app-A" {
		t.Errorf("%+v", m)
	}
}

// TestPrograms: which lines a rule sees.
func TestPrograms(t *testing.T) {
	set := compile(t, []rules.Def{
		def("sshd-A", `{LOG_PREFIX{sshd}} bad {HOST_IP}$`), def("mail-B", `{LOG_PREFIX{postfix(?:/\w+)*/smtpd}} bad {HOST_IP}$`),
		def("ftp-C", `{LOG_PREFIX{ftp\(pam_unix\)}} bad {HOST_IP}$`), def("web-D", `^bad {HOST_IP}$`), def("two-E", `{LOG_PREFIX{x{2}}}bad {HOST_IP}$`)})
	for program, want := range map[string]string{
		"sshd": "sshd-A", "sshd-session": "sshd-A", "sshd-auth": "sshd-A", "sshd-x": "", "Sshd": "", "xsshd": "", "": "",
		"postfix/submission/smtpd": "mail-B", "postfix/smtpd": "mail-B", "postfix/smtp": "",
		"ftp(pam_unix)": "ftp-C", "ftp": "", "xx": "two-E", "x": "",
	} {
		m := set.Match(message(program, "bad 192.0.2.1"))
		if m.Rule != want || m.Known != (want != "") {
			t.Errorf("%q: %+v, want %s", program, m, want)
		}
	}
	raw := []byte("bad 192.0.2.1")
	if m := set.Match(&record.Line{Raw: raw, Message: raw}); m.Rule != "web-D" || m.Known {
		t.Errorf("a line without prefix: %+v", m)
	}
	multilog := []byte("@4000000052d7a9f51e0d5a3c bad 192.0.2.1")
	if m := set.Match(&record.Line{Raw: multilog, Message: multilog[26:], Form: record.FormMultilog}); m.Rule != "ftp-C" || !m.Known {
		t.Errorf("a multilog line: %+v", m)
	}
}

func TestEnabled(t *testing.T) {
	set, _ := rules.Compile(rules.Shipped(), func(name, class string) bool { return name == "sshd-Invalid" && class == "auth" }, rules.Options{})
	if m := set.Match(message("sshd", "Invalid user x from 192.0.2.1")); m.Rule != "sshd-Invalid" {
		t.Errorf("%+v", m)
	}
	if m := set.Match(message("sshd", "Failed password for x from 192.0.2.1 port 1 ssh2")); m.Matched || !m.Known {
		t.Errorf("%+v", m)
	}
}

// TestReplace: a local rule replaces the shipped one of its name.
func TestReplace(t *testing.T) {
	set := compile(t, append(rules.Shipped(), def("sshd-Invalid", `{LOG_PREFIX{sshd}} My form {HOST_IP}$`)))
	if m := set.Match(message("sshd", "My form 192.0.2.1")); m.Rule != "sshd-Invalid" {
		t.Errorf("%+v", m)
	}
	if m := set.Match(message("sshd", "Invalid user x from 192.0.2.1")); m.Matched {
		t.Errorf("%+v", m)
	}
}

// TestUntrustedBytes: no crash, no wrong span, a short user.
func TestUntrustedBytes(t *testing.T) {
	set := compile(t, []rules.Def{def("app-A", `{LOG_PREFIX{app}} user (?<user>.*) from {HOST_IP} port \d+$`)})
	l := message("app", "user \xff\xc3ü\ue000\x00\r\n from 192.0.2.1 port 22 \t")
	m := set.Match(l)
	if !m.Matched || m.User != "\ufffd\ufffdü\ufffd\x00\ufffd\ufffd" {
		t.Errorf("%+v", m)
	}
	for _, tried := range set.Trace(l) {
		addr, user := l.Raw[tried.AddrAt.From:tried.AddrAt.To], l.Raw[tried.UserAt.From:tried.UserAt.To]
		if string(addr) != "192.0.2.1" || string(user) != "\xff\xc3ü\ue000\x00\r\n" {
			t.Errorf("spans %q %q", addr, user)
		}
	}
	if m := set.Match(message("app", "user "+strings.Repeat("ü", 400)+" from 192.0.2.1 port 22")); m.User != strings.Repeat("ü", record.MaxUser/2) {
		t.Errorf("user %q", m.User)
	}
	if m := set.Match(message("app", "user "+strings.Repeat("x", 64<<10)+" from 192.0.2.1 port 22")); m.Matched || len(m.TimedOut) > 0 {
		t.Errorf("a text that is too long: %+v", m)
	}
}

// TestTimeout: a rule that takes too long is named, and the rest goes on.
func TestTimeout(t *testing.T) {
	slow := def("app-Slow", `{LOG_PREFIX{app}} from {HOST_IP} (?:a|aa)+$`)
	slow.Unpinned = true
	set, problems := rules.Compile([]rules.Def{slow, def("app-Z", `{LOG_PREFIX{app}} from {HOST_IP} `)}, nil, rules.Options{Timeout: time.Millisecond})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	m := set.Match(message("app", "from 192.0.2.1 "+strings.Repeat("a", 5000)+"c "))
	if len(m.TimedOut) != 1 || m.TimedOut[0] != "app-Slow" || !m.Matched || m.Rule != "app-Z" {
		t.Errorf("%+v", m)
	}
}

// TestNames: a host name is found only where it is asked for.
func TestNames(t *testing.T) {
	defs := []rules.Def{def("app-A", `{LOG_PREFIX{app}} (?<user>\w+) from {HOST_IP}$`)}
	l := message("app", "bob from pc.example.net")
	if m := compile(t, defs).Match(l); m.Matched || m.Host != "" || m.Rule != "" {
		t.Errorf("%+v", m)
	}
	set, _ := rules.Compile(defs, nil, rules.Options{Names: true})
	if m := set.Match(l); m.Matched || m.Host != "pc.example.net" || m.Rule != "app-A" || m.User != "bob" {
		t.Errorf("%+v", m)
	}
	if m := set.Match(message("app", "bob from 192.0.2.1")); !m.Matched || m.Host != "" {
		t.Errorf("%+v", m)
	}
}

// TestTrace: every rule says why it does not match.
func TestTrace(t *testing.T) {
	set := compile(t, []rules.Def{
		def("app-A", `{LOG_PREFIX{other}} from {HOST_IP}$`), def("app-B", `{LOG_PREFIX{app}} by {HOST_IP}$`), def("app-C", `{LOG_PREFIX{app}} .* needle {HOST_IP}$`),
		def("app-D", `{LOG_PREFIX{app}} from {HOST_IP}$`), def("app-E", `{LOG_PREFIX{app}} from {HOST_IP} `)})
	want := []string{"it reads the lines of other", `the text does not begin with "by "`, `" needle " is not in the text`, "the pattern does not match", ""}
	for i, tried := range set.Trace(message("app", "from 192.0.2.1 x")) {
		if tried.Why != want[i] || tried.Matched != (i == 4) {
			t.Errorf("%+v, want %s", tried, want[i])
		}
	}
	if got := set.Trace(message("app", "from nobody"))[3].Why; got != "there is no address in the text" {
		t.Error(got)
	}
}

// TestCheck: a rule whose samples are wrong explains itself.
func TestCheck(t *testing.T) {
	d := def("app-A", `{LOG_PREFIX{app}} (?<user>\w+) from {HOST_IP}$`)
	line := "Jan  5 01:31:41 www app[7]: bob from 192.0.2.1"
	d.Samples = []rules.Sample{{Line: line, Address: "192.0.2.1", User: "bob"}}
	d.Ignores = []string{line + " x"}
	if p := rules.Check(d, logscan.ParseLine); len(p) != 0 {
		t.Error(p)
	}
	d.Samples = []rules.Sample{{line, "192.0.2.2", "bob"}, {line, "192.0.2.1", "eve"}, {line + " x", "192.0.2.1", ""}, {line, "x", ""}}
	d.Ignores = []string{line}
	for i, want := range []string{"blames 192.0.2.1, not 192.0.2.2", `finds the user "bob", not "eve"`, "no match: the pattern does not match", "is none", "ignore 1"} {
		p := rules.Check(d, logscan.ParseLine)
		if len(p) != 5 || !strings.Contains(p[i].Text, want) {
			t.Errorf("%v, want %s", p, want)
		}
	}
	d = def("app-A", `{LOG_PREFIX{app}} .* from {HOST_IP}`)
	if p := rules.Check(d, logscan.ParseLine); len(p) != 1 || !strings.Contains(p[0].Text, "not pinned") {
		t.Error(p)
	}
	if p := rules.Check(def("app-A", "("), logscan.ParseLine); len(p) == 0 {
		t.Error("no problem with a pattern that does not compile")
	}
}

// FuzzSlow looks for lines on which a shipped rule takes too long. What it
// finds is slow by orders of magnitude, not by a busy machine.
func FuzzSlow(f *testing.F) {
	for _, d := range documented(f) {
		for _, s := range d.Samples {
			l := logscan.ParseLine([]byte(s.Line))
			f.Add(string(l.Program), string(l.Message))
		}
	}
	set := compile(f, rules.Shipped())
	f.Fuzz(func(t *testing.T, program, text string) {
		l := message(program, text)
		for try := 1; ; try++ { // a busy machine is slow once
			start := time.Now()
			m := set.Match(l)
			took := time.Since(start)
			if took < 200*time.Millisecond && len(m.TimedOut) == 0 {
				break
			}
			if try == 3 {
				t.Fatalf("%v, %v timed out: %.1000q", took, m.TimedOut, text)
			}
		}
	})
}

// TestKnownProgram: a rule that reads the lines of every program says nothing
// about what is known of one.
func TestKnownProgram(t *testing.T) {
	set, problems := rules.Compile([]rules.Def{
		{Name: "pam-Fail", Pattern: `{LOG_PREFIX{[\w-]+}} pam_unix\(\w+:auth\): failure; rhost={HOST_IP}$`},
		{Name: "sshd-Fail", Pattern: `{LOG_PREFIX{sshd}} Failed from {HOST_IP} port \d+$`},
	}, nil, rules.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for program, want := range map[string]bool{"sshd": true, "sshd-session": true, "cron": false} {
		m := set.Match(message(program, "hello"))
		if m.Known != want {
			t.Errorf("%s: known %v, want %v", program, m.Known, want)
		}
	}
}
