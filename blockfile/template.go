package blockfile

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"blockhosts/internal/record"
)

// A Template says how a block is written, one line for each family. {ip} is
// the address, or for a prefix address/len with the host bits 0. Where the
// line has a {len} of its own, {ip} is the address alone and {len} the length.
type Template struct {
	IPv4 string // "ALL: {ip} : deny"
	IPv6 string // "ALL: [{ip}]/{len} : deny"
}

// DefaultTemplate is what libwrap reads. An IPv6 address without brackets or
// with the length inside them matches nothing, and one without a length makes
// libwrap look up the name of every client.
var DefaultTemplate = Template{IPv4: "ALL: {ip} : deny", IPv6: "ALL: [{ip}]/{len} : deny"}

// maxTemplate leaves room for an address and a length in a line.
const maxTemplate = maxLine - 64

// Check tells what is wrong with t, if anything.
func (t Template) Check() error {
	for _, line := range []string{t.IPv4, t.IPv6} {
		trimmed := trim(line)
		wrong := ""
		switch {
		case strings.Count(line, "{ip}") != 1:
			wrong = "wants {ip} once"
		case strings.Count(line, "{len}") > 1 || strings.Contains(line, "{ip}{len}"):
			wrong = "wants {len} once at most, and not right behind {ip}"
		case strings.Contains(line, "{len}") && strings.Index(line, "{len}") < strings.Index(line, "{ip}"):
			wrong = "wants {len} behind {ip}"
		case strings.ContainsAny(line, "\n\r\x00"):
			wrong = "must be one line of text"
		case strings.HasSuffix(line, `\`):
			wrong = `must not end in \`
		case strings.HasPrefix(trimmed, Marker) || strings.HasPrefix(trimmed, tag):
			wrong = "must not begin like the lines of the section"
		case len(line) > maxTemplate:
			wrong = fmt.Sprintf("is longer than %d bytes", maxTemplate)
		default:
			continue
		}
		return fmt.Errorf("block line template %.60q %s", line, wrong)
	}
	return nil
}

// compiled is a Template, ready for use.
type compiled struct {
	v4, v6  pieces
	libwrap bool // the lines are those of hosts.allow or hosts.deny
}

// pieces are the texts around {ip} and {len}.
type pieces struct {
	before, between, after string
	start, end             string // of a line that is trimmed
	hasLen                 bool
}

func (t Template) compile() compiled {
	// "daemons : clients : deny": no list of another program has the colon.
	head, _, _ := strings.Cut(t.IPv4, "{ip}")
	return compiled{v4: compilePieces(t.IPv4), v6: compilePieces(t.IPv6), libwrap: strings.Contains(head, ":")}
}

func compilePieces(line string) (p pieces) {
	var rest string
	p.before, rest, _ = strings.Cut(line, "{ip}")
	p.between, p.after, p.hasLen = strings.Cut(rest, "{len}")
	p.start = trimLeft(p.before)
	if p.end = p.between; p.hasLen {
		p.end = p.after
	}
	p.end = strings.TrimRight(p.end, blanks)
	return p
}

func (c *compiled) of(a netip.Addr) *pieces {
	if a.Is4() {
		return &c.v4
	}
	return &c.v6
}

// append writes the block line for net, with its newline.
func (c *compiled) append(b []byte, net netip.Prefix) []byte {
	net = net.Masked()
	p := c.of(net.Addr())
	b = append(b, p.before...)
	b = net.Addr().AppendTo(b)
	if !p.hasLen && !net.IsSingleIP() {
		b = append(b, '/')
		b = strconv.AppendInt(b, int64(net.Bits()), 10)
	}
	b = append(b, p.between...)
	if p.hasLen {
		b = strconv.AppendInt(b, int64(net.Bits()), 10)
		b = append(b, p.after...)
	}
	return append(b, '\n')
}

// parse reads a block line: of this template, or "ALL: … : deny" as
// blockhosts.py wrote it. The line is trimmed.
func (c *compiled) parse(line string) (netip.Prefix, bool) {
	if net, ok := c.v4.parse(line); ok {
		return net, true
	}
	if net, ok := c.v6.parse(line); ok {
		return net, true
	}
	return parseDeny(line)
}

func (p *pieces) parse(line string) (netip.Prefix, bool) {
	rest, ok := strings.CutPrefix(line, p.start)
	if !ok {
		return netip.Prefix{}, false
	}
	n := 0
	for n < len(rest) && isAddrByte(rest[n]) && (rest[n] != '/' || !p.hasLen) {
		n++
	}
	text := rest[:n]
	rest = rest[n:]
	if !p.hasLen {
		return netOf(text, rest == p.end)
	}
	rest, ok = strings.CutPrefix(rest, p.between)
	if !ok {
		return netip.Prefix{}, false
	}
	for n = 0; n < len(rest) && '0' <= rest[n] && rest[n] <= '9'; n++ {
	}
	return netOf(text+"/"+rest[:n], rest[n:] == p.end)
}

func netOf(text string, ok bool) (netip.Prefix, bool) {
	if !ok || text == "" {
		return netip.Prefix{}, false
	}
	if a, ok := parseIPv4(text); ok {
		return record.Single(a), true
	}
	net, err := record.ParseNet(text)
	return net, err == nil
}

func isAddrByte(b byte) bool {
	return '0' <= b && b <= ':' || 'a' <= b|0x20 && b|0x20 <= 'f' || b == '.' || b == '/'
}

// parseDeny reads "ALL: IP : deny", blanks and case as libwrap has them, IPv6
// also in brackets with the length inside or behind.
func parseDeny(line string) (netip.Prefix, bool) {
	daemons, rest, ok := strings.Cut(line, ":")
	if !ok || !strings.EqualFold(trim(daemons), "ALL") {
		return netip.Prefix{}, false
	}
	i := strings.LastIndexByte(rest, ':')
	if i < 0 || !strings.EqualFold(trim(rest[i+1:]), "deny") {
		return netip.Prefix{}, false
	}
	client := trim(rest[:i])
	if inner, ok := strings.CutPrefix(client, "["); ok {
		at, behind, _ := strings.Cut(inner, "]")
		client = at + behind
	}
	return netOf(client, true)
}
