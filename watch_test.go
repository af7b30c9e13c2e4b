package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A watching is a "blockhosts watch" of its own: process, blockfile and logs.
type watching struct {
	testing.TB
	dir     string
	args    []string // in front of those of blockhosts
	cmd     *exec.Cmd
	ended   chan error
	attacks int
}

// watched starts a watch of sources, in which DIR stands for its directory, and
// waits until it listens. More lines of configuration follow.
func watched(t testing.TB, sources string, more ...string) *watching {
	t.Helper()
	w := newWatching(t, sources, more...)
	w.start()
	return w
}

func newWatching(t testing.TB, sources string, more ...string) *watching {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &watching{TB: t, dir: dir}
	w.write("allow", "#---- BlockHosts Additions\n#---- BlockHosts Additions\n")
	w.write("auth.log", "")
	w.configure(sources, more...)
	return w
}

func (w *watching) path(name string) string { return filepath.Join(w.dir, name) }

func (w *watching) configure(sources string, more ...string) {
	lines := append([]string{"blockfile: DIR/allow", "lockfile: DIR/lock", "spare: false", "sources: " + sources}, more...)
	w.write("c.yaml", strings.ReplaceAll(strings.Join(lines, "\n")+"\n", "DIR", w.dir))
}

// command returns blockhosts with the watch's configuration and the real clock.
func (w *watching) command(args ...string) *exec.Cmd {
	w.Helper()
	program, err := exec.LookPath("blockhosts") // this test binary, see TestMain
	w.check(err)
	argv := append(append(append([]string{}, w.args...), program), args...)
	cmd := exec.Command(argv[0], append(argv[1:], "--configfile="+w.path("c.yaml"))...)
	cmd.Env = append(os.Environ(), "NOW=")
	return cmd
}

func (w *watching) start() {
	w.Helper()
	w.cmd = w.command("watch", "-v")
	out, err := os.OpenFile(w.path("out"), os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o644)
	w.check(err)
	w.cmd.Stdout, w.cmd.Stderr = out, out
	w.check(w.cmd.Start())
	w.check(out.Close())
	w.ended = make(chan error, 1)
	go func() { w.ended <- w.cmd.Wait() }()
	w.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		if w.Failed() {
			w.Logf("the watch said:\n%s", w.read("out"))
		}
	})
	w.says("watching ")
}

// stop ends the watch as a service manager does, and holds that all is well.
func (w *watching) stop() {
	w.Helper()
	w.signal(syscall.SIGTERM)
	select {
	case err := <-w.ended:
		w.check(err)
	case <-time.After(30 * time.Second):
		w.Fatal("it does not end")
	}
}

func (w *watching) signal(s syscall.Signal) { w.check(w.cmd.Process.Signal(s)) }

// failures returns n failed log-ins from an address, a moment ago.
func (w *watching) failures(addr string, n int) string {
	var b strings.Builder
	for range n {
		w.attacks++
		fmt.Fprintf(&b, "%s www sshd[%d]: Failed password for root from %s port 4022 ssh2\n", time.Now().Format("2006-01-02T15:04:05.000000-07:00"), 1000+w.attacks, addr)
	}
	return b.String()
}

func (w *watching) attack(log, addr string, n int) { w.append(log, w.failures(addr, n)) }

