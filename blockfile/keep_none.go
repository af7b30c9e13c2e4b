//go:build !(linux || freebsd || netbsd || darwin)

package blockfile

import "os"

// keepAttributes has nothing to do: OpenBSD has no extended attributes and no
// ACLs.
func keepAttributes(_, _ *os.File) error { return nil }
