package blockfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInitPlace(t *testing.T) {
	const m = Marker + "\n" + Marker + "\n"
	for _, c := range []struct{ name, before, after string }{
		{"empty", "", m},
		{"only comments", "# hosts.allow\n# ALL: ALL\n", "# hosts.allow\n# ALL: ALL\n" + m},
		{"above the rule for all", "# x\nsshd : 192.0.2.1\nALL : ALL : allow\n", "# x\nsshd : 192.0.2.1\n" + m + "ALL : ALL : allow\n"},
		{"above the first of two", "sshd: ALL\nALL: ALL\n", m + "sshd: ALL\nALL: ALL\n"},
		{"case, commas", "sshd, vsftpd:192.0.2.1,all\n", m + "sshd, vsftpd:192.0.2.1,all\n"},
		{"all but some", "sshd : ALL EXCEPT 192.0.2.1\n", m + "sshd : ALL EXCEPT 192.0.2.1\n"},
		{"some but all is no rule for all", "sshd : LOCAL EXCEPT ALL\n", "sshd : LOCAL EXCEPT ALL\n" + m},
		{"all daemons is not all clients", "ALL : 192.0.2.1\nsshd : LOCAL\n", "ALL : 192.0.2.1\nsshd : LOCAL\n" + m},
		{"spawn", "sshd : 192.0.2.0/24 : SPAWN (/usr/sbin/blockhosts &) : allow\n", m + "sshd : 192.0.2.0/24 : SPAWN (/usr/sbin/blockhosts &) : allow\n"},
		{"spawn behind an option", "sshd : 192.0.2.0/24 : severity auth.info : spawn (x \\: y) &\n", m + "sshd : 192.0.2.0/24 : severity auth.info : spawn (x \\: y) &\n"},
		{"an escaped colon is none", "sshd : 192.0.2.1 : banners x\\: spawn\n", "sshd : 192.0.2.1 : banners x\\: spawn\n" + m},
		{"IPv6 in brackets", "sshd : [2001:db8::1] : ALL\n", "sshd : [2001:db8::1] : ALL\n" + m},
		{"continued", "a\nsshd : \\\n 192.0.2.1 \\\n ALL\nb\n", "a\n" + m + "sshd : \\\n 192.0.2.1 \\\n ALL\nb\n"},
		{"a comment that is continued", "# x \\\nALL : ALL\nb\n", "# x \\\nALL : ALL\nb\n" + m},
		{"CRLF", "a\r\nALL : ALL\r\n", "a\r\n" + m + "ALL : ALL\r\n"},
		{"no newline at the end", "sshd : LOCAL", "sshd : LOCAL\n" + m},
		{"a backslash at the end", "sshd : LOCAL \\", "sshd : LOCAL \\\n\n" + m},
		{"a continued line at the end", "sshd : LOCAL \\\n", "sshd : LOCAL \\\n\n" + m},
		{"no newline after the rule for all", "ALL:ALL", m + "ALL:ALL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.before)
			p, err := PlanInit(path, noon)
			if err != nil {
				t.Fatal(err)
			}
			if read(t, path) != c.before || names(t, filepath.Dir(path)) != "hosts.allow" {
				t.Error("the plan changed something")
			}
			if err := p.Do(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := read(t, path); got != c.after {
				t.Errorf("got  %q\nwant %q", got, c.after)
			}
			if got := read(t, path+".blockhosts-20261121-120000"); got != c.before {
				t.Errorf("the backup is %q", got)
			}
			again, err := PlanInit(path, noon.Add(1e9))
			if err != nil || !again.Done || !strings.Contains(again.String(), "nothing to do") {
				t.Fatalf("again: %+v, %v", again, err)
			}
			if err := again.Do(context.Background()); err != nil || read(t, path) != c.after {
				t.Errorf("again: %v, %q", err, read(t, path))
			}
			if _, err := Load(path, options()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestInitSays(t *testing.T) {
	path := write(t, "# x\nALL : ALL : spawn (\x1b) : allow\n")
	p, err := PlanInit(path, noon)
	if err != nil {
		t.Fatal(err)
	}
	if want := path + `: put the two marker lines above line 2, "ALL : ALL : spawn (\x1b) : allow"; the copy of what it is now is ` + path + ".blockhosts-20261121-120000"; p.String() != want {
		t.Errorf("got  %s\nwant %s", p, want)
	}
}

func TestInitCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts.allow")
	p, err := PlanInit(path, noon)
	if err != nil || p.Exists || !strings.Contains(p.String(), "create it") {
		t.Fatalf("plan %+v, %v", p, err)
	}
	if err := p.Do(context.Background()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o644 || names(t, filepath.Dir(path)) != "hosts.allow" {
		t.Errorf("%v %v %s", info, err, names(t, filepath.Dir(path)))
	}
	if err := load(t, path).Save(context.Background(), example()); err != nil {
		t.Error(err)
	}
}

func TestInitRefuses(t *testing.T) {
	for _, text := range []string{Marker, strings.Repeat(Marker+"\n", 3)} {
		var wrong *MarkerError
		if _, err := PlanInit(write(t, text), noon); !errors.As(err, &wrong) {
			t.Errorf("%q: %v, want a MarkerError", text, err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("gone", link); err != nil {
		t.Fatal(err)
	}
	if _, err := PlanInit(link, noon); err == nil || !strings.Contains(err.Error(), "symlink") {
		t.Errorf("dangling symlink: %v", err)
	}
	for name, change := range map[string]func(path string) error{
		"appeared": func(path string) error { return os.WriteFile(path, nil, 0o644) },
		"changed":  func(path string) error { return os.WriteFile(path, []byte("b\n"), 0o644) },
	} {
		path := write(t, "aaa\n")
		if name == "appeared" {
			os.Remove(path)
		}
		p, err := PlanInit(path, noon)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		if err := p.Do(context.Background()); !errors.Is(err, ErrChanged) || names(t, filepath.Dir(path)) != "hosts.allow" {
			t.Errorf("%s: %v; files: %s", name, err, names(t, filepath.Dir(path)))
		}
	}
}

// TestInitMounted: a file that is a mount of its own is rewritten in place.
func TestInitMounted(t *testing.T) {
	if !inNamespace(t, "init") {
		return
	}
	outer, path := write(t, "a\nALL : ALL\n"), write(t, "below")
	tool(t, "mount", "--bind", outer, path)
	defer tool(t, "umount", path)
	p, err := PlanInit(path, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Do(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, outer); got != "a\n"+emptySection+"ALL : ALL\n" {
		t.Errorf("got %q", got)
	}
}