func (w *watching) append(name, text string) {
	w.Helper()
	f, err := os.OpenFile(w.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	w.check(err)
	_, err = f.WriteString(text)
	w.check(err)
	w.check(f.Close())
}

func (w *watching) write(name, text string) {
	w.Helper()
	w.check(os.WriteFile(w.path(name), []byte(text), 0o644))
}

func (w *watching) read(name string) string {
	text, _ := os.ReadFile(w.path(name))
	return string(text)
}

func (w *watching) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// until waits for something that is to come.
func (w *watching) until(what string, done func() bool) {
	w.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.Fatalf("%s did not come; the blockfile is\n%s", what, w.read("allow"))
}

func (w *watching) says(text string) {
	w.Helper()
	w.until(fmt.Sprintf("%q", text), func() bool { return strings.Contains(w.read("out"), text) })
}

func (w *watching) blocks(addr string) {
	w.Helper()
	w.until("the block of "+addr, func() bool { return w.isBlocked(addr) })
}

func (w *watching) isBlocked(addr string) bool {
	return strings.Contains(w.read("allow"), "\nALL: "+addr+" : deny\n")
}

// counts waits until so many failures of an address are on record, and holds
// that there are no more.
func (w *watching) counts(addr string, n int) {
	w.Helper()
	of := func() string {
		m := regexp.MustCompile(`(?m)^#bh: ip: +` + regexp.QuoteMeta(addr) + ` : +(\d+) : `).FindStringSubmatch(w.read("allow"))
		if m == nil {
			return "0"
		}
		return m[1]
	}
	want := fmt.Sprint(n)
	w.until(want+" failures of "+addr, func() bool { return len(of()) >= len(want) && of() >= want })
	if got := of(); got != want {
		w.Errorf("%s failures of %s, want %s", got, addr, want)
	}
}

// TestWatchBurst: a burst, written line by line, becomes one run.
func TestWatchBurst(t *testing.T) {
	w := watched(t, "[DIR/auth.log]")
	for range 10 {
		w.attack("auth.log", "192.0.2.7", 1)
	}
	w.blocks("192.0.2.7")
	w.counts("192.0.2.7", 10)
	w.stop()
	if said := w.read("out"); strings.Count(said, "lines, ") != 2 || !strings.Contains(said, " 10 lines, 10 of them failures") {
		t.Errorf("the first run and one more were to read:\n%s", said)
	}
}

// TestWatchFlood: while lines keep coming there is about one run a second.
func TestWatchFlood(t *testing.T) {
	w := watched(t, "[DIR/auth.log]")
	begin := time.Now()
	for time.Since(begin) < 2500*time.Millisecond {
		w.attack("auth.log", "192.0.2.7", 1)
		time.Sleep(5 * time.Millisecond)
	}
	took := time.Since(begin)
	w.counts("192.0.2.7", w.attacks)
	w.stop()
	runs := strings.Count(w.read("out"), "auth.log: ") - 1 // the first one was before
	if most := int(took/time.Second) + 2; runs < 2 || runs > most {
		t.Errorf("%d runs in %v, want 2 to %d", runs, took, most)
	}
}

// TestWatchRotation: lines are found wherever rotation puts them.
func TestWatchRotation(t *testing.T) {
	w := watched(t, "[DIR/auth.log, DIR/web/*.log]")
	w.attack("auth.log", "192.0.2.7", 2)
	w.check(os.Rename(w.path("auth.log"), w.path("auth.log.1")))
	time.Sleep(300 * time.Millisecond)     // a run that finds it gone
	w.attack("auth.log.1", "192.0.2.7", 2) // the daemon has not opened the new one yet
	w.attack("auth.log", "192.0.2.7", 3)
	w.counts("192.0.2.7", 7)
	w.check(os.Rename(w.path("auth.log.1"), w.path("auth.log.2")))
	w.check(os.Rename(w.path("auth.log"), w.path("auth.log.1")))
	w.attack("auth.log", "192.0.2.7", 1)
	w.blocks("192.0.2.7")
	w.counts("192.0.2.7", 8)

	w.check(os.Mkdir(w.path("web"), 0o755)) // it was not there when the watch began
	w.attack("web/new.log", "192.0.2.8", 8)
	w.blocks("192.0.2.8")
	w.attack("web/second.log", "192.0.2.9", 8)
	w.blocks("192.0.2.9")
	w.stop()
	if said := w.read("out"); strings.Contains(said, "auth.log does not exist") {
		t.Errorf("rotation is told as if the log were missing:\n%s", said)
	}
}

// rotate moves auth.log away and makes a new one.
func (w *watching) rotate(to string) {
	w.Helper()
	w.check(os.Rename(w.path("auth.log"), w.path(to)))
	w.append("auth.log", "")
}

// TestWatchReload: a configuration with mistakes is told and the one before
// stays; a good one is taken.
func TestWatchReload(t *testing.T) {
	w := watched(t, "[DIR/auth.log]")
	w.write("unmarked", "")
	for name, bad := range map[string][3]string{
		"a key":      {"spare:", "spear:", "spear"},
		"a value":    {"spare: false", "spare: [", "c.yaml"},
		"a list":     {"spare:", "denylist: ['file:" + w.path("none") + "']\nspare:", "none: no such file"},
		"a blocker":  {"spare:", "blockers: [{iptables: {no_such_option: 1}}]\nspare:", "no_such_option"},
		"the marker": {"/allow", "/unmarked", "BlockHosts Additions"},
	} {
		w.check(os.Truncate(w.path("out"), 0))
		w.configure("[DIR/other.log]")
		w.write("c.yaml", strings.Replace(w.read("c.yaml"), bad[0], bad[1], 1))
		w.signal(syscall.SIGHUP)
		w.says("the one before stays in force")
		if said := w.read("out"); !strings.Contains(said, bad[2]) {
			t.Errorf("%s: it says %q", name, said)
		}
	}
	w.attack("auth.log", "192.0.2.7", 8)
	w.blocks("192.0.2.7")

	w.configure("[DIR/other.log]", "limits: {blockcount: 2}")
	w.signal(syscall.SIGHUP)
	w.says("the configuration was read again")
	w.attack("auth.log", "192.0.2.8", 8)
	w.attack("other.log", "192.0.2.9", 3)
	w.blocks("192.0.2.9")
	if w.isBlocked("192.0.2.8") {
		t.Error("the former source is still read")
	}
	w.stop()
}

// TestWatchStops: what cannot begin ends with its exit code, and signals end it
// with 0 when all is done.
func TestWatchStops(t *testing.T) {
	w := newWatching(t, "[DIR/auth.log]")
	w.write("allow", "no markers\n")
	out, err := w.command("watch").CombinedOutput()
	if exit := new(exec.ExitError); err == nil || !asExit(err, &exit) || exit.ExitCode() != 2 || !bytes.Contains(out, []byte("init")) {
		t.Errorf("without markers: %v, %s", err, out)
	}
	w.write("allow", "#---- BlockHosts Additions\n#---- BlockHosts Additions\n")
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		w.start()
		w.signal(s)
		w.check(<-w.ended)
	}

	// What came by UDP is nowhere else.
	port := freePort(t)
	w.configure("[{udp: '" + port + "'}]")
	w.start()
	unlock := w.lock()
	w.send("127.0.0.1", port, "<38>"+strings.TrimSpace(w.failures("192.0.2.7", 1)), 8)
	w.until("a ring", func() bool { return w.queued(port) })
	w.signal(syscall.SIGTERM)
	time.Sleep(50 * time.Millisecond)
	unlock()
	w.check(<-w.ended)
	w.counts("192.0.2.7", 8)
}

