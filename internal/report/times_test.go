package report

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0:                              "0s",
		999 * time.Millisecond:         "0s",
		30 * time.Second:               "30s",
		10 * time.Minute:               "10m",
		12 * time.Hour:                 "12h",
		3*day + 4*time.Hour:            "3d4h",
		3*day + 4*time.Minute:          "3d",
		90 * time.Minute:               "1h30m",
		90*time.Minute + 5*time.Second: "1h30m",
		400 * day:                      "400d",
		-5 * time.Minute:               "-5m",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestStamp(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.FixedZone("CET", 3600))
	for d, want := range map[time.Duration]string{
		-3*time.Hour - 40*time.Minute: "2026-01-05 08:20:00 (3h ago)",
		-50 * time.Hour:               "2026-01-03 10:00:00 (2d ago)",
		0:                             "2026-01-05 12:00:00 (now)",
		9 * time.Hour:                 "2026-01-05 21:00:00 (in 9h)",
	} {
		if got := stamp(now.Add(d).UTC(), now, "never"); got != want {
			t.Errorf("stamp(%v) = %q, want %q", d, got, want)
		}
	}
	if got := stamp(time.Time{}, now, "never"); got != "never" {
		t.Errorf("zero is %q", got)
	}
}
