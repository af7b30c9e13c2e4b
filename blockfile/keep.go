//go:build linux || freebsd || netbsd || darwin

package blockfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// keepAttributes gives to the extended attributes of from: the SELinux label,
// the ACL (system.posix_acl_access on Linux, see acl(5)), and whatever the
// administrator set. What to has beyond them, such as an ACL inherited from
// the directory, goes.
func keepAttributes(from, to *os.File) error {
	want, err := attributes(from)
	if err != nil {
		return fmt.Errorf("keep attributes: %w", err)
	}
	have, err := attributes(to)
	if err != nil {
		return fmt.Errorf("keep attributes: %w", err)
	}
	for _, name := range have {
		if slices.Contains(want, name) || systemOwned(name) {
			continue
		}
		if err := unix.Fremovexattr(int(to.Fd()), name); err != nil && !strings.HasPrefix(name, "security.") {
			return fmt.Errorf("remove attribute %q: %w", name, err)
		}
	}
	for _, name := range want {
		if systemOwned(name) {
			continue
		}
		if err := keepAttribute(from, to, name); err != nil {
			return fmt.Errorf("keep attribute %q: %w", name, err)
		}
	}
	return nil
}

// systemOwned names the attributes that the kernel makes out of the content
// (Linux: IMA and EVM) or of who wrote it (macOS).
func systemOwned(name string) bool {
	return name == "security.ima" || name == "security.evm" || strings.HasPrefix(name, "com.apple.")
}

func keepAttribute(from, to *os.File, name string) error {
	value, err := attribute(from, name)
	if err != nil {
		return err
	}
	if now, err := attribute(to, name); err == nil && bytes.Equal(now, value) {
		return nil
	}
	return unix.Fsetxattr(int(to.Fd()), name, value, 0)
}

// attributes lists the names. A file system without attributes has none.
func attributes(f *os.File) ([]string, error) {
	list, err := sizedRead(func(buf []byte) (int, error) { return unix.Flistxattr(int(f.Fd()), buf) })
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil, nil
	}
	var names []string
	for name := range strings.SplitSeq(string(list), "\x00") {
		if name != "" {
			names = append(names, name)
		}
	}
	return names, err
}

func attribute(f *os.File, name string) ([]byte, error) {
	return sizedRead(func(buf []byte) (int, error) { return unix.Fgetxattr(int(f.Fd()), name, buf) })
}

// sizedRead asks for the size first; what grows in between is asked again.
func sizedRead(read func([]byte) (int, error)) ([]byte, error) {
	for {
		n, err := read(nil)
		if err != nil || n == 0 {
			return nil, err
		}
		buf := make([]byte, n)
		if n, err = read(buf); !errors.Is(err, unix.ERANGE) {
			return buf[:max(n, 0)], err
		}
	}
}
