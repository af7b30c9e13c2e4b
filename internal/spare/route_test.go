package spare

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What route(8) prints of a default route.
const (
	freeBSD = `   route to: default
destination: default
       mask: default
    gateway: 192.0.2.1
        fib: 0
  interface: em0
      flags: <UP,GATEWAY,DONE,STATIC>
 recvpipe  sendpipe  ssthresh  rtt,msec    mtu        weight    expire
       0         0         0         0      1500         1         0 
`
	freeBSD6 = `   route to: ::
destination: ::
       mask: ::
    gateway: fe80::1%em0
        fib: 0
  interface: em0
      flags: <UP,GATEWAY,DONE,STATIC>
 recvpipe  sendpipe  ssthresh  rtt,msec    mtu        weight    expire
       0         0         0         0      1500         1         0 
`
	openBSD = `   route to: default
destination: default
       mask: default
    gateway: 192.0.2.1
  interface: vio0
 if address: 192.0.2.7
   priority: 8 (static)
      flags: <UP,GATEWAY,DONE,STATIC>
     use       mtu    expire
  221184         0         0 
`
	openBSD6 = `   route to: ::
destination: ::
       mask: ::
    gateway: 2001:db8::1
  interface: vio0
 if address: 2001:db8::7
   priority: 8 (static)
      flags: <UP,GATEWAY,DONE,STATIC>
     use       mtu    expire
      12         0         0 
`
	netBSD = `   route to: default
destination: default
       mask: default
    gateway: 192.0.2.1
 local addr: 192.0.2.7
  interface: wm0
      flags: 0x843<UP,GATEWAY,DONE,STATIC>
 recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire
       0         0         0         0         0         0         0         0 
`
	macOS = `   route to: default
destination: default
       mask: default
    gateway: 192.0.2.1
  interface: en0
      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>
 recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire
       0         0         0         0         0         0      1500         0 
`
	macOS6 = `   route to: ::
destination: ::
       mask: default
    gateway: fe80::1%en0
  interface: en0
      flags: <UP,GATEWAY,DONE,PRCLONING,GLOBAL>
 recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire
       0         0         0         0         0         0      1500         0 
`
)

func TestGatewayOf(t *testing.T) {
	for name, c := range map[string]struct{ answer, want string }{
		"FreeBSD":        {freeBSD, "192.0.2.1"},
		"FreeBSD, IPv6":  {freeBSD6, "fe80::1%em0"},
		"OpenBSD":        {openBSD, "192.0.2.1"},
		"OpenBSD, IPv6":  {openBSD6, "2001:db8::1"},
		"NetBSD":         {netBSD, "192.0.2.1"},
		"macOS":          {macOS, "192.0.2.1"},
		"macOS, IPv6":    {macOS6, "fe80::1%en0"},
		"no mask":        {strings.Replace(netBSD, "       mask: default\n", "", 1), "192.0.2.1"},
		"zeros":          {strings.ReplaceAll(netBSD, ": default", ": 0.0.0.0"), "192.0.2.1"},
		"nothing":        {"", ""},
		"no next hop":    {strings.Replace(macOS, "    gateway: 192.0.2.1\n", "", 1), ""},
		"an interface":   {strings.Replace(freeBSD, "192.0.2.1", "link#2", 1), ""},
		"a host name":    {strings.Replace(freeBSD, "192.0.2.1", "gw.example.org", 1), ""},
		"more than one":  {freeBSD + "    gateway: 192.0.2.2\n", ""},
		"another route":  {strings.Replace(freeBSD, "destination: default", "destination: 192.0.2.0", 1), ""},
		"part of it all": {strings.Replace(openBSD6, "mask: ::", "mask: ffff:ffff:ffff:ffff:ffff:ffff::", 1), ""},
		"an error":       {"route: route has not been found\n", ""},
		"a gateway only": {"gateway: 192.0.2.1\n", ""},
		"no line end":    {"destination: default\ngateway: 192.0.2.1", "192.0.2.1"},
	} {
		a, ok := gatewayOf(c.answer)
		if ok != (c.want != "") || ok && a.String() != c.want {
			t.Errorf("%s: %v, %v, want %q", name, a, ok, c.want)
		}
	}
}

// FuzzGatewayOf: whatever is printed, what comes of it stands there as the gateway.
func FuzzGatewayOf(f *testing.F) {
	for _, s := range []string{freeBSD, freeBSD6, openBSD6, netBSD, macOS6, "gateway: \n: : \n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		a, ok := gatewayOf(answer)
		if !ok {
			return
		}
		said := false
		for line := range strings.Lines(answer) {
			value, found := strings.CutPrefix(strings.TrimSpace(line), "gateway: ")
			b, err := netip.ParseAddr(strings.TrimSpace(value))
			said = said || found && err == nil && a == b
		}
		if !said {
			t.Errorf("gateway %v of %q", a, answer)
		}
	})
}

// route makes a program that stands in for route(8).
func route(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "route")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRouteGateways(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("fe80::1%em0")
	answer := "case \"$*\" in\n'-n get default') cat <<'E'\n" + freeBSD + "E\n;;\n'-n get -inet6 default') "
	for name, c := range map[string]struct {
		program string
		want    []netip.Addr
	}{
		"both":     {route(t, answer+"cat <<'E'\n"+freeBSD6+"E\n;;\n*) exit 64;;\nesac\n"), []netip.Addr{four, six}},
		"no IPv6":  {route(t, answer+"echo 'route: route has not been found' >&2; exit 1;;\nesac\n"), []netip.Addr{four}},
		"it fails": {route(t, "cat <<'E'\n"+freeBSD+"E\nexit 77\n"), nil},
		"missing":  {"/nonexistent/route", nil},
	} {
		if got := routeGateways(c.program, 30*routeTime); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestRouteHangs: it ends after its time, and what it started does not hold
// the run by its pipes. Who waits for them does so for a day.
func TestRouteHangs(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	defer func() {
		text, _ := os.ReadFile(pid)
		if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}()
	if got := routeGateways(route(t, "sleep 86400 & echo $! >"+pid+"; wait\n"), 50*time.Millisecond); got != nil {
		t.Errorf("gateways: %v", got)
	}
}
