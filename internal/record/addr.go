package record

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// nat64 is the well-known prefix of RFC 6052, section 2.1: the last four
// bytes are the IPv4 address.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// ParseAddr reads an address as a daemon may write it: a zone is cut off,
// leading zeros of a dotted quad are decimal, brackets are not taken.
// The result is canonical. A host name is an error.
func ParseAddr(s string) (netip.Addr, error) {
	if i := strings.IndexByte(s, '%'); i > 0 {
		s = s[:i]
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		a, err = netip.ParseAddr(decimalQuad(s))
	}
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%.60q is not an address", s)
	}
	return canonical(a, strings.Contains(s, ".")), nil
}

// Canonical returns the address that a is counted as: without zone, an
// IPv4-mapped one (RFC 4291, 2.5.5.2) or one of the NAT64 prefix
// 64:ff9b::/96 (RFC 6052) as its IPv4 address.
func Canonical(a netip.Addr) netip.Addr { return canonical(a, false) }

// canonical also takes an IPv4-compatible address (RFC 4291, 2.5.5.1) as its
// IPv4 address where it was written with a dotted quad: "::192.0.2.1" is one,
// "::c000:201" is not told apart from any other IPv6 address.
func canonical(a netip.Addr, dotted bool) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a
	}
	b := a.As16()
	compatible := dotted && [12]byte(b[:12]) == [12]byte{}
	if compatible || nat64.Contains(a) {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

// decimalQuad drops the leading zeros of the dotted quad at the end of s.
func decimalQuad(s string) string {
	head := ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		head, s = s[:i+1], s[i+1:]
	}
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return head + s
	}
	for i, p := range parts {
		if len(p) > 1 && len(p) <= 3 {
			if p = strings.TrimLeft(p, "0"); p == "" {
				p = "0"
			}
			parts[i] = p
		}
	}
	return head + strings.Join(parts, ".")
}

// Single returns the prefix that holds a alone.
func Single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// FormatNet writes p as blockhosts prints it everywhere: an address without a
// length, a prefix as address/len.
func FormatNet(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// ParseNet reads what FormatNet wrote, and any address or prefix an
// administrator writes; host bits of a prefix are set to 0.
func ParseNet(s string) (netip.Prefix, error) {
	at, bits, found := strings.Cut(s, "/")
	a, err := ParseAddr(at)
	if err != nil {
		return netip.Prefix{}, err
	}
	if !found {
		return Single(a), nil
	}
	n, err := strconv.ParseUint(bits, 10, 8)
	if a.Is4() && strings.Contains(at, ":") { // the length counts the 96 bits before the IPv4 address
		n -= 96
	}
	// "::ffff:0:0/96" is IPv6's way to say everybody of IPv4: nobody means that.
	everybody := n == 0 && strings.Contains(at, ":") && a.Is4()
	if err != nil || n > uint64(a.BitLen()) || everybody {
		return netip.Prefix{}, fmt.Errorf("%.60q is not a prefix", s)
	}
	return netip.PrefixFrom(a, int(n)).Masked(), nil
}
