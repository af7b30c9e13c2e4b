//go:build !linux

package spare

import "net/netip"

// gateways is not known where there is no /proc/net/route: reading the routing
// socket of each BSD is left to a later version.
func gateways(string) []netip.Addr { return nil }
