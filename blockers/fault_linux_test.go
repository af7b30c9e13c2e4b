package blockers

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFaults: what does not work is one message with its cause and its cure,
// never a panic, and what does work is done.
func TestFaults(t *testing.T) {
	both := targets("192.0.2.2", "2001:db8::2")
	v4 := both[:1]
	for _, c := range []struct {
		name    string
		config  Config
		tools   map[string]string // "" for a program that fails; nil: the folder of iptables-nft
		want    []Target
		present int
		err     string // parts, with | between; "" for none
		warn    string
	}{
		{name: "no tool", config: Config{Name: "iptables"}, tools: map[string]string{}, want: both,
			err: "iptables and ip6tables: not found in /|; install it, or choose another blocker"},
		{name: "no tool, nothing to block", config: Config{Name: "iptables"}, tools: map[string]string{},
			err: "iptables and ip6tables: not found in /"},
		{name: "no ip", config: Config{Name: "iproute"}, tools: map[string]string{}, want: v4, err: "ip: not found in /"},
		{name: "wrong path", config: Config{Name: "iptables", Path: "/nonexistent/iptables"}, want: v4,
			err: "/nonexistent/iptables and /nonexistent/ip6tables: no such program; install it or correct its path"},
		{name: "one family's tool", config: Config{Name: "iptables"}, present: 1, want: v4,
			tools: map[string]string{"iptables": nftMulti, "iptables-restore": nftMulti}, warn: "ip6tables: not found in /"},
		{name: "one family's tool, wanted", config: Config{Name: "iptables"}, present: 1, want: both,
			tools: map[string]string{"iptables": nftMulti, "iptables-restore": nftMulti}, err: "ip6tables: not found in /"},
		{name: "no restore", config: Config{Name: "iptables"}, want: v4,
			tools: map[string]string{"iptables": nftMulti, "ip6tables": nftMulti},
			err:   "iptables-restore and ip6tables-restore: not found in /"},
		{name: "listing fails", config: Config{Name: "iptables"}, want: v4,
			tools: map[string]string{"iptables": "", "ip6tables": ""}, err: `iptables and ip6tables: exit status 9: "out of order"`},
		{name: "change fails", config: Config{Name: "iptables"}, want: v4,
			tools: map[string]string{"iptables": nftMulti, "iptables-restore": "", "ip6tables": nftMulti, "ip6tables-restore": nftMulti},
			err:   `iptables-restore: exit status 9: "out of order"`},
		{name: "routes fail", config: Config{Name: "iproute"}, tools: map[string]string{"ip": ""}, want: both,
			err: `ip: exit status 9: "out of order"`},
		{name: "hung", config: Config{Name: "iproute", Timeout: time.Second / 5}, want: both,
			tools: map[string]string{"ip": "#!/bin/sh\n/bin/sleep 100"}, err: "ip: no answer within 200ms, ended"},
		{name: "endless", config: Config{Name: "iproute"}, want: v4,
			tools: map[string]string{"ip": "#!/bin/sh\nexec /usr/bin/yes blackhole 192.0.2.1 metric 98"}, err: "ip: printed more than 64 MiB"},
		{name: "lies", config: Config{Name: "iproute"}, want: v4, tools: map[string]string{"ip": "#!/bin/sh\nexit 0"},
			err: "ip: reported success, yet 1 are missing and 0 too many, among them 192.0.2.2"},
		{name: "no IPv6", config: Config{Name: "iptables"}, want: both, present: 1,
			tools: map[string]string{"iptables": nftMulti, "iptables-restore": nftMulti,
				"ip6tables": "#!/bin/sh\necho \"can't initialize ip6tables table \\`filter': Address family not supported by protocol\" >&2; exit 3"},
			warn: "ip6tables: this kernel has no IPv6"},
		{name: "no IPv6, none wanted", config: Config{Name: "iproute"}, want: v4, present: 1,
			tools: map[string]string{"ip": "#!/bin/sh\ncase \" $* \" in *' -6 '*) echo 'Address family not supported by protocol' >&2; exit 2;; esac; exec /usr/sbin/ip \"$@\""}},
		{name: "success with a remark", config: Config{Name: "iproute"}, want: v4, present: 1,
			tools: map[string]string{"ip": "#!/bin/sh\necho '# odd weather' >&2; exec /usr/sbin/ip \"$@\""}, warn: `ip: "odd weather"`},
		{name: "no such hook", config: Config{Name: "iptables", Options: map[string]any{"hooks": []any{"INPUT", "DOCKER-USER"}}}, want: v4, present: 1,
			warn: "iptables: there is no chain DOCKER-USER"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			need(t, "iptables", "ip")
			a := newArena(t)
			t.Run("arena", func(t *testing.T) {
				enter(t, a.host)
				c.config.Dirs = []string{xtables(t, "nft")}
				if c.tools != nil {
					c.config.Dirs = []string{toolbox(t, c.tools)}
				}
				b, err := New(c.config)
				if err != nil {
					t.Fatal(err)
				}
				r := Sync(context.Background(), b, c.want, false)
				if r.Present != c.present || r.Missing != len(c.want)-c.present {
					t.Errorf("present %d missing %d, want %d of %d", r.Present, r.Missing, c.present, len(c.want))
				}
				checkErr(t, r.Err, c.err)
				if warnings := strings.Join(r.Warnings, "\n"); !strings.Contains(warnings, c.warn) || c.warn == "" && warnings != "" {
					t.Errorf("warnings %q, want %q", warnings, c.warn)
				}
				for name, f := range map[string]func() Report{
					"Look":  func() Report { return Look(context.Background(), b, c.want) },
					"dry":   func() Report { return Sync(context.Background(), b, c.want, true) },
					"Flush": func() Report { return Flush(context.Background(), b) },
				} {
					if r := f(); name == "dry" && r.Err != nil {
						t.Errorf("%s: %v", name, r.Err)
					}
				}
			})
		})
	}
}

