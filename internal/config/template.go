package config

import (
	"fmt"
	"strings"
)

// maxLine is the length in bytes of the longest line that libwrap reads; one
// longer line lets everybody in (hosts_access(5)).
const maxLine = 2046

var (
	placeholder = lazily(`\{[A-Za-z0-9_]*\}`)

	// wrapped tells a rule of hosts.allow from a line of Apache's, nginx's
	// or Postfix's: "daemons : clients : deny".
	wrapped = lazily(`(?i)^[^:{}]+:.*\{ip\}.*:\s*deny\s*$`)
)

// ipv4Template checks a block line for IPv4.
func ipv4Template(s string) (string, string) { return template(s, "255.255.255.255/32") }

// ipv6Template checks one for IPv6. libwrap never matches an IPv6 address
// without brackets, nor a length within them, and does not say so.
func ipv6Template(s string) (string, string) {
	if wrapped().MatchString(s) && !strings.Contains(s, "[{ip}]/{len}") {
		return quote(s) + " would not match: in hosts.allow IPv6 stands in brackets, with the length behind them", `write "ALL: [{ip}]/{len} : deny"`
	}
	return template(s, strings.Repeat("ffff:", 7)+"ffff/128")
}

func template(s, longest string) (string, string) {
	if msg, hint := oneLine(s); msg != "" {
		return msg, hint
	}
	for _, p := range placeholder().FindAllString(s, -1) {
		if p != "{ip}" && p != "{len}" {
			return quote(s) + " holds " + quote(p), "what is filled in is {ip} and {len}"
		}
	}
	line := strings.NewReplacer("{ip}", longest, "{len}", "128").Replace(s)
	switch {
	case !strings.Contains(s, "{ip}"):
		return quote(s) + " has no {ip}, so that it blocks nobody", ""
	case strings.HasPrefix(strings.TrimSpace(s), "#"):
		return quote(s) + " is a comment and blocks nobody", ""
	case strings.HasSuffix(s, `\`):
		return quote(s) + " ends in a backslash, which swallows the next line", ""
	case len(line) > maxLine:
		return fmt.Sprintf("a line of up to %d bytes, and libwrap reads %d", len(line), maxLine), ""
	}
	return "", ""
}
