package watch

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hears waits for the bell.
func hears(t *testing.T, what string, bell Bell) {
	t.Helper()
	select {
	case <-bell:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: no ring", what)
	}
}

// waitFor waits until done, since a ring may come before all of a burst.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s did not come", what)
}

func TestQueue(t *testing.T) {
	var q Queue
	for i := range MaxLines + 3 {
		q.Add([]string{"a", "b"}[i%2], []byte{byte(i)})
	}
	lines := q.Take()
	if len(lines["a"]) != MaxLines/2 || len(lines["b"]) != MaxLines/2 || lines["b"][1][0] != 3 {
		t.Fatalf("%d lines of a, %d of b, which begins %v", len(lines["a"]), len(lines["b"]), lines["b"][:2])
	}
	if d := q.Dropped(); d["a"] != 2 || d["b"] != 1 {
		t.Errorf("dropped %v", d)
	}
	if d := q.Dropped(); len(d) != 0 {
		t.Errorf("counted again: %v", d)
	}
	q.Add("b", []byte("meanwhile")) // there is room while a run is under way
	q.Back()
	if d := q.Dropped(); d["b"] != 1 { // and none when it could not take them
		t.Errorf("dropped %v", d)
	}
	if lines = q.Take(); len(lines["a"]) != MaxLines/2 || string(lines["b"][MaxLines/2-1]) == "meanwhile" {
		t.Errorf("%d lines of a", len(lines["a"]))
	}
	q.Add("a", make([]byte, MaxBytes-1))
	q.Done()
	q.Add("a", []byte("xx"))
	q.Add("a", []byte("x"))
	if d := q.Dropped(); q.bytes != MaxBytes || d["a"] != 1 {
		t.Errorf("%d bytes wait, dropped %v", q.bytes, d)
	}
	q.Take()
	if q.Done(); !q.Empty() {
		t.Error("something is left")
	}
}

func waiting(q *Queue) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.lines)
}

func plain(b []byte) [][]byte { return bytes.Split(b, []byte("\n")) }

