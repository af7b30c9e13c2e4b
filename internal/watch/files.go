package watch

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// Files watches the directories of log files. A directory sees what happens to
// a file whatever rotation makes of it: written, renamed, made anew.
type Files struct {
	w     *fsnotify.Watcher
	dirs  []string
	names []string // absolute paths, symbolic links followed as well, and globs
}

// NewFiles returns a watch of nothing. It fails where the system has no
// instance left: fs.inotify.max_user_instances.
func NewFiles() (*Files, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return &Files{w: w}, nil
}

// Events brings what happened in the directories.
func (f *Files) Events() <-chan fsnotify.Event { return f.w.Events }

// Errors brings what went wrong; a queue that overflowed is as good as an event.
func (f *Files) Errors() <-chan error { return f.w.Errors }

// Close ends the watch.
func (f *Files) Close() { _ = f.w.Close() }

// Watch watches for files of these names: absolute paths, or globs as in
// path.Match. A directory that is not there yet is waited for in the one above.
// It is called again when directories may have come, and changes only the
// difference. The error is of those that cannot be watched.
func (f *Files) Watch(paths, globs []string) error {
	f.names = nil
	var dirs []string
	for _, p := range paths {
		f.names = append(f.names, escape(p))
		dirs = append(dirs, nearest(filepath.Dir(p)))
		if real, err := filepath.EvalSymlinks(p); err == nil && real != p {
			f.names = append(f.names, escape(real))
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	for _, g := range globs {
		f.names = append(f.names, g)
		dirs = append(dirs, above(g)...)
	}
	slices.Sort(dirs)
	return f.set(slices.Compact(dirs))
}

// set watches dirs and no others. What fsnotify watches is asked for, since it
// drops a directory that was removed.
func (f *Files) set(dirs []string) error {
	var errs []error
	f.dirs = f.w.WatchList()
	for _, d := range f.dirs {
		if !slices.Contains(dirs, d) {
			_ = f.w.Remove(d) // it may be gone
		}
	}
	for _, d := range dirs {
		if !slices.Contains(f.dirs, d) {
			if err := f.w.Add(d); err != nil && !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, &os.PathError{Op: "watch", Path: d, Err: err})
			}
		}
	}
	return errors.Join(errs...)
}

// nearest returns dir, or where that is missing the first above it that is not.
func nearest(dir string) string {
	for dir != filepath.Dir(dir) {
		if st, err := os.Stat(dir); err == nil && st.IsDir() {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// above returns the directories in which something could come that a glob
// finds: those of the files, and where their own names are globs, those above.
func above(glob string) []string {
	dir := filepath.Dir(glob)
	if !strings.ContainsAny(dir, `*?[`) {
		return []string{nearest(dir)}
	}
	found, _ := filepath.Glob(dir)
	found = slices.DeleteFunc(found, func(d string) bool {
		st, err := os.Stat(d)
		return err != nil || !st.IsDir()
	})
	return append(found, above(dir)...)
}

// Concerns tells whether an event is about a file that is watched for, about
// what rotation made of it (its name goes on behind the log's), or about a
// directory on the way to one.
func (f *Files) Concerns(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod {
		return false
	}
	for _, name := range f.names {
		if match(name+"*", e.Name) {
			return true
		}
		for dir := filepath.Dir(name); e.Op != fsnotify.Write && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if match(dir, e.Name) {
				return true
			}
		}
	}
	return false
}

func match(glob, name string) bool {
	ok, err := filepath.Match(glob, name)
	return ok && err == nil
}

// escape makes a glob of a path that finds that path alone.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
