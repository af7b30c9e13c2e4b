package blockers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// administrator makes the commands of an administrator who keeps blocked
// addresses as files; "stuck" in the folder makes an address fail.
func administrator(t *testing.T, list bool) (options map[string]any, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, script := range map[string]string{
		"deny":  `[ ! -e "$0-stuck-$1" ] || { echo "stuck" >&2; exit 5; }; case $1 in */*) n=${1%%/*}_${1##*/};; *) n=$1;; esac; echo "$@" > "${0%/*}/held/$n"`,
		"allow": `[ ! -e "$0-stuck-$1" ] || exit 6; case $1 in */*) n=${1%%/*}_${1##*/};; *) n=$1;; esac; rm "${0%/*}/held/$n"`,
		"show":  `for f in "${0%/*}"/held/*; do f=${f##*/}; [ "$f" = "*" ] || case $f in *_*) echo "${f%%_*}/${f##*_}";; *) echo "$f";; esac; done`,
	} {
		script = "#!/bin/sh\nPATH=/usr/bin:/bin\n" + script + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "held"), 0o755); err != nil {
		t.Fatal(err)
	}
	options = map[string]any{
		"block":   []any{filepath.Join(dir, "deny"), "{ip}", "{family}", "by {service}; rm -rf $HOME", "{count}"},
		"unblock": []any{filepath.Join(dir, "allow"), "{ip}"},
	}
	if list {
		options["list"] = []any{filepath.Join(dir, "show")}
	}
	return options, dir
}

