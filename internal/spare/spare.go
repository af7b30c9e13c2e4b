// Package spare knows the addresses whose block would lock the administrator
// out or cut the host off: its own, its default gateways, its resolvers, and
// where open sessions come from. It is asked once a run and decides nothing.
package spare

import (
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// An Address is one that automatic blocks leave alone.
type Address struct {
	Addr netip.Addr
	Why  string // "own address of eth0", "default gateway", "resolver", "open session of anna"
}

// A Found is what Find found.
type Found struct {
	Addresses []Address      // by Addr, each once
	OnLink    []netip.Prefix // IPv6 prefixes of the host's own networks: neighbours share them, so that they are never blocked whole
}

// Options say where to look; the zero value is the running system.
type Options struct {
	Root          string // in front of /proc, /etc and /run; for tests
	SSHConnection string // the environment's SSH_CONNECTION, see ssh(1); used where neither logind nor utmp knows a session
}

// Find asks the system. What cannot be read is left out: a container has no
// logind, a router no resolver.
func Find(o Options) Found {
	var f Found
	if ifaces, err := net.Interfaces(); err == nil && o.Root == "" {
		for _, i := range ifaces {
			addrs, _ := i.Addrs()
			f.addInterface(i.Name, addrs)
		}
	}
	for _, a := range gateways(o.Root) {
		f.add(a, "default gateway")
	}
	for _, a := range resolvers(filepath.Join(o.Root, "/etc/resolv.conf")) {
		f.add(a, "resolver")
	}
	sessions := logindSessions(filepath.Join(o.Root, "/run/systemd/sessions"))
	if sessions == nil {
		sessions = utmpSessions(o.Root)
	}
	if sessions == nil {
		sessions = sshSession(o.SSHConnection)
	}
	for _, s := range sessions {
		f.add(s.Addr, s.Why)
	}
	sort.SliceStable(f.Addresses, func(i, j int) bool { return f.Addresses[i].Addr.Less(f.Addresses[j].Addr) })
	f.Addresses = slices.CompactFunc(f.Addresses, func(a, b Address) bool { return a.Addr == b.Addr })
	sort.Slice(f.OnLink, func(i, j int) bool { return f.OnLink[i].Compare(f.OnLink[j]) < 0 })
	f.OnLink = slices.Compact(f.OnLink)
	return f
}

func (f *Found) add(a netip.Addr, why string) {
	a = a.Unmap().WithZone("")
	if a.IsValid() && !a.IsUnspecified() {
		f.Addresses = append(f.Addresses, Address{Addr: a, Why: why})
	}
}

// addInterface notes the addresses of one interface and their networks.
func (f *Found) addInterface(name string, addrs []net.Addr) {
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		f.add(p.Addr(), "own address of "+name)
		if p.Addr().Is6() && !p.IsSingleIP() {
			f.OnLink = append(f.OnLink, p.Masked())
		}
	}
}

// sshSession reads "client-address client-port server-address server-port".
func sshSession(value string) []Address {
	client, _, _ := strings.Cut(value, " ")
	a, err := netip.ParseAddr(client)
	if err != nil {
		return nil
	}
	return []Address{{Addr: a, Why: "open session"}}
}
