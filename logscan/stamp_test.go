package logscan

import (
	"testing"
	"time"
	_ "time/tzdata" // the tests' zones, on hosts without a database of their own
)

func zone(t testing.TB, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// stamps: each is 5 January 2026, 01:31:41, of a zone in which it is one hour
// later than in UTC, unless it says otherwise.
var stamps = []struct{ line, utc string }{
	{"Jan  5 01:31:41 www sshd[1]: x", "2026-01-05T00:31:41Z"},
	{"Jan  5 01:31:41 2026 www sshd[1]: x", "2026-01-05T00:31:41Z"},
	{"Jan  5 2025 01:31:41 www sshd[1]: x", "2025-01-05T00:31:41Z"},
	{"2024 Jan  5 01:31:41 www sshd[1]: x", "2024-01-05T00:31:41Z"},
	{"Jan  5 01:31:41.25 www sshd[1]: x", "2026-01-05T00:31:41.25Z"},
	{"Dec 31 01:31:41 www sshd[1]: x", "2025-12-31T00:31:41Z"},
	{"Feb 29 01:31:41 www sshd[1]: x", "2024-02-29T00:31:41Z"},
	{"Jan 11 11:00:00 www sshd[1]: x", "2026-01-10T12:00:00Z"}, // the next day: now
	{"Jan 12 11:00:00 www sshd[1]: x", "2025-01-12T10:00:00Z"},
	{"Jan  5 01:31:41 [sshd] x", "2026-01-05T00:31:41Z"},
	{"<38>Jan  5 01:31:41 www sshd[1]: x", "2026-01-05T00:31:41Z"},
	{"2026-01-05T01:31:41 www sshd[1]: x", "2026-01-05T00:31:41Z"},
	{"2026-01-05T01:31:41.123456+01:00 www sshd[1]: x", "2026-01-05T00:31:41.123456Z"},
	{"2026-01-05T01:31:41,5-0530 www sshd[1]: x", "2026-01-05T07:01:41.5Z"},
	{"2026-01-05T01:31:41+01 www sshd[1]: x", "2026-01-05T00:31:41Z"},
	{"2026-01-05 01:31:41 +0300 www sshd[1]: x", "2026-01-04T22:31:41Z"},
	{"2026-01-05T01:31:60Z www sshd[1]: x", "2026-01-05T01:32:00Z"},
	{"2027-01-05T01:31:41Z www sshd[1]: x", "2026-01-10T12:00:00Z"}, // later than now
	{"Mon 2026-01-05 01:31:41 CET www sshd[1]: x", "2026-01-05T00:31:41Z"},
	{"Mon 2026-01-05 01:31:41 UTC www sshd[1]: x", "2026-01-05T01:31:41Z"},
	{"Mon 2026-01-05 01:31:41 XYZ www sshd[1]: x", "2026-01-05T00:31:41Z"},
	{"1767573101.5 www sshd[1]: x", "2026-01-05T00:31:41.5Z"},
	{"1767573101.500000 www sshd[1]: x", "2026-01-05T00:31:41.5Z"},
	{"<38>1 2026-01-05T01:31:41.5Z www sshd 1 - - x", "2026-01-05T01:31:41.5Z"},
	{"@40000000695b06771dcd6500 x", "2026-01-05T00:31:41.5Z"},
	{"Mon Jan  5 01:31:41 2026 authpriv.info sshd[1]: x", "2026-01-05T00:31:41Z"},
	{"www nginx[1]: 2026/01/05 01:31:41 [error] x", "2026-01-05T00:31:41Z"},

	{"[Mon Jan 05 01:31:41.123456 2026] [core:error] [pid 1] [client 192.0.2.1:1] x", "2026-01-05T00:31:41.123456Z"},
	{"[Mon Jan 05 01:31:41 2026] [error] [client 192.0.2.1] x", "2026-01-05T00:31:41Z"},
	{"www 192.0.2.1 - bob [05/Jan/2026:01:31:41 +0200] \"GET /\" 401 1", "2026-01-04T23:31:41Z"},
	{"192.0.2.1 - a[1]b [05/Jan/2026:01:31:41 +0000] \"GET /\" 401 1", "2026-01-05T01:31:41Z"},
	{"2026/01/05 01:31:41 [error] 1#1: x", "2026-01-05T00:31:41Z"},
	{"2026-01-05 01:31:41 H=(x) [192.0.2.1] x", "2026-01-05T00:31:41Z"},
	{"2026-01-05 01:31:41.008 +08:00 [WRN] x", "2026-01-04T17:31:41.008Z"},
	{"2026-01-05T01:31:41.344Z: Failed Login", "2026-01-05T01:31:41.344Z"},
	{"2026:01:05-01:31:41: '192.0.2.1' 2 failed", "2026-01-05T00:31:41Z"},
	{"[2026-01-05 01:31:41] NOTICE[1] x", "2026-01-05T00:31:41Z"},
	{"[2026-01-05 01:31:41.129][a::b][ERROR] x", "2026-01-05T00:31:41.129Z"},
	{"<W>2026-01-05 01:31:41.818 1 => x", "2026-01-05T00:31:41.818Z"},
	{"L 01/05/2026 - 01:31:41: Bad Rcon", "2026-01-05T00:31:41Z"},
	{"logger=context userId=0 orgId=0 uname= t=2026-01-05T01:31:41.5+01:00 level=info msg=x", "2026-01-05T00:31:41.5Z"},
	{"192.0.2.1 -  -  [05/janv./2026:01:31:41 +0100] \"GET /\" 401 1", "2026-01-05T00:31:41Z"},
	{"192.0.2.1 -  -  [05/d\u00e9c./2025:01:31:41 +0100] \"GET /\" 401 1", "2025-12-05T00:31:41Z"},
	{"192.0.2.1 -  -  [05/Mai/2025:01:31:41 +0200] \"GET /\" 401 1", "2025-05-04T23:31:41Z"},
	{"Mon Jan  5 01:31:41 2026 [pid 8618] [bob] FAIL LOGIN: Client \"192.0.2.1\"", "2026-01-05T00:31:41Z"},
	{"Mon Jan 5 01:31:41 UTC 2026 x", "2026-01-05T01:31:41Z"},
	{"[Jan  5 01:31:41] NOTICE[1]: x", "2026-01-05T00:31:41Z"},
	{"[PST Jan  5 01:31:41] error : x", "2026-01-05T09:31:41Z"},
	{"Jan-05-26 01:31:41 [SSL-out] x", "2026-01-05T00:31:41Z"},
	{"jan 5, 2026 1:31:41 AM org.example x", "2026-01-05T00:31:41Z"},
	{"Jan 4, 2026 1:31:41 PM org.example x", "2026-01-04T12:31:41Z"},
	{"Mon, 05 Jan 2026 01:31:41 +0100 x", "2026-01-05T00:31:41Z"},
	{"05-01-2026 01:31:41 +0300 x", "2026-01-04T22:31:41Z"},
	{"05-01-2026 01:31:41   SMTP Server: x", "2026-01-05T00:31:41Z"},
	{"05-01-26 01:31:41 x", "2026-01-05T00:31:41Z"},
	{"[05/01/26 01:31:41] x", "2026-01-05T00:31:41Z"},
	{"01/27/2025 01:31:41 x", "2025-01-27T00:31:41Z"},
	{"01/05/2026 01:31:41 x", "2026-01-05T00:31:41Z"}, // the first of May is not there yet
	{"05.01.2026 01:31:41 x", "2026-01-05T00:31:41Z"},
	{"[05-Jan-2026 01:31:41 -0500]: x", "2026-01-05T06:31:41Z"},
	{"[05/Jan/2026 01:31:41] x", "2026-01-05T00:31:41Z"},
	{"260105  1:31:41 [Warning] x", "2026-01-05T00:31:41Z"},
	{"260105 01:31:41 [Warning] x", "2026-01-05T00:31:41Z"},
	{"[20260105-01:31:41] [INFO ] x", "2026-01-05T00:31:41Z"},
	{"20260105-013141 x", "2026-01-05T00:31:41Z"},
	{"20260105T013141Z x", "2026-01-05T01:31:41Z"},
	{"01-05 01:31:41.026292 [WARN] x", "2026-01-05T00:31:41.026292Z"},
	{"1767573101.000      5 192.0.2.1 NONE/405", "2026-01-05T00:31:41Z"},
	{"1767573101 - 01/05/2026 00:31:41 Host: x", "2026-01-05T00:31:41Z"},
	{"01:31:41.907 [exec-10] WARN x", "2026-01-10T00:31:41.907Z"},
	{"23:31:41 [exec-10] WARN x", "2026-01-09T22:31:41Z"},
	{"t=2026-01-05T01:31:41+0200 lvl=eror x", "2026-01-04T23:31:41Z"},
	{`time="2026-01-05T01:31:41Z" level=error`, "2026-01-05T01:31:41Z"},
	{`{"a":"\",\"time\":\"2025-01-05T01:31:41Z","time":"2026-01-05T01:31:41Z"}`, "2026-01-05T01:31:41Z"},
	{`{"level":"x", "ts": 1767573101.5, "x":1}`, "2026-01-05T00:31:41.5Z"},
	{`{"ts":1767573101500}`, "2026-01-05T00:31:41.5Z"},
	{`{"t":{"$date":"2026-01-05T01:31:41.123+01:00"},"s":"I"}`, "2026-01-05T00:31:41.123Z"},
	{`<co ts="2026-01-05T01:31:41.99" pi="1" sc="x">`, "2026-01-05T00:31:41.99Z"},
	{"[28325:00010-3735542592] 05-01-2026 01:31:41   smtp: x", "2026-01-05T00:31:41Z"},
	{"[0D20:0002-0E74] 01/05/2026 01:31:41 AM  http: x", "2026-01-05T00:31:41Z"},
	{"1643:M 05 Jan 2026 01:31:41.123 # x", "2026-01-05T00:31:41.123Z"},
	{"type=USER_AUTH msg=audit(1767573101.500:9): x", "2026-01-05T00:31:41.5Z"},
	{"8e035 ffff3 -- none -- - 2026-01-05T01:31:41+00:00 WARN (4): x", "2026-01-05T01:31:41Z"},

	{"", ""},
	{"x", ""},
	{"2026-02-30T01:31:41Z www sshd[1]: x", ""},
	{"Feb 30 01:31:41 www sshd[1]: x", ""},
	{"[32/Jan/2026:01:31:41 +0100] x", ""},
	{"[01:31:41] x [99]", "2026-01-10T00:31:41Z"},
	{"www x[1]: 12:00:00 y", ""},
	{"<38>1 - www sshd 1 - - x", ""},
	{`{"user":"time","x":"2026-01-05T01:31:41Z"}`, ""},
	{"123456789012 x", ""},
}

func TestStamp(t *testing.T) {
	now, cet := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC), zone(t, "Europe/Berlin")
	for _, c := range stamps {
		line := ParseLine([]byte(c.line))
		got, ok := Stamp(&line, now, cet)
		switch {
		case ok != (c.utc != ""):
			t.Errorf("%q: %v, %v; want %q", c.line, got, ok, c.utc)
		case ok && got.Format(time.RFC3339Nano) != c.utc:
			t.Errorf("%q: %s, want %s", c.line, got.Format(time.RFC3339Nano), c.utc)
		case ok && got.Location() != time.UTC:
			t.Errorf("%q: not in UTC", c.line)
		}
	}
}

