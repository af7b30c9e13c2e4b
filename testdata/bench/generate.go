//go:build ignore

// Generate writes what compare runs over, to standard output:
//
//	generate flood LINES     a break-in attempt every four lines, 25 an address
//	generate quiet BYTES     many programs; one line in a thousand is a failure
//	generate long BYTES      one line
//	generate hosts N FIRST HOURS
//	                         N addresses from the number FIRST on, that failed 9
//	                         and 3 times in turn in so many hours; one in ten is IPv6
//	generate watched N       N addresses that failed 3 times
//	generate rules N         N rules for programs of this site, as YAML
//
// The stamps end now; -iso writes them as rsyslog does since Debian 12, else
// they are RFC 3164's, in local time. Addresses are those for benchmarks and for
// documentation (RFC 2544, RFC 3849). Message forms: OpenSSH's auth.c and
// packet.c; the quiet ones are what their programs write.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("generate: ")
	iso := flag.Bool("iso", false, "stamps as 2026-01-05T01:31:41.123456+01:00")
	flag.Parse()
	var n [3]int
	for i := range n {
		if text := flag.Arg(1 + i); text != "" {
			var err error
			if n[i], err = strconv.Atoi(text); err != nil || n[i] < 0 {
				log.Fatalf("not a number: %q", text)
			}
		}
	}
	w := &writer{Writer: bufio.NewWriterSize(os.Stdout, 1<<20), layout: time.Stamp}
	if *iso {
		w.layout = "2006-01-02T15:04:05.000000-07:00"
	}
	switch kind := flag.Arg(0); kind {
	case "flood":
		w.flood(n[0] / 4)
	case "quiet":
		w.quiet(n[0])
	case "long":
		w.long(n[0])
	case "hosts":
		w.hosts(n[0], n[1], n[2])
	case "watched":
		w.watched(n[0])
	case "rules":
		w.rules(n[0])
	default:
		log.Fatalf("no such kind: %q", kind)
	}
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}
}

// A writer writes log lines, of which n are to come between begin and now.
type writer struct {
	*bufio.Writer
	layout  string
	begin   time.Time
	step    time.Duration
	second  int64 // of prefix
	prefix  []byte
	line    []byte
	written int
}

// over spreads n moments over the last hours; all of these are young enough
// to count, see discard in blockhosts.yaml.
func (w *writer) over(hours, n int) {
	span := time.Duration(hours) * time.Hour
	w.begin, w.step = time.Now().Add(-span), span/time.Duration(max(n, 1))
}

// say writes a line of moment i: stamp, host, program, text.
func (w *writer) say(i int, program string, pid int, text ...string) {
	at := w.begin.Add(time.Duration(i) * w.step)
	if at.Unix() != w.second || w.prefix == nil { // a formatted time costs more than all else here
		w.second = at.Unix()
		w.prefix = append(at.AppendFormat(w.prefix[:0], w.layout), " www "...)
	}
	b := append(append(w.line[:0], w.prefix...), program...)
	b = append(strconv.AppendInt(append(b, '['), int64(pid), 10), "]: "...)
	for _, t := range text {
		b = append(b, t...)
	}
	w.line = append(b, '\n')
	w.written += len(w.line)
	w.Write(w.line)
}

// address is the address of number i.
func address(i int) string {
	return fmt.Sprintf("198.%d.%d.%d", 18+i>>16&1, i>>8&255, i&255)
}

// pid numbers processes as Linux does, which begins again after 32,768.
func pid(i int) int { return 300 + i%32468 }

var users = []string{"root", "admin", "test", "oracle", "postgres", "ubuntu", "git", "user", "ftpuser", "deploy", "support"}

