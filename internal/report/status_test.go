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

// state has one of each: blocked by count, by prefix, by the denylist, a
// prefix that holds a host, and watched ones.
func state() record.State {
	at := func(hours int) time.Time { return now.Add(-time.Duration(hours) * time.Hour).UTC() }
	sshd := func(n, hours int) []record.ServiceCount {
		return []record.ServiceCount{{Service: "proftpd", Counter: record.Counter{Count: 1, Last: at(hours)}}, {Service: "sshd", Counter: record.Counter{Count: n, Last: at(hours)}}}
	}
	return record.State{
		Hosts: []record.Host{
			{Net: prefix("192.0.2.1"), Counter: record.Counter{Count: 8, Last: at(3)}, Services: sshd(7, 3)},
			{Net: prefix("192.0.2.9"), Counter: record.Counter{Count: 3, Last: at(1)}, Services: sshd(2, 1)},
			{Net: prefix("198.51.100.7"), Counter: record.Counter{Count: 1, Last: at(2)}},
			{Net: prefix("203.0.113.5"), Counter: record.Counter{Count: 1, Last: at(2)}},
			{Net: prefix("2001:db8:1:2::/64"), Counter: record.Counter{Count: 9, Last: at(4)}, Services: sshd(8, 4)},
			{Net: prefix("2001:db8:1:3::/64"), Counter: record.Counter{Count: 2, Last: at(5)}, Services: sshd(1, 5), Offenders: []netip.Addr{netip.MustParseAddr("2001:db8:1:3::1")}},
		},
		Blocks: []record.Block{
			{Net: prefix("192.0.2.1"), Host: prefix("192.0.2.1"), Reason: record.ReasonCount, Since: at(4), Count: 8, Services: []string{"proftpd", "sshd"}},
			{Net: prefix("203.0.113.0/24"), Reason: record.ReasonDenylist, Since: at(60)},
			{Net: prefix("2001:db8:1:2::/64"), Host: prefix("2001:db8:1:2::/64"), Reason: record.ReasonPrefix, Since: at(4), Until: at(-100), Count: 9, Services: []string{"sshd"}},
		},
		Past: []record.Past{{Net: prefix("192.0.2.1"), Blocks: 3, Last: at(4)}},
	}
}

func status() Status {
	s := NewStatus("/etc/hosts.allow", state(), endsAfter(12*time.Hour), now)
	s.Sources = []SourceStatus{
		{Kind: "file", Path: "/var/log/auth.log", Offset: 7933, Size: 7933},
		{Kind: "file", Path: "/var/log/vsftpd.log", Offset: 10, Size: 4000},
		{Kind: "file", Path: "/var/log/secure", Offset: 5, Problem: "missing"},
	}
	s.Blockers = []BlockerStatus{
		{Name: "iptables", Present: 2, Missing: 1},
		{Name: "iproute", Error: "no root"},
	}
	return s
}

