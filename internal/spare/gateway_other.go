//go:build !linux

package spare

import "net/netip"

// gateways asks route(8), which is in the same place on all BSDs and macOS:
// unlike Linux' they have no file of routes.
func gateways(root string) []netip.Addr {
	if root != "" { // the routes are the running system's
		return nil
	}
	return routeGateways("/sbin/route", routeTime)
}
