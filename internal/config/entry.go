package config

import (
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// allowEntry and denyEntry check an entry of the allowlist and the denylist:
//
//	192.0.2.1  2001:db8::1       an address
//	192.0.2.0/24  2001:db8::/32  a prefix
//	re:PATTERN                   a pattern
//	file:/PATH                   a file with entries
//	admin.example.org            a host: letters, digits, - and . only
//	10\..*                       anything else is a pattern, too
//
// A slip that would make of an address the name of a host, or a pattern that
// never matches, is refused. Whether a file or a host is there, the run will
// see.
func allowEntry(s string) (string, string) {
	if re, ok := strings.CutPrefix(s, "re:"); ok {
		if re == "" {
			return quote(s) + " is an empty pattern and matches everybody", ""
		}
		return pattern(re)
	}
	if name, ok := strings.CutPrefix(s, "file:"); ok {
		return listFile(name)
	}
	switch {
	case s == "":
		return "an empty entry", ""
	case strings.ContainsAny(s, " \t\r\n"):
		return quote(s) + " holds blanks", "one entry is one address, prefix, name or pattern; for a pattern with blanks write re:"
	case strings.HasPrefix(s, "[") && strings.Count(s, ":") > 1:
		return quote(s) + " is a set of characters", "write an IPv6 address without brackets"
	case strings.Trim(s, "0123456789./") == "":
		return ipv4Entry(s)
	case looksIPv6(s):
		return ipv6Entry(s)
	case strings.Trim(s, "0123456789.-") == "":
		return quote(s) + " is neither an address nor a prefix", "a range is written as prefixes: 192.0.2.0/28"
	case isHostChars(s):
		return hostEntry(s)
	}
	return pattern(s)
}

// listFile checks the name behind "file:". A run has no directory of its own
// to which a shorter name could belong.
func listFile(name string) (string, string) {
	if msg, hint := firstWrong(name, []check{path, oneLine}); msg != "" {
		return msg, hint
	}
	if !filepath.IsAbs(name) {
		return quote("file:"+name) + " is not a whole path", "write file:/etc/blockhosts/allow.txt"
	}
	return "", ""
}

// hostEntry checks what has the characters of a host name. Top-level domains
// are letters, two or more (RFC 3696, 2): another end, or three numbers of
// four, is an address with a slip.
func hostEntry(s string) (string, string) {
	if !isHostname(s) {
		return quote(s) + " is neither an address nor the name of a host", "a name stands for one host, not for a domain; for a pattern write re:"
	}
	labels := strings.Split(strings.TrimSuffix(s, "."), ".")
	last := labels[len(labels)-1]
	slip := len(labels) > 1 && (len(last) == 1 || last[0] <= '9')
	if len(labels) == 4 && strings.Trim(strings.Join(labels[:3], ""), "0123456789") == "" {
		slip = true
	}
	if slip {
		return quote(s) + " is not an address, and no host has such a name", "an address is four numbers from 0 to 255; for a pattern write re:"
	}
	return "", ""
}

// denyEntry refuses, besides, what would block everybody.
func denyEntry(s string) (string, string) {
	if msg, hint := allowEntry(s); msg != "" {
		return msg, hint
	}
	if _, bits, found := strings.Cut(s, "/"); found && bits == "0" {
		return quote(s) + " would block everybody", ""
	}
	return "", ""
}

// ipv4Entry checks what has the characters of an IPv4 address or prefix.
// Leading zeros are decimal, host bits of a prefix are dropped.
func ipv4Entry(s string) (string, string) {
	addr, bits, found := strings.Cut(s, "/")
	parts := strings.Split(addr, ".")
	if len(parts) < 4 || len(parts) == 5 && parts[4] == "" {
		return quote(s) + " is not an address: want four numbers", "for all that begin so write a prefix: 192.0.2.0/24, 10.0.0.0/8"
	}
	for _, p := range parts {
		if n, err := strconv.Atoi(p); err != nil || n > 255 || len(p) > 3 || len(parts) > 4 {
			return quote(s) + " is not an address: want four numbers from 0 to 255", ""
		}
	}
	if found && !isLength(bits, 32) {
		return quote(s) + " is not a prefix: want a length from 0 to 32", "write 192.0.2.0/24 for 192.0.2.0/255.255.255.0"
	}
	return "", ""
}

func isLength(s string, most int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0 && n <= most && s == strconv.Itoa(n)
}

func looksIPv6(s string) bool {
	addr, _, _ := strings.Cut(s, "%")
	return strings.Count(addr, ":") > 1 && strings.Trim(addr, "0123456789abcdefABCDEF:./") == ""
}

// nat64 is the prefix of RFC 6052, 2.1, whose addresses count as the IPv4
// address in their last four bytes.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func ipv6Entry(s string) (string, string) {
	text, bits, found := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return quote(s) + " is not an address", "IPv6 is up to eight groups of up to four hexadecimal digits, with :: at most once"
	}
	if !found {
		return "", ""
	}
	if !isLength(bits, 128) || addr.Zone() != "" {
		return quote(s) + " is not a prefix: want a length from 0 to 128, and no zone", ""
	}
	n, _ := strconv.Atoi(bits)
	b := addr.As16()
	compatible := strings.Contains(text, ".") && [12]byte(b[:12]) == [12]byte{} // RFC 4291, 2.5.5.1
	if (addr.Is4In6() || compatible || nat64.Contains(addr)) && n <= 96 {
		return quote(s) + " means every IPv4 address", "write the IPv4 prefix that is meant"
	}
	return "", ""
}
