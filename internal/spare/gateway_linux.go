package spare

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// rtfGateway is RTF_GATEWAY of linux/route.h: the route has a next hop.
const rtfGateway = 2

// gateways reads the next hops of the default routes from /proc/net/route and
// /proc/net/ipv6_route (net/ipv4/fib_trie.c and net/ipv6/route.c of Linux).
func gateways(root string) []netip.Addr {
	var all []netip.Addr
	for line := range strings.Lines(string(read(filepath.Join(root, "/proc/net/route")))) {
		f := strings.Fields(line) // Iface Destination Gateway Flags … Mask …
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" || !hasGateway(f[3]) {
			continue
		}
		if n, err := strconv.ParseUint(f[2], 16, 32); err == nil {
			var b [4]byte
			binary.NativeEndian.PutUint32(b[:], uint32(n)) // printed as a number of the host
			all = append(all, netip.AddrFrom4(b))
		}
	}
	for line := range strings.Lines(string(read(filepath.Join(root, "/proc/net/ipv6_route")))) {
		f := strings.Fields(line) // destination length source length next-hop metric refcount use flags device
		if len(f) < 10 || f[1] != "00" || !hasGateway(f[8]) {
			continue
		}
		if b, err := hex.DecodeString(f[4]); err == nil && len(b) == 16 {
			all = append(all, netip.AddrFrom16([16]byte(b)))
		}
	}
	return all
}

func hasGateway(flags string) bool {
	n, err := strconv.ParseUint(flags, 16, 32)
	return err == nil && n&rtfGateway != 0
}