func TestStatusText(t *testing.T) {
	const want = `/etc/hosts.allow, 2026-01-05 12:00:00 CET

Blocked: 3
  address            count  since                         until                        reason    services
  192.0.2.1          8      2026-01-05 08:00:00 (4h ago)  2026-01-05 21:00:00 (in 9h)  count     proftpd sshd
  203.0.113.0/24     0      2026-01-03 00:00:00 (2d ago)  never                        denylist  -
  2001:db8:1:2::/64  9      2026-01-05 08:00:00 (4h ago)  2026-01-09 16:00:00 (in 4d)  prefix    sshd

Watched: 3
  address            count  last                          services
  192.0.2.9          3      2026-01-05 11:00:00 (1h ago)  proftpd sshd
  198.51.100.7       1      2026-01-05 10:00:00 (2h ago)  -
  2001:db8:1:3::/64  2      2026-01-05 07:00:00 (5h ago)  proftpd sshd

Sources: 3
  kind  path                 offset  size
  file  /var/log/auth.log    7933    7933  all read
  file  /var/log/vsftpd.log  10      4000  3990 bytes to read
  file  /var/log/secure      5       -     missing

Blockers: 2
  name      present  missing  extra
  iptables  2        1        0      the next run mends it
  iproute   -        -        -      no root
`
	var b bytes.Buffer
	if err := StatusText(&b, status()); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestStatusTextEmpty(t *testing.T) {
	const want = `/etc/hosts.allow, 2026-01-05 12:00:00 CET

Blocked: nobody is blocked

Watched: nobody is watched

Sources: nothing is read

Blockers: none is configured; the deny lines of the blockfile are all that blocks
`
	var b bytes.Buffer
	if err := StatusText(&b, NewStatus("/etc/hosts.allow", record.State{}, endsAfter(0), now)); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// TestStatusJSON holds the contract, field by field.
func TestStatusJSON(t *testing.T) {
	want := strings.Join([]string{
		`{"blockfile":"/etc/hosts.allow","blocked":[`,
		`{"address":"192.0.2.1","count":8,"since":"2026-01-05T07:00:00Z","until":"2026-01-05T20:00:00Z","services":["proftpd","sshd"],"reason":"count"},`,
		`{"address":"203.0.113.0/24","count":0,"since":"2026-01-02T23:00:00Z","until":null,"services":[],"reason":"denylist"},`,
		`{"address":"2001:db8:1:2::/64","count":9,"since":"2026-01-05T07:00:00Z","until":"2026-01-09T15:00:00Z","services":["sshd"],"reason":"prefix"}],`,
		`"watched":[{"address":"192.0.2.9","count":3,"last":"2026-01-05T10:00:00Z","services":["proftpd","sshd"]},`,
		`{"address":"198.51.100.7","count":1,"last":"2026-01-05T09:00:00Z","services":[]},`,
		`{"address":"2001:db8:1:3::/64","count":2,"last":"2026-01-05T06:00:00Z","services":["proftpd","sshd"]}],`,
		`"sources":[{"kind":"file","path":"/var/log/auth.log","offset":7933,"size":7933},`,
		`{"kind":"file","path":"/var/log/vsftpd.log","offset":10,"size":4000},`,
		`{"kind":"file","path":"/var/log/secure","offset":5,"size":0}],`,
		`"blockers":[{"name":"iptables","present":2,"missing":1,"extra":0},`,
		`{"name":"iproute","error":"no root"}]}` + "\n",
	}, "")
	var b bytes.Buffer
	if err := StatusJSON(&b, status()); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	if err := StatusJSON(&b, Status{Blockfile: "/etc/hosts.allow"}); err != nil {
		t.Fatal(err)
	}
	if want := `{"blockfile":"/etc/hosts.allow","blocked":[],"watched":[],"sources":[],"blockers":[]}` + "\n"; b.String() != want {
		t.Errorf("empty: %s", b.String())
	}
}

// TestStatusHostile: a path may hold anything. JSON gives it back whole, and
// neither form moves a cursor.
func TestStatusHostile(t *testing.T) {
	path := "/var/log/\x1b[2J\u009b\u202e\U000e0001\x7f\n<&>.log"
	s := Status{Now: now, Blockfile: path, Sources: []SourceStatus{{Kind: "file", Path: path, Problem: path}}, Blockers: []BlockerStatus{{Name: path, Error: path}}}
	var text, js bytes.Buffer
	if err := StatusText(&text, s); err != nil {
		t.Fatal(err)
	}
	if err := StatusJSON(&js, s); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]string{"text": text.String(), "JSON": js.String()} {
		if strings.ContainsFunc(strings.ReplaceAll(b, "\n", ""), unsafeRune) {
			t.Errorf("%s is not clean: %q", name, b)
		}
	}
	var back struct{ Blockfile string }
	if err := json.Unmarshal(js.Bytes(), &back); err != nil || back.Blockfile != path {
		t.Errorf("JSON gives back %q, %v", back.Blockfile, err)
	}
	if n := strings.Count(js.String(), "\n"); n != 1 {
		t.Errorf("JSON has %d lines", n)
	}
}

// endsAfter is expire's rule for the limits of these tests: a block without an
// end of its own lasts until its host is forgotten.
func endsAfter(discard time.Duration) Ends {
	st := state()
	return func(b record.Block) time.Time {
		for _, h := range st.Hosts {
			if b.Until.IsZero() && b.Reason != record.ReasonDenylist && h.Net == b.Host {
				return h.Last.Add(discard)
			}
		}
		return b.Until
	}
}