func asExit(err error, to **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*to = e
	return ok
}

// freePort returns an address of this host that nobody listens at.
func freePort(t testing.TB) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

// send sends a text n times. %d in it is a number, another each time.
func (w *watching) send(from, to, text string, n int) {
	w.Helper()
	addr, err := net.ResolveUDPAddr("udp", to)
	w.check(err)
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(from)}, addr)
	w.check(err)
	defer conn.Close()
	number := regexp.MustCompile(`sshd[ \[]\d+`)
	for range n {
		w.attacks++
		_, err := conn.Write([]byte(number.ReplaceAllStringFunc(text, func(s string) string { return s[:5] + fmt.Sprint(5000+w.attacks) })))
		w.check(err)
	}
}

// queued tells whether the kernel has handed over all that came to a port.
func (w *watching) queued(address string) bool {
	_, port, _ := strings.Cut(address, ":")
	table, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		time.Sleep(200 * time.Millisecond)
		return true
	}
	var number int
	_, err = fmt.Sscan(port, &number)
	w.check(err)
	m := regexp.MustCompile(fmt.Sprintf(`:%04X [0-9A-F]+:[0-9A-F]+ \d\d [0-9A-F]+:([0-9A-F]+) `, number)).FindSubmatch(table)
	return m != nil && string(m[1]) == "00000000"
}

