package logscan

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"blockhosts/internal/record"
)

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o600) }

func packed(t testing.TB, text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (d *dir) rename(from, to string) {
	d.t.Helper()
	d.must(os.Rename(d.join(from), d.join(to)))
}

func (d *dir) exists(name string) bool {
	_, err := os.Lstat(d.join(name))
	return err == nil
}

// shift renames log.1 to log.2 and so on, whatever is compressed.
func (d *dir) shift(name string) {
	for n := 20; n >= 0; n-- {
		for _, ext := range []string{"", ".gz"} {
			if from := fmt.Sprintf("%s.%d%s", name, n, ext); d.exists(from) {
				d.rename(from, fmt.Sprintf("%s.%d%s", name, n+1, ext))
			}
		}
	}
}

func (d *dir) copyAndTruncate(from, to string) {
	d.t.Helper()
	text, err := os.ReadFile(d.join(from))
	d.must(err)
	d.must(os.WriteFile(d.join(to), text, 0o600))
	d.must(os.Truncate(d.join(from), 0))
	for _, name := range []string{from, to} {
		d.must(os.Chtimes(d.join(name), d.options.Now, d.options.Now))
	}
}

func (d *dir) compress(name string) {
	d.t.Helper()
	info, err := os.Stat(d.join(name))
	d.must(err)
	text, err := os.ReadFile(d.join(name))
	d.must(err)
	d.must(os.WriteFile(d.join(name+".gz"), []byte(packed(d.t, string(text))), 0o600))
	d.must(os.Chtimes(d.join(name+".gz"), info.ModTime(), info.ModTime()))
	d.must(os.Remove(d.join(name)))
}

// rotations are the ways in which a log is rotated; n counts them.
var rotations = map[string]func(d *dir, n int){
	"create": func(d *dir, n int) {
		d.shift("auth.log")
		d.rename("auth.log", "auth.log.1")
		d.write("auth.log", "")
	},
	"from zero": func(d *dir, n int) { // newsyslog
		d.shift("auth.log")
		d.rename("auth.log", "auth.log.0")
		d.write("auth.log", "")
	},
	"created later": func(d *dir, n int) {
		d.shift("auth.log")
		d.rename("auth.log", "auth.log.1")
	},
	"dateext": func(d *dir, n int) {
		d.rename("auth.log", fmt.Sprintf("auth.log-202601%02d", n+1))
		d.write("auth.log", "")
	},
	"dateext with hour": func(d *dir, n int) {
		d.rename("auth.log", fmt.Sprintf("auth.log-20260110-%02d", n))
		d.write("auth.log", "")
	},
	"day first": func(d *dir, n int) { // no order in the names: the time of change gives it
		d.rename("auth.log", fmt.Sprintf("auth.log-%02d012026", 28-n))
		d.write("auth.log", "")
	},
	"extension": func(d *dir, n int) {
		d.rename("auth.log", fmt.Sprintf("auth-202601%02d.log", n+1))
		d.write("auth.log", "")
	},
	"olddir": func(d *dir, n int) {
		d.must(os.MkdirAll(d.join("old"), 0o700))
		d.shift("old/auth.log")
		d.rename("auth.log", "old/auth.log.1")
		d.write("auth.log", "")
	},
	"copytruncate": func(d *dir, n int) {
		d.shift("auth.log")
		d.copyAndTruncate("auth.log", "auth.log.1")
	},
	"copytruncate dateext": func(d *dir, n int) {
		d.copyAndTruncate("auth.log", fmt.Sprintf("auth.log-202601%02d", n+1))
	},
	"compress": func(d *dir, n int) {
		d.shift("auth.log")
		d.rename("auth.log", "auth.log.1")
		d.write("auth.log", "")
		d.compress("auth.log.1")
	},
	"delaycompress": func(d *dir, n int) {
		d.shift("auth.log")
		if d.exists("auth.log.2") {
			d.compress("auth.log.2")
		}
		d.rename("auth.log", "auth.log.1")
		d.write("auth.log", "")
	},
	"compress late": func(d *dir, n int) { // and without the time of the last change
		d.shift("auth.log")
		d.rename("auth.log", "auth.log.1")
		d.write("auth.log", "")
		d.compress("auth.log.1")
		d.must(os.Chtimes(d.join("auth.log.1.gz"), d.options.Now, d.options.Now))
	},
	"copytruncate compress": func(d *dir, n int) {
		d.shift("auth.log")
		d.copyAndTruncate("auth.log", "auth.log.1")
		d.compress("auth.log.1")
	},
}

// TestRotation: whatever is rotated between two runs, once or several times,
// at whichever line and wherever in it a run or a rotation comes, and however
// fast lines come: all lines are found, each once, in order.
func TestRotation(t *testing.T) {
	for name, rotate := range rotations {
		for _, pace := range []time.Duration{time.Second, 40 * time.Minute} {
			t.Run(fmt.Sprint(name, " ", pace), func(t *testing.T) {
				t.Parallel()
				for times := 1; times <= 3; times++ {
					for run := 0; run <= rotationLines; run++ {
						for _, within := range []int{0, 45, len(failure(run)) - 1} {
							rotationCase(t, rotate, pace, times, run, within)
						}
					}
				}
			})
		}
	}
}

const rotationLines = 9

// rotationCase writes lines, with a run within the one at run, and rotations
// spread evenly over what follows it.
func rotationCase(t *testing.T, rotate func(*dir, int), pace time.Duration, times, run, within int) {
	d := newDir(t, "auth.log")
	defer os.RemoveAll(d.path)
	d.options.Now = noon
	write := func(line string) {
		d.options.Now = d.options.Now.Add(pace)
		d.write("auth.log", line)
	}
	at := 0
	lines := func(to int) {
		for ; at < to; at++ {
			write(failureAt(at, d.options.Now.Add(pace)))
		}
	}
	d.write("auth.log", "")
	lines(run)
	if run < rotationLines {
		line := failureAt(run, d.options.Now.Add(pace))
		write(line[:within])
		d.scan()
		d.write("auth.log", line[within:])
		at++
	} else {
		d.scan()
	}
	for n := range times {
		lines(at + (rotationLines-at)/(times-n+1))
		d.write("auth.log", "")
		rotate(d, n)
		if n == 1 { // a run between the second rotation and the third
			d.scan()
		}
	}
	lines(rotationLines)
	d.write("auth.log", "")
	d.scan()
	d.scan()
	d.want(0, rotationLines)
	for _, p := range d.last.Problems {
		t.Errorf("%v", p)
	}
	if t.Failed() {
		t.Fatalf("%d rotations, run in line %d at byte %d", times, run, within)
	}
}

// TestRotationWithin: the rotation itself comes in mid-line. A writer that
// renames has the rest in the old file, one that is truncated in the new.
func TestRotationWithin(t *testing.T) {
	line := failure(3)
	for cut := 0; cut <= len(line); cut++ {
		for _, between := range []bool{false, true} {
			d := newDir(t, "auth.log")
			d.write("auth.log", failures(0, 3)+line[:cut])
			d.scan()
			d.rename("auth.log", "auth.log.1")
			d.write("auth.log", "")
			if between {
				d.scan()
			}
			d.write("auth.log.1", line[cut:])
			d.write("auth.log", failures(4, 5))
			d.scan()
			d.want(0, 5)

			d = newDir(t, "auth.log")
			d.write("auth.log", failures(0, 3)+line[:cut])
			d.scan()
			d.copyAndTruncate("auth.log", "auth.log.1")
			if between {
				d.scan()
			}
			d.write("auth.log", line[cut:]+failures(4, 5))
			d.scan()
			d.scan()
			d.want(0, 5)
		}
	}
}

// TestRotationLateLines: a daemon goes on writing to the renamed file until it
// is told to open the new one.
func TestRotationLateLines(t *testing.T) {
	d := newDir(t, "auth.log")
	d.write("auth.log", failures(0, 2))
	d.scan()
	d.rename("auth.log", "auth.log.1")
	d.write("auth.log.1", failures(2, 3))
	d.scan() // before the new one is there
	d.want(0, 3)
	d.write("auth.log", "")
	d.scan()
	d.write("auth.log.1", failures(3, 4))
	d.scan()
	d.want(0, 4)
	d.write("auth.log.1", failures(4, 5))
	d.write("auth.log", failures(5, 6))
	d.scan()
	d.want(0, 6)
	d.compress("auth.log.1")
	d.scan()
	d.want(0, 6)
	d.options.Now = time.Now().Add(2 * followFor)
	d.scan()
	if len(d.offsets) != 1 {
		t.Errorf("offsets %+v", d.offsets)
	}
}

// TestRotationSymlink: a log that is a symbolic link is rotated where it is.
func TestRotationSymlink(t *testing.T) {
	d := newDir(t, "auth.log")
	d.must(os.Mkdir(d.join("disk"), 0o700))
	d.must(os.Symlink("disk/auth.log", d.join("auth.log")))
	d.write("disk/auth.log", failures(0, 2))
	d.scan()
	d.write("disk/auth.log", failures(2, 3))
	d.rename("disk/auth.log", "disk/auth.log.1")
	d.scan()
	d.write("disk/auth.log", failures(5, 6))
	d.write("disk/auth.log.1", failures(3, 4))
	d.scan()
	d.write("disk/auth.log.1", failures(4, 5))
	d.scan()
	slicesSort(d.users)
	d.want(0, 6)
}

// TestRotationTwins: a log whose name is another's with something added is no
// rotated file of it, even where this run does not ask for it.
func TestRotationTwins(t *testing.T) {
	d := newDir(t, "access.log", "access_ssl.log")
	d.write("access.log", failure(0))
	d.write("access_ssl.log", failure(1))
	d.scan()
	all := d.sources
	d.sources = all[:1]
	d.write("access_ssl.log", failure(2))
	d.scan()
	d.want(0, 2)
	d.sources = all
	d.scan()
	d.want(0, 3)
}

// TestRotationHalfCompressed: while a file is being compressed there are two,
// and the compressed one is not complete.
func TestRotationHalfCompressed(t *testing.T) {
	d := newDir(t, "auth.log")
	d.write("auth.log", failures(0, 2))
	d.scan()
	d.write("auth.log", failures(2, 4))
	d.copyAndTruncate("auth.log", "auth.log.1")
	gz := packed(t, failures(0, 4))
	d.write("auth.log.1.gz", gz[:len(gz)-10])
	d.write("auth.log", failures(4, 5))
	d.scan()
	d.want(0, 5)
	d.wantQuiet()
	d.must(os.Remove(d.join("auth.log.1")))
	d.write("auth.log.1.gz", gz[len(gz)-10:])
	d.scan()
	d.want(0, 5)
	d.wantQuiet()
}

// TestRotationGlob: a glob that names a log and what is made of it.
func TestRotationGlob(t *testing.T) {
	for name, rotate := range rotations {
		if name == "olddir" {
			continue
		}
		d := newDir(t, "auth*")
		d.write("auth.log", failures(0, 2))
		d.scan()
		for n := range 4 {
			d.write("auth.log", failures(2+3*n, 4+3*n))
			rotate(d, n)
			if n == 1 {
				d.write("auth.log", "")
				rotate(d, n+10)
			}
			d.write("auth.log", failures(4+3*n, 5+3*n))
			d.scan()
			d.scan()
		}
		slicesSort(d.users)
		d.want(0, 14)
		if t.Failed() {
			t.Fatal(name)
		}
		d.wantQuiet()
	}
}

func slicesSort(users []string) {
	num := func(s string) (n int) { fmt.Sscanf(s, "u%d", &n); return }
	for i := range users {
		for j := i; j > 0 && num(users[j]) < num(users[j-1]); j-- {
			users[j], users[j-1] = users[j-1], users[j]
		}
	}
}

// TestTruncated: no copy was made; what was written before is lost, and said
// to be, however the file grew since.
func TestTruncated(t *testing.T) {
	for _, lines := range []int{1, 3, 50} {
		d := newDir(t, "auth.log")
		d.write("auth.log", failures(0, 3))
		d.scan()
		d.must(os.Truncate(d.join("auth.log"), 0))
		d.write("auth.log", failures(3600-lines, 3600)) // later than the run before would be
		d.users = nil
		d.scan()
		d.want(3600-lines, 3600)
		if r := d.last.Files[0]; !r.Gap {
			t.Errorf("%+v", r)
		}
		d.wantProblem("may be lost", false)
		d.scan()
		d.want(3600-lines, 3600)
		d.wantQuiet()
	}
}

// TestRegrown: a first line that is always the same does not hide that the
// file is another.
func TestRegrown(t *testing.T) {
	const banner = "logfile turned over\n"
	d := newDir(t, "auth.log")
	d.write("auth.log", banner+failures(0, 3))
	d.scan()
	d.shift("auth.log")
	d.copyAndTruncate("auth.log", "auth.log.1")
	d.write("auth.log", banner+failures(3, 20))
	d.scan()
	d.want(0, 20)
	d.wantQuiet()
}

// TestSparse: a writer that does not append leaves NULs where the file was
// truncated.
func TestSparse(t *testing.T) {
	d := newDir(t, "auth.log")
	d.write("auth.log", failures(0, 3))
	d.scan()
	size := int64(len(failures(0, 3)))
	for n := 3; n < 7; n++ {
		d.shift("auth.log")
		d.copyAndTruncate("auth.log", "auth.log.1")
		d.must(os.Truncate(d.join("auth.log"), size))
		d.write("auth.log", failure(n))
		size += int64(len(failure(n)))
		d.scan()
		d.scan()
		d.want(0, n+1)
		d.wantQuiet()
	}
}

// TestEdited: lines that were read are not counted again when an editor or a
// script writes the file anew.
func TestEdited(t *testing.T) {
	d := newDir(t, "auth.log")
	d.options.Now = noon.Add(-30 * time.Minute)
	d.write("auth.log", failures(0, 1000))
	d.scan()
	d.must(os.WriteFile(d.join("new"), []byte(failures(500, 990)+failures(2000, 2001)), 0o600))
	d.rename("new", "auth.log")
	d.options.Now = noon
	d.users = nil
	d.scan()
	d.want(2000, 2001)
	d.wantProblem("490 failures from before", false)
}

// TestMoved: the same content under another number, as after a restore.
func TestMoved(t *testing.T) {
	d := newDir(t, "auth.log")
	d.write("auth.log", failures(0, 3))
	d.scan()
	d.must(os.WriteFile(d.join("new"), []byte(failures(0, 4)), 0o600))
	d.rename("new", "auth.log")
	d.scan()
	d.want(0, 4)
	d.wantQuiet()
}

// TestUnreadableRotation: what was rotated into a form that is not read is
// named; what was rotated after it is read.
func TestUnreadableRotation(t *testing.T) {
	d := newDir(t, "auth.log")
	d.options.Now = time.Now().Add(-time.Hour)
	now := failedAt(d.options.Now)
	d.write("auth.log", now("a")+now("b"))
	d.scan()
	d.must(os.Remove(d.join("auth.log")))
	d.write("auth.log.2.xz", "x")
	d.write("auth.log.3", now("old"))
	d.must(os.Chtimes(d.join("auth.log.3"), d.options.Now.Add(-time.Minute), d.options.Now.Add(-time.Minute)))
	d.options.Now = time.Now()
	d.write("auth.log.4", now("older")) // touched by somebody
	d.must(os.WriteFile(d.join("auth.log.4"), []byte(failedAt(d.options.Now.Add(-24*time.Hour))("older")), 0o600))
	now = failedAt(d.options.Now)
	d.write("auth.log.1", now("c"))
	d.write("auth.log", now("d"))
	d.scan()
	if got := strings.Join(d.users, ""); got != "abcd" {
		t.Errorf("found %q", got)
	}
	d.wantProblem("auth.log.2.xz cannot be read", false)
}

func failedAt(at time.Time) func(user string) string {
	return func(user string) string {
		return at.UTC().Format(time.RFC3339) + " www sshd[1]: Failed password for " + user + " from 192.0.2.1 port 1 ssh2\n"
	}
}

// TestRotationZone: that stamps are of the wrong zone keeps nothing from being
// read, where names tell the order of rotated files.
func TestRotationZone(t *testing.T) {
	d := newDir(t, "auth.log")
	d.options.Now = noon.Add(2 * time.Hour)
	d.write("auth.log", failures(0, 2))
	d.scan()
	for n := 2; n < 5; n++ {
		rotations["create"](d, n)
		d.write("auth.log", failure(n))
	}
	d.options.Now = d.options.Now.Add(time.Minute)
	d.scan()
	d.want(0, 5)
	d.wantProblem("3 lines are stamped", false)
}

// TestReusedNumber: where nothing had been read of a file that is gone, its
// number alone does not make another file the one.
func TestReusedNumber(t *testing.T) {
	d := newDir(t, "auth.log")
	d.options.Now = noon.Add(-time.Hour)
	d.write("auth.log.1", failures(0, 3))
	info, err := os.Stat(d.join("auth.log.1"))
	d.must(err)
	was := idOf(info)
	d.options.Now = noon
	d.write("auth.log", failures(3, 4))
	d.offsets = []record.Offset{{Path: d.join("auth.log"), Device: was.dev, Inode: was.ino, Read: noon.Add(-time.Minute)}}
	d.users = nil
	d.scan()
	for _, u := range d.users {
		if u != "u3" {
			t.Errorf("found %v", d.users)
		}
	}
}

// TestPackedInPart: a compressed file of which only a part was read.
func TestPackedInPart(t *testing.T) {
	d := newDir(t, "auth.log.1.gz")
	d.write("auth.log.1.gz", packed(t, failures(0, 4)))
	d.scan()
	d.want(0, 4)
	o := &d.offsets[0]
	o.Pos = int64(len(failures(0, 2)))
	o.Tail = hash([]byte(failures(0, 2)))
	if o.Pos > tailSize {
		o.Tail = hash([]byte(failures(0, 2))[o.Pos-tailSize:])
	}
	d.users = d.users[:2]
	d.scan()
	d.want(0, 4)
	d.scan()
	d.want(0, 4)
}

// TestGivenUp: the part of a line that a rotated file ends with never counts,
// and is reported when nobody is expected to complete it.
func TestGivenUp(t *testing.T) {
	d := newDir(t, "auth.log")
	d.write("auth.log", failures(0, 2)+failure(2)[:60])
	d.scan()
	d.rename("auth.log", "auth.log.1")
	d.write("auth.log", failures(3, 4))
	d.scan()
	if r := d.last.Files[0]; r.Waiting != 60 || r.PossiblyLost != 0 {
		t.Errorf("%+v", r)
	}
	at := noon.Add(-2 * time.Hour)
	d.must(os.Chtimes(d.join("auth.log.1"), at, at))
	d.scan()
	if r := d.last.Files[0]; r.Waiting != 0 || r.PossiblyLost != 60 {
		t.Errorf("%+v", r)
	}
	d.wantProblem("60 bytes of rotated files", false)
	d.scan()
	d.wantQuiet()
}

func TestKinship(t *testing.T) {
	for _, c := range []struct {
		base, name string
		kin        bool
		age        string
	}{
		{"auth.log", "auth.log.1", true, "1"},
		{"auth.log", "auth.log.12.gz", true, "12"},
		{"auth.log", "auth.log-20260105", true, "20260105"},
		{"auth.log", "auth.log-20260105-1767573101.xz", true, "20260105-1767573101"},
		{"auth.log", "auth.log.2026-01-05_01:31", true, "2026-01-05_01:31"},
		{"access.log", "access-20260105.log.gz", true, "20260105"},
		{"access.log", "access.1.log", true, "1"},
		{"messages", "messages-20260105.bz2", true, "20260105"},
		{"auth.log", "auth.log.old", true, ""},
		{"auth.log", "auth.log~", true, ""},
		{"auth.log", "auth.log", false, ""},
		{"auth.log", "auth.log.gz", false, ""},
		{"auth.log", "auth.logs.1", false, ""},
		{"auth.log", "mail.log.1", false, ""},
		{"access.log", "access_ssl.log", true, ""},
		{"messages", "messages2.1", false, ""},
	} {
		if kin, age := kinship(c.base, c.name); kin != c.kin || age != c.age {
			t.Errorf("kinship(%q, %q) = %v, %q", c.base, c.name, kin, age)
		}
	}
}

func TestSortByAge(t *testing.T) {
	for _, want := range []string{
		"l.10.gz l.9.gz l.2 l.1",
		"l.1 l.0",
		"l-20251231 l-20260105.gz l-20260106",
		"l-20260105-9 l-20260105-10",
		"l-1767573101 l-1767573102",
		"l.2026-01-05 l.2026-01-06",
		"l.2.gz l.2 l.1",
	} {
		names := strings.Fields(want)
		var all []rotated
		for i := range names {
			n := names[len(names)-1-i]
			r := rotated{path: filepath.Join("/var/log", n)}
			r.kin, r.age = kinship("l", n)
			all = append(all, r)
		}
		sortByAge(all)
		var got []string
		for _, r := range all {
			got = append(got, filepath.Base(r.path))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}