// TestStampSummerTime: an hour that the clocks show twice is the later one
// that is not in the future.
func TestStampSummerTime(t *testing.T) {
	cet := zone(t, "Europe/Berlin")
	for _, c := range []struct{ now, line, utc string }{
		{"2025-10-26T00:31:00Z", "Oct 26 02:30:00 www sshd[1]: x", "2025-10-26T00:30:00Z"},
		{"2025-10-26T01:31:00Z", "Oct 26 02:30:00 www sshd[1]: x", "2025-10-26T01:30:00Z"},
		{"2025-10-26T12:00:00Z", "Oct 26 01:30:00 www sshd[1]: x", "2025-10-25T23:30:00Z"},
		{"2025-10-26T12:00:00Z", "Oct 26 03:30:00 www sshd[1]: x", "2025-10-26T02:30:00Z"},
		{"2025-03-30T12:00:00Z", "Mar 30 01:59:59 www sshd[1]: x", "2025-03-30T00:59:59Z"},
		{"2025-03-30T12:00:00Z", "Mar 30 03:00:00 www sshd[1]: x", "2025-03-30T01:00:00Z"},
		{"2026-01-01T00:00:30Z", "Jan  1 01:00:10 www sshd[1]: x", "2026-01-01T00:00:10Z"},
		{"2025-12-31T23:00:30Z", "Dec 31 23:59:50 www sshd[1]: x", "2025-12-31T22:59:50Z"},
		{"2025-12-31T22:59:30Z", "Jan  1 00:00:10 www sshd[1]: x", "2025-12-31T22:59:30Z"}, // a clock ahead
		{"2024-03-01T12:00:00Z", "Feb 29 12:00:00 www sshd[1]: x", "2024-02-29T11:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		line := ParseLine([]byte(c.line))
		if got, ok := Stamp(&line, now, cet); !ok || got.Format(time.RFC3339) != c.utc {
			t.Errorf("%s at %s: %v, %v; want %s", c.line, c.now, got, ok, c.utc)
		}
	}
	gap := ParseLine([]byte("Mar 30 02:30:00 www sshd[1]: x"))
	if got, ok := Stamp(&gap, time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC), cet); !ok || got.Hour() > 1 || got.Day() != 30 {
		t.Errorf("in the hour that never was: %v, %v", got, ok)
	}
}

