package blockers

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A standinRoute is one route of a BSD.
type standinRoute struct {
	Net, Gateway string
	Kind         string // blackhole, reject, or "" for a way somewhere
	Proto1       bool
	Label        string
}

// flags are netstat(1)'s.
func (r standinRoute) flags() string {
	f := "UG"
	if p := netip.MustParsePrefix(r.Net); p.IsSingleIP() {
		f += "H"
	}
	if r.Kind == "reject" {
		f += "R"
	}
	f += "S"
	if r.Kind == "blackhole" {
		f += "B"
	}
	if r.Proto1 {
		f += "1"
	}
	return f
}

// dest is how a listing names where a route leads: OpenBSD drops the zeros at
// the end of an IPv4 network.
func (r standinRoute) dest(system string) string {
	p := netip.MustParsePrefix(r.Net)
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	s := p.Addr().String()
	if system == "openbsd" && p.Addr().Is4() {
		for strings.HasSuffix(s, ".0") {
			s = strings.TrimSuffix(s, ".0")
		}
	}
	return fmt.Sprintf("%s/%d", s, p.Bits())
}

const exUsage = 64 // sysexits(3)

// route is route(8): -q -n, a command, modifiers, a destination, a gateway.
func (s *standin) route(args []string) int {
	if len(args) > 0 && args[0] == "-n" && s.System == "openbsd" {
		return s.routeShow(args[1:])
	}
	if len(args) < 3 || args[0] != "-q" || args[1] != "-n" {
		return fails(exUsage, "usage: route [-nqtv] command [[modifiers] args]")
	}
	verb := args[2]
	if verb != "add" && verb != "delete" {
		return fails(exUsage, "route: bad keyword: %s", verb)
	}
	var r standinRoute
	var words []string
	six, host, net := false, false, false
	for i := 3; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-inet":
		case a == "-inet6":
			six = true
		case a == "-host":
			host = true
		case a == "-net":
			net = true
		case a == "-blackhole" || a == "-reject":
			r.Kind = a[1:]
		case a == "-proto1" && s.System != "openbsd":
			r.Proto1 = true
		case a == "-label" && s.System == "openbsd" && i+1 < len(args):
			i++
			r.Label = args[i]
		case strings.HasPrefix(a, "-"):
			return fails(exUsage, "route: bad keyword: %s", a[1:])
		default:
			words = append(words, a)
		}
	}
	if len(words) == 0 || host == net {
		return fails(exUsage, "route: not enough arguments")
	}
	p, ok := parseDestination(words[0])
	if !ok || p.Addr().Is6() != six || p.IsSingleIP() != host {
		return fails(1, "route: %s: bad address", words[0])
	}
	r.Net = p.String()
	i := slices.IndexFunc(s.Routes, func(o standinRoute) bool { return o.Net == r.Net })
	if verb == "delete" {
		if len(words) > 1 || r.Kind != "" || i < 0 {
			return fails(1, "delete host %s fib 0: not in table", words[0])
		}
		s.Routes = slices.Delete(s.Routes, i, i+1)
		return 0
	}
	loopback := map[bool]string{false: "127.0.0.1", true: "::1"}[six]
	if len(words) != 2 || r.Kind != "" && words[1] != loopback {
		return fails(1, "route: writing to routing socket: Invalid argument")
	}
	if i >= 0 {
		return fails(1, "add host %s: gateway %s fib 0: route already in table", words[0], words[1])
	}
	r.Gateway = words[1]
	s.Routes = append(s.Routes, r)
	return 0
}

// routeShow is OpenBSD's "route -n show -inet -label blockhosts".
func (s *standin) routeShow(args []string) int {
	if len(args) != 4 || args[0] != "show" || args[1] != "-inet" && args[1] != "-inet6" || args[2] != "-label" {
		return fails(1, "usage: route [-nqtv] command [[modifiers] args]")
	}
	s.listing(args[1] == "-inet6", func(r standinRoute) bool { return r.Label == args[3] })
	return 0
}

// netstat is FreeBSD's "netstat -rnW -f inet".
func (s *standin) netstat(args []string) int {
	if len(args) != 3 || args[0] != "-rnW" || args[1] != "-f" || args[2] != "inet" && args[2] != "inet6" {
		return fails(1, "usage: netstat -r [-46AnW] [-F fibnum] [-f address_family]")
	}
	s.listing(args[2] == "inet6", func(standinRoute) bool { return true })
	return 0
}

func (s *standin) listing(six bool, take func(standinRoute) bool) {
	fmt.Printf("Routing tables\n\nInternet%s:\n%-18s %-18s %-10s %s\n", map[bool]string{true: "6"}[six], "Destination", "Gateway", "Flags", "Netif Expire")
	if !six && take(standinRoute{}) {
		fmt.Printf("%-18s %-18s %-10s %s\n", "default", "192.0.2.254", "UGS", "em0")
	}
	for _, r := range s.Routes {
		if netip.MustParsePrefix(r.Net).Addr().Is6() == six && take(r) {
			fmt.Printf("%-18s %-18s %-10s %s\n", r.dest(s.System), r.Gateway, r.flags(), "lo0")
		}
	}
}
