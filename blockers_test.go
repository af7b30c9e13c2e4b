package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBlockersOverTime follows one blockfile through the back ends that an
// administrator tries one after the other, in a network namespace: auto, a
// change of mind, what is left behind, flush.
func TestBlockersOverTime(t *testing.T) {
	needs(t, map[string]string{"ip": "iproute2", "nft": "nftables", "iptables": "iptables", "ipset": "ipset"})
	dir := t.TempDir()
	ns := fmt.Sprintf("bhover%d", os.Getpid())
	must(t, "ip", "netns", "add", ns)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	must(t, "go", "build", "-o", filepath.Join(dir, "blockhosts"), ".")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	configure := func(blockers, denylist string) {
		write("c.yaml", fmt.Sprintf("blockfile: %s/allow\nlockfile: %[1]s/lock\nsources: [%[1]s/log]\nspare: false\nblockers: %s\ndenylist: %s\n", dir, blockers, denylist))
	}
	inside := func(args ...string) string {
		t.Helper()
		return must(t, append([]string{"ip", "netns", "exec", ns}, args...)...)
	}
	blockhosts := func(args ...string) string {
		t.Helper()
		return inside(append([]string{filepath.Join(dir, "blockhosts"), "--configfile=" + filepath.Join(dir, "c.yaml")}, args...)...)
	}
	write("allow", "#---- BlockHosts Additions\n#---- BlockHosts Additions\n")
	write("log", "")

	inside("iptables", "-A", "INPUT", "-s", "198.51.100.1/32", "-j", "ACCEPT") // another administrator's
	foreign := inside("iptables", "-S")

	configure("[auto]", "[203.0.113.1, 203.0.113.2, 2001:db8:1::/64]")
	blockhosts()
	contains(t, inside("nft", "list", "table", "inet", "blockhosts"), "203.0.113.1", "203.0.113.2", "2001:db8:1::")
	contains(t, blockhosts("status", "--json"), `"blockers":[{"name":"nftables","present":3,"missing":0,"extra":0}]`)

	// A flushed firewall is mended by the next run.
	inside("nft", "delete", "table", "inet", "blockhosts")
	contains(t, blockhosts("status", "--json"), `{"name":"nftables","present":0,"missing":3,"extra":0}`)
	blockhosts()
	contains(t, blockhosts("why", "203.0.113.1"), "nftables:       holds it")

	// Another back end: the former one gets nothing new and loses what is over.
	configure("[iptables]", "[203.0.113.2, 203.0.113.3]")
	blockhosts()
	contains(t, inside("iptables", "-S"), "-A blockhosts -s 203.0.113.2/32 -j DROP", "-A blockhosts -s 203.0.113.3/32 -j DROP")
	table := inside("nft", "list", "table", "inet", "blockhosts")
	if !strings.Contains(table, "203.0.113.2") || strings.Contains(table, "203.0.113.1") || strings.Contains(table, "203.0.113.3") {
		t.Errorf("the former back end holds\n%s", table)
	}
	contains(t, blockhosts("status", "--json"), `{"name":"iptables","present":2,"missing":0,"extra":0}`, `"name":"nftables"`)

	// Flush leaves nothing of ours and everything of others; the next run puts back what is asked for.
	blockhosts("flush", "nftables")
	if out, err := exec.Command("ip", "netns", "exec", ns, "nft", "list", "table", "inet", "blockhosts").CombinedOutput(); err == nil {
		t.Errorf("after flush nftables there is\n%s", out)
	}
	if strings.Contains(blockhosts("status", "--json"), "nftables") {
		t.Error("after flush nftables status still names it")
	}
	blockhosts("flush")
	if after := inside("iptables", "-S"); after != foreign {
		t.Errorf("after flush iptables -S is\n%swant\n%s", after, foreign)
	}
	contains(t, must(t, "cat", filepath.Join(dir, "allow")), "ALL: 203.0.113.3 : deny")
	blockhosts()
	contains(t, inside("iptables", "-S"), "-A blockhosts -s 203.0.113.3/32 -j DROP")
	blockhosts("block", "203.0.113.9", "--for=1h")
	contains(t, inside("iptables", "-S"), "-A blockhosts -s 203.0.113.9/32 -j DROP")
	blockhosts("unblock", "203.0.113.9")
	if strings.Contains(inside("iptables", "-S"), "203.0.113.9") {
		t.Error("unblock left its rule")
	}
}

// must runs a command that has to succeed, and returns what it printed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in\n%s", p, text)
		}
	}
}
