package report

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

// TestReplayForms: whatever a log holds, the text moves no cursor and the JSON
// is one line.
func TestReplayForms(t *testing.T) {
	at := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	r := Replay{Now: at, From: at, To: at, Lines: 1, Failures: 1, Addresses: 1, Blocked: []Replayed{{
		Net: netip.MustParsePrefix("192.0.2.1/32"), Since: at, Count: 8, Services: []string{"sshd"}, Reason: record.ReasonPermanent, LoggedIn: 12, KeptOut: 12,
		Logins: []Login{{At: at, Addr: netip.MustParseAddr("192.0.2.1"), User: "a\x1b[2J\nb\u202e", Service: "sshd", Blocked: true}},
	}}}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"text": func(b *bytes.Buffer) error { return ReplayText(b, r) },
		"json": func(b *bytes.Buffer) error { return ReplayJSON(b, r) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if s := b.String(); strings.ContainsAny(s, "\x1b\u202e") || strings.Contains(s, "\nb") {
			t.Errorf("%s: %q", name, s)
		}
		if name == "text" {
			if !strings.Contains(b.String(), "for good") || !strings.Contains(b.String(), "would have been kept out") {
				t.Errorf("%s", b.String())
			}
			continue
		}
		var back map[string]any
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || strings.Count(b.String(), "\n") != 1 {
			t.Errorf("%v: %s", err, b.String())
		}
		if !strings.Contains(b.String(), `"until":null,"seconds":null`) || !strings.Contains(b.String(), `"logged_in":12`) {
			t.Errorf("%s", b.String())
		}
	}
	var b bytes.Buffer
	if err := ReplayJSON(&b, Replay{}); err != nil || b.String() != `{"from":null,"to":null,"lines":0,"failures":0,"addresses":0,"blocked":[]}`+"\n" {
		t.Errorf("%v: %s", err, b.String())
	}
}

// TestSourceKinds: what each kind of source shows.
func TestSourceKinds(t *testing.T) {
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	s := Status{Now: now, Sources: []SourceStatus{
		{Kind: "file", Path: "/a", Offset: 5, Size: 9, Lost: 7, Gap: now.Add(-time.Hour)},
		{Kind: "journal", Path: "journal", Cursor: "s=1;i=2", Read: now},
		{Kind: "journal", Path: "journal:/j"},
		{Kind: "fifo", Path: "/f", Offset: 3, Size: 3, Read: now},
	}}
	var b bytes.Buffer
	if err := StatusJSON(&b, s); err != nil {
		t.Fatal(err)
	}
	want := `"sources":[{"kind":"file","path":"/a","offset":5,"size":9,"lost":7,"gap":"2026-01-05T07:00:00Z"},` +
		`{"kind":"journal","path":"journal","cursor":"s=1;i=2"},{"kind":"journal","path":"journal:/j","cursor":""},` +
		`{"kind":"fifo","path":"/f","offset":3,"size":3}]`
	if !strings.Contains(b.String(), want) {
		t.Errorf("got %s\nwant %s", b.String(), want)
	}
	b.Reset()
	if err := StatusText(&b, s); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"4 bytes to read; 7 bytes were lost; lines from before 2026-01-05 07:00:00 (1h ago) may be lost", "read 2026-01-05 08:00:00 (now)", "not read yet"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q:\n%s", want, b.String())
		}
	}
}
