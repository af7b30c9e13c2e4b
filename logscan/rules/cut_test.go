package rules_test

import (
	"strings"
	"testing"

	"blockhosts/logscan"
	"blockhosts/logscan/rules"
)

// TestCutLine has lines that a syslog daemon or the program itself cut, so that
// what a client wrote stands where the true address would: nobody is blamed.
func TestCutLine(t *testing.T) {
	s, problems := rules.Compile(rules.Shipped(), nil, rules.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	const syslog = "Jan  5 01:31:41 www vsftpd[8618]: "
	const pam = "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser="
	const nginx = `2026/01/05 01:31:41 [error] 1643#0: *7 `
	for _, c := range []struct {
		head, tail string // of what is left; the padding stands between
		at         int    // bytes that are left of the line
		padLast    bool
	}{
		{syslog + "[", `] FAIL LOGIN: Client "192.0.2.66"`, 1024, false},
		{syslog + "[", `] FAIL LOGIN: Client "192.0.2.66"`, 2048, false},
		{syslog + pam, " rhost=192.0.2.66", 1024, false},
		{syslog + pam, " rhost=192.0.2.66", 8192, false},
		{syslog + pam + "x", " rhost=192.0.2.66  user=", 1004, true},
		{nginx, `user "x": password mismatch, client: 192.0.2.66, server: _, request: "GET /`, 2047, true},
		{nginx, `open() "/srv/wp-login.php" failed (2: No such file or directory), client: 192.0.2.66, server: _, request: "`, 2047, true},
		{"Jan  5 01:31:41 www nginx: " + nginx, `user "x": password mismatch, client: 192.0.2.66, server: _, request: "GET /`, 2047, true},
	} {
		pad := strings.Repeat("A", c.at-len(c.head)-len(c.tail))
		raw := c.head + pad + c.tail
		if c.padLast {
			raw = c.head + c.tail + pad
		}
		l := logscan.ParseLine([]byte(raw))
		if m := s.Match(&l); m.Matched {
			t.Errorf("%s blames %v for a line cut at %d: %.120q", m.Rule, m.Addr, c.at, raw)
		}
	}
}

// TestLongLine has lines as long, whose address stands in front of all that a
// client chose, where no cut takes it away.
func TestLongLine(t *testing.T) {
	s, _ := rules.Compile(rules.Shipped(), nil, rules.Options{})
	pad := strings.Repeat("A", 1200)
	for _, raw := range []string{
		"Jan  5 01:31:41 www proftpd[5517]: www.example.net (198.51.100.7[198.51.100.7]) - USER " + pad + " (Login failed): Incorrect password",
		"Jan  5 01:31:41 www sshd[1643]: Received disconnect from 198.51.100.7 port 58846:11: " + pad + " [preauth]",
		"Jan  5 01:31:41 www postfix/smtpd[1643]: warning: unknown[198.51.100.7]: SASL LOGIN authentication failed: authentication failure, sasl_username=" + pad,
	} {
		l := logscan.ParseLine([]byte(raw))
		if m := s.Match(&l); !m.Matched || m.Addr.String() != "198.51.100.7" {
			t.Errorf("%.80q: matched %v, address %v, ambiguous %v", raw, m.Matched, m.Addr, m.Ambiguous)
		}
	}
}

// TestCutByBusyBox: BusyBox' syslogd keeps 255 bytes of what a program sent, less
// its priority and stamp. Its lines alone are ambiguous for such a length: what
// stands in front of the program tells them.
func TestCutByBusyBox(t *testing.T) {
	s, _ := rules.Compile(rules.Shipped(), nil, rules.Options{})
	for _, c := range []struct {
		head, more string
		from, to   int // bytes that are left from the program's name on, and blame nobody
	}{
		{"Jan  5 01:31:41 www authpriv.notice ", "", 234, 236},
		{"Jan  5 01:31:41 www auth.info ", "^A^B", 234, 238},
		{"Jan  5 01:31:41 www local7.err ", "", 234, 236},
		{"Jan  5 01:31:41 vsftpd auth.info ", "", 234, 236},
		{"Jan  5 01:31:41 www ", "", 0, 0},
		{"Jan  5 01:31:41 www.example.net ", "", 0, 0},
	} {
		for n := 230; n < 242; n++ {
			const program, tail = "vsftpd[8618]: [", `] FAIL LOGIN: Client "192.0.2.66"`
			raw := c.head + program + c.more + strings.Repeat("A", n-len(program+c.more+tail)) + tail
			l := logscan.ParseLine([]byte(raw))
			m := s.Match(&l)
			if cut := n >= c.from && n <= c.to; m.Matched == cut || m.Ambiguous != cut {
				t.Errorf("%d bytes of %q: matched %v, ambiguous %v", n, raw, m.Matched, m.Ambiguous)
			}
		}
	}
}
