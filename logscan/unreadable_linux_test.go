package logscan

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestScanUnreadable: a log that may not be read is told of and read later; the
// others are read now.
func TestScanUnreadable(t *testing.T) {
	d := newDir(t, "a.log", "b.log")
	d.write("a.log", failure(0))
	d.write("b.log", failure(1))
	d.scan()
	before := d.offsets[0]
	d.must(os.Chmod(d.join("a.log"), 0))
	d.write("b.log", failure(2))
	mortal(t)
	d.scan()
	d.want(0, 3)
	d.wantProblem("permission denied", true)
	if d.offsets[0] != before {
		t.Errorf("offset %+v, was %+v", d.offsets[0], before)
	}
}

// mortal takes from this thread, to the end of the test, what lets root read
// files whose mode forbids it, capabilities(7). A scan does its work in one
// thread.
func mortal(t *testing.T) {
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var was [2]unix.CapUserData
	if err := unix.Capget(&h, &was[0]); err != nil {
		t.Fatal(err)
	}
	now := was
	now[0].Effective &^= 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH
	if err := unix.Capset(&h, &now[0]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Capset(&h, &was[0]); err != nil {
			t.Fatal(err)
		}
	})
}
