package blockfile

import (
	"net/netip"
	"strings"

	"blockhosts/internal/record"
)

// parseNet reads what record.FormatNet wrote. record.ParseNet would take an
// address in a special prefix for the IPv4 address it stands for.
func parseNet(s string) (netip.Prefix, bool) {
	if a, ok := parseIPv4(s); ok {
		return record.Single(a), true
	}
	if strings.IndexByte(s, '/') >= 0 {
		net, err := netip.ParsePrefix(s)
		if err == nil && net.Addr().Is4In6() {
			net, err = record.ParseNet(s)
		}
		return net.Masked(), err == nil
	}
	a, err := netip.ParseAddr(s)
	a = a.Unmap()
	return record.Single(a), err == nil && a.Zone() == ""
}

// parseIPv4 reads a plain dotted quad in a third of the time of
// netip.ParseAddr, which judges whatever else there is: leading zeros and
// numbers over 255 are left to it.
func parseIPv4(s string) (netip.Addr, bool) {
	var b [4]byte
	at, n, digits := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			if digits++; digits > 1 && n == 0 {
				return netip.Addr{}, false
			}
			if n = n*10 + int(c-'0'); n > 255 {
				return netip.Addr{}, false
			}
		case c == '.' && digits > 0 && at < 3:
			b[at] = byte(n)
			at, n, digits = at+1, 0, 0
		default:
			return netip.Addr{}, false
		}
	}
	b[at] = byte(n)
	return netip.AddrFrom4(b), at == 3 && digits > 0
}

func netOfHost(h *record.Host) netip.Prefix   { return h.Net }
func netOfBlock(b *record.Block) netip.Prefix { return b.Net }
func netOfPast(p *record.Past) netip.Prefix   { return p.Net }

// byNet orders prefixes by address, then by length: the order of the section.
func byNet(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}