// lock holds the lock of the runs.
func (w *watching) lock() (unlock func()) {
	w.Helper()
	f, err := os.OpenFile(w.path("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	w.check(err)
	w.check(syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	return func() { _ = f.Close() }
}

// TestWatchUDP: syslog in both forms and plain lines, from allowed senders.
func TestWatchUDP(t *testing.T) {
	port := freePort(t)
	w := watched(t, "[DIR/auth.log, {udp: '"+port+"', allow: [127.0.0.1]}]")
	now := time.Now()
	const failed = "Failed password for root from %s port 4022 ssh2"
	w.send("127.0.0.1", port, "<38>"+now.Format(time.Stamp)+" www sshd[1]: "+fmt.Sprintf(failed, "192.0.2.1"), 8)
	w.send("127.0.0.1", port, "<38>1 "+now.Format(time.RFC3339)+" www sshd 1 - - "+fmt.Sprintf(failed, "192.0.2.2"), 8)
	w.send("127.0.0.1", port, now.Format(time.Stamp)+" www sshd[1]: "+fmt.Sprintf(failed, "192.0.2.3")+"\n", 8)
	w.send("127.0.0.1", port, w.failures("192.0.2.4", 4)+w.failures("192.0.2.4", 4), 1)
	for i := 1; i <= 3; i++ {
		w.counts(fmt.Sprintf("192.0.2.%d", i), 8)
	}
	w.blocks("192.0.2.4")

	w.send("127.0.0.2", port, w.failures("192.0.2.5", 8), 1)
	w.attack("auth.log", "192.0.2.6", 8) // who is refused starts no run
	w.blocks("192.0.2.6")
	w.says("1 datagrams came from senders that are not allowed, the first from 127.0.0.2")
	if w.isBlocked("192.0.2.5") {
		t.Error("the refused sender had somebody blocked")
	}

	// A message is one line, whatever a client has put into it.
	w.send("127.0.0.1", port, "<38>sshd[1]: Invalid user x\n"+w.failures("192.0.2.5", 8)+" from 192.0.2.99 port 1", 1)
	w.attack("auth.log", "192.0.2.10", 8)
	w.blocks("192.0.2.10")
	if strings.Contains(w.read("allow"), "192.0.2.5") {
		t.Error("a user name had somebody blamed")
	}

	// A run that cron starts leaves the socket alone.
	if out, err := w.command("-v").CombinedOutput(); err != nil || strings.Contains(string(out), "udp") {
		t.Errorf("a run beside the watch: %v\n%s", err, out)
	}
	w.stop()
}

// TestWatchOverflow: what is dropped while no run can be is counted and said.
func TestWatchOverflow(t *testing.T) {
	port := freePort(t)
	w := watched(t, "[{udp: '"+port+"'}]", "ignore_duplicates: false")
	unlock := w.lock()
	const each, datagrams = 101, 100
	for range datagrams {
		w.send("127.0.0.1", port, w.failures("192.0.2.7", each), 1)
		time.Sleep(time.Millisecond) // the kernel's buffer is not what is tried here
	}
	w.until("the last datagram", func() bool { return w.queued(port) })
	time.Sleep(100 * time.Millisecond)
	unlock()
	w.says("100 lines were dropped, since 10000 or 16 MiB waited already")
	w.counts("192.0.2.7", 10000)
	w.until("the block of 192.0.2.8", func() bool { // there is no room until that run has ended
		w.send("127.0.0.1", port, w.failures("192.0.2.8", 8), 1)
		return w.isBlocked("192.0.2.8")
	})
	w.stop()
}

// TestWatchFIFO: a FIFO is read at once, also while no run can be.
func TestWatchFIFO(t *testing.T) {
	w := watched(t, "[{fifo: DIR/fifo}]")
	f, err := os.OpenFile(w.path("fifo"), os.O_WRONLY, 0) // made by the watch
	w.check(err)
	defer f.Close()
	unlock := w.lock()
	noise := strings.Repeat("2026-01-05T08:00:00+00:00 www cron[1]: "+strings.Repeat("x", 1000)+"\n", 500)
	_, err = f.WriteString(w.failures("192.0.2.7", 7) + noise + "2026-01") // no writer waits for a run
	w.check(err)
	unlock()
	w.counts("192.0.2.7", 7)
	_, err = f.WriteString("-05T08:00:00+00:00 www cron[1]: x\n" + w.failures("192.0.2.7", 1))
	w.check(err)
	w.blocks("192.0.2.7")
	w.counts("192.0.2.7", 8)
	w.stop()
}

// TestWatchJournal: an entry of the journal starts a run, which believes its
// trusted fields alone.
func TestWatchJournal(t *testing.T) {
	const remote = "/lib/systemd/systemd-journal-remote"
	if _, err := os.Stat(remote); err != nil {
		needs(t, map[string]string{"systemd-journal-remote": "systemd-journal-remote"})
	}
	needs(t, map[string]string{"journalctl": "systemd"})
	w := newWatching(t, "[{journal: {units: [ssh.service], directory: DIR/journal}}]")
	w.check(os.Mkdir(w.path("journal"), 0o755))
	entries := 0
	enter := func(comm, addr string, n int) {
		t.Helper()
		var b strings.Builder
		for range n {
			entries++
			fmt.Fprintf(&b, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=0123456789abcdef0123456789abcdef\n", time.Now().UnixMicro(), entries*1000)
			fmt.Fprintf(&b, "_TRANSPORT=syslog\n_UID=0\n_PID=%d\n_COMM=%s\n_EXE=/usr/sbin/%[2]s\n_SYSTEMD_UNIT=ssh.service\nSYSLOG_IDENTIFIER=sshd\nSYSLOG_FACILITY=4\n", 1000+entries, comm)
			fmt.Fprintf(&b, "MESSAGE=Failed password for root from %s port 4022 ssh2\n\n", addr)
		}
		cmd := exec.Command(remote, "-o", w.path("journal/j.journal"), "-")
		cmd.Stdin = strings.NewReader(b.String())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	enter("sshd", "192.0.2.1", 1)
	w.start()
	enter("logger", "192.0.2.9", 8)
	enter("sshd", "192.0.2.7", 8)
	w.blocks("192.0.2.7")
	w.counts("192.0.2.7", 8)
	if strings.Contains(w.read("allow"), "192.0.2.9") {
		t.Error("logger had somebody counted")
	}
	w.stop()
}

// TestWatchBesideCron: a watch and the runs of cron share one state; no line is
// counted twice, and none is lost.
func TestWatchBesideCron(t *testing.T) {
	w := watched(t, "[DIR/auth.log]", "limits: {blockcount: 1000}")
	ran, times := 0, 40
	if testing.Short() {
		times = 10
	}
	for i := range times {
		w.attack("auth.log", "192.0.2.7", 5)
		if i == times/4 || i == times*3/4 {
			w.rotate(fmt.Sprintf("auth.log.%d", times-i))
		}
		if out, err := w.command().CombinedOutput(); err == nil {
			ran++
		} else if len(out) > 0 { // the lock is silent
			t.Errorf("cron's run: %v\n%s", err, out)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if ran == 0 {
		t.Error("no run of cron's got the lock")
	}
	w.counts("192.0.2.7", 5*times)
	w.stop()
}

// TestWatchMail: what quick runs did is in the mail of the next full one, with
// its lines, and once.
func TestWatchMail(t *testing.T) {
	w := newWatching(t, "[DIR/auth.log]", "mail: {enabled: true, sendmail: DIR/sendmail}")
	w.write("sendmail", "#!/bin/sh\ncat >>"+w.path("mails")+"\n")
	w.check(os.Chmod(w.path("sendmail"), 0o755))
	w.start()
	w.attack("auth.log", "192.0.2.7", 8)
	w.says("blocking 192.0.2.7")
	w.attack("auth.log", "192.0.2.8", 8)
	w.says("blocking 192.0.2.8")
	if got := w.read("mails"); got != "" {
		t.Errorf("a quick run mails:\n%s", got)
	}
	w.signal(syscall.SIGHUP) // and a full run with it
	w.says("the configuration was read again")
	w.signal(syscall.SIGHUP)
	w.until("the second", func() bool { return strings.Count(w.read("out"), "the configuration was read again") == 2 })
	w.stop()
	mail := w.read("mails")
	if strings.Count(mail, "\nSubject: ") != 1 || strings.Contains(mail, "Not told before") {
		t.Errorf("mails:\n%s", mail)
	}
	for _, want := range []string{"2 blocked", "Failed password for root from 192.0.2.7 ", "Failed password for root from 192.0.2.8 "} {
		if !strings.Contains(mail, want) {
			t.Errorf("no %q in\n%s", want, mail)
		}
	}
}

// TestWatchTrouble: what a quick run does not try goes on being wrong, and is
// told once; what it does not lose in the meantime, a later mail tells.
func TestWatchTrouble(t *testing.T) {
	w := newWatching(t, "[DIR/auth.log]", "mail: {enabled: true, sendmail: DIR/sendmail}")
	w.attack("auth.log", "192.0.2.7", 8)
	w.start() // the first run is a full one, and there is no such program
	w.says("sendmail")
	w.attack("auth.log", "192.0.2.8", 8)
	w.says("blocking 192.0.2.8")
	if !strings.Contains(w.read("allow"), `text="mail"`) {
		t.Errorf("the trouble with the mail is off the record:\n%s", w.read("allow"))
	}
	w.signal(syscall.SIGHUP)
	w.says("the configuration was read again")
	w.stop()
	if said := w.read("out"); strings.Count(said, "sendmail") != 1 {
		t.Errorf("the same trouble was told again:\n%s", said)
	}
	w.write("sendmail", "#!/bin/sh\ncat >>"+w.path("mails")+"\n")
	w.check(os.Chmod(w.path("sendmail"), 0o755))
	if out, err := w.command().CombinedOutput(); err != nil {
		t.Errorf("cron's run: %v\n%s", err, out)
	}
	if mail := w.read("mails"); !strings.Contains(mail, "192.0.2.7") || !strings.Contains(mail, "192.0.2.8") {
		t.Errorf("the mail that was not sent is lost:\n%s", mail)
	}
}

// TestWatchReadsOn: a run that finds nothing that counts leaves the section as
// it is, and the next one goes on behind what it read all the same.
func TestWatchReadsOn(t *testing.T) {
	w := watched(t, "[DIR/auth.log]")
	noise := strings.Repeat("2026-01-05T08:00:00+00:00 www sshd[1]: Server listening on 0.0.0.0 port 22.\n", 1000)
	w.append("auth.log", noise)
	time.Sleep(300 * time.Millisecond) // a run, of which nothing can be seen
	w.attack("auth.log", "192.0.2.7", 8)
	w.says("blocking 192.0.2.7")
	w.stop()
	if said := w.read("out"); !strings.Contains(said, " 8 lines, 8 of them failures") {
		t.Errorf("the lines that were read are read again:\n%s", said)
	}
}
