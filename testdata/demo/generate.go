//go:build ignore

// Generate writes the demo beside it: the logs of five days on two hosts, and
// expected.txt, what a run over them must come to. The same program writes the
// same bytes every time:
//
//	go run testdata/demo/generate.go
//
// Message forms: OpenSSH 9.8 and later (auth.c, packet.c, kex.c), Linux-PAM's
// pam_unix, vsftpd through PAM, ProFTPD's mod_auth, Postfix 3; the prefix is
// the one of rsyslog since Debian 12. All addresses are documentation's own
// (RFC 5737, RFC 3849).
package main

import (
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

var zone = time.FixedZone("", 3600)

// now is the moment of the demo's run, right after the last line.
var now = time.Date(2026, 1, 5, 8, 0, 0, 0, zone)

// A session is what one process says.
type session struct {
	at            time.Time
	file          string // "auth" or "mail"
	host, program string
	pid           int // 0: given in order of time
	lines         []line
}

type line struct {
	after time.Duration // the line before
	text  string
}

// A failure is one failed attempt, as the expectation counts it.
type failure struct {
	at   time.Time
	addr netip.Addr
}

type demo struct {
	*rand.Rand
	sessions []*session
	failures []failure
}

func main() {
	dir := flag.String("dir", "testdata/demo", "where to write")
	flag.Parse()
	d := &demo{Rand: rand.New(rand.NewPCG(2026, 105))}
	d.attackers()
	d.hostile()
	d.honest()
	d.noise()
	for name, text := range map[string]string{
		"auth.log": d.log("auth"), "mail.log": d.log("mail"), "expected.txt": d.expected(),
	} {
		if err := os.WriteFile(filepath.Join(*dir, name), []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// attackers are those who guess passwords.
func (d *demo) attackers() {
	// The loud ones: two by ssh, one by ftp on each host, one by IPv6.
	d.each(at(5, 4, 58), 25*time.Second, 420, func(t time.Time) { d.guess(t, "203.0.113.7", d.name()) })
	d.each(at(5, 3, 40), 70*time.Second, 45, func(t time.Time) { d.guessRoot(t, "203.0.113.18") })
	d.each(at(5, 1, 31), 45*time.Second, 60, func(t time.Time) { d.vsftpd(t, "198.51.100.23") })
	d.each(at(5, 4, 5), 3*time.Minute, 20, func(t time.Time) { d.proftpd(t, "198.51.100.77") })
	d.each(at(5, 5, 20), 90*time.Second, 20, func(t time.Time) { d.guess(t, "2001:db8:cafe::5", d.name()) })
	// One who owns a /64 and changes the address with every second attempt.
	d.each(at(5, 2, 10), 10*time.Minute, 14, func(t time.Time) {
		d.guess(t, fmt.Sprintf("2001:db8:bad:1::%x", 1+d.IntN(6)*0x1111), d.name())
	})
	// One who stopped days ago, one who did and came back.
	d.each(at(2, 1, 0), 40*time.Second, 120, func(t time.Time) { d.guess(t, "198.51.100.200", d.name()) })
	for _, day := range []int{2, 5} {
		d.each(at(day, 4, 30), 3*time.Minute, 12, func(t time.Time) { d.guess(t, "203.0.113.50", d.name()) })
	}
	// The patient ones: one attempt in thirteen hours; a few from each address.
	d.each(at(1, 5, 0), 13*time.Hour, 8, func(t time.Time) { d.guess(t, "198.51.100.61", "root") })
	for i := range 14 {
		addr := fmt.Sprintf("203.0.113.%d", 101+i)
		if i%3 == 2 {
			addr = fmt.Sprintf("2001:db8:aa:%x::%x", 0x10+i, 1+d.IntN(0xffff))
		}
		d.each(at(4, 22, 0), 80*time.Minute, 1+d.IntN(6), func(t time.Time) { d.guess(t, addr, d.name()) })
	}
}

// hostile are those who try to have somebody else blamed, those who only
// scan, and one whom the allowlist knows.
func (d *demo) hostile() {
	for i, user := range []string{"root from 192.0.2.66", "root from 192.0.2.66 port 22 ssh2", "x from 192.0.2.66 port 22 [preauth]"} {
		d.each(at(5, 6, i), 4*time.Minute, 4, func(t time.Time) { d.guess(t, "198.51.100.42", user) })
	}
	d.each(at(5, 0, 15), 6*time.Minute, 60, func(t time.Time) { d.scan(t, "198.51.100.90") })
	d.each(at(1, 0, 7), 4*time.Hour, 24, func(t time.Time) {
		d.sshd(t, line{0, "Connection from 192.0.2.250 port 40022 on 192.0.2.20 port 22 rdomain \"\""},
			line{0, "Failed password for monitor from 192.0.2.250 port 40022 ssh2"},
			line{0, "Connection closed by authenticating user monitor 192.0.2.250 port 40022 [preauth]"})
	})
}

// honest are people who log in, and mistype now and then.
func (d *demo) honest() {
	people := []struct{ user, addr string }{
		{"alice", "192.0.2.10"}, {"bob", "192.0.2.11"}, {"carol", "2001:db8:50::c"}, {"dave", "192.0.2.13"},
	}
	for day := 1; day <= 5; day++ {
		for i, p := range people {
			hour := 7 + d.IntN(10)
			if day == 5 {
				hour = 6
			}
			typos := max(0, d.IntN(4)-1)
			if day == 5 && i < 2 {
				typos = 1 + i
			}
			d.logIn(at(day, hour, 5+12*i), p.user, p.addr, typos)
		}
		d.ftpLogIn(at(day, 6, 50), "erin", "192.0.2.14")
	}
}

// noise is what stands between: cron, logind, sudo, mail.
func (d *demo) noise() {
	d.each(at(1, 0, 0), 17*time.Minute, 416, func(t time.Time) {
		d.say(t, "auth", "www", "CRON", line{0, "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"},
			line{time.Second, "pam_unix(cron:session): session closed for user root"})
	})
	d.each(at(1, 9, 30), 24*time.Hour, 4, func(t time.Time) {
		d.say(t, "auth", "www", "sudo", line{0, "   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/apt update"},
			line{0, "pam_unix(sudo:session): session opened for user root(uid=0) by alice(uid=1001)"},
			line{9 * time.Second, "pam_unix(sudo:session): session closed for user root"})
	})
	d.each(at(1, 0, 3), 40*time.Minute, 176, func(t time.Time) {
		addr := fmt.Sprintf("198.51.100.%d", 150+d.IntN(20))
		d.say(t, "mail", "www", "postfix/smtpd", line{0, "connect from mx.example.net[" + addr + "]"},
			line{time.Second, "disconnect from mx.example.net[" + addr + "] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5"})
	})
	// Not in the demo's enable_rules, so left alone.
	d.each(at(5, 2, 0), 5*time.Minute, 30, func(t time.Time) {
		d.say(t, "mail", "www", "postfix/smtpd", line{0, "connect from unknown[203.0.113.90]"},
			line{time.Second, "warning: unknown[203.0.113.90]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=info"},
			line{time.Second, "disconnect from unknown[203.0.113.90] ehlo=1 auth=0/1 quit=1 commands=2/3"})
	})
}

// guess is one password tried by ssh for a user who does not exist.
func (d *demo) guess(t time.Time, addr, user string) {
	port := d.port()
	d.fail(t, addr)
	last := fmt.Sprintf("Connection closed by invalid user %s %s port %d [preauth]", user, addr, port)
	if d.IntN(3) == 0 {
		last = fmt.Sprintf("Disconnected from invalid user %s %s port %d [preauth]", user, addr, port)
	}
	d.sshd(t, line{0, fmt.Sprintf("Invalid user %s from %s port %d", user, addr, port)},
		line{d.ms(90), "pam_unix(sshd:auth): check pass; user unknown"},
		line{0, fmt.Sprintf("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=%s ", addr)},
		line{d.ms(2100), fmt.Sprintf("Failed password for invalid user %s from %s port %d ssh2", user, addr, port)},
		line{d.ms(800), last})
}

// guessRoot is six passwords tried by ssh in one connection. Of five alike
// rsyslog writes one line.
func (d *demo) guessRoot(t time.Time, addr string) {
	port := d.port()
	for range 6 {
		d.fail(t, addr)
	}
	failed := fmt.Sprintf("Failed password for root from %s port %d ssh2", addr, port)
	d.sshd(t, line{0, fmt.Sprintf("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=%s  user=root", addr)},
		line{d.ms(2100), failed}, line{d.ms(10500), "message repeated 5 times: [ " + failed + "]"},
		line{0, fmt.Sprintf("error: maximum authentication attempts exceeded for root from %s port %d ssh2 [preauth]", addr, port)},
		line{0, fmt.Sprintf("Disconnecting authenticating user root %s port %d: Too many authentication failures [preauth]", addr, port)},
		line{0, fmt.Sprintf("PAM 5 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=%s  user=root", addr)},
		line{0, "PAM service(sshd) ignoring max retries; 6 > 3"})
}

// vsftpd is three passwords tried by ftp in one connection, which one process
// serves.
func (d *demo) vsftpd(t time.Time, addr string) {
	var lines []line
	for range 3 {
		d.fail(t, addr)
		lines = append(lines, line{d.ms(3000), "pam_unix(vsftpd:auth): check pass; user unknown"},
			line{0, fmt.Sprintf("pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=%s rhost=%s ", d.name(), addr)})
	}
	d.say(t, "auth", "www", "vsftpd", lines...)
}

// proftpd is the same on the host ftp, whose log www receives.
func (d *demo) proftpd(t time.Time, addr string) {
	who := fmt.Sprintf("192.0.2.21 (%s[%s]) - ", addr, addr)
	lines := []line{{0, who + "FTP session opened."}}
	for range 3 {
		d.fail(t, addr)
		lines = append(lines, line{d.ms(2000), fmt.Sprintf("%sUSER %s: no such user found from %s [%s] to 192.0.2.21:21", who, d.name(), addr, addr)})
	}
	lines = append(lines, line{0, who + "Maximum login attempts (3) exceeded, connection refused"}, line{0, who + "FTP session closed."})
	d.say(t, "auth", "ftp", "proftpd", lines...)
}

// scan is a connection without a log-in, one with a forged line in it. The
// rules for these are of the class probe, which the demo does not enable.
func (d *demo) scan(t time.Time, addr string) {
	port := d.port()
	from := fmt.Sprintf("%s port %d", addr, port)
	switch d.IntN(4) {
	case 0:
		d.sshd(t, line{0, `error: kex_exchange_identification: client sent invalid protocol identifier "Failed password for root from 192.0.2.66 port 22 ssh2"`},
			line{0, "banner exchange: Connection from " + from + ": invalid format"})
	case 1:
		d.sshd(t, line{0, "error: kex_exchange_identification: Connection closed by remote host"}, line{0, "Connection closed by " + from})
	case 2:
		d.sshd(t, line{0, "Unable to negotiate with " + from + ": no matching host key type found. Their offer: ssh-rsa,ssh-dss [preauth]"})
	case 3:
		d.sshd(t, line{0, "Connection closed by " + from + " [preauth]"})
	}
}

// logIn is somebody who gets in after some typing errors.
func (d *demo) logIn(t time.Time, user, addr string, typos int) {
	port := d.port()
	var lines []line
	if typos > 0 {
		lines = append(lines, line{0, fmt.Sprintf("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=%s  user=%s", addr, user)})
	}
	for range typos {
		d.fail(t, addr)
		lines = append(lines, line{d.ms(4000), fmt.Sprintf("Failed password for %s from %s port %d ssh2", user, addr, port)})
	}
	d.sshd(t, append(lines, line{d.ms(4000), fmt.Sprintf("Accepted password for %s from %s port %d ssh2", user, addr, port)},
		line{0, fmt.Sprintf("pam_unix(sshd:session): session opened for user %s(uid=1001) by %s(uid=0)", user, user)},
		line{time.Hour, fmt.Sprintf("Disconnected from user %s %s port %d", user, addr, port)},
		line{0, "pam_unix(sshd:session): session closed for user " + user})...)
	d.say(t.Add(d.ms(9000)), "auth", "www", "systemd-logind", line{0, fmt.Sprintf("New session %d of user %s.", 40+len(d.sessions), user)}).pid = 512
}

// ftpLogIn is somebody whose second password was right.
func (d *demo) ftpLogIn(t time.Time, user, addr string) {
	d.fail(t, addr)
	d.say(t, "auth", "www", "vsftpd", line{0, fmt.Sprintf("pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=%s rhost=%s  user=%s", user, addr, user)})
}

func (d *demo) fail(t time.Time, addr string) {
	d.failures = append(d.failures, failure{t, netip.MustParseAddr(addr)})
}

func (d *demo) sshd(t time.Time, lines ...line) { d.say(t, "auth", "www", "sshd-session", lines...) }

func (d *demo) say(t time.Time, file, host, program string, lines ...line) *session {
	s := &session{at: t, file: file, host: host, program: program, lines: lines}
	d.sessions = append(d.sessions, s)
	return s
}

// each does f n times, about every so often.
func (d *demo) each(t time.Time, every time.Duration, n int, f func(time.Time)) {
	for range n {
		f(t.Add(d.ms(int(min(every, time.Minute) / time.Millisecond))))
		t = t.Add(every)
	}
}

func at(day, hour, minute int) time.Time { return time.Date(2026, 1, day, hour, minute, 0, 0, zone) }

// ms is a random time up to n milliseconds, with the microseconds that a log
// has.
func (d *demo) ms(n int) time.Duration { return time.Duration(d.IntN(n*1000)) * time.Microsecond }

func (d *demo) port() int { return 32768 + d.IntN(28000) }

func (d *demo) name() string {
	names := strings.Fields("admin test oracle ubuntu postgres git user deploy ftpuser hadoop jenkins minecraft nagios pi support teamspeak tomcat www zabbix 1234")
	return names[d.IntN(len(names))]
}

// log writes one file, by time. The run takes place at now, so what would be
// said later is not there yet.
func (d *demo) log(file string) string {
	slices.SortStableFunc(d.sessions, func(a, b *session) int { return a.at.Compare(b.at) })
	type said struct {
		at   time.Time
		text string
	}
	var all []said
	for i, s := range d.sessions {
		t, pid := s.at, s.pid
		if pid == 0 {
			pid = 1643 + 7*i
		}
		for _, l := range s.lines {
			t = t.Add(l.after + 137*time.Microsecond)
			if s.file == file && t.Before(now) {
				all = append(all, said{t, fmt.Sprintf("%s %s %s[%d]: %s\n", t.Format("2006-01-02T15:04:05.000000-07:00"), s.host, s.program, pid, l.text)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b said) int { return a.at.Compare(b.at) })
	var text strings.Builder
	for _, s := range all {
		text.WriteString(s.text)
	}
	return text.String()
}

// What the demo's configuration says.
const (
	blockcount = 7
	discard    = 12 * time.Hour
	prefixMin  = 2
)

// alone are those who must be left alone for other reasons than that nothing
// of them is left to count.
var alone = map[string]string{
	"192.0.2.66":    "named in user names and in a client's version only",
	"192.0.2.250":   "on the allowlist",
	"198.51.100.90": "class probe, which is not enabled",
	"203.0.113.90":  "postfix, which is not enabled",
}

// A host is what is counted under one address or /64.
type host struct {
	count int
	last  time.Time
	addrs map[netip.Addr]bool
}

// expected counts the failures once more, in the plainest way there is.
func (d *demo) expected() string {
	slices.SortStableFunc(d.failures, func(a, b failure) int { return a.at.Compare(b.at) })
	hosts := map[netip.Prefix]*host{}
	for _, f := range d.failures {
		key := netip.PrefixFrom(f.addr, 32)
		if f.addr.Is6() {
			key, _ = f.addr.Prefix(64)
		}
		h := hosts[key]
		if h == nil {
			h = &host{addrs: map[netip.Addr]bool{}}
			hosts[key] = h
		}
		if f.at.Sub(h.last) >= discard {
			h.count, h.addrs = 0, map[netip.Addr]bool{}
		}
		h.count, h.last, h.addrs[f.addr] = h.count+1, f.at, true
	}
	var lines []string
	for key, h := range hosts {
		lines = append(lines, verdict(key, h))
	}
	for addr, why := range alone {
		lines = append(lines, fmt.Sprintf("alone    %-20s    # %s", addr, why))
	}
	lines = append(lines, "blocked  203.0.113.64/28         # on the denylist",
		"alone    203.0.113.200           # blocked by blockhosts.py, quiet since: released")
	slices.Sort(lines)
	return "# What the run over the demo must come to: address, count, why. Written by generate.go.\n" +
		"now      " + now.Format(time.RFC3339) + "\n" + strings.Join(lines, "\n") + "\n"
}

func verdict(key netip.Prefix, h *host) string {
	name := key.String()
	if len(h.addrs) < prefixMin || key.IsSingleIP() {
		for a := range h.addrs {
			name = a.String()
		}
	}
	switch {
	case now.Sub(h.last) >= discard:
		return fmt.Sprintf("alone    %-20s    # quiet since %s, forgotten", name, h.last.Format("January 2"))
	case h.count <= blockcount:
		return fmt.Sprintf("watched  %-20s %3d", name, h.count)
	}
	return fmt.Sprintf("blocked  %-20s %3d", name, h.count)
}
