package logscan

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

func TestDatagram(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"<38>Jan 10 11:59:00 www sshd[1]: x", []string{"<38>Jan 10 11:59:00 www sshd[1]: x"}},
		{"<38>1 2026-01-10T11:59:00Z www sshd 1 - - x\n", []string{"<38>1 2026-01-10T11:59:00Z www sshd 1 - - x"}},
		{"<38>sshd[1]: x\r\n\x00", []string{"<38>sshd[1]: x"}},
		{"<38>sshd[1]: a\n<38>sshd[1]: b", []string{"<38>sshd[1]: a#012<38>sshd[1]: b"}}, // one message, whatever a client put into it
		{"<38>sshd[1]: a\x1b\x7f\tb", []string{"<38>sshd[1]: a#033#177\tb"}},
		{"one\ntwo\r\n\n\x00three\x00", []string{"one", "two", "three"}},
		{"<abc> no priority\nhere", []string{"<abc> no priority", "here"}},
		{"", nil},
		{"\n\x00\n", nil},
		{"<38>", []string{"<38>"}},
	} {
		var got []string
		for _, line := range Datagram([]byte(c.in)) {
			got = append(got, string(line))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

// FuzzDatagram: no line holds a newline, and one with a priority is one line.
func FuzzDatagram(f *testing.F) {
	for _, s := range []string{"<38>Jan 10 11:59:00 www sshd[1]: x\ny", "a\nb\r\n\x00c", "<1>\x00\n", "\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		lines := Datagram(in)
		if priority(in) > 0 && len(lines) != 1 {
			t.Errorf("%q is one message, not %d", in, len(lines))
		}
		for _, line := range lines {
			if bytes.ContainsAny(line, "\n") {
				t.Errorf("%q holds a newline", line)
			}
		}
	})
}

func TestScanHanded(t *testing.T) {
	const said = "Failed password for x from 192.0.2.1 port 1 ssh2"
	for _, c := range []struct {
		line string
		want time.Time // zero: no failure
	}{
		{"<38>Jan 10 11:59:00 www sshd[1]: " + said, noon.Add(-time.Minute)},
		{"<38>Jan 10 11:59:00 sshd[1]: " + said, noon.Add(-time.Minute)}, // glibc's syslog(3) names no host
		{"<38>1 2026-01-10T11:58:00Z www sshd 1 - - " + said, noon.Add(-2 * time.Minute)},
		{"<38>1 - www sshd 1 - - " + said, noon},
		{"<38>sshd[1]: " + said, noon},
		{"Jan 10 11:59:00 www sshd[1]: " + said, noon.Add(-time.Minute)},
		{"<38>Jan 10 03:00:00 www sshd[1]: " + said, noon}, // of another zone: it was sent a moment ago
		{"sshd[1]: " + said, time.Time{}},                  // a client's text may begin so
		{"<38>Jan 10 11:59:00 www cron[1]: " + said, time.Time{}},
	} {
		h := &Handed{Name: "udp 127.0.0.1:5514", Lines: [][]byte{[]byte(c.line)}, Since: noon.Add(-time.Minute)}
		r := Scan(context.Background(), []Source{{Handed: h}}, nil, failedRule{}, Options{Now: noon})
		switch {
		case c.want.IsZero() != (r.Failures.Len() == 0):
			t.Errorf("%s: %d failures", c.line, r.Failures.Len())
		case r.Failures.Len() > 0 && !r.Failures.At(0).Time.Equal(c.want):
			t.Errorf("%s: at %v, want %v", c.line, r.Failures.At(0).Time, c.want)
		}
		if len(r.Offsets) != 0 || r.Lines != 1 || r.Matched != r.Failures.Len() || r.Files[0].Path != h.Name {
			t.Errorf("%s: %+v", c.line, r)
		}
	}
}

// TestScanHandedBesideFiles: what was handed is read beside the files, and
// stands for none that are missing.
func TestScanHandedBesideFiles(t *testing.T) {
	d := newDir(t, "auth.log")
	d.write("auth.log", failure(1))
	long := bytes.Repeat([]byte("x"), MaxLine+1)
	d.sources = append(d.sources, Source{Handed: &Handed{Name: "udp", Lines: [][]byte{[]byte(strings.TrimSpace(failure(2))), long}}})
	r := d.scan()
	if r.Failures.Len() != 2 || len(r.Offsets) != 1 || r.Files[1].Skipped != 1 {
		t.Errorf("%+v", r)
	}
	d.wantProblem("1 lines of more than 64 KiB", false)
	r = Scan(context.Background(), []Source{{File: d.join("none"), Literal: true}, {Handed: &Handed{Name: "udp"}}}, nil, failedRule{}, Options{Now: noon})
	if !slices.ContainsFunc(r.Problems, func(p record.Problem) bool { return p.Fails }) {
		t.Errorf("the only file is missing: %+v", r.Problems)
	}
}
