package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Options say how strictly files are taken.
type Options struct {
	// CheckOwner refuses files that somebody other than root could have
	// written, see CheckOwner. Set when running as root.
	CheckOwner bool
}

// Load reads the configuration at path and lays the *.yaml files of its .d
// directory over it, in order of name: blockhosts.yaml has blockhosts.d beside
// it. With named, path was given on the command line and must exist; else it
// may be missing. Maps merge by key, allowlist and denylist add up from file
// to file and with the default, other lists replace.
// An error is of type Errors and names everything that is wrong.
func Load(path string, named bool, opt Options) (Config, error) {
	if strings.HasSuffix(path, ".cfg") {
		return Config{}, Errors{oldFormat(path)}
	}
	paths, err := files(path, named)
	if err != nil {
		return Config{}, Errors{fileError(path, err)}
	}
	c := base()
	d := newDecoder(&c)
	var errs Errors
	if dir := overlay(path); opt.CheckOwner {
		if err := CheckOwner(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fileError(dir, err))
		}
	}
	for _, p := range paths {
		data, err := readFile(p, maxFile, opt.CheckOwner)
		if err != nil {
			errs = append(errs, fileError(p, err))
			continue
		}
		c.Files = append(c.Files, p)
		errs = append(errs, d.read(p, data).told()...)
	}
	if len(errs) == 0 {
		d.complete()
		errs = d.together(opt)
	}
	if len(errs) > 0 {
		return Config{}, errs
	}
	c.resolve()
	return c, nil
}

// oldFormat is the answer to a configuration of blockhosts.py.
func oldFormat(path string) Error {
	return Error{
		File: path,
		Msg:  "a .cfg file is a configuration of blockhosts.py, and blockhosts reads YAML",
		Hint: "carry what you changed over by hand to " + DefaultPath + ": HOSTS_BLOCKFILE is blockfile, " +
			"COUNT_THRESHOLD limits.blockcount, AGE_THRESHOLD limits.discard, LOGFILES sources, ENABLE_RULES enable_rules, " +
			"WHITELIST allowlist, BLACKLIST denylist, IPBLOCK blockers, NOTIFY_ADDRESS mail.to; then leave --configfile out",
	}
}

// overlay returns the name of the .d directory that belongs to path.
func overlay(path string) string {
	for _, ext := range []string{".yaml", ".yml"} {
		if base, ok := strings.CutSuffix(path, ext); ok {
			return base + ".d"
		}
	}
	return path + ".d"
}

// files lists what is to be read, in order.
func files(path string, named bool) ([]string, error) {
	var list []string
	if _, err := os.Lstat(path); err == nil || named || !errors.Is(err, fs.ErrNotExist) {
		list = append(list, path)
	}
	dir := overlay(path)
	entries, err := os.ReadDir(dir) // in order of name
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".yaml") && !strings.HasPrefix(name, ".") { // .#x.yaml: an editor's lock
			list = append(list, filepath.Join(dir, name))
		}
	}
	return list, nil
}
