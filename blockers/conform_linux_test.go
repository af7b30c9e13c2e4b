package blockers

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func contenders() []contender {
	var list []contender
	for _, variant := range []string{"nft", "legacy"} {
		list = append(list, iptablesContenders(variant)...)
		list = append(list, ipsetContenders(variant)...)
	}
	list = append(list, nftContenders()...)
	list = append(list, contender{
		name: "nullroute", variant: "nft", tools: []string{"route"}, only4: true, config: Config{Name: "nullroute"},
		spoil: []spoiler{
			{"routes flushed", "ip route flush metric 97"},
			{"route deleted", "route del -host 192.0.2.3 metric 97 reject"},
			{"route added", "route add -host 192.0.2.5 metric 97 reject"},
		},
	})
	list = append(list, iprouteContenders()...)
	for _, name := range []string{"nftables", "ipset-nft", "iproute-blackhole"} {
		c := list[slices.IndexFunc(list, func(c contender) bool { return c.name == name })]
		c.name, c.textual = name+"-listed", true
		list = append(list, c)
	}
	return list
}

func nftContenders() []contender {
	spoil := []spoiler{
		{"ruleset flushed", "nft delete table inet blockhosts"},
		{"element deleted", "nft delete element inet blockhosts v4 { 192.0.2.3 }"},
		{"element added", "nft add element inet blockhosts v4 { 192.0.2.5 }"},
		{"prefix added", "nft add element inet blockhosts v4_30 { 192.0.2.4 }"},
		{"set flushed", "nft flush set inet blockhosts v4_30"},
		{"rules flushed", "nft flush chain inet blockhosts input"},
		{"a rule before ours", "nft insert rule inet blockhosts input accept"},
		{"a rule twice", `nft add rule inet blockhosts input ip saddr @v4 counter drop comment '"ip saddr @v4 counter drop"'`},
		{"chain deleted", "nft delete chain inet blockhosts input"},
		{"chain with another priority", `nft delete chain inet blockhosts input
nft add chain inet blockhosts input '{ type filter hook input priority 7; policy accept; }'`},
		{"set of another type", `nft delete table inet blockhosts; nft add table inet blockhosts
nft add set inet blockhosts v4 '{ type ipv4_addr; flags interval; }'; nft add element inet blockhosts v4 { 192.0.2.0/29 }`},
	}
	one := func(name string, options map[string]any) contender {
		return contender{name: "nftables" + name, variant: "nft", tools: []string{"nft"}, spoil: spoil, config: Config{Name: "nftables", Options: options}}
	}
	return []contender{
		one("", nil),
		one("-reject", map[string]any{"action": "reject"}),
		one("-reset", map[string]any{"action": "tcp-reset"}),
		one("-after", map[string]any{"position": "after-established"}),
	}
}

func iptablesContenders(variant string) []contender {
	tools := []string{"xtables-" + variant + "-multi", "ip"}
	spoil := []spoiler{
		{"chain flushed", forBoth("TOOL -F blockhosts")},
		{"table flushed", forBoth("TOOL -F; TOOL -X blockhosts" + neighbours)},
		{"rule deleted", "iptables -D blockhosts 1"},
		{"rule twice", "iptables -A blockhosts -s 192.0.2.3 -j DROP"},
		{"rule for others", "iptables -A blockhosts -s 192.0.2.5 -j DROP"},
		{"rule before ours", forBoth("TOOL -I blockhosts -j RETURN")},
		{"jump deleted", forBoth("TOOL -D INPUT -j blockhosts")},
		{"jump doubled", "iptables -A INPUT -j blockhosts; iptables -I FORWARD -j blockhosts"},
		{"jump behind the end", "iptables -D INPUT -j blockhosts; iptables -A INPUT -j ACCEPT; iptables -A INPUT -j blockhosts"},
		{"the end goes", "iptables -D INPUT -j ACCEPT; iptables -A INPUT -j blockhosts"},
		{"jump with a match", "iptables -D INPUT -j blockhosts; iptables -I INPUT -p udp -j blockhosts"},
	}
	one := func(name string, options map[string]any) contender {
		return contender{name: "iptables-" + variant + name, variant: variant, tools: tools, spoil: spoil,
			config: Config{Name: "iptables", Options: options}}
	}
	return []contender{
		one("", nil),
		one("-reject", map[string]any{"action": "reject"}),
		one("-reset", map[string]any{"action": "tcp-reset"}),
		one("-after", map[string]any{"position": "after-established"}),
	}
}

func ipsetContenders(variant string) []contender {
	spoil := []spoiler{
		{"sets flushed", "ipset flush blockhosts4; ipset flush blockhosts6"},
		{"element deleted", "ipset del blockhosts4 192.0.2.3"},
		{"element added", "ipset add blockhosts4 192.0.2.5"},
		{"exception", "ipset add blockhosts4 192.0.2.9 nomatch"},
		{"table flushed", forBoth("TOOL -F; TOOL -X blockhosts-set"+neighbours) + "\nipset destroy blockhosts4"},
		{"chain flushed", forBoth("TOOL -F blockhosts-set")},
		{"rule before ours", forBoth("TOOL -I blockhosts-set -j RETURN")},
		{"jump deleted", forBoth("TOOL -D INPUT -j blockhosts-set")},
		{"jump doubled", "iptables -A INPUT -j blockhosts-set"},
		{"set of another type", forBoth("TOOL -F blockhosts-set") + `
ipset destroy blockhosts4; ipset create blockhosts4 hash:ip timeout 5; ipset destroy blockhosts6; ipset create blockhosts6 hash:net family inet6`},
	}
	one := func(name string, options map[string]any) contender {
		return contender{name: "ipset-" + variant + name, variant: variant, tools: []string{"ipset", "xtables-" + variant + "-multi"}, spoil: spoil,
			config: Config{Name: "ipset", Options: options}}
	}
	return []contender{
		one("", nil),
		one("-reject", map[string]any{"action": "reject"}),
		one("-reset", map[string]any{"action": "tcp-reset"}),
		one("-after", map[string]any{"position": "after-established"}),
	}
}

