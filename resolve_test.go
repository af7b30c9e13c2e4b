package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestResolve: a host name instead of an address counts for nobody, unless
// "resolve: true" and name and address lead to each other. The names stand in
// an /etc/hosts of the test's own.
func TestResolve(t *testing.T) {
	needs(t, map[string]string{"unshare": "util-linux", "mount": "mount"})
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "go", "build", "-o", filepath.Join(dir, "blockhosts"), ".")
	write("hosts", "203.0.113.9 good.test\n203.0.113.10 two.test\n203.0.113.11 two.test\n198.51.100.1 friend.test\n")
	write("allow", "#---- BlockHosts Additions\n#---- BlockHosts Additions\n")
	var log strings.Builder
	for i := range 8 {
		for _, name := range []string{"good.test", "two.test", "nowhere.test", "friend.test", "198.51.100.1"} {
			fmt.Fprintf(&log, "2026-01-05T12:00:%02d+00:00 www sshd[%d]: Failed password for root from %s port 22 ssh2\n", i, 1000+i, name)
		}
	}
	write("log", log.String())
	write("c.yaml", fmt.Sprintf("blockfile: %s/allow\nlockfile: %[1]s/lock\nsources: [%[1]s/log]\nspare: false\nclock: run\nallowlist: [friend.test]\nresolve: false\n", dir))
	inside := func(args string) string {
		t.Helper()
		return must(t, "unshare", "-m", "--propagation", "private", "sh", "-c",
			fmt.Sprintf("mount --bind %s/hosts /etc/hosts && exec %[1]s/blockhosts --configfile=%[1]s/c.yaml %s", dir, args))
	}
	blocked := func() string {
		text, err := os.ReadFile(filepath.Join(dir, "allow"))
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "ALL:") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return strings.Join(lines, "\n")
	}
	inside("")
	if got := blocked(); got != "" {
		t.Errorf("without resolve, blocked is\n%s", got)
	}
	config := must(t, "cat", filepath.Join(dir, "c.yaml"))
	write("c.yaml", strings.Replace(config, "resolve: false", "resolve: true", 1))
	out := inside("--ignore-offset -v")
	if got, want := blocked(), "ALL: 203.0.113.9 : deny"; got != want {
		t.Errorf("with resolve, blocked is\n%s\nwant\n%s", got, want)
	}
	contains(t, out, "16 failures were left alone")
	contains(t, inside("why 198.51.100.1"), "on the allowlist (friend.test)")

	// A name that DNS has forgotten keeps the address that it had.
	write("hosts", "203.0.113.9 good.test\n")
	text := must(t, "sh", "-c", fmt.Sprintf("unshare -m --propagation private sh -c 'mount --bind %s/hosts /etc/hosts; exec %[1]s/blockhosts --configfile=%[1]s/c.yaml'; echo status $?", dir))
	contains(t, text, "look up friend.test", "1 addresses of the last answer stay in force", "status 3")
	contains(t, must(t, "cat", filepath.Join(dir, "allow")), "#bh: name: name=friend.test addrs=198.51.100.1")
}
