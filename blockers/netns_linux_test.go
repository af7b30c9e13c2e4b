package blockers

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// need skips a test that wants root and tools, unless everything is required.
func need(t testing.TB, tools ...string) {
	t.Helper()
	why := ""
	if os.Geteuid() != 0 {
		why = "needs root for a network namespace"
	}
	for _, tool := range tools {
		if _, err := (runner{dirs: Dirs(os.Getenv("PATH"))}).find(tool); err != nil {
			why = "install " + tool + " (Debian: iptables, ipset, nftables, iproute2, net-tools)"
		}
	}
	switch {
	case why == "":
	case os.Getenv("BLOCKHOSTS_REQUIRE") == "all":
		t.Fatal(why)
	default:
		t.Skip(why)
	}
}

// An arena is two network namespaces with a cable between them: the host that
// defends itself, and the network it is attacked from.
type arena struct{ host, net string }

var arenas atomic.Int32

// The arena's addresses. Attackers have .2 to .9 and ::2 to ::9 on the wire,
// and one address of another /64.
const (
	hostV4 = "192.0.2.1"
	hostV6 = "2001:db8::1"
)

func newArena(t testing.TB) arena {
	t.Helper()
	n := fmt.Sprintf("bh%d-%d", os.Getpid(), arenas.Add(1))
	a := arena{n + "h", n + "n"}
	for _, ns := range []string{a.host, a.net} {
		sh(t, "ip netns add "+ns)
		t.Cleanup(func() { sh(t, "ip netns del "+ns) })
		sh(t, "ip -n "+ns+" link set lo up")
	}
	sh(t, fmt.Sprintf("ip link add wire netns %s address 02:00:00:00:00:01 type veth peer name wire netns %s address 02:00:00:00:00:02", a.host, a.net))
	var setup strings.Builder
	address := func(ns, addr string) {
		mac, other := "02:00:00:00:00:01", a.net
		if ns == a.net {
			mac, other = "02:00:00:00:00:02", a.host
		}
		bare, _, _ := strings.Cut(addr, "/")
		flags := ""
		if strings.Contains(addr, ":") {
			flags = " nodad"
		}
		fmt.Fprintf(&setup, "ip -n %s addr add %s dev wire%s\n", ns, addr, flags)
		// Known neighbours: a filter that drops everything of an address drops
		// its neighbour discovery too, which would outlast the block.
		fmt.Fprintf(&setup, "ip -n %s neigh replace %s lladdr %s dev wire\n", other, bare, mac)
	}
	fmt.Fprintf(&setup, "ip -n %s link set wire up\nip -n %s link set wire up\n", a.host, a.net)
	address(a.host, hostV4+"/24")
	address(a.host, hostV6+"/64")
	address(a.host, "2001:db8:0:1::1/64")
	for i := 2; i <= 9; i++ {
		address(a.net, fmt.Sprintf("192.0.2.%d/24", i))
		address(a.net, fmt.Sprintf("2001:db8::%d/64", i))
	}
	address(a.net, "2001:db8:0:1::2/64")
	sh(t, setup.String())
	return a
}

// enter moves the test's goroutine into a namespace for the rest of its life,
// with a /run of its own so that no lock of the machine is touched. The thread
// ends with the goroutine, because it is never unlocked.
func enter(t testing.TB, ns string) {
	t.Helper()
	runtime.LockOSThread()
	f, err := os.Open("/run/netns/" + ns)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, step := range []func() error{
		func() error { return unix.Setns(int(f.Fd()), unix.CLONE_NEWNET) },
		func() error { return unix.Unshare(unix.CLONE_NEWNS) },
		func() error { return unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") },
		func() error { return unix.Mount("none", "/run", "tmpfs", 0, "") },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

// serve answers "ok" on ports of the host; enter comes first.
func serve(t testing.TB, ports ...string) {
	t.Helper()
	for _, port := range ports {
		l, err := net.Listen("tcp", ":"+port)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Write([]byte("ok"))
				c.Close()
			}
		}()
	}
}

// attackers is the network namespace from which probes are sent.
type attackers struct{ ns *os.File }

// openNetns opens a namespace; enter hides /run/netns, so this comes first.
func openNetns(t testing.TB, name string) *attackers {
	t.Helper()
	f, err := os.Open("/run/netns/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &attackers{f}
}

// open tells whether a connection from an address of the attackers' reaches
// the host. What is expected decides only how long the answer is waited for.
func (a *attackers) open(from, port string, expected bool) (bool, error) {
	wait := 250 * time.Millisecond
	if expected {
		wait = 5 * time.Second
	}
	results := make(chan error)
	var broken error // the probe itself
	go func() {
		runtime.LockOSThread() // the thread ends with this goroutine
		if broken = unix.Setns(int(a.ns.Fd()), unix.CLONE_NEWNET); broken != nil {
			results <- broken
			return
		}
		err := dial(netip.MustParseAddr(from), port, wait)
		if errors.Is(err, unix.EADDRNOTAVAIL) {
			broken = err
		}
		results <- err
	}()
	err := <-results
	return err == nil, broken
}

// dial connects from an address and waits for the host's answer.
func dial(src netip.Addr, port string, wait time.Duration) error {
	dst := hostV4
	switch {
	case netip.MustParsePrefix("2001:db8:0:1::/64").Contains(src):
		dst = "2001:db8:0:1::1"
	case src.Is6():
		dst = hostV6
	}
	d := net.Dialer{Timeout: wait, LocalAddr: &net.TCPAddr{IP: src.AsSlice()}}
	c, err := d.Dial("tcp", net.JoinHostPort(dst, port))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	_, err = io.ReadFull(c, make([]byte, 2))
	return err
}

// sh runs a shell script of the test's own.
func sh(t testing.TB, script string) string {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-ec", script)
	cmd.Env = []string{"PATH=" + strings.Join(Dirs("/usr/bin:/bin"), ":"), "LC_ALL=C"}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, out, stderr.String())
	}
	return string(out)
}

// xtables returns the folder of tools of one variant, nft or legacy.
func xtables(t testing.TB, variant string) string {
	t.Helper()
	multi := "/usr/sbin/xtables-" + variant + "-multi"
	tools := map[string]string{"ip": "/usr/sbin/ip", "ipset": "/usr/sbin/ipset", "nft": "/usr/sbin/nft", "route": "/usr/sbin/route"}
	for _, name := range []string{"iptables", "ip6tables"} {
		tools[name], tools[name+"-restore"], tools[name+"-save"] = multi, multi, multi
	}
	return toolbox(t, tools)
}
