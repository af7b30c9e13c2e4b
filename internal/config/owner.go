package config

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// An ownerError is a file that root must not believe.
type ownerError struct{ text string }

func (e *ownerError) Error() string { return e.text }

// CheckOwner refuses a file, directory or what a link leads to, that is not
// root's, or that others, or a group other than 0, may write: whoever could
// write it could have anybody blocked, or himself allowed. It is for files
// that a run as root reads and believes; a missing one is fs.ErrNotExist.
func CheckOwner(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return checkInfo(info)
}

func checkInfo(info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return &ownerError{"cannot tell whose it is"}
	}
	return checkMode(st.Uid, st.Gid, info.Mode().Perm())
}

func checkMode(uid, gid uint32, mode fs.FileMode) error {
	switch {
	case uid != 0:
		return &ownerError{fmt.Sprintf("belongs to user %d, not to root", uid)}
	case mode&0o002 != 0:
		return &ownerError{fmt.Sprintf("may be written by anybody (mode %04o)", mode)}
	case mode&0o020 != 0 && gid != 0:
		return &ownerError{fmt.Sprintf("may be written by group %d (mode %04o)", gid, mode)}
	}
	return nil
}
