package logscan

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// tool returns the path of a program that a test cannot do without.
func tool(t *testing.T, name, pkg string) string {
	for _, dir := range []string{"/usr/sbin/", "/sbin/", ""} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path
		}
	}
	if os.Getenv("BLOCKHOSTS_REQUIRE") == "all" {
		t.Fatalf("%s is missing: install %s", name, pkg)
	}
	t.Skipf("%s is missing: install %s", name, pkg)
	return ""
}

// TestLogrotate: logrotate itself, in each of its ways, several times, with
// runs between or without.
func TestLogrotate(t *testing.T) {
	logrotate := tool(t, "logrotate", "logrotate")
	for _, how := range []string{
		"create", "nocreate", "copytruncate", "create\ncompress", "create\ncompress\ndelaycompress",
		"copytruncate\ncompress", "create\ndateext\ndateformat -%Y%m%d-%s", "create\ndateext\ndateformat .%Y-%m-%d-%H-%s\ncompress",
		"create\nextension .log", "create\nolddir old\ncreateolddir 0700", "create\nstart 0",
		"create\ncompress\ncompresscmd /usr/bin/bzip2\ncompressext .bz2\ncompressoptions -9",
	} {
		t.Run(strings.ReplaceAll(how, "\n", " "), func(t *testing.T) {
			t.Parallel()
			if strings.Contains(how, "bzip2") {
				tool(t, "bzip2", "bzip2")
			}
			for _, every := range []int{1, 3} {
				logrotateCase(t, logrotate, how, every)
			}
		})
	}
}

// logrotateCase writes and rotates six times, with a run after each or every
// third rotation.
func logrotateCase(t *testing.T, logrotate, how string, every int) {
	d := newDir(t, "auth.log")
	defer os.RemoveAll(d.path)
	d.must(os.Chmod(d.path, 0o755)) // logrotate refuses what others may write
	conf := fmt.Sprintf("%s {\nrotate 20\nsize 1\nmissingok\n%s\n}\n", d.join("auth.log"), how)
	d.must(os.WriteFile(d.join("conf"), []byte(conf), 0o600))
	now := time.Now()
	n := 0
	lines := func(count int) {
		for range count {
			d.write("auth.log", failureAt(n, now))
			n++
		}
	}
	at := func() {
		now = now.Add(time.Second)
		d.options.Now = now
	}
	at()
	lines(4)
	d.scan()
	for round := range 6 {
		at()
		lines(round % 4)
		if strings.Contains(how, "%s") && round > 0 {
			time.Sleep(1100 * time.Millisecond) // its names have seconds
		}
		var out bytes.Buffer
		cmd := exec.CommandContext(context.Background(), logrotate, "-f", "-s", d.join("state"), d.join("conf"))
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			t.Fatalf("logrotate: %v: %s", err, out.String())
		}
		lines(round % 3)
		if round%every == every-1 {
			d.scan()
		}
	}
	d.scan()
	d.scan()
	d.want(0, n)
}

// FuzzScanSplit: a log that is cut anywhere into runs, and rotated anywhere in
// any way, gives what one run over all of it gives.
func FuzzScanSplit(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, []byte(failures(0, 3)+"x\x00y\r\n\n"+failures(3, 5)))
	}
	f.Fuzz(func(t *testing.T, seed uint64, noise []byte) {
		if len(noise) > 4096 {
			noise = noise[:4096]
		}
		r := rand.New(rand.NewPCG(seed, 1))
		text := failure(0) + string(noise) + "\n" + failures(1, 4)
		whole := newDir(t, "auth.log")
		whole.write("auth.log", text)
		whole.scan()

		d := newDir(t, "auth.log")
		d.options.Now = noon.Add(-time.Hour)
		d.write("auth.log", "")
		d.scan()
		for len(text) > 0 {
			n := 1 + r.IntN(len(text))
			if r.IntN(2) == 0 { // a rotation comes between lines
				n = 1 + strings.IndexByte(text, '\n')
			}
			d.write("auth.log", text[:n])
			whole := text[n-1] == '\n'
			text = text[n:]
			if r.IntN(2) == 0 {
				d.scan()
			}
			if whole && r.IntN(3) == 0 {
				d.shift("auth.log")
				d.rename("auth.log", "auth.log.1")
				d.write("auth.log", "")
			}
		}
		d.options.Now = noon
		d.scan()
		if strings.Join(d.users, " ") != strings.Join(whole.users, " ") {
			t.Errorf("in parts %q, whole %q", d.users, whole.users)
		}
		for i := range d.last.Failures.Len() {
			if d.last.Failures.At(i).Time.After(noon) {
				t.Errorf("%v is later than the run", d.last.Failures.At(i).Time)
			}
		}
	})
}
