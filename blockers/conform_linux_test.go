package blockers

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A contender is a back end in the conformance suite.
type contender struct {
	name    string
	variant string // of iptables
	config  Config
	tools   []string  // what has to be installed
	spoil   []spoiler // what somebody else does to it; each must be mended
}

// A spoiler is a script of somebody else's.
type spoiler struct{ name, script string }

func contenders() []contender {
	var list []contender
	for _, variant := range []string{"nft", "legacy"} {
		list = append(list, iptablesContenders(variant)...)
	}
	return append(list, iprouteContenders()...)
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
		ours := strings.HasSuffix(rule, "-j blockhosts") || strings.HasPrefix(rule, "-A blockhosts") || rule == "-N blockhosts" ||
			rule == ":blockhosts -" || strings.HasPrefix(rule, "create blockhosts") || strings.HasPrefix(rule, "add blockhosts") ||
			strings.Contains(rule, "--match-set blockhosts") || rule == "table inet blockhosts" ||
			strings.Contains(rule, "metric 98")
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
			t.Run("arena", func(t *testing.T) { conform(t, a, c) })
		})
	}
}

func conform(t *testing.T, a arena, c contender) {
	path := xtables(t, c.variant)
	net := openNetns(t, a.net)
	enter(t, a.host)
	serve(t, "7000")
	prepare(t, path)
	c.config.Dirs = []string{path}
	b, err := New(c.config)
	if err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, path)
	p := &play{t: t, b: b, net: net}

	p.sync("nothing to block", nil)
	p.exact("nothing to block", nil)
	p.reach(true, "192.0.2.2", "2001:db8::2")

	four := targets("192.0.2.2", "192.0.2.3", "2001:db8::2", "192.0.2.8/30", "2001:db8:0:1::/64")
	p.dry("dry", four)
	p.reach(true, "192.0.2.2", "2001:db8::2")
	p.sync("block", four)
	p.exact("same again", four)
	p.reach(false, "192.0.2.2", "192.0.2.3", "2001:db8::2", "192.0.2.9", "2001:db8:0:1::2")
	p.reach(true, "192.0.2.4", "2001:db8::3")

	rest := four[1:]
	p.sync("release one", rest)
	p.exact("release one", rest)
	p.reach(true, "192.0.2.2")
	p.reach(false, "192.0.2.3", "2001:db8::2", "192.0.2.9", "2001:db8:0:1::2")
	if got, want := withoutOurs(snapshot(t, path)), withoutOurs(before); got != want {
		t.Errorf("touched what is not ours:\n%s", lineDiff(got, want))
	}

	for _, s := range c.spoil {
		sh(t, "export PATH="+path+":$PATH\n"+s.script)
		if r := Look(context.Background(), b, rest); r.Missing+r.Extra == 0 && len(r.Warnings) == 0 {
			t.Errorf("%s: Look notices nothing: %+v", s.name, r)
		}
		p.sync(s.name, rest)
		p.exact(s.name, rest)
		p.reach(false, "192.0.2.3", "2001:db8::2", "192.0.2.9")
		p.reach(true, "192.0.2.5")
	}

	p.release(rest[1:])
	p.reach(true, "192.0.2.3")
	p.reach(false, "2001:db8::2", "192.0.2.9")

	if r := Flush(context.Background(), b); r.Err != nil || len(r.Commands) == 0 {
		t.Errorf("flush: %+v", r)
	}
	if r := Flush(context.Background(), b); r.Err != nil || len(r.Commands) != 0 {
		t.Errorf("second flush: %+v", r)
	}
	p.reach(true, "192.0.2.2", "192.0.2.3", "2001:db8::2", "192.0.2.9", "2001:db8:0:1::2")
	if got := snapshot(t, path); got != before {
		t.Errorf("after the flush:\n%s", lineDiff(got, before))
	}
}

// A play takes a back end through its scenes.
type play struct {
	t   *testing.T
	b   Blocker
	net *attackers
}

func (p *play) sync(scene string, want []Target) {
	p.t.Helper()
	r := Sync(context.Background(), p.b, want, false)
	if r.Err != nil || r.Present != len(want) || r.Missing+r.Extra != 0 || len(r.Warnings) > 0 {
		p.t.Errorf("%s: present %d missing %d extra %d, warnings %q: %v", scene, r.Present, r.Missing, r.Extra, r.Warnings, r.Err)
	}
}

// exact: a table that is as it should be is not touched.
func (p *play) exact(scene string, want []Target) {
	p.t.Helper()
	r := Sync(context.Background(), p.b, want, false)
	if r.Err != nil || len(r.Commands) > 0 || r.Present != len(want) {
		p.t.Errorf("%s, again: %+v", scene, r)
	}
}

func (p *play) dry(scene string, want []Target) {
	p.t.Helper()
	r := Sync(context.Background(), p.b, want, true)
	if r.Err != nil || len(r.Commands) == 0 || r.Missing != len(want) {
		p.t.Errorf("%s: %+v", scene, r)
	}
}

func (p *play) release(keep []Target) {
	p.t.Helper()
	more := append(targets("192.0.2.7"), keep...)
	r := Release(context.Background(), p.b, more, false)
	if r.Err != nil || r.Present != len(keep) || len(r.Commands) == 0 {
		p.t.Errorf("release: %+v", r)
	}
	p.reach(true, "192.0.2.7")
	if r := Release(context.Background(), p.b, more, false); r.Err != nil || len(r.Commands) != 0 {
		p.t.Errorf("release again: %+v", r)
	}
}

// reach holds who may and may not connect.
func (p *play) reach(want bool, from ...string) {
	p.t.Helper()
	var wg sync.WaitGroup
	for _, addr := range from {
		wg.Go(func() {
			got, err := p.net.open(addr, "7000", want)
			if err != nil {
				p.t.Errorf("probe from %s: %v", addr, err)
			} else if got != want {
				p.t.Errorf("connection from %s: %v, want %v", addr, got, want)
			}
		})
	}
	wg.Wait()
}

// lineDiff names the lines that only one of two texts has.
func lineDiff(got, want string) string {
	var b strings.Builder
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for _, line := range g {
		if !slices.Contains(w, line) {
			b.WriteString("+ " + line + "\n")
		}
	}
	for _, line := range w {
		if !slices.Contains(g, line) {
			b.WriteString("- " + line + "\n")
		}
	}
	if b.Len() == 0 {
		return "same lines, other order or number:\n" + got
	}
	return b.String()
}
