package report

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

func input() MailInput {
	d := decision(record.ActionBlock, "192.0.2.1", 8, "8 failures (proftpd 1, sshd 7), limit 7")
	d.Services = []string{"proftpd", "sshd"}
	d.Last, d.Users = now.Add(-3*time.Hour), []string{"admin", "root"}
	d.Before, d.Prior = 2, now.Add(-100*time.Hour)
	d.Lines = []string{"Jan  5 09:00:00 www sshd[1643]: Failed password for root from 192.0.2.1 port 56502 ssh2"}
	return MailInput{
		Host: "www", Now: now, State: state(), Ends: endsAfter(12 * time.Hour),
		Decisions: []record.Decision{
			d,
			decision(record.ActionRelease, "192.0.2.2", 9, "no failure for as long as discard says"),
			decision(record.ActionForget, "192.0.2.3", 1, ""),
		},
		Earlier: []record.Event{{At: now.Add(-time.Hour), Action: record.ActionBlock, Net: prefix("2001:db8:1:2::/64"), Reason: record.ReasonPrefix, Count: 9, Before: 1, Services: []string{"sshd"}}},
		Began:   []record.Problem{{Key: "iptables", Text: "iptables: not found; install it", Fails: true}},
		Ended:   []record.Trouble{{Text: "source /var/log/auth.log: permission denied", Since: now.Add(-50 * time.Hour)}},
	}
}

func TestMail(t *testing.T) {
	subject, body, send := Mail(input())
	if want := "[blockhosts] www: 1 blocked, 1 expired, 1 problem, 1 problem over, 1 told late"; subject != want || !send {
		t.Errorf("subject %q, send %v", subject, send)
	}
	const want = `blockhosts on www, 2026-01-05 12:00:00 CET

Newly blocked: 1
  192.0.2.1: 8 failures (proftpd 1, sshd 7), limit 7
    reason:         count
    count:          8
    services:       proftpd sshd
    last attempt:   2026-01-05 09:00:00 (3h ago)
    users tried:    "admin", "root"
    blocked before: 2 times, last until 2026-01-01 08:00:00 (4d ago)
    lines:
      Jan  5 09:00:00 www sshd[1643]: Failed password for root from 192.0.2.1 port 56502 ssh2

No longer blocked: 1
  192.0.2.2: no failure for as long as discard says

Problems: 1
  iptables: not found; install it

Problems that are over: 1
  source /var/log/auth.log: permission denied
    since 2026-01-03 10:00:00 (2d ago)

Not told before, since mail could not be sent: 1
  2026-01-05 11:00:00  2001:db8:1:2::/64: blocked, prefix, count 9, services sshd, 1 block before

All blocked: 3
  address            count  since                         until                        reason    services
  192.0.2.1          8      2026-01-05 08:00:00 (4h ago)  2026-01-05 21:00:00 (in 9h)  count     proftpd sshd
  2001:db8:1:2::/64  9      2026-01-05 08:00:00 (4h ago)  2026-01-09 16:00:00 (in 4d)  prefix    sshd
  203.0.113.0/24     0      2026-01-03 00:00:00 (2d ago)  never                        denylist  -

Watched: 3
  address            count  last                          services
  192.0.2.9          3      2026-01-05 11:00:00 (1h ago)  proftpd sshd
  198.51.100.7       1      2026-01-05 10:00:00 (2h ago)  -
  2001:db8:1:3::/64  2      2026-01-05 07:00:00 (5h ago)  proftpd sshd
`
	if body != want {
		t.Errorf("got\n%s\nwant\n%s", body, want)
	}
}

// TestMailWanted: only what is news is mailed.
func TestMailWanted(t *testing.T) {
	all := input()
	for name, c := range map[string]struct {
		in   MailInput
		want string // the subject's end, empty: no mail
	}{
		"nothing":   {MailInput{}, ""},
		"blocked":   {MailInput{Decisions: all.Decisions[:1]}, "1 blocked"},
		"expired":   {MailInput{Decisions: all.Decisions[1:2]}, "1 expired"},
		"forgotten": {MailInput{Decisions: all.Decisions[2:]}, ""},
		"failed":    {MailInput{Began: all.Began}, "1 problem"},
		"reminder":  {MailInput{Lasting: all.Began, Began: all.Began}, "2 problems"},
		"mended":    {MailInput{Ended: all.Ended}, "1 problem over"},
		"late":      {MailInput{Earlier: all.Earlier}, "1 told late"},
	} {
		c.in.Host, c.in.Now, c.in.State = "www", now, state()
		subject, body, send := Mail(c.in)
		if send != (c.want != "") || send && subject != "[blockhosts] www: "+c.want || send != (body != "") {
			t.Errorf("%s: send %v, subject %q", name, send, subject)
		}
	}
}

