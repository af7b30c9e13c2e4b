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
