package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestLoadOnlyFirewall: --load-only --ipblock fills a firewall and writes
// nothing, so that nobody would know of it. It says so, and flush finds it.
func TestLoadOnlyFirewall(t *testing.T) {
	needs(t, map[string]string{"ip": "iproute2", "nft": "nftables", "iptables": "iptables"})
	dir := t.TempDir()
	ns := fmt.Sprintf("bhload%d", os.Getpid())
	must(t, "ip", "netns", "add", ns)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	must(t, "go", "build", "-o", filepath.Join(dir, "blockhosts"), ".")
	for name, text := range map[string]string{
		"allow": "#---- BlockHosts Additions\n#---- BlockHosts Additions\n", "log": "",
		"c.yaml": fmt.Sprintf("blockfile: %s/allow\nlockfile: %[1]s/lock\nsources: [%[1]s/log]\nspare: false\ndenylist: [203.0.113.1]\n", dir),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	inside := func(args ...string) string {
		t.Helper()
		return must(t, append([]string{"ip", "netns", "exec", ns}, args...)...)
	}
	blockhosts := func(args ...string) string {
		t.Helper()
		return inside(append([]string{filepath.Join(dir, "blockhosts"), "--configfile=" + filepath.Join(dir, "c.yaml")}, args...)...)
	}
	before := inside("iptables", "-S")
	blockhosts()
	contains(t, blockhosts("--load-only", "--ipblock=iptables"), `iptables: 1 blocked`, `"blockhosts flush iptables"`)
	contains(t, inside("iptables", "-S"), "-s 203.0.113.1/32")
	blockhosts("flush", "iptables")
	if after := inside("iptables", "-S"); after != before {
		t.Errorf("after flush iptables -S is\n%swant\n%s", after, before)
	}
	if out, err := exec.Command(filepath.Join(dir, "blockhosts"), "--configfile="+filepath.Join(dir, "c.yaml"), "flush", "iptable").CombinedOutput(); err == nil {
		t.Errorf("a blocker that nobody knows was flushed: %s", out)
	}
}
