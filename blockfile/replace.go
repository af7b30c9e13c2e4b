package blockfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errMounted says that a file cannot be renamed over as it is a mount point.
var errMounted = errors.New("is a mount of its own")

// staleAge is how old a temporary file must be to be taken for what a killed
// run left: no run takes that long to write one.
const staleAge = time.Hour

// A pending is a complete new file that does not have its name yet.
type pending struct {
	file *os.File
	path string // "" once it is renamed or removed
}

// replace puts content into the place of target, which must still be the file
// that old tells of; where old is nil, there must be none. The result is not
// nil once the new file has the name, even if an error follows.
func replace(ctx context.Context, target string, old os.FileInfo, content iter.Seq[[]byte]) (os.FileInfo, error) {
	temp, err := prepare(target, content)
	if err != nil {
		return nil, err
	}
	defer temp.discard()
	info, err := temp.file.Stat()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !unchanged(target, old) {
		return nil, ErrChanged
	}
	if err := temp.rename(target); errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EXDEV) {
		return nil, errMounted
	} else if err != nil {
		return nil, err
	}
	return info, syncDir(filepath.Dir(target))
}

// unchanged tells whether target is still the file that old tells of.
func unchanged(target string, old os.FileInfo) bool {
	now, err := os.Lstat(target)
	if old == nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	return err == nil && sameFile(now, old)
}

// prepare writes a temporary file beside target that has everything but the
// name: content, owner, mode, attributes, all of it on the disk.
func prepare(target string, content iter.Seq[[]byte]) (*pending, error) {
	dir := filepath.Dir(target)
	file, err := os.CreateTemp(dir, tempPrefix(target)+"*") // O_EXCL, mode 0600, a random name
	if err != nil {
		return nil, fmt.Errorf("create a file in %s: %w", dir, cause(err))
	}
	p := &pending{file, file.Name()}
	if err := p.fill(target, content); err != nil {
		p.discard()
		return nil, err
	}
	return p, nil
}

func (p *pending) fill(target string, content iter.Seq[[]byte]) error {
	for part := range content {
		if _, err := p.file.Write(part); err != nil {
			return fmt.Errorf("write a copy beside it: %w", cause(err))
		}
	}
	if err := p.resemble(target); err != nil {
		return err
	}
	if err := p.file.Sync(); err != nil {
		return fmt.Errorf("write a copy beside it: %w", cause(err))
	}
	return nil
}

// resemble gives the file the owner, mode, ACL and attributes of target. A new
// file is root's, and readable by all: daemons that ask libwrap may do so
// after they gave up root.
func (p *pending) resemble(target string) error {
	model, err := os.OpenFile(target, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return p.file.Chmod(0o644)
	}
	if err != nil {
		return cause(err)
	}
	defer model.Close()
	want, err := model.Stat()
	if err != nil {
		return err
	}
	have, err := p.file.Stat()
	if err != nil {
		return err
	}
	uid, gid := owner(want)
	if u, g := owner(have); u != uid || g != gid {
		if err := p.file.Chown(uid, gid); err != nil {
			return fmt.Errorf("keep owner %d:%d: %w", uid, gid, cause(err))
		}
	}
	// After chown, which takes the set-id bits away. An ACL comes last: its
	// mask is the group's part of the mode.
	if err := p.file.Chmod(want.Mode()); err != nil {
		return fmt.Errorf("keep mode: %w", cause(err))
	}
	return keepAttributes(model, p.file)
}

func owner(info os.FileInfo) (uid, gid int) {
	st := info.Sys().(*syscall.Stat_t)
	return int(st.Uid), int(st.Gid)
}

// rename gives the file its name.
func (p *pending) rename(name string) error {
	if err := os.Rename(p.path, name); err != nil {
		return fmt.Errorf("put the copy in its place: %w", cause(err))
	}
	p.path = ""
	return nil
}

// discard closes the file, and removes it where it was not renamed.
func (p *pending) discard() {
	p.file.Close() // synced before
	if p.path != "" {
		os.Remove(p.path)
		p.path = ""
	}
}

// syncDir makes a rename in dir last. Some file systems cannot, or need not.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil // written to, but not listed
	}
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return fmt.Errorf("written, but not sure to survive a crash: sync %s: %w", dir, cause(err))
	}
	return nil
}

// tempPrefix begins the names of our temporary files beside target. The dot
// keeps them out of globs such as nginx's conf.d/*.
func tempPrefix(target string) string {
	base := filepath.Base(target)
	return "." + base[:min(len(base), 100)] + ".blockhosts-"
}

// removeStale removes what runs that were killed left beside target.
func removeStale(target string, now time.Time) {
	dir, prefix := filepath.Dir(target), tempPrefix(target)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > staleAge {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// cause strips the path of a temporary file off err: nobody knows it.
func cause(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	if at, ok := errors.AsType[*os.LinkError](err); ok {
		return at.Err
	}
	return err
}