const nftMulti = "/usr/sbin/xtables-nft-multi"

func checkErr(t *testing.T, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") {
		t.Errorf("error %v, want %q", err, want)
		return
	}
	for part := range strings.SplitSeq(want, "|") {
		if err != nil && (!strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("error %v, want one line with %q", err, part)
		}
	}
}

// TestNotRoot: who may not change the network is told so, once.
func TestNotRoot(t *testing.T) {
	for _, c := range []struct{ blocker, path, err string }{
		{"iptables", "/usr/sbin/iptables-nft", "iptables-nft and ip6tables-nft: not permitted: |; run as root"},
		{"iptables", "/usr/sbin/iptables-legacy", "iptables-legacy and ip6tables-legacy: not permitted: |; run as root"},
		{"iproute", "", "ip: not permitted: |; run as root"},
	} {
		t.Run(c.blocker+c.path, func(t *testing.T) {
			need(t, "iptables", "ip")
			a := newArena(t)
			t.Run("arena", func(t *testing.T) {
				enter(t, a.host)
				const nobody = 65534
				// The raw call changes this thread alone, which ends with the test.
				if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); e != 0 {
					t.Fatal(e)
				}
				b, err := New(Config{Name: c.blocker, Path: c.path})
				if err != nil {
					t.Fatal(err)
				}
				want := targets("192.0.2.2", "2001:db8::2")
				checkErr(t, Sync(context.Background(), b, want, false).Err, c.err)
				r := Sync(context.Background(), b, want, true)
				if r.Err != nil || len(r.Commands) != 2 || c.path != "" && len(r.Warnings) != 2 {
					t.Errorf("dry: %+v", r)
				}
			})
		})
	}
}

// TestLockHeld: a lock that somebody holds costs ten seconds and is named.
func TestLockHeld(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for iptables' own time limit")
	}
	t.Parallel()
	need(t, "iptables-legacy", "ip")
	a := newArena(t)
	t.Run("arena", func(t *testing.T) {
		enter(t, a.host)
		f, err := os.Create(filepath.Join("/run", "xtables.lock")) // of this test's own /run
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		b, err := New(Config{Name: "iptables", Dirs: []string{xtables(t, "legacy")}})
		if err != nil {
			t.Fatal(err)
		}
		r := Sync(context.Background(), b, nil, false)
		checkErr(t, r.Err, "iptables and ip6tables: another program holds the xtables lock|the next run tries again")
	})
}

// TestForeignTable: a table that iptables cannot read is not guessed at.
func TestForeignTable(t *testing.T) {
	t.Parallel()
	need(t, "iptables", "nft", "ip")
	a := newArena(t)
	t.Run("arena", func(t *testing.T) {
		enter(t, a.host)
		sh(t, `nft add table ip filter; nft add set ip filter s '{ type ipv4_addr; flags timeout; }'
nft add chain ip filter INPUT '{ type filter hook input priority 0; policy accept; }'
nft add rule ip filter INPUT update @s '{ ip saddr }'`)
		b, err := New(Config{Name: "iptables", Dirs: []string{xtables(t, "nft")}})
		if err != nil {
			t.Fatal(err)
		}
		before := sh(t, "nft list table ip filter")
		r := Sync(context.Background(), b, targets("192.0.2.2", "2001:db8::2"), false)
		checkErr(t, r.Err, "iptables: the table holds what only nft can change")
		if r.Present != 1 {
			t.Errorf("the other family is not done: %+v", r)
		}
		if after := sh(t, "nft list table ip filter"); after != before {
			t.Errorf("changed:\n%s", lineDiff(after, before))
		}
	})
}
