package spare

import (
	"context"
	"net/netip"
	"os/exec"
	"strings"
	"time"
)

// routeTime is how long route(8) may take for an answer that the kernel gives
// at once.
const routeTime = 2 * time.Second

// routeGateways asks the program, route(8) of a BSD or macOS, for the next hops
// of the default routes, and waits so long for each answer. A family without one
// is an error to it, and nothing to us. Where several routes are the default it
// names one of them.
func routeGateways(program string, wait time.Duration) []netip.Addr {
	var all []netip.Addr
	for _, args := range [][]string{{"-n", "get", "default"}, {"-n", "get", "-inet6", "default"}} {
		if a, ok := gatewayOf(askRoute(program, args, wait)); ok {
			all = append(all, a)
		}
	}
	return all
}

// askRoute returns what the program printed, "" where it failed. It is asked in a
// run that has been told to end, too: about what that has found until then it
// still decides, and the gateway must not be blocked for it.
func askRoute(program string, args []string, wait time.Duration) string {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{"LC_ALL=C"}
	cmd.WaitDelay = wait / 10 // who holds its pipes after its end
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// gatewayOf reads the answer of "route get", lines of "name: value". Only a
// default route's gateway counts: where there is none, the lookup may find
// another route that holds the unspecified address, such as that of ::/96
// which rejects. A route without a next hop has no such line, or names an
// interface ("link#2").
func gatewayOf(answer string) (gateway netip.Addr, ok bool) {
	fields := map[string]string{}
	for line := range strings.Lines(answer) {
		name, value, found := strings.Cut(line, ": ")
		if name = strings.TrimLeft(name, " "); !found {
			continue
		}
		if _, twice := fields[name]; twice {
			return gateway, false
		}
		fields[name] = strings.TrimSpace(value)
	}
	if mask, ok := fields["mask"]; !isDefault(fields["destination"]) || ok && !isDefault(mask) {
		return gateway, false
	}
	gateway, err := netip.ParseAddr(fields["gateway"])
	return gateway, err == nil
}

// isDefault knows the ways in which the systems print no address and no mask.
func isDefault(s string) bool { return s == "default" || s == "0.0.0.0" || s == "::" }
