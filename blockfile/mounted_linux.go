package blockfile

import (
	"os"
	"path/filepath"
	"strings"
)

// isMount tells whether something is mounted on target, which has no symlinks:
// the fifth field of a line of mountinfo (proc_pid_mountinfo(5)) is where. A
// device number would not tell: a bind mount has that of its directory, and a
// file below overlayfs has another than its directory without being one.
func isMount(target string) bool {
	target, err := filepath.Abs(target)
	if err != nil {
		return false
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	plain := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`) // undoes what seq_path() of Linux does to a name
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 4 && plain.Replace(f[4]) == target {
			return true
		}
	}
	return false
}
