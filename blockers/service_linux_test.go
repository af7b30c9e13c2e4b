package blockers

import (
	"context"
	"testing"
)

// TestScopeService: who attacked one service is kept from its ports, and from
// everything where a service has none; a second run has nothing to do.
func TestScopeService(t *testing.T) {
	for _, c := range []struct{ name, variant string }{
		{"iptables", "nft"}, {"iptables", "legacy"}, {"nftables", "nft"}, {"ipset", "nft"}, {"ipset", "legacy"},
	} {
		for _, action := range []string{"drop", "reject", "tcp-reset"} {
			t.Run(c.name+"-"+c.variant+"-"+action, func(t *testing.T) {
				t.Parallel()
				need(t, "iptables", "ip", "ipset", "nft")
				a := newArena(t)
				t.Run("arena", func(t *testing.T) {
					serviceScope(t, a, c.variant, Config{
						Name:    c.name,
						Options: map[string]any{"scope": "service", "action": action},
						Ports:   map[string][]int{"sshd": {7000, 7002}, "ftp": {7001}},
					})
				})
			})
		}
	}
}

func serviceScope(t *testing.T, a arena, variant string, config Config) {
	p := &play{t: t, ground: a.ground(t, variant)}
	config.Dirs = []string{p.dir}
	before := p.snapshot()
	var err error
	if p.b, err = New(config); err != nil {
		t.Fatal(err)
	}
	want := targets("192.0.2.2", "2001:db8::2", "192.0.2.3", "192.0.2.8/30", "2001:db8:0:1::/64")
	want[0].Services, want[1].Services = []string{"sshd"}, []string{"sshd"}
	want[2].Services = []string{"sshd", "cups"} // no ports known: all of them
	want[3].Services, want[4].Services = []string{"ftp"}, []string{"ftp", "sshd"}
	p.sync("by service", want)
	p.exact("by service", want)
	p.reachPort("7000", false, "192.0.2.2", "2001:db8::2", "192.0.2.3", "2001:db8:0:1::2")
	p.reachPort("7002", false, "192.0.2.2", "2001:db8::2", "192.0.2.3", "2001:db8:0:1::2")
	p.reachPort("7001", false, "192.0.2.3", "192.0.2.9", "2001:db8:0:1::2")
	p.reachPort("7000", true, "192.0.2.9", "192.0.2.4")
	p.reachPort("7001", true, "192.0.2.2", "2001:db8::2", "192.0.2.4")

	want[0].Services = []string{"ftp"}
	p.sync("another service", want)
	p.reachPort("7000", true, "192.0.2.2")
	p.reachPort("7001", false, "192.0.2.2")
	if r := Flush(context.Background(), p.b); r.Err != nil {
		t.Error(r.Err)
	}
	if after := p.snapshot(); after != before {
		t.Errorf("after the flush:\n%s", lineDiff(after, before))
	}
}
