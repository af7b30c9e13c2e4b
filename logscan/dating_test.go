package logscan

import (
	"testing"
	"time"
)

// TestDating: the time of a line is that of its own stamp, whatever the line
// before began with. Rows begin alike, as where a daemon's format was changed.
func TestDating(t *testing.T) {
	lines := []string{
		"Jan  5 01:31:41 sshd[1]:",
		"Jan  5 01:31:41 2025 www sshd[1]: x",
		"Jan  5 01:31:41 2.example sshd[1]: x",
		"Jan  5 01:31:41 2025.example sshd[1]: x",
		"2026-01-05 01:31:41 www sshd[1]: x",
		"2026-01-05 01:31:41 +0300 www sshd[1]: x",
		"2026-01-05 01:31:41 +03:30 www sshd[1]: x",
		"Mon 2026-01-05 01:31:41 www sshd[1]: x",
		"Mon 2026-01-05 01:31:41 UTC www sshd[1]: x",
		"Mon 2026-01-05 01:31:41 UT sshd[1]: x",
	}
	for _, s := range stamps {
		lines = append(lines, s.line)
	}
	of := &setting{now: noon, zone: time.FixedZone("", 3600), bare: true}
	for _, first := range lines {
		for _, second := range lines {
			var d dating
			a, b := ParseLine([]byte(first)), ParseLine([]byte(second))
			d.when(of, &a)
			want, ok := Stamp(&b, of.now, of.zone)
			if !ok {
				want = of.now
			}
			if at, _ := d.when(of, &b); at != want.UnixMicro() {
				t.Errorf("%q behind %q: %s, want %s", second, first, time.UnixMicro(at).UTC(), want)
			}
		}
	}
}