func TestMailCheckIP(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1":        "192.0.2.1 is blocked",
		"192.0.2.9":        "192.0.2.9 is watched",
		"203.0.113.77":     "203.0.113.77 is blocked",
		"2001:db8:1:2::77": "2001:db8:1:2::77 is blocked",
		"2001:db8:1:3::1":  "2001:db8:1:3::1 is watched",
		"192.0.2.200":      "",
	} {
		in := input()
		in.CheckIP = netip.MustParseAddr(addr)
		subject, body, send := Mail(in)
		if send != (want != "") || send && subject != "[blockhosts] www: "+want {
			t.Errorf("%s: send %v, subject %q", addr, send, subject)
		}
		for _, other := range []string{"192.0.2.2", "iptables", "198.51.100.7"} {
			if strings.Contains(body, other) {
				t.Errorf("%s: the mail tells of %s too:\n%s", addr, other, body)
			}
		}
	}
	in := input()
	in.CheckIP = netip.MustParseAddr("192.0.2.1")
	_, body, _ := Mail(in)
	for _, want := range []string{"Newly blocked: 1\n", `"admin", "root"`, "Blocked: 1\n", "192.0.2.1: blocked 3 times so far"} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %q:\n%s", want, body)
		}
	}
}

// hostileText is what remote clients would like to see in a mail.
var hostileText = []string{
	"root\r\nBcc: eve@example.org\r\n\r\n.\r\nMAIL FROM:<eve@example.org>",
	"\x1b[2J\x1b]0;owned\a\u009b31m",
	"\u202e66.2.0.291\u202c\u2066\u200b",
	"a\x00b\xff\xc3\x28",
	strings.Repeat("A", 10<<10),
	strings.Repeat("\u202e", 10<<10),
	"~!rm -rf /",
	"  192.0.2.1: harmless",
}

func TestMailHostile(t *testing.T) {
	in := input()
	in.Host = hostileText[0]
	d := &in.Decisions[0]
	d.Users, d.Lines, d.Detail = hostileText, hostileText, hostileText[0]
	d.Services = hostileText
	for _, s := range hostileText {
		in.Began = append(in.Began, record.Problem{Key: s, Text: s})
		in.Ended = append(in.Ended, record.Trouble{Text: s})
	}
	in.State.Blocks[0].Services = hostileText
	in.State.Hosts[1].Services = []record.ServiceCount{{Service: hostileText[1] + "\t"}}
	subject, body, _ := Mail(in)
	if strings.ContainsFunc(subject, unsafeRune) || len(subject) > 300 {
		t.Errorf("subject %q", subject)
	}
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if strings.ContainsFunc(line, unsafeRune) || len(line) > 10000 {
			t.Errorf("line %.300q", line)
		}
		if line != "" && !strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "blockhosts on ") && !strings.Contains(line, ": ") {
			t.Errorf("foreign text begins a line: %q", line)
		}
		if strings.HasPrefix(line, "  192.0.2.1: harmless") || strings.HasPrefix(line, "Bcc") || strings.HasPrefix(line, "~") {
			t.Errorf("foreign text forges a line: %q", line)
		}
	}
}

// TestMailBounded: a mail about a flood is still one that a server takes.
func TestMailBounded(t *testing.T) {
	in := MailInput{Host: "www", Now: now, Ends: endsAfter(time.Hour)}
	for i := range 20000 {
		p := record.Single(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}))
		d := record.Decision{Event: record.Event{At: now, Action: record.ActionBlock, Net: p, Reason: record.ReasonCount, Count: 8}}
		for range 10 {
			d.Users = append(d.Users, strings.Repeat("\xff", 64))
			d.Lines = append(d.Lines, strings.Repeat("\xff", 300))
		}
		in.Decisions = append(in.Decisions, d)
		d.Action = record.ActionRelease
		in.Decisions = append(in.Decisions, d)
		in.Earlier = append(in.Earlier, d.Event)
		in.Began = append(in.Began, record.Problem{Text: strings.Repeat("x", 5000)})
		in.Ended = append(in.Ended, record.Trouble{Text: strings.Repeat("x", 5000)})
		services := []string{strings.Repeat("s", 1000)}
		in.State.Blocks = append(in.State.Blocks, record.Block{Net: p, Host: p, Reason: record.ReasonCount, Since: now, Services: services})
		w := record.Single(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}))
		in.State.Hosts = append(in.State.Hosts, record.Host{Net: w, Counter: record.Counter{Count: 1, Last: now}})
	}
	subject, body, send := Mail(in)
	if !send || len(body) > 1<<20 || len(body) < 1<<18 {
		t.Errorf("send %v, %d bytes", send, len(body))
	}
	if want := "[blockhosts] www: 20000 blocked, 20000 expired, 20000 problems, 20000 problems over, 20000 told late"; subject != want {
		t.Errorf("subject %q", subject)
	}
	if n := strings.Count(body, "more, which"); n != 7 {
		t.Errorf("%d chapters say that they are cut, want 7", n)
	}
	for _, chapter := range []string{"All blocked: 20000\n", "Watched: 20000\n"} {
		_, rest, ok := strings.Cut(body, chapter)
		rest, _, cut := strings.Cut(rest, "  and 19500 more")
		if rows := strings.Count(rest, "\n"); !ok || !cut || rows != maxMailRows+1 {
			t.Errorf("%q: %d rows", chapter, rows)
		}
	}
}

func BenchmarkMail(b *testing.B) {
	in := input()
	for i := range 200000 {
		a := netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)})
		in.State.Hosts = append(in.State.Hosts, record.Host{Net: record.Single(a), Counter: record.Counter{Count: 1, Last: now}})
	}
	for b.Loop() {
		if _, _, send := Mail(in); !send {
			b.Fatal("nothing to send")
		}
	}
}

func ExampleDuration() {
	fmt.Println(Duration(76*time.Hour), Duration(12*time.Hour))
	// Output: 3d4h 12h
}
