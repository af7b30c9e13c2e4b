package blockfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

// need skips a test that cannot run here, or fails it where nothing may be
// skipped.
func need(t *testing.T, ok bool, why string) {
	t.Helper()
	if ok {
		return
	}
	if os.Getenv("BLOCKHOSTS_REQUIRE") == "all" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func needRoot(t *testing.T) {
	t.Helper()
	need(t, os.Geteuid() == 0, "run the tests as root for this one")
}

func needTool(t *testing.T, name, pkg string) {
	t.Helper()
	_, err := exec.LookPath(name)
	need(t, err == nil, name+" is missing: install "+pkg)
}

// names lists a directory.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestSaveKeepsTheOutside(t *testing.T) {
	for _, c := range []struct{ name, before, after string }{
		{"nothing", "", ""},
		{"no newline at the end", "a\n", "b"},
		{"CRLF", "a\r\n\r\n", "b\r\n"},
		{"odd bytes", "\xef\xbb\xbf\xfc\x00\n\n\n", "\xff\x00\\\n \t"},
		{"blanks", "  \n", "\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.before+" "+Marker+" old\r\nx\n"+Marker+"\n"+c.after)
			f := load(t, path)
			want := c.before + string(f.Section(example())) + c.after
			for range 2 {
				if err := f.Save(context.Background(), example()); err != nil {
					t.Fatal(err)
				}
				if got := read(t, path); got != want {
					t.Errorf("got %q\nwant %q", got, want)
				}
			}
			if got := names(t, filepath.Dir(path)); got != "hosts.allow" {
				t.Errorf("left behind: %s", got)
			}
		})
	}
}

func TestSaveSeesChanges(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"other size":  func(path string) error { return os.WriteFile(path, []byte("sshd : ALL\n"+inSection()), 0o644) },
		"other time":  func(path string) error { return os.Chtimes(path, noon, noon.Add(1)) },
		"other inode": func(path string) error { return sameButNew(path) },
		"gone":        os.Remove,
		"symlink":     func(path string) error { return errors.Join(os.Rename(path, path+".x"), os.Symlink(path+".x", path)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, inSection())
			if err := os.Chtimes(path, noon, noon); err != nil {
				t.Fatal(err)
			}
			f := load(t, path)
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			before := names(t, filepath.Dir(path))
			if err := f.Save(context.Background(), example()); !errors.Is(err, ErrChanged) {
				t.Errorf("Save: %v, want ErrChanged", err)
			}
			if now := names(t, filepath.Dir(path)); now != before {
				t.Errorf("left behind: %s, was %s", now, before)
			}
		})
	}
}

// sameButNew puts an equal file with the same time in the place of path.
func sameButNew(path string) error {
	data, err := os.ReadFile(path)
	return errors.Join(err, os.WriteFile(path+".new", data, 0o644), os.Chtimes(path+".new", noon, noon), os.Rename(path+".new", path))
}

func TestSaveCancelled(t *testing.T) {
	path := write(t, inSection())
	f := load(t, path)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.Save(ctx, example()); !errors.Is(err, context.Canceled) || read(t, path) != inSection() || names(t, filepath.Dir(path)) != "hosts.allow" {
		t.Errorf("Save: %v, files %s", err, names(t, filepath.Dir(path)))
	}
}

func TestSaveFollowsSymlinks(t *testing.T) {
	path := write(t, inSection())
	link := filepath.Join(t.TempDir(), "hosts.allow")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := load(t, link).Save(context.Background(), example()); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != path {
		t.Errorf("the link is now %q, %v", to, err)
	}
	if len(load(t, path).State.Blocks) != 3 {
		t.Error("the target was not replaced")
	}
}

