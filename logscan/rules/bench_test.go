package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"blockhosts/internal/record"
	"blockhosts/logscan"
	"blockhosts/logscan/rules"
)

// BenchmarkMatch is the cost of a line with all shipped rules loaded.
func BenchmarkMatch(b *testing.B) {
	for name, line := range map[string]string{
		"other-program": "Jan  5 01:31:41 www CRON[1643]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
		"harmless":      "Jan  5 01:31:41 www sshd[1643]: Accepted publickey for amy from 192.0.2.1 port 56502 ssh2: ED25519 SHA256:2nJ0yQJ3qSkHhfWnL7zq9b0Yy1aTt7oW0c5d8e2fGhI",
		"failed":        "Jan  5 01:31:41 www sshd[1643]: Failed password for root from 192.0.2.1 port 56502 ssh2",
		"invalid":       "Jan  5 01:31:41 www sshd[1643]: Invalid user admin from 192.0.2.1 port 37220",
		"not-syslog":    `192.0.2.1 - - [05/Jan/2026:01:31:41 +0100] "GET / HTTP/1.1" 200 512 "-" "Mozilla/5.0"`,
	} {
		b.Run(name, func(b *testing.B) {
			set := compile(b, rules.Shipped())
			l := logscan.ParseLine([]byte(line))
			set.Match(&l) // compiles
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				set.Match(&l)
			}
		})
	}
}

// BenchmarkCompile is what the rules cost a run that reads nothing.
func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		rules.Compile(rules.Shipped(), nil, rules.Options{})
	}
}

// BenchmarkManyRules is the cost of a line of another program's with ever more
// rules of this site's own beside the shipped ones: half of them see whole lines.
func BenchmarkManyRules(b *testing.B) {
	line := []byte("Jan  5 01:31:41 www CRON[1643]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)")
	for _, n := range []int{0, 100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			defs := rules.Shipped()
			for i := range n {
				d := rules.Def{Name: fmt.Sprintf("site-R%d", i), Pattern: fmt.Sprintf(`{LOG_PREFIX{site%d}} no entry %d for {HOST_IP}$`, i%50, i)}
				if i%2 == 0 {
					d.Pattern = fmt.Sprintf(`^[\d-]+ [\d:]+ site%d: no entry for {HOST_IP}$`, i)
				}
				defs = append(defs, d)
			}
			set := compile(b, defs)
			l := logscan.ParseLine(line)
			for range 1000 {
				set.Match(&l) // compiles, and makes the automatons
			}
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				set.Match(&l)
			}
		})
	}
}

// BenchmarkFlood is the cost of the four lines of an attempt, of which two match.
func BenchmarkFlood(b *testing.B) {
	var lines []record.Line
	for i := range 1000 {
		for _, text := range []string{"Connection from %s on 192.0.2.5 port 22", "Invalid user test%d from %s", "Failed password for invalid user test%d from %s ssh2", "Connection closed by %s"} {
			from := fmt.Sprintf("198.18.%d.%d port %d", i/200, i%200, 1024+i)
			args := []any{i % 100, from}[2-strings.Count(text, "%"):]
			lines = append(lines, logscan.ParseLine(fmt.Appendf(nil, "Jan  5 01:31:%02d www sshd[%d]: "+text, append([]any{i / 20, i}, args...)...)))
		}
	}
	set := compile(b, rules.Shipped())
	for b.Loop() {
		for i := range lines {
			set.Match(&lines[i])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(lines)), "ns/line")
}

// BenchmarkQuiet is the cost of a line that is no failure, in a log of many
// programs, half of which have rules.
func BenchmarkQuiet(b *testing.B) {
	var lines []record.Line
	for i := range 1000 {
		for _, text := range []string{
			"CRON[%d]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
			"systemd[%d]: Started logrotate.service - Rotate log files.",
			"kernel: [%d.123456] eth0: link up, 1000Mbps, full duplex, lpa 0xC5E1",
			"postfix/smtpd[%d]: connect from mail.example.org[198.51.100.7]",
			"postfix/qmgr[%d]: 4F8A91C0042: removed",
			"dovecot[%d]: imap-login: Login: user=<amy>, method=PLAIN, rip=198.51.100.20, lip=192.0.2.5, mpid=4711, TLS, session=<k3aXbq8H2NfGM2QU>",
			"named[%d]: client @0x7f3c10021c18 198.51.100.20#51132 (www.example.org): query: www.example.org IN A +E(0)K (192.0.2.5)",
			"haproxy[%d]: 198.51.100.21:40231 [05/Jan/2026:01:31:41.201] www~ app/app2 0/0/0/3/3 304 231 - - ---- 12/12/0/0/0 0/0 \"GET /img/logo.svg HTTP/1.1\"",
			"sshd[%d]: Accepted publickey for amy from 198.51.100.20 port 51132 ssh2: ED25519 SHA256:Wq3F0Yl5c1xkS8e0m7gVqkq4Xz2dT1nB9pLr6uJhA0s",
			"app[%d]: job done in 12 ms, 4711 rows, next one at 01:32",
		} {
			lines = append(lines, logscan.ParseLine(fmt.Appendf(nil, "Jan  5 01:%02d:%02d www "+text, i/60%60, i%60, 300+i*7)))
		}
	}
	set := compile(b, rules.Shipped())
	for b.Loop() {
		for i := range lines {
			set.Match(&lines[i])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(lines)), "ns/line")
}
