package blockfile

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"blockhosts/internal/record"
)

// Save puts st into the section and replaces the file whole: whoever reads it
// meanwhile, or after a crash at any instant, sees the old file or the new
// one. Owner, mode, ACL and extended attributes stay.
//
// It returns ErrChanged (errors.Is) where the file is no longer the one that
// was loaded. After any error the file is as it was. A file that is mounted
// on its name cannot be replaced: a backup is made beside it, the section is
// rewritten in place, and Problems gets a notice.
func (f *File) Save(ctx context.Context, st record.State) error {
	if !f.sections {
		return fmt.Errorf("write %s: it was not loaded with both markers; run \"blockhosts init\"", f.Path)
	}
	if target, err := filepath.EvalSymlinks(f.Path); err != nil || target != f.target {
		return fmt.Errorf("write %s: %w", f.Path, ErrChanged)
	}
	removeStale(f.target, f.now)
	info, err := replace(ctx, f.target, f.info, f.content(st))
	if errors.Is(err, errMounted) {
		if info, err = f.rewrite(ctx, f.Section(st)); err == nil {
			f.noteRewritten()
		}
	}
	if info != nil { // the new content is in place, whatever came after
		f.info, f.State = info, st
	}
	if err != nil {
		return fmt.Errorf("write %s: %w%s", f.Path, err, hint(err))
	}
	return nil
}

// content yields what is to be in the file, piece by piece: the text of
// 100,000 addresses never stands in memory as a whole.
func (f *File) content(st record.State) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if !yield(f.head) {
			return
		}
		for piece := range f.pieces(st) {
			if !yield(piece) {
				return
			}
		}
		yield(f.tail)
	}
}

// hint says what to do about an error of the file system.
func hint(err error) string {
	switch {
	case errors.Is(err, unix.EROFS):
		return "; mount it writable, or name another blockfile"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		if os.Geteuid() != 0 {
			return "; run as root"
		}
		return "; is it immutable (lsattr), or held by a security policy?"
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT), errors.Is(err, unix.EFBIG):
		return "; make room: the file is as it was"
	}
	return ""
}

func (f *File) noteRewritten() {
	f.Problems = append(f.Problems, record.Problem{
		Key: "blockfile " + f.Path + ": rewritten in place",
		Text: fmt.Sprintf("%s: is a mount of its own, so that it cannot be replaced in one step; rewritten in place, the backup is %s. Mount its directory instead",
			f.Path, backupInPlace(f.target)),
	})
}

// backupInPlace is the copy made before a file is rewritten in place.
func backupInPlace(target string) string { return target + ".blockhosts-backup" }

// rewrite changes the section in place, after a backup.
func (f *File) rewrite(ctx context.Context, section []byte) (os.FileInfo, error) {
	text, info, err := readWhole(f.target)
	if err != nil {
		return nil, err
	}
	old := []byte(text)
	if !sameFile(info, f.info) {
		return nil, ErrChanged
	}
	if err := backup(ctx, f.target, backupInPlace(f.target), old); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(f.target, os.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if now, err := file.Stat(); err != nil || !sameFile(now, f.info) {
		return nil, ErrChanged
	}
	behind := append(section[:len(section):len(section)], f.tail...)
	if err := overwrite(file, behind, int64(len(f.head))); err != nil {
		return nil, errors.Join(fmt.Errorf("rewrite in place: %w", cause(err)), overwrite(file, old, 0))
	}
	return file.Stat()
}

// overwrite makes data the file's content from at on. One write, and no
// truncation before it: a reader in between misses as little as can be.
func overwrite(file *os.File, data []byte, at int64) error {
	if _, err := file.WriteAt(data, at); err != nil {
		return err
	}
	if err := file.Truncate(at + int64(len(data))); err != nil {
		return err
	}
	return file.Sync()
}

// backup copies data, which was read from target, to name in the same
// directory, with target's owner, mode and attributes.
func backup(ctx context.Context, target, name string, data []byte) error {
	temp, err := prepare(target, slices.Values([][]byte{data}))
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	defer temp.discard()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := temp.rename(name); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return syncDir(filepath.Dir(name))
}