func TestSaveKeepsOwnerAndMode(t *testing.T) {
	path := write(t, inSection())
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 12345, 54321
	}
	if err := errors.Join(os.Chown(path, uid, gid), os.Chmod(path, 0o640)); err != nil {
		t.Fatal(err)
	}
	if err := load(t, path).Save(context.Background(), example()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if u, g := owner(info); u != uid || g != gid || info.Mode().Perm() != 0o640 {
		t.Errorf("now %d:%d %v, want %d:%d and 0640", u, g, info.Mode(), uid, gid)
	}
}

// tool runs a program that must succeed and returns what it prints.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestSaveKeepsAttributes(t *testing.T) {
	needTool(t, "setfacl", "acl")
	needTool(t, "setfattr", "attr")
	path := write(t, inSection())
	dir := filepath.Dir(path)
	probe := exec.Command("setfacl", "-m", "u:12345:r--", path)
	if out, err := probe.CombinedOutput(); err != nil && strings.Contains(string(out), "not supported") {
		t.Skip("the file system of the temporary directory has no ACLs")
	} else if err != nil {
		t.Fatalf("setfacl: %v %s", err, out)
	}
	tool(t, "setfattr", "-n", "user.note", "-v", "kept", path)
	if os.Geteuid() == 0 {
		tool(t, "setfattr", "-n", "security.test", "-v", "label", path)
	}
	// The directory would give new files an ACL of its own.
	tool(t, "setfacl", "-d", "-m", "u:23456:rwx", dir)
	look := func() string {
		return tool(t, "getfacl", "-n", "-p", path) + tool(t, "getfattr", "-d", "-m", "-", "--absolute-names", path)
	}
	before := look()
	f := load(t, path)
	for range 2 {
		if err := f.Save(context.Background(), example()); err != nil {
			t.Fatal(err)
		}
		if now := look(); now != before {
			t.Errorf("before:\n%s\nnow:\n%s", before, now)
		}
	}
	tool(t, "setfacl", "-b", path)
	before = look()
	if err := load(t, path).Save(context.Background(), record.State{}); err != nil {
		t.Fatal(err)
	}
	if now := look(); now != before || strings.Contains(now, "23456") {
		t.Errorf("before:\n%s\nnow:\n%s", before, now)
	}
}