// flood is the blacklist.py scenario: every attempt is a connection of its own.
// At 500,000 lines they come from 5,000 addresses.
func (w *writer) flood(attempts int) {
	w.over(1, attempts)
	addresses := make([]string, max(attempts/25, 1))
	for i := range addresses {
		addresses[i] = address(i)
	}
	for i := range attempts {
		addr, user, port := addresses[i%len(addresses)], users[i%len(users)], strconv.Itoa(20000+i%40000)
		w.say(i, "sshd", pid(i), "Connection from ", addr, " port ", port, " on 192.0.2.5 port 22")
		w.say(i, "sshd", pid(i), "Invalid user ", user, " from ", addr, " port ", port)
		w.say(i, "sshd", pid(i), "Failed password for invalid user ", user, " from ", addr, " port ", port, " ssh2")
		w.say(i, "sshd", pid(i), "Connection closed by invalid user ", user, " ", addr, " port ", port, " [preauth]")
	}
}

// quietLines are what a host says all day; none of them is a failure. The
// programs app0001 to app0100 have rules in the scenario local.
var quietLines = []struct{ program, text string }{
	{"CRON", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"},
	{"CRON", "(www-data) CMD (test -x /usr/local/bin/publish && /usr/local/bin/publish)"},
	{"CRON", "pam_unix(cron:session): session closed for user root"},
	{"systemd", "Started logrotate.service - Rotate log files."},
	{"systemd", "Starting apt-daily.service - Daily apt download activities..."},
	{"systemd", "apt-daily.service: Deactivated successfully."},
	{"systemd-logind", "New session 4711 of user amy."},
	{"kernel", "[84711.123456] eth0: link up, 1000Mbps, full duplex, lpa 0xC5E1"},
	{"kernel", "[84712.654321] TCP: request_sock_TCP: Possible SYN flooding on port 443. Sending cookies."},
	{"postfix/smtpd", "connect from mail.example.org[198.51.100.7]"},
	{"postfix/smtpd", "4F8A91C0042: client=mail.example.org[198.51.100.7]"},
	{"postfix/cleanup", "4F8A91C0042: message-id=<20260105013141.4F8A91C0042@mail.example.org>"},
	{"postfix/qmgr", "4F8A91C0042: from=<bob@example.org>, size=48291, nrcpt=1 (queue active)"},
	{"postfix/lmtp", "4F8A91C0042: to=<amy@example.com>, relay=www[private/dovecot-lmtp], delay=0.31, delays=0.28/0.01/0.01/0.01, dsn=2.0.0, status=sent (250 2.0.0 <amy@example.com> Saved)"},
	{"postfix/qmgr", "4F8A91C0042: removed"},
	{"postfix/smtpd", "disconnect from mail.example.org[198.51.100.7] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7"},
	{"dovecot", "imap-login: Login: user=<amy>, method=PLAIN, rip=198.51.100.20, lip=192.0.2.5, mpid=4711, TLS, session=<k3aXbq8H2NfGM2QU>"},
	{"dovecot", "imap(amy)<4711><k3aXbq8H2NfGM2QU>: Disconnected: Logged out in=814 out=29114 deleted=0 expunged=0 trashed=0 hdr_count=3 hdr_bytes=931 body_count=1 body_bytes=20117"},
	{"named", "client @0x7f3c10021c18 198.51.100.20#51132 (www.example.org): query: www.example.org IN A +E(0)K (192.0.2.5)"},
	{"dhcpd", "DHCPREQUEST for 192.0.2.77 from 00:16:3e:11:22:33 via eth0"},
	{"dhcpd", "DHCPACK on 192.0.2.77 to 00:16:3e:11:22:33 (laptop) via eth0"},
	{"ntpd", "kernel reports TIME_ERROR: 0x2041: Clock Unsynchronized"},
	{"sshd", "Accepted publickey for amy from 198.51.100.20 port 51132 ssh2: ED25519 SHA256:Wq3F0Yl5c1xkS8e0m7gVqkq4Xz2dT1nB9pLr6uJhA0s"},
	{"sshd", "pam_unix(sshd:session): session opened for user amy(uid=1000) by (uid=0)"},
	{"sshd", "Received disconnect from 198.51.100.20 port 51132:11: disconnected by user"},
	{"sudo", "amy : TTY=pts/0 ; PWD=/home/amy ; USER=root ; COMMAND=/usr/bin/apt-get upgrade"},
	{"nginx", "2026/01/05 01:31:41 [notice] 4711#4711: signal process started"},
	{"haproxy", "198.51.100.20:51132 [05/Jan/2026:01:31:41.123] www~ app/app1 0/0/1/24/25 200 5121 - - ---- 12/12/0/1/0 0/0 \"GET /shop/cart HTTP/1.1\""},
	{"haproxy", "198.51.100.21:40231 [05/Jan/2026:01:31:41.201] www~ app/app2 0/0/0/3/3 304 231 - - ---- 12/12/0/0/0 0/0 \"GET /img/logo.svg HTTP/1.1\""},
	{"mariadbd", "2026-01-05  1:31:41 4711 [Note] InnoDB: Buffer pool(s) load completed at 260105  1:31:41"},
	{"dockerd", `time="2026-01-05T01:31:41.123456789Z" level=info msg="ignoring event" container=3f1c9d module=libcontainerd namespace=moby topic=/tasks/delete`},
	{"smartd", "Device: /dev/sda [SAT], SMART Usage Attribute: 194 Temperature_Celsius changed from 114 to 113"},
	{"rsyslogd", "[origin software=\"rsyslogd\" swVersion=\"8.2302.0\" x-pid=\"4711\" x-info=\"https://www.rsyslog.com\"] rsyslogd was HUPed"},
	{"NetworkManager", "<info>  [1767573101.1234] dhcp4 (eth0): state changed new lease, address=192.0.2.5"},
	{"app", "job done in 12 ms, 4711 rows, next one at 01:32"},
}

func (w *writer) quiet(size int) {
	w.over(6, size/100)
	for i := 0; w.written < size; i++ {
		if i%1000 == 500 {
			n := i / 1000
			w.say(i, "sshd", pid(n), "Failed password for ", users[n%len(users)], " from ", address(n%5000), " port ", strconv.Itoa(20000+n%40000), " ssh2")
			continue
		}
		l := quietLines[i*11%len(quietLines)]
		if l.program == "app" {
			l.program = fmt.Sprintf("app%04d", i%100+1)
		}
		w.say(i, l.program, pid(i/8), l.text)
	}
}

// long is a line that ends in what grep looks for.
func (w *writer) long(size int) {
	w.over(1, 1)
	w.WriteString(time.Now().Format(w.layout) + " www app[1]: ")
	text := make([]byte, 1<<16)
	for i := range text {
		text[i] = "0123456789abcdef"[i*7%16]
	}
	for ; size > 0; size -= len(text) {
		w.Write(text[:min(size, len(text))])
	}
	w.WriteString(" Failed password\n")
}

// hosts are addresses as a state has them: half of them blocked by nine
// failures, half of them watched with three. The failures of all take turns.
func (w *writer) hosts(n, first, hours int) {
	w.over(hours, 9*n)
	for round := range 9 {
		for i := first; i < first+n; i++ {
			if i%2 == 0 || round < 3 {
				addr := address(i)
				if i/2%10 == 9 {
					addr = fmt.Sprintf("2001:db8:%x:%x::1", i>>16, i&0xffff)
				}
				w.say(round*n+i-first, "sshd", pid(i+round*n), "Failed password for root from ", addr, " port ", strconv.Itoa(20000+i%40000), " ssh2")
			}
		}
	}
}

func (w *writer) watched(n int) {
	w.over(1, 3*n)
	for i := range 3 * n {
		w.say(i, "sshd", pid(i), "Failed password for root from ", address(i%n), " port 20000 ssh2")
	}
}

func (w *writer) rules(n int) {
	fmt.Fprintln(w, "rules:")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(w, "  app%04d-Refused: {pattern: '{LOG_PREFIX{app%04d}} job %d refused for (?<user>\\S+) from {HOST_IP}$'}\n", i, i, i)
	}
}