func iprouteContenders() []contender {
	var list []contender
	for _, kind := range routeKinds {
		list = append(list, contender{
			name: "iproute-" + kind, variant: "nft", tools: []string{"ip"},
			config: Config{Name: "iproute", Options: map[string]any{"kind": kind}},
			spoil: []spoiler{
				{"routes flushed", "ip -4 route flush proto 98 metric 98; ip -6 route flush proto 98"},
				{"route deleted", "ip route del 192.0.2.3 proto 98 metric 98"},
				{"route added", "ip route add " + kind + " 192.0.2.5 proto 98 metric 98"},
				{"another kind", "ip route add " + routeKinds[(slices.Index(routeKinds, kind)+1)%3] + " 192.0.2.5 proto 98 metric 98"},
			},
		})
	}
	return list
}

// neighbours are rules of another administrator, some of which look like ours.
const neighbours = `
TOOL -A adminchain -p udp -m udp --dport 7 -j DROP
TOOL -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
TOOL -A INPUT -p udp -m udp --dport 5353 -m comment --comment "not ours: -j blockhosts" -j DROP
TOOL -A INPUT -p udp -m udp --dport 5354 -j LOG --log-prefix "-j blockhosts"
TOOL -A FORWARD -j adminchain
`

// forBoth writes a script once for each family's tool.
func forBoth(script string) string {
	return strings.ReplaceAll(script, "TOOL", "iptables") + "\n" + strings.ReplaceAll(script, "TOOL", "ip6tables")
}

// prepare sets up the neighbours that must not be touched.
func prepare(t *testing.T, path string) {
	t.Helper()
	script := "export PATH=" + path + ":$PATH\n" + forBoth("TOOL -N adminchain"+neighbours) + `
ip route add blackhole 203.0.113.9
route add -host 203.0.113.6 reject
ip route add blackhole 203.0.113.8 proto 98 metric 50
ip -6 route add blackhole 2001:db8:ffff::9
nft add table inet admin
nft add chain inet admin input '{ type filter hook input priority 5; policy accept; }'
nft add rule inet admin input udp dport 9 counter drop
ipset create adminset hash:ip
ipset add adminset 203.0.113.7
`
	sh(t, script)
}

var volatile = regexp.MustCompile(`(?m)^#.*\n| \[\d+:\d+\]|packets \d+ bytes \d+|expires \S+`)

// snapshot is everything that filters and routes hold, without counters.
func snapshot(t *testing.T, path string) string {
	t.Helper()
	out := sh(t, "export PATH="+path+`:$PATH
iptables -S; ip6tables -S; iptables-save -t filter; ip6tables-save -t filter
ip -4 route show table all; ip -6 route show table main
nft list tables; nft list table inet admin; ipset save`)
	return volatile.ReplaceAllString(out, "")
}

// withoutOurs takes out of a snapshot what is ours.
func withoutOurs(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		rule := strings.TrimSpace(line)
		ours := strings.HasSuffix(rule, "-j blockhosts") || strings.HasSuffix(rule, "-j blockhosts-set") || rule == "-N blockhosts-set" || strings.HasPrefix(rule, "-A blockhosts") || rule == "-N blockhosts" ||
			rule == ":blockhosts -" || rule == ":blockhosts-set -" || strings.HasPrefix(rule, "create blockhosts") || strings.HasPrefix(rule, "add blockhosts") ||
			strings.Contains(rule, "--match-set blockhosts") || rule == "table inet blockhosts" ||
			strings.Contains(rule, "metric 98") || strings.Contains(rule, "metric 97")
		if !ours {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestConformance holds every back end to the same promises, against the
// kernel and with real connections.
func TestConformance(t *testing.T) {
	for _, c := range contenders() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			need(t, append(c.tools, "iptables", "ipset", "nft", "ip")...)
			a := newArena(t)
			t.Run("arena", func(t *testing.T) { conform(t, a.ground(t, c.variant), c) })
		})
	}
}

// ground moves the test into the arena, with tools of one variant and with
// neighbours that must not be touched.
func (a arena) ground(t *testing.T, variant string) ground {
	path := xtables(t, variant)
	net := openNetns(t, a.net)
	enter(t, a.host)
	serve(t, "7000", "7001", "7002")
	prepare(t, path)
	return ground{
		dir:      path,
		open:     net.open,
		spoil:    func(script string) { sh(t, "export PATH="+path+":$PATH\n"+script) },
		snapshot: func() string { return snapshot(t, path) },
		others:   withoutOurs,
	}
}
