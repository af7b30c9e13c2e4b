package spare

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// system lays files below a folder that stands for the root.
func system(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func show(f Found) string {
	var lines []string
	for _, a := range f.Addresses {
		lines = append(lines, fmt.Sprintf("%s %s", a.Addr, a.Why))
	}
	return strings.Join(lines, "\n")
}

func utmp(user, addr string, kind uint16) string {
	b := make([]byte, utmpSize)
	binary.NativeEndian.PutUint16(b, kind)
	copy(b[utmpUser:], user)
	copy(b[utmpAddr:], netip.MustParseAddr(addr).AsSlice())
	return string(b)
}

func TestFind(t *testing.T) {
	resolv := "# made by hand\nnameserver 192.0.2.53\nsearch example.org\nnameserver 2001:db8::53%eth0\nnameserver nonsense\n"
	session := "# This is private data. Do not parse.\nUID=1000\nUSER=anna\nSTATE=active\nREMOTE=1\nREMOTE_HOST=198.51.100.7\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		ssh   string
		want  string
	}{
		{"nothing", nil, "", ""},
		{"resolvers", map[string]string{"etc/resolv.conf": resolv}, "", "192.0.2.53 resolver\n2001:db8::53 resolver"},
		{"logind before utmp", map[string]string{
			"run/systemd/sessions/4": session,
			"run/systemd/sessions/5": strings.Replace(session, "active", "closing", 1) + "REMOTE_HOST=198.51.100.8\n",
			"run/systemd/sessions/6": "USER=root\nREMOTE_HOST=\n",
			"run/utmp":               utmp("bob", "198.51.100.9", utmpUserProc),
		}, "", "198.51.100.7 open session of anna"},
		{"utmp", map[string]string{"run/utmp": utmp("bob", "198.51.100.9", utmpUserProc) + utmp("eve", "198.51.100.10", 8) + utmp("carl", "2001:db8::7", utmpUserProc)},
			"203.0.113.1 4 203.0.113.2 22", "198.51.100.9 open session of bob\n2001:db8::7 open session of carl"},
		{"another system's utmp", map[string]string{"var/run/utmp": utmp("bob", "198.51.100.9", utmpUserProc) + "xyz"}, "", ""},
		{"the environment last", nil, "2001:db8::1 50000 2001:db8::2 22", "2001:db8::1 open session"},
		{"each address once", map[string]string{"etc/resolv.conf": "nameserver 192.0.2.53\nnameserver 192.0.2.53\nnameserver ::ffff:192.0.2.53"}, "", "192.0.2.53 resolver"},
		{"names are cleaned", map[string]string{"run/systemd/sessions/1": "USER=a\x1b[2Jb\nREMOTE_HOST=192.0.2.9\n"}, "", "192.0.2.9 open session of a2Jb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := show(Find(Options{Root: system(t, c.files), SSHConnection: c.ssh}))
			if got != c.want {
				t.Errorf("found\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestGateways(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads Linux' /proc/net")
	}
	root := system(t, map[string]string{
		"proc/net/route": "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" +
			"eth0\t00000000\t" + fmt.Sprintf("%08X", binary.NativeEndian.Uint32([]byte{192, 0, 2, 1})) + "\t0003\t0\t0\t0\t00000000\t0\t0\t0\n" +
			"eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n" +
			"tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n",
		"proc/net/ipv6_route": "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n" +
			"20010db8000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n",
	})
	if got, want := show(Find(Options{Root: root})), "192.0.2.1 default gateway\nfe80::1 default gateway"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestOwnAddresses(t *testing.T) {
	var f Found
	_, n, _ := net.ParseCIDR("2001:db8:5::/64")
	f.addInterface("eth0", []net.Addr{
		&net.IPNet{IP: net.ParseIP("192.0.2.4"), Mask: net.CIDRMask(24, 32)},
		&net.IPNet{IP: net.ParseIP("2001:db8:5::4"), Mask: n.Mask},
	})
	if got, want := show(f), "192.0.2.4 own address of eth0\n2001:db8:5::4 own address of eth0"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	if len(f.OnLink) != 1 || f.OnLink[0].String() != "2001:db8:5::/64" {
		t.Errorf("on link: %v", f.OnLink)
	}
	if ifs, err := net.InterfaceAddrs(); err == nil && len(ifs) > 0 && len(Find(Options{}).Addresses) == 0 {
		t.Error("the running system has addresses, and none was found")
	}
}
