package logscan

import (
	"cmp"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// A rotated is a file beside a log that a rotation may have made of it.
type rotated struct {
	path  string
	id    id
	mtime time.Time
	kin   bool   // its name is the log's with something added
	age   string // what was added, without ".gz": "1", "20260105"; "" where it gives no order
}

// oldDirs are the directories below a log's own that logrotate's olddir and
// hand-written scripts use.
var oldDirs = [...]string{"old", "archive", "archived", "rotated", "backup", "OLD"}

// rotatedOf lists what may once have been the log, the oldest first. certain
// tells that names give the order, not times of change.
func rotatedOf(path string) (all []rotated, certain bool) {
	dir, base := filepath.Split(path)
	all = rotatedIn(dir, base)
	for _, sub := range oldDirs {
		all = append(all, rotatedIn(filepath.Join(dir, sub), base)...)
	}
	return all, sortByAge(all)
}

// dirsChanged tells whether files were made, renamed or removed where the log
// or its rotated files are.
func dirsChanged(path string, since time.Time) bool {
	dir := filepath.Dir(path)
	for _, sub := range append([]string{""}, oldDirs[:]...) {
		info, err := os.Stat(filepath.Join(dir, sub))
		if err == nil && info.ModTime().After(since.Add(-mtimeSlack)) {
			return true
		}
	}
	return false
}

func rotatedIn(dir, base string) []rotated {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var all []rotated
	for _, e := range entries {
		if e.Name() == base || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // gone since
		}
		r := rotated{path: filepath.Join(dir, e.Name()), id: idOf(info), mtime: info.ModTime()}
		r.kin, r.age = kinship(base, e.Name())
		all = append(all, r)
	}
	return all
}

// kinship tells whether name is base with something added: "auth.log.1.gz",
// "auth.log-20260105", "access-20260105.log" and "access.1.log" of
// logrotate's extension directive. age is what orders those of one log.
func kinship(base, name string) (kin bool, age string) {
	name = strings.TrimSuffix(name, packing(name))
	ext := filepath.Ext(base)
	rest, ok := strings.CutPrefix(name, base)
	if !ok {
		stem := strings.TrimSuffix(base, ext)
		if rest, ok = strings.CutPrefix(name, stem); !ok || ext == "" || stem == "" {
			return false, ""
		}
		if rest, ok = strings.CutSuffix(rest, ext); !ok {
			return false, ""
		}
	}
	if rest == "" || strings.IndexByte(".-_~", rest[0]) < 0 {
		return false, ""
	}
	rest = rest[1:]
	for i := range len(rest) {
		if !isDigit(rest[i]) && strings.IndexByte("-_.:T+", rest[i]) < 0 {
			return true, "" // "old", "bak", or another log altogether
		}
	}
	if rest == "" || !isDigit(rest[0]) {
		return true, ""
	}
	return true, rest
}

// sortByAge puts the oldest first: by numbers where all have one, by dates
// where all have one that begins with the year, else by the last change.
// Those without an age come before all others, and what is perhaps still
// being compressed before its original.
func sortByAge(all []rotated) (certain bool) {
	numbered, dated := true, true
	for _, r := range all {
		if r.age != "" {
			number := digits([]byte(r.age)) && len(r.age) <= 5
			numbered = numbered && number
			dated = dated && !number && plausibleDate(r.age)
		}
	}
	order := func(a, b rotated) int {
		c := 0
		switch {
		case a.age == "" || b.age == "":
			return cmp.Or(cmp.Compare(min(len(a.age), 1), min(len(b.age), 1)), a.mtime.Compare(b.mtime))
		case numbered:
			c = natural(b.age, a.age)
		case dated:
			c = natural(a.age, b.age)
		default:
			c = a.mtime.Compare(b.mtime)
		}
		return cmp.Or(c, cmp.Compare(len(packing(b.path)), len(packing(a.path))), cmp.Compare(a.path, b.path))
	}
	sort.SliceStable(all, func(i, j int) bool { return order(all[i], all[j]) < 0 })
	return numbered || dated
}

// plausibleDate tells whether an age begins with a year and a month, or is a
// time in seconds since 1970.
func plausibleDate(age string) bool {
	b := []byte(age)
	if len(b) >= 10 && digits(b[:10]) {
		return b[0] == '1'
	}
	if year(b, 0) < 0 {
		return false
	}
	i := 4
	if i < len(b) && !isDigit(b[i]) {
		i++
	}
	m, end := number(b, i, 2)
	return end == i+2 && m >= 1 && m <= 12
}

// natural compares texts of digits and marks, numbers by their value.
func natural(a, b string) int {
	for a != "" && b != "" {
		if isDigit(a[0]) && isDigit(b[0]) {
			x, restA := leadingNumber(a)
			y, restB := leadingNumber(b)
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			a, b = restA, restB
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func leadingNumber(s string) (number, rest string) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return strings.TrimLeft(s[:i], "0"), s[i:]
}

// younger returns the rotated files that came after the one at i: of the same
// scheme of names, each once, a compressed one only without its original.
func younger(all []rotated, i int) []rotated {
	var after []rotated
	for _, r := range all[i+1:] {
		if r.age == "" || all[i].age == "" {
			continue
		}
		if n := len(after); n > 0 && after[n-1].age == r.age {
			if packing(r.path) == "" {
				after[n-1] = r
			}
			continue
		}
		after = append(after, r)
	}
	return after
}