// TestSaveCleansUp: what killed runs left goes after an hour; nobody else's.
func TestSaveCleansUp(t *testing.T) {
	path := write(t, inSection())
	dir := filepath.Dir(path)
	for name, age := range map[string]time.Duration{
		".hosts.allow.blockhosts-123":   2 * time.Hour,
		".hosts.allow.blockhosts-124":   time.Minute,
		".hosts.allow.blockhosts-12x":   2 * time.Hour,
		".hosts.allow.blockhosts-":      2 * time.Hour,
		".hosts.deny.blockhosts-125":    2 * time.Hour,
		"hosts.allow.blockhosts-backup": 2 * time.Hour,
	} {
		at := noon.Add(-age)
		if err := errors.Join(os.WriteFile(filepath.Join(dir, name), nil, 0o600), os.Chtimes(filepath.Join(dir, name), at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := load(t, path).Save(context.Background(), example()); err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, dir), ".hosts.allow.blockhosts- .hosts.allow.blockhosts-124 .hosts.allow.blockhosts-12x .hosts.deny.blockhosts-125 hosts.allow hosts.allow.blockhosts-backup"; got != want {
		t.Errorf("left: %s\nwant: %s", got, want)
	}
}

// inChild runs the test again in a process of its own, by way of a command
// that ends in "$@", and tells the child from the parent.
func inChild(t *testing.T, role string, command ...string) (child bool) {
	t.Helper()
	if os.Getenv("BLOCKFILE_TEST_CHILD") == role {
		return true
	}
	args := append(command[1:], os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd := exec.Command(command[0], args...)
	cmd.Env = append(os.Environ(), "BLOCKFILE_TEST_CHILD="+role)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return false
}

// TestSaveDiskFull: a limit on the size of files stands in for a full disk;
// it needs no root.
func TestSaveDiskFull(t *testing.T) {
	if !inChild(t, "full", "sh", "-c", `ulimit -f 16 && exec "$@"`, "sh") {
		return
	}
	path := write(t, "sshd : ALL\n"+inSection()+"ALL : ALL")
	refused(t, path, big(), "make room")
}

// big is a state whose section is larger than any of the tests' limits.
func big() record.State { return randomState(rand.New(rand.NewPCG(1, 1)), 2000) }

// refused checks that a save fails and leaves no trace.
func refused(t *testing.T, path string, st record.State, want string) {
	t.Helper()
	before, files := read(t, path), names(t, filepath.Dir(path))
	f := load(t, path)
	err := f.Save(context.Background(), st)
	if err == nil || !strings.HasPrefix(err.Error(), "write "+path+": ") || !strings.Contains(err.Error(), want) {
		t.Errorf("Save: %v, want an error with %q", err, want)
	}
	if err != nil && strings.Contains(err.Error(), ".blockhosts-") {
		t.Errorf("the error names a file that nobody knows: %v", err)
	}
	if now := read(t, path); now != before {
		t.Errorf("the file has changed: %.300q", now)
	}
	if now := names(t, filepath.Dir(path)); now != files {
		t.Errorf("left behind: %s, was %s", now, files)
	}
	if err := f.Save(context.Background(), record.State{}); err != nil && want == "make room" {
		t.Errorf("a small section must still fit: %v", err)
	}
}

// TestSaveKilled kills a process that saves without end, again and again: the
// file is always whole.
func TestSaveKilled(t *testing.T) {
	if path := os.Getenv("BLOCKFILE_TEST_SAVE"); path != "" {
		saveForever(t, path)
	}
	path := write(t, "sshd : ALL\n"+inSection()+"ALL : ALL\n")
	small, large := example(), plainState(300)
	r := rand.New(rand.NewPCG(3, 3))
	seen := map[int]int{}
	for range 60 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSaveKilled$")
		cmd.Env = append(os.Environ(), "BLOCKFILE_TEST_SAVE="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 1)) // it has begun
		time.Sleep(time.Duration(r.IntN(40000)) * time.Microsecond)
		cmd.Process.Kill()
		cmd.Wait()
		f := load(t, path)
		want := large
		if len(f.State.Blocks) == len(small.Blocks) {
			want = small
		}
		if d := differ(f.State, want); d != "" && len(f.State.Blocks) > 0 {
			t.Fatal(d)
		}
		seen[len(f.State.Blocks)]++
		if string(f.head) != "sshd : ALL\n" || string(f.tail) != "ALL : ALL\n" || len(f.Problems) > 0 {
			t.Fatalf("outside: %q %q, problems %v", f.head, f.tail, f.Problems)
		}
	}
	if len(seen) < 2 {
		t.Errorf("all kills came at the same place: %v", seen)
	}
}

func saveForever(t *testing.T, path string) {
	states := []record.State{example(), plainState(300)}
	for i := 0; ; i++ {
		f, err := Load(path, options())
		if err == nil {
			err = f.Save(context.Background(), states[i%2])
		}
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			fmt.Println("begun")
		}
	}
}

// TestSaveManyPieces: a section that is written in many pieces is the same as
// in one, whether its lists end with a piece or within one.
func TestSaveManyPieces(t *testing.T) {
	for _, n := range []int{pieceOf - 1, pieceOf, pieceOf + 1, 5*pieceOf + 7} {
		f := load(t, write(t, inSection()))
		st := plainState(n)
		if err := f.Save(t.Context(), st); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(f.Path)
		if err != nil || !bytes.Contains(got, f.Section(st)) {
			t.Errorf("%d addresses: the file does not hold the section: %v", n, err)
		}
		if again := load(t, f.Path); !reflect.DeepEqual(again.State, st) {
			t.Errorf("%d addresses: the file is read as another state", n)
		}
	}
}