func TestUDP(t *testing.T) {
	var q Queue
	bell := NewBell()
	u, err := ListenUDP(netip.MustParseAddrPort("127.0.0.1:0"), "udp", []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, plain, &q, bell)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	send := func(from, text string) {
		t.Helper()
		conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(from)}, u.conn.LocalAddr().(*net.UDPAddr))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	long := strings.Repeat("x", 60<<10)
	send("127.0.0.1", "one\ntwo")
	send("127.0.0.1", long)
	waitFor(t, "the lines", func() bool { return waiting(&q) == 3 })
	hears(t, "datagrams", bell)
	lines := q.Take()
	q.Back()
	if got := fmt.Sprintf("%s", lines["udp"]); got != "[one two "+long+"]" {
		t.Errorf("received %.100s", got)
	}

	send("127.0.0.2", "no")
	send("127.0.0.3", "no")
	var all Refused
	waitFor(t, "the refusals", func() bool {
		r := u.Refused()
		if all.Datagrams += r.Datagrams; !all.First.IsValid() {
			all.First = r.First
		}
		return all.Datagrams == 2
	})
	if all.First != netip.MustParseAddr("127.0.0.2") {
		t.Errorf("refused first: %v", all.First)
	}
	u.Allow([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	send("127.0.0.3", "three")
	waitFor(t, "the newly allowed", func() bool { return waiting(&q) == 4 })

	u.Close()
	again, err := ListenUDP(u.conn.LocalAddr().(*net.UDPAddr).AddrPort(), "udp", nil, plain, &q, bell)
	if err != nil {
		t.Fatalf("the address is free again: %v", err)
	}
	again.Close()
	if _, err := ListenUDP(netip.MustParseAddrPort("192.0.2.1:5514"), "udp", nil, plain, &q, bell); err == nil {
		t.Error("listens where this host is not")
	}
}

func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	var q Queue
	bell := NewBell()
	const longest = 100
	f, err := ReadFIFO(file, "fifo", longest, &q, bell)
	if err != nil {
		t.Fatal(err)
	}
	write := func(texts ...string) { // as a daemon that opens it anew each time
		t.Helper()
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if _, err := w.WriteString(text); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write("one\ntwo\nthr")
	hears(t, "two lines", bell)
	write("ee\n", strings.Repeat("x", 300<<10), "\nfour\n") // more than a pipe holds: nobody waits for a run
	waitFor(t, "the lines", func() bool { return waiting(&q) == 5 })
	got := q.Take()["fifo"]
	if string(bytes.Join(got[:3], []byte(","))) != "one,two,three" || string(got[4]) != "four" {
		t.Errorf("read %.200q", got)
	}
	if len(got[3]) != longest+1 {
		t.Errorf("a long line is kept with %d bytes", len(got[3]))
	}
	if !f.Current() {
		t.Error("it is said to be another")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if f.Current() {
		t.Error("it is gone, and said to be there")
	}
	f.Close()
}

// TestFiles: what happens to logs rings, whatever rotation does, and what
// happens beside them does not.
func TestFiles(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	f, err := NewFiles()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	grow := func(name string) {
		t.Helper()
		w, err := os.OpenFile(in(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		check(err)
		_, err = w.WriteString("x\n")
		check(err)
		check(w.Close())
	}
	watch := func() {
		t.Helper()
		check(f.Watch([]string{in("auth.log"), in("link.log"), in("late/new.log"), in("odd[1]*.log")}, []string{in("web/*/access*.log")}))
	}
	rings := func(what string, want bool) {
		t.Helper()
		grow("end") // all events before this one's have come when it has
		got := false
		for {
			select {
			case e := <-f.Events():
				got = got || f.Concerns(e)
				if e.Name == in("end") {
					if got != want {
						t.Errorf("%s: rings %v", what, got)
					}
					return
				}
			case err := <-f.Errors():
				t.Fatal(err)
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: no event", what)
			}
		}
	}
	check(os.MkdirAll(in("real"), 0o755))
	check(os.MkdirAll(in("web/a"), 0o755))
	grow("end")
	grow("auth.log")
	grow("real/target.log")
	check(os.Symlink(in("real/target.log"), in("link.log")))
	watch()
	rings("nothing", false)

	grow("auth.log")
	rings("a line", true)
	grow("other.log")
	check(os.Chmod(in("auth.log"), 0o600))
	rings("a neighbour, a mode", false)
	check(os.Rename(in("auth.log"), in("auth.log.1")))
	rings("rotation", true)
	grow("auth.log.1")
	rings("a late line", true)
	grow("auth.log")
	rings("the new file", true)
	check(os.Truncate(in("auth.log"), 0))
	rings("truncation", true)
	grow("odd[1]*.log")
	rings("a name that looks like a glob", true)
	grow("odd1x.log")
	rings("what that would find", false)

	grow("web/a/access.log")
	waitSub(t, f, "web/a/access.log")
	check(os.Mkdir(in("web/b"), 0o755))
	waitSub(t, f, "web/b")
	watch()
	grow("web/b/access-2.log")
	waitSub(t, f, "web/b/access-2.log")
	grow("real/target.log")
	waitSub(t, f, "real/target.log")

	check(os.Mkdir(in("late"), 0o755))
	rings("the directory of a log", true)
	watch()
	grow("late/new.log")
	waitSub(t, f, "late/new.log")
	check(os.RemoveAll(in("late")))
	waitSub(t, f, "late")
	watch()
	check(os.Mkdir(in("late"), 0o755))
	watch()
	grow("late/new.log")
	waitSub(t, f, "late/new.log")

	check(f.Watch([]string{in("auth.log")}, nil))
	if got := f.w.WatchList(); len(got) != 1 || got[0] != dir {
		t.Errorf("watches %v for one log", got)
	}
}

// waitSub waits for a ring about a name.
func waitSub(t *testing.T, f *Files, name string) {
	t.Helper()
	for {
		select {
		case e := <-f.Events():
			if strings.HasSuffix(e.Name, "/"+name) && f.Concerns(e) {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no ring about %s; watched are %v", name, f.w.WatchList())
		}
	}
}

// TestJournal: each thing that the child prints rings, and a child that ends
// is said and started again.
func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "said")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	bell := NewBell()
	j := FollowJournal([]string{"cat", path}, bell)
	defer j.Close()
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := w.WriteString("x\n"); err != nil {
			t.Fatal(err)
		}
		hears(t, "an entry", bell)
	}
	if err := j.Err(); err != nil {
		t.Errorf("it runs, and %v", err)
	}
	_ = w.Close()
	hears(t, "the end", bell)
	if err := j.Err(); err == nil || !strings.Contains(err.Error(), "cat -f ended") {
		t.Errorf("it ended, and says %v", err)
	}
	if w, err = os.OpenFile(path, os.O_WRONLY, 0); err != nil { // opens when there is a child again
		t.Fatal(err)
	}
	defer w.Close()
	waitFor(t, "the next child", func() bool { return j.Err() == nil })
}

// TestJournalMissing: a program that is not there is said.
func TestJournalMissing(t *testing.T) {
	bell := NewBell()
	j := FollowJournal([]string{filepath.Join(t.TempDir(), "journalctl")}, bell)
	defer j.Close()
	hears(t, "the failure", bell)
	if j.Err() == nil {
		t.Error("nothing is wrong, it says")
	}
}
