package blockfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"blockhosts/internal/record"
)

// inNamespace runs the test in a mount namespace of its own.
func inNamespace(t *testing.T, role string) bool {
	t.Helper()
	if os.Getenv("BLOCKFILE_TEST_CHILD") != role {
		needRoot(t)
		needTool(t, "unshare", "util-linux")
	}
	return inChild(t, role, "unshare", "-m", "--propagation", "private")
}

func TestSaveOnASmallDisk(t *testing.T) {
	if !inNamespace(t, "small") {
		return
	}
	dir := t.TempDir()
	tool(t, "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir)
	defer tool(t, "umount", dir)
	path := filepath.Join(dir, "hosts.allow")
	if err := os.WriteFile(path, []byte("sshd : ALL\n"+inSection()), 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, path, big(), "make room")
}

func TestSaveReadOnly(t *testing.T) {
	if !inNamespace(t, "readonly") {
		return
	}
	path := write(t, inSection())
	dir := filepath.Dir(path)
	tool(t, "mount", "--bind", dir, dir)
	defer tool(t, "umount", dir)
	tool(t, "mount", "-o", "remount,ro,bind", dir)
	refused(t, path, example(), "read-only file system; mount it writable")
}

// TestSaveMounted: in a container the file may be a mount of its own, so that
// nothing can be renamed over it.
func TestSaveMounted(t *testing.T) {
	if !inNamespace(t, "mounted") {
		return
	}
	outer, path := write(t, "sshd : ALL\n"+inSection()+"ALL : ALL"), write(t, "below")
	tool(t, "mount", "--bind", outer, path)
	defer tool(t, "umount", path)
	holdMounted(t, path, outer)
	f := load(t, path)
	problems := len(f.Problems)
	for _, st := range []record.State{example(), {}, example()} {
		before := read(t, path)
		if err := f.Save(context.Background(), st); err != nil {
			t.Fatal(err)
		}
		if d := differ(load(t, path).State, st); d != "" {
			t.Error(d)
		}
		if got := read(t, path+".blockhosts-backup"); got != before {
			t.Errorf("the backup is %.300q", got)
		}
		if now := read(t, outer); !strings.HasPrefix(now, "sshd : ALL\n"+Marker) || !strings.HasSuffix(now, Marker+"\nALL : ALL") {
			t.Errorf("the file is %q", now)
		}
	}
	if len(f.Problems) != problems+3 || !strings.Contains(f.Problems[problems].Text, "rewritten in place") {
		t.Errorf("problems: %+v", f.Problems)
	}
	if got, want := names(t, filepath.Dir(path)), "hosts.allow hosts.allow.blockhosts-backup"; got != want {
		t.Errorf("files: %s, want %s", got, want)
	}
	if err := os.WriteFile(path, []byte(Marker+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, options()); err == nil || !strings.Contains(err.Error(), path+".blockhosts-backup") {
		t.Errorf("Load: %v, want a word on the backup", err)
	}
}

// holdMounted: Mounted tells of path, also through a symlink or a name with
// blanks, and of nothing that can be replaced.
func holdMounted(t *testing.T, path, other string) {
	t.Helper()
	dir := t.TempDir()
	link, odd := filepath.Join(dir, "link"), filepath.Join(dir, `a b\c`)
	if err := errors.Join(os.Symlink(path, link), os.WriteFile(odd, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	tool(t, "mount", "--bind", other, odd)
	defer tool(t, "umount", odd)
	for _, p := range []string{path, link, odd} {
		if notice, ok := Mounted(p); !ok || !strings.HasPrefix(notice.Text, p+": is a mount of its own") || notice.Fails || notice.Warns {
			t.Errorf("Mounted(%q) = %+v, %v", p, notice, ok)
		}
	}
	if notice, _ := Mounted(link); !strings.Contains(notice.Text, "after a backup to "+path+".blockhosts-backup.") {
		t.Errorf("Mounted(%q) = %+v, want the backup's place", link, notice)
	}
	for _, p := range []string{other, dir, filepath.Join(dir, "none")} {
		if notice, ok := Mounted(p); ok {
			t.Errorf("Mounted(%q) = %+v", p, notice)
		}
	}
}

// TestSaveMountedFull: the disk behind the mount is full halfway through.
func TestSaveMountedFull(t *testing.T) {
	if !inNamespace(t, "mountedfull") {
		return
	}
	small, path := t.TempDir(), write(t, "below")
	tool(t, "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small)
	defer tool(t, "umount", small)
	outer := filepath.Join(small, "hosts.allow")
	if err := os.WriteFile(outer, []byte("sshd : ALL\n"+inSection("ALL: 192.0.2.1 : deny")), 0o644); err != nil {
		t.Fatal(err)
	}
	tool(t, "mount", "--bind", outer, path)
	defer tool(t, "umount", path)
	before := read(t, path)
	err := load(t, path).Save(context.Background(), big())
	if err == nil || !strings.Contains(err.Error(), "rewrite in place: no space left on device; make room: the file is as it was") {
		t.Errorf("Save: %v", err)
	}
	if now := read(t, path); now != before {
		t.Errorf("the file is now %.300q", now)
	}
}
