package logscan

import (
	"os"
	"slices"
	"testing"
	"time"
)

// TestLossIsRemembered: that lines may be lost stays on record, run after run.
func TestLossIsRemembered(t *testing.T) {
	d := newDir(t, "auth.log")
	d.write("auth.log", failures(0, 5))
	d.scan()
	d.must(os.Truncate(d.join("auth.log"), 0))
	d.options.Now = noon.Add(time.Minute)
	d.write("auth.log", failures(8000, 8001))
	d.scan()
	when := d.options.Now
	for range 2 {
		if o := d.offsets[0]; !o.Gap.Equal(when) || o.Lost != 0 {
			t.Fatalf("%+v", o)
		}
		d.options.Now = d.options.Now.Add(time.Minute)
		d.write("auth.log", failure(8002))
		d.scan()
	}

	// The end of a rotated file that never came.
	d.write("auth.log", "an unfinished line")
	d.scan()
	d.must(os.Rename(d.join("auth.log"), d.join("auth.log.1")))
	d.write("auth.log", failure(8003))
	d.options.Now = d.options.Now.Add(3 * time.Hour)
	d.scan()
	d.options.Now = d.options.Now.Add(time.Minute)
	d.scan()
	if o := d.offsets[0]; o.Lost != int64(len("an unfinished line")) || !o.Gap.Equal(when) {
		t.Errorf("%+v", o)
	}
}

// TestBounds: failures before Since and after Until are passed over, in files
// of every kind; a line without a stamp is of now.
func TestBounds(t *testing.T) {
	d := newDir(t, "auth.log")
	d.write("auth.log", failures(0, 10)+"sshd[1]: Failed password for bare from 192.0.2.1 port 1 ssh2\n")
	at := func(n int) time.Time { return noon.Add(-time.Hour + time.Duration(n)*time.Second) }
	for _, c := range []struct {
		since, until time.Time
		want         []string
	}{
		{at(3), at(5), []string{"u3", "u4", "u5"}},
		{at(8), time.Time{}, []string{"u8", "u9"}},
		{time.Time{}, at(1), []string{"u0", "u1"}},
		{noon.Add(time.Second), time.Time{}, nil},
	} {
		for _, clockRun := range []bool{false, true} {
			d.offsets, d.users = nil, nil
			d.options.Since, d.options.Until, d.options.ClockRun = c.since, c.until, clockRun
			r := d.scan()
			if !slices.Equal(d.users, c.want) || r.Matched != len(c.want) || r.Lines != 11 {
				t.Errorf("%v to %v: %v of %d lines, want %v", c.since, c.until, d.users, r.Lines, c.want)
			}
		}
	}
}