func heldFiles(t *testing.T, dir string) string {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(dir, "held"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return strings.Join(names, " ")
}

// TestCommandVector: values go into words, and no shell reads them.
func TestCommandVector(t *testing.T) {
	options, dir := administrator(t, false)
	b, err := New(Config{Name: "command", Options: options})
	if err != nil {
		t.Fatal(err)
	}
	want := []Target{{Net: targets("2001:db8:1::/64")[0].Net, Services: []string{"ftp", "sshd"}, Count: 9}}
	r := Sync(context.Background(), b, want, false)
	if r.Err != nil || r.Present != 1 || r.Names["owed"] != "none" {
		t.Errorf("%+v", r)
	}
	got, err := os.ReadFile(filepath.Join(dir, "held", "2001:db8:1::_64"))
	if err != nil || string(got) != "2001:db8:1::/64 inet6 by ftp,sshd; rm -rf $HOME 9\n" {
		t.Errorf("%q %v", got, err)
	}
}

// TestCommandRuns: without a list, what failed is done by the next run and
// nothing is done twice; the section and the record are all that lasts.
func TestCommandRuns(t *testing.T) {
	for _, list := range []bool{true, false} {
		options, dir := administrator(t, list)
		var held []Target
		var record map[string]string
		run := func(name string, want []Target, commands, missing, extra int, files string) {
			t.Helper()
			b, err := New(Config{Name: "command", Options: options, Held: held, Record: record})
			if err != nil {
				t.Fatal(err)
			}
			r := Sync(context.Background(), b, want, false)
			if len(r.Commands) != commands || r.Missing != missing || r.Extra != extra || (r.Err != nil) != (missing+extra > 0) {
				t.Errorf("list %v, %s: %+v", list, name, r)
			}
			if got := heldFiles(t, dir); got != files {
				t.Errorf("list %v, %s: held %q, want %q", list, name, got, files)
			}
			held, record = want, r.Names
		}
		stick := func(name string, on bool) {
			path := filepath.Join(dir, name)
			err := os.Remove(path)
			if on {
				err = os.WriteFile(path, nil, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		run("nothing", nil, 0, 0, 0, "")
		run("two", targets("192.0.2.1", "2001:db8::1"), 2, 0, 0, "192.0.2.1 2001:db8::1")
		run("again", targets("192.0.2.1", "2001:db8::1"), 0, 0, 0, "192.0.2.1 2001:db8::1")
		stick("deny-stuck-192.0.2.2", true)
		run("one fails", targets("192.0.2.1", "192.0.2.2", "192.0.2.3"), 3, 1, 0, "192.0.2.1 192.0.2.3")
		stick("deny-stuck-192.0.2.2", false)
		run("done by the next", targets("192.0.2.1", "192.0.2.2", "192.0.2.3"), 1, 0, 0, "192.0.2.1 192.0.2.2 192.0.2.3")
		stick("allow-stuck-192.0.2.2", true)
		run("release fails", targets("192.0.2.1"), 2, 0, 1, "192.0.2.1 192.0.2.2")
		stick("allow-stuck-192.0.2.2", false)
		run("released by the next", targets("192.0.2.1"), 1, 0, 0, "192.0.2.1")

		b, err := New(Config{Name: "command", Options: options, Held: held, Record: record})
		if err != nil {
			t.Fatal(err)
		}
		r := Flush(context.Background(), b)
		if r.Err != nil || heldFiles(t, dir) != "" {
			t.Errorf("flush: %+v", r)
		}
		record = r.Names
		run("after the flush", targets("192.0.2.1"), 1, 0, 0, "192.0.2.1")
	}
}

// TestCommandOwed: more failures than a line of the section holds.
func TestCommandOwed(t *testing.T) {
	options := map[string]any{"block": []any{"/bin/false", "{ip}"}, "unblock": []any{"/bin/false", "{ip}"}}
	b, err := New(Config{Name: "command", Options: options})
	if err != nil {
		t.Fatal(err)
	}
	want := many(300)
	r := Sync(context.Background(), b, want, false)
	if r.Err == nil || r.Missing != 300 || r.Names["owed"] != "all" {
		t.Errorf("missing %d, owed %.60q: %v", r.Missing, r.Names["owed"], r.Err)
	}
	b, err = New(Config{Name: "command", Options: options, Held: want, Record: map[string]string{"owed": "none"}})
	if err != nil {
		t.Fatal(err)
	}
	r = Sync(context.Background(), b, nil, false)
	if n := len(r.Names["owed"]); r.Extra != 300 || n > maxOwed || !strings.HasPrefix(r.Names["owed"], "all -198.18.0.0 -") {
		t.Errorf("extra %d, owed %d bytes %.60q", r.Extra, n, r.Names["owed"])
	}
}

// TestCommandService: with "scope: service" each service is a command of its
// own.
func TestCommandService(t *testing.T) {
	options := map[string]any{"block": []any{"/bin/true", "{ip}", "{service}"}, "unblock": []any{"/bin/true", "{ip}", "{service}"}, "scope": "service"}
	want := []Target{{Net: targets("192.0.2.1")[0].Net, Services: []string{"ftp", "sshd"}}}
	b, err := New(Config{Name: "command", Options: options})
	if err != nil {
		t.Fatal(err)
	}
	r := Sync(context.Background(), b, want, false)
	if got := fmt.Sprint(r.Commands); r.Present != 1 || got != "[{[/bin/true 192.0.2.1 ftp] } {[/bin/true 192.0.2.1 sshd] }]" {
		t.Errorf("%s: %+v", got, r)
	}
	now := slices.Clone(want)
	now[0].Services = []string{"sshd"}
	b, err = New(Config{Name: "command", Options: options, Held: want, Record: r.Names})
	if err != nil {
		t.Fatal(err)
	}
	if r = Sync(context.Background(), b, now, false); fmt.Sprint(r.Commands) != "[{[/bin/true 192.0.2.1 ftp] }]" {
		t.Errorf("%+v", r)
	}
}

// TestChoose: the first that works, and the one in use while it works.
func TestChoose(t *testing.T) {
	const empty = "#!/bin/sh\nexit 0\n"
	list := "#!/bin/sh\necho '" + policies + "'\n"
	nft := "#!/bin/sh\necho '{\"nftables\": []}'\n"
	for _, c := range []struct {
		tools map[string]string
		opts  map[string]any
		used  []string
		want  string
		err   string
	}{
		{map[string]string{"nft": nft, "iptables": list, "ip6tables": list, "ip": empty}, nil, nil, "nftables", ""},
		{map[string]string{"nft": nft, "iptables": list, "ip6tables": list, "ip": empty}, nil, []string{"iptables", "none"}, "iptables", ""},
		{map[string]string{"nft": nft, "iptables": "", "ip6tables": list, "ip": empty}, nil, []string{"iptables"}, "nftables", ""},
		{map[string]string{"nft": "", "iptables": list, "ip": empty}, nil, nil, "iptables", ""},
		{map[string]string{"nft": "", "iptables": list, "ip6tables": list, "ipset": "#!/bin/sh\necho 'The set with the given name does not exist' >&2; exit 1"}, nil, nil, "ipset", ""},
		{map[string]string{"iptables": "", "ip": empty}, nil, nil, "iproute", ""},
		{map[string]string{"ip": empty}, map[string]any{"action": "reject"}, nil, "", "unknown option \"action\""},
		{map[string]string{}, nil, nil, "", "auto: no blocker works here: nft and ipset"},
	} {
		got, err := Choose(context.Background(), Config{Name: "auto", Dirs: []string{toolbox(t, c.tools)}, Options: c.opts}, c.used)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v: %v, want %q", c.tools, err, c.err)
			}
		} else if err != nil || got.Name != c.want {
			t.Errorf("%v: %q %v, want %q", c.tools, got.Name, err, c.want)
		}
	}
}
