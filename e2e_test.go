package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A site is a server with real daemons and a client with three addresses in
// each family, in namespaces of their own. This machine's network, /etc and
// /dev are never touched.
type site struct {
	*testing.T
	dir            string
	server, client string // names of the network namespaces
	holder         string // pid of a process that lives in the server's mount namespace
}

// TestEndToEnd lets clients guess passwords at sshd and vsftpd, and holds that
// they are kept out, by libwrap, by iptables and by routes, and nobody else.
func TestEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	needs(t, map[string]string{
		"ip": "iproute2", "iptables": "iptables", "ip6tables": "iptables", "unshare": "util-linux", "nsenter": "util-linux",
		"sshd": "openssh-server", "ssh": "openssh-client", "ssh-keygen": "openssh-client", "sshpass": "sshpass",
		"vsftpd": "vsftpd", "rsyslogd": "rsyslog", "useradd": "passwd",
	})
	s := newSite(t)
	s.init()
	s.spawnBlocks()
	s.runBlocks()
	s.filterBlocks()
	s.routesBlock()
	s.allowed()
}

// needs skips without root or one of the programs, which is a failure where
// BLOCKHOSTS_REQUIRE=all is set.
func needs(t testing.TB, programs map[string]string) {
	skip := t.Skipf
	if os.Getenv("BLOCKHOSTS_REQUIRE") == "all" {
		skip = t.Fatalf
	}
	if os.Geteuid() != 0 {
		skip("needs root, for namespaces of its own")
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	for program, pkg := range programs {
		if _, err := exec.LookPath(program); err != nil {
			skip("%s is missing: install %s", program, pkg)
		}
	}
}

// newSite makes the namespaces and starts the daemons.
func newSite(t *testing.T) *site {
	pid := os.Getpid()
	s := &site{T: t, dir: t.TempDir(), server: fmt.Sprintf("bhserver%d", pid), client: fmt.Sprintf("bhclient%d", pid)}
	for _, d := range []string{"upper", "work", "dev", "log", "sbin"} {
		s.check(os.Mkdir(filepath.Join(s.dir, d), 0o755))
	}
	s.check(os.Chmod(s.dir, 0o755))
	for _, name := range []string{"rsyslog.conf", "vsftpd.conf", "sshd_config"} {
		text, err := os.ReadFile(filepath.Join("testdata", "e2e", name))
		s.check(err)
		s.check(os.WriteFile(filepath.Join(s.dir, name), bytes.ReplaceAll(text, []byte("DIR"), []byte(s.dir)), 0o644))
	}
	s.must("go", "build", "-o", filepath.Join(s.dir, "sbin", "blockhosts"), ".")
	s.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(s.dir, "hostkey"))
	s.network()

	enter, err := filepath.Abs("testdata/e2e/enter.sh")
	s.check(err)
	cmd := exec.Command("ip", "netns", "exec", s.server, "unshare", "-m", "--propagation", "private", "sh", enter, s.dir)
	out, err := os.Create(filepath.Join(s.dir, "out"))
	s.check(err)
	cmd.Stdout, cmd.Stderr = out, out
	s.check(cmd.Start())
	t.Cleanup(func() { s.stop(cmd) })
	for range 200 {
		if _, err := os.Stat(filepath.Join(s.dir, "ready")); err == nil {
			holder, err := os.ReadFile(filepath.Join(s.dir, "holder"))
			s.check(err)
			s.holder = strings.TrimSpace(string(holder))
			for _, port := range []string{"21", "22"} {
				s.waitFor("port "+port, func() bool { return s.reaches("10.99.0.4", port) })
			}
			return s
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(out.Name())
	t.Fatalf("the server did not come up:\n%s", text)
	return nil
}

// network joins server and client: 10.99.0.1 and 2001:db8:99::1 there, .2 to
// .4 here, each IPv6 address in a /64 of its own.
func (s *site) network() {
	for _, ns := range []string{s.server, s.client} {
		s.must("ip", "netns", "add", ns)
		s.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
		s.must("ip", "-n", ns, "link", "set", "lo", "up")
	}
	s.must("ip", "link", "add", "v0", "netns", s.server, "type", "veth", "peer", "name", "v1", "netns", s.client)
	s.must("ip", "-n", s.server, "addr", "add", "10.99.0.1/24", "dev", "v0")
	s.must("ip", "-n", s.server, "addr", "add", "2001:db8:99::1/48", "dev", "v0", "nodad")
	s.must("ip", "-n", s.server, "link", "set", "v0", "up")
	for i := 2; i <= 4; i++ {
		s.must("ip", "-n", s.client, "addr", "add", fmt.Sprintf("10.99.0.%d/24", i), "dev", "v1")
		s.must("ip", "-n", s.client, "addr", "add", fmt.Sprintf("2001:db8:99:%d::%d/48", i, i), "dev", "v1", "nodad")
	}
	s.must("ip", "-n", s.client, "link", "set", "v1", "up")
}

// stop ends what runs in the namespaces.
func (s *site) stop(cmd *exec.Cmd) {
	for _, ns := range []string{s.server, s.client} {
		pids, _ := exec.Command("ip", "netns", "pids", ns).Output()
		for pid := range strings.FieldsSeq(string(pids)) {
			_ = exec.Command("kill", "-9", pid).Run()
		}
	}
	_ = cmd.Wait()
	if s.Failed() {
		for _, name := range []string{"out", "log/auth.log"} {
			text, _ := os.ReadFile(filepath.Join(s.dir, name))
			s.Logf("%s:\n%s", name, text)
		}
	}
}

func (s *site) init() {
	out := s.blockhosts("init", "--yes")
	if s.read("/etc/blockhosts.yaml") != string(sample) {
		s.Errorf("init did not write the configuration; it said %q", out)
	}
	if hosts := s.read("/etc/hosts.allow"); strings.Count(hosts, "\n#---- BlockHosts Additions") != 2 {
		s.Fatalf("init said %q and left:\n%s", out, hosts)
	}
	s.blockhosts()
	s.write("/etc/blockhosts.yaml", "limits: {blockcount: 2}\n")
}

// spawnBlocks: with INSTALL.md's spawn line, the connection after the third
// failure brings the run that blocks the next. A spawned run that finds another
// under way leaves the work to the next connection's.
func (s *site) spawnBlocks() {
	install, err := os.ReadFile("INSTALL.md")
	s.check(err)
	spawn := regexp.MustCompile("(?s)```hosts.allow\n(.*?)```").FindSubmatch(install)
	if spawn == nil {
		s.Fatal("INSTALL.md has no spawn line")
	}
	s.write("/etc/hosts.allow", s.read("/etc/hosts.allow")+string(spawn[1]))
	s.says("10.99.0.2", "right", "LOGIN-OK")
	for range 3 {
		s.says("10.99.0.2", "wrong", "Permission denied")
	}
	s.logged(3, `Failed password for bhuser from 10\.99\.0\.2 `)
	blocked := func() bool { return strings.Contains(s.read("/etc/hosts.allow"), "ALL: 10.99.0.2 : deny\n") }
	for range 5 {
		s.says("10.99.0.3", "right", "LOGIN-OK")
		if s.within(5*time.Second, blocked) {
			break
		}
	}
	s.waitFor("the spawned run", blocked)
	s.says("10.99.0.2", "right", refused)
	s.says("10.99.0.3", "right", "LOGIN-OK")
	s.logged(1, `blockhosts\[\d+\]: count=3, blocking host: 10\.99\.0\.2\n`)
}

// runBlocks: a run as cron has it, for ssh by IPv6 and for ftp.
func (s *site) runBlocks() {
	for range 3 {
		s.says("2001:db8:99:2::2", "wrong", "Permission denied")
		if got := s.ftp("10.99.0.4", "wrong"); !strings.HasPrefix(got, "530") {
			s.Errorf("ftp with a wrong password: %q", got)
		}
	}
	s.logged(3, `Failed password for bhuser from 2001:db8:99:2::2 `)
	s.logged(3, `vsftpd\[\d+\]: pam_unix\(vsftpd:auth\): authentication failure; .* rhost=(::ffff:)?10\.99\.0\.4 `)
	if out := s.blockhosts(); out != "" {
		s.Errorf("a run printed %q", out)
	}
	hosts := s.read("/etc/hosts.allow")
	for _, line := range []string{"ALL: 10.99.0.4 : deny\n", "ALL: [2001:db8:99:2::2]/128 : deny\n"} {
		if !strings.Contains(hosts, line) {
			s.Errorf("no %q in:\n%s", line, hosts)
		}
	}
	s.says("2001:db8:99:2::2", "right", refused)
	s.says("2001:db8:99:3::3", "right", "LOGIN-OK")
	if got := s.ftp("10.99.0.4", "right"); !strings.HasPrefix(got, "421") {
		s.Errorf("ftp from a blocked address: %q", got)
	}
	if got := s.ftp("10.99.0.3", "right"); !strings.HasPrefix(got, "230") {
		s.Errorf("ftp from another address: %q", got)
	}
}

// filterBlocks: the same blocks in iptables and ip6tables, mended after a
// flush, beside rules of the administrator's own.
func (s *site) filterBlocks() {
	s.inside("iptables", "-A", "INPUT", "-p", "icmp", "-j", "ACCEPT")
	s.blockhosts("--ipblock=iptables")
	s.onlyBlocked("iptables")
	after := s.inside("iptables", "-S") + s.inside("ip6tables", "-S")
	s.blockhosts("--ipblock=iptables")
	if again := s.inside("iptables", "-S") + s.inside("ip6tables", "-S"); again != after {
		s.Errorf("a second run changed the filter:\n%s\nto:\n%s", after, again)
	}
	s.inside("iptables", "-F")
	s.inside("iptables", "-A", "INPUT", "-p", "icmp", "-j", "ACCEPT")
	s.blockhosts("--ipblock=iptables")
	s.onlyBlocked("iptables, flushed and mended")
	if rules := s.inside("iptables", "-S"); !strings.Contains(rules, "-A INPUT -p icmp -j ACCEPT\n") {
		s.Errorf("the administrator's rule is gone:\n%s", rules)
	}
	status := s.blockhosts("status", "--json", "--ipblock=iptables")
	if !strings.Contains(status, `{"name":"iptables","present":3,"missing":0,"extra":0}`) {
		s.Errorf("status: %s", status)
	}
	for _, tool := range []string{"iptables", "ip6tables"} {
		s.inside(tool, "-F")
		s.inside(tool, "-X")
	}
}

func (s *site) routesBlock() {
	s.blockhosts("--ipblock=ip route")
	s.onlyBlocked("ip route")
	routes := s.inside("ip", "route", "show", "type", "blackhole") + s.inside("ip", "-6", "route", "show", "type", "blackhole")
	if strings.Count(routes, "blackhole ") != 3 {
		s.Errorf("routes:\n%s", routes)
	}
}

// allowed: an address that the administrator comes to allow is free at once.
func (s *site) allowed() {
	s.write("/etc/blockhosts.yaml", "limits: {blockcount: 2}\nallowlist: [10.99.0.0/24, 2001:db8:99::/48]\n")
	s.blockhosts("--ipblock=ip route")
	s.says("10.99.0.2", "right", "LOGIN-OK")
	s.says("2001:db8:99:2::2", "right", "LOGIN-OK")
	s.logged(1, `\]: removing expired host: 10\.99\.0\.2\n`)
	if routes := s.inside("ip", "route", "show", "type", "blackhole"); routes != "" {
		s.Errorf("routes are left:\n%s", routes)
	}
}

// onlyBlocked: the three blocked addresses reach no port of the server, their
// neighbours do.
func (s *site) onlyBlocked(by string) {
	s.Helper()
	for addr, want := range map[string]bool{
		"10.99.0.2": false, "10.99.0.4": false, "2001:db8:99:2::2": false, "10.99.0.3": true, "2001:db8:99:3::3": true,
	} {
		if got := s.reaches(addr, "21"); got != want && !(want && s.within(10*time.Second, func() bool { return s.reaches(addr, "21") })) {
			s.Errorf("%s: %s reaches the server: %v, want %v", by, addr, got, want)
		}
	}
}

// refused is what ssh says when sshd ends a connection at once, before or after
// it has read the client's first line.
const refused = "Connection (reset|closed) by"

// says tries to log in by ssh and holds what comes of it, a pattern.
func (s *site) says(from, password, want string) {
	s.Helper()
	cmd := exec.Command("ip", "netns", "exec", s.client, "sshpass", "-p", password, "ssh", "-b", from,
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "PubkeyAuthentication=no",
		"-o", "PreferredAuthentications=password", "-o", "NumberOfPasswordPrompts=1", "-o", "ConnectTimeout=20",
		"bhuser@"+serverOf(from), "echo LOGIN-OK")
	out, _ := cmd.CombinedOutput()
	if !regexp.MustCompile(want).Match(out) {
		s.Fatalf("ssh from %s, %s password: %s\nwant %s; hosts.allow:\n%s", from, password, out, want, s.read("/etc/hosts.allow"))
	}
}

// ftp tries to log in by ftp and returns the last reply.
func (s *site) ftp(from, password string) string {
	return s.probe("ftp", from, password)
}

// reaches tells whether a connection is made at all.
func (s *site) reaches(from, port string) bool {
	return s.probe("tcp", from, port) == "connected"
}

// probe runs this test binary as a client in the client's namespace.
func (s *site) probe(args ...string) string {
	path, err := exec.LookPath("probe")
	s.check(err)
	out, err := exec.Command("ip", append([]string{"netns", "exec", s.client, path}, args...)...).CombinedOutput()
	if err != nil {
		s.Fatalf("probe %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// inside runs a command on the server.
func (s *site) inside(args ...string) string {
	s.Helper()
	out, err := exec.Command("nsenter", append([]string{"-t", s.holder, "-m", "-n"}, args...)...).CombinedOutput()
	if err != nil {
		s.Fatalf("%q: %v\n%s", args, err, out)
	}
	return string(out)
}

// blockhosts runs it on the server, and waits for a run that a connection has
// spawned to end.
func (s *site) blockhosts(args ...string) string {
	s.Helper()
	const script = `for try in $(seq 300); do "$@"; status=$?; [ $status = 1 ] || exit $status; sleep 0.1; done; exit 1`
	return s.inside(append([]string{"sh", "-c", script, "sh", "/usr/local/sbin/blockhosts"}, args...)...)
}

// logged waits until syslog has n lines that fit a pattern.
func (s *site) logged(n int, pattern string) {
	s.Helper()
	re := regexp.MustCompile(pattern)
	s.waitFor(fmt.Sprintf("line %d in syslog of %s", n, pattern), func() bool {
		return len(re.FindAllString(s.read("/var/log/auth.log"), -1)) >= n
	})
}

func (s *site) read(path string) string { return s.inside("cat", path) }

// write replaces a file of the server's whole.
func (s *site) write(path, text string) {
	s.Helper()
	cmd := exec.Command("nsenter", "-t", s.holder, "-m", "sh", "-c", `cat >"$1.new" && mv "$1.new" "$1"`, "sh", path)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("write %s: %v\n%s", path, err, out)
	}
}

func (s *site) waitFor(what string, done func() bool) {
	s.Helper()
	if !s.within(30*time.Second, done) {
		s.Fatalf("%s did not come", what)
	}
}

// within tells whether something comes in time.
func (s *site) within(limit time.Duration, done func() bool) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if done() {
			return true
		}
	}
	return false
}

func (s *site) must(name string, args ...string) {
	s.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		s.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

func (s *site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// serverOf is the server's address in the family of from.
func serverOf(from string) string {
	if strings.Contains(from, ":") {
		return "2001:db8:99::1"
	}
	return "10.99.0.1"
}

// probe is the client: "probe tcp FROM PORT" or "probe ftp FROM PASSWORD". It
// prints what came of it.
func probe(args []string) string {
	d := net.Dialer{Timeout: 1500 * time.Millisecond, LocalAddr: &net.TCPAddr{IP: net.ParseIP(args[1])}}
	port := "21"
	if args[0] == "tcp" {
		port = args[2]
	}
	conn, err := d.Dial("tcp", net.JoinHostPort(serverOf(args[1]), port))
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	if args[0] == "tcp" {
		return "connected"
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	replies := bufio.NewScanner(conn)
	for _, command := range []string{"USER bhuser", "PASS " + args[2], ""} {
		if !replies.Scan() || !strings.HasPrefix(replies.Text(), "2") && !strings.HasPrefix(replies.Text(), "3") {
			break
		}
		fmt.Fprintf(conn, "%s\r\n", command)
	}
	return replies.Text()
}