func FuzzStamp(f *testing.F) {
	for _, c := range stamps {
		f.Add([]byte(c.line), int64(1768046400))
	}
	for _, p := range prefixes {
		f.Add([]byte(p.prefix+"x"), int64(1709164800))
	}
	cet := zone(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, raw []byte, at int64) {
		now := time.Unix(at%1e10, 0).UTC()
		line := ParseLine(raw)
		got, ok := Stamp(&line, now, cet)
		if ok && (got.After(now) || got.Location() != time.UTC) {
			t.Fatalf("%q: %v, now is %v", raw, got, now)
		}
	})
}

func TestStampAllocates(t *testing.T) {
	now, cet := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC), zone(t, "Europe/Berlin")
	for _, c := range stamps {
		raw := []byte(c.line)
		if n := testing.AllocsPerRun(10, func() {
			line := ParseLine(raw)
			Stamp(&line, now, cet)
		}); n > 0 {
			t.Errorf("%q: %v allocations", c.line, n)
		}
	}
}

func BenchmarkStamp(b *testing.B) {
	now, cet := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC), zone(b, "Europe/Berlin")
	for _, c := range []int{0, 12, 29} {
		line := ParseLine([]byte(stamps[c].line))
		b.Run(stamps[c].line[:10], func(b *testing.B) {
			for b.Loop() {
				Stamp(&line, now, cet)
			}
		})
	}
}
