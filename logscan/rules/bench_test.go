package rules_test

import (
	"testing"

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
