//go:build !linux

package blockfile

import (
	"os"
	"path/filepath"
	"syscall"
)

// isMount tells whether target is on another device than its directory, as
// with FreeBSD's nullfs, which since 14 mounts single files.
func isMount(target string) bool {
	file, err := os.Stat(target)
	if err != nil {
		return false
	}
	dir, err := os.Stat(filepath.Dir(target))
	return err == nil && file.Sys().(*syscall.Stat_t).Dev != dir.Sys().(*syscall.Stat_t).Dev
}
