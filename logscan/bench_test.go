package logscan

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"blockhosts/internal/record"
)

// quiet is the matcher of a log in which nothing is hostile.
type quiet struct{}

func (quiet) MatchInto(_ *record.Line, m *record.Match) { *m = record.Match{} }

// syslogFile writes a log of about size bytes; one line in every is a
// failure.
func syslogFile(b *testing.B, size, every int) (path string, bytes int64) {
	var text strings.Builder
	for n := 0; text.Len() < size; n++ {
		stamp := fmt.Sprintf("Jan  5 %02d:%02d:%02d", n/3600000%24, n/60000%60, n/1000%60)
		switch {
		case every > 0 && n%every == 0:
			fmt.Fprintf(&text, "%s www sshd[%d]: Failed password for root from 192.0.2.%d port %d ssh2\n", stamp, 1000+n/4%30000, n%250+1, 1024+n%60000)
		case n%3 == 0:
			fmt.Fprintf(&text, "%s www CRON[%d]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)\n", stamp, n%30000)
		case n%3 == 1:
			fmt.Fprintf(&text, "%s www postfix/smtpd[%d]: disconnect from mail.example.com[198.51.100.7] ehlo=1 quit=1 commands=2\n", stamp, n%30000)
		default:
			fmt.Fprintf(&text, "%s www systemd[1]: Started session %d of user www-data, which is one of many.\n", stamp, n)
		}
	}
	path = filepath.Join(b.TempDir(), "auth.log")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return path, int64(text.Len())
}

func benchmarkScan(b *testing.B, m Matcher, every int) {
	path, size := syslogFile(b, 64<<20, every)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		r := Scan(context.Background(), []Source{{File: path}}, nil, m, Options{Now: noon})
		if r.Files[0].Offset != size || every > 0 && r.Failures.Len() == 0 {
			b.Fatalf("%+v", r.Files[0])
		}
	}
}

// BenchmarkScanQuiet: lines cut and their prefixes parsed, nothing else.
func BenchmarkScanQuiet(b *testing.B) { benchmarkScan(b, quiet{}, 0) }

// BenchmarkScanFlood: a quarter of the lines are failures.
func BenchmarkScanFlood(b *testing.B) { benchmarkScan(b, failedRule{}, 4) }

// BenchmarkScanIdle: four logs with nothing new.
func BenchmarkScanIdle(b *testing.B) {
	var sources []Source
	for range 4 {
		path, _ := syslogFile(b, 1<<20, 0)
		sources = append(sources, Source{File: path})
	}
	o := Options{Now: noon}
	prev := Scan(context.Background(), sources, nil, quiet{}, o).Offsets
	b.ReportAllocs()
	for b.Loop() {
		prev = Scan(context.Background(), sources, prev, quiet{}, o).Offsets
	}
}
