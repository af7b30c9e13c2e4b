package blockfile

import (
	"fmt"
	"path/filepath"

	"blockhosts/internal/record"
)

// Mounted tells of a blockfile that is a mount of its own, as in a container:
// each Save has to rewrite it in place. ok is false where the file can be
// replaced, is missing, or nobody can tell.
func Mounted(path string) (notice record.Problem, ok bool) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil || !isMount(target) {
		return notice, false
	}
	return record.Problem{
		Key: "blockfile " + path + ": mounted",
		Text: fmt.Sprintf("%s: is a mount of its own, so that it cannot be replaced in one step: each run rewrites it in place, after a backup to %s. Mount its directory instead",
			path, backupInPlace(target)),
	}, true
}
