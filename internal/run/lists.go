package run

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"sort"
	"strings"
	"syscall"
	"time"

	"blockhosts/expire"
	"blockhosts/internal/config"
	"blockhosts/internal/record"
	"blockhosts/internal/spare"
)

// resolveTime bounds the look-ups of all host names of a run: a silent DNS
// must not hold the lock.
const resolveTime = 5 * time.Second

// maxListFile is the size in bytes at which a list file is refused.
const maxListFile = 64 << 20

// listOf compiles a list: files are read, host names looked up. A file that
// cannot be read ends the run before anything is touched, since nobody knows
// whom it would block; a name that cannot be looked up keeps the addresses
// that it had when the section was written last.
func (j *job) listOf(ctx context.Context, key string, entries []string) (*expire.List, error) {
	var plain, names []string
	for _, e := range entries {
		path, isFile := strings.CutPrefix(e, "file:")
		switch {
		case isFile:
			more, err := j.readList(path)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			plain = append(plain, more...)
		case expire.IsHostName(e):
			names = append(names, e)
		default:
			plain = append(plain, e)
		}
	}
	l, err := expire.NewList(plain)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	j.addNames(ctx, l, key, names)
	return l, nil
}

// lists compiles the allowlist and the denylist. It wants the section loaded.
func (j *job) lists(ctx context.Context) (err error) {
	if j.policy.Allow != nil {
		return nil
	}
	if j.policy.Allow, err = j.listOf(ctx, "allowlist", j.config.Allowlist); err != nil {
		return err
	}
	if j.policy.Deny, err = j.listOf(ctx, "denylist", j.config.Denylist); err != nil {
		return err
	}
	sort.Slice(j.names, func(a, b int) bool { return j.names[a].Name < j.names[b].Name })
	j.names = slices.CompactFunc(j.names, func(a, b record.Name) bool { return a.Name == b.Name })
	return nil
}

// askSpared asks once a run what is spared, and tells whether that is news.
func (j *job) askSpared() bool {
	if !j.config.Spare || j.sparedAsked {
		return false
	}
	j.sparedAsked = true
	found := spare.Find(spare.Options{SSHConnection: j.world.SSHConnection})
	for _, a := range found.Addresses {
		j.policy.Spared = append(j.policy.Spared, expire.Spared{Addr: record.Canonical(a.Addr), Why: a.Why})
	}
	j.policy.OnLink = found.OnLink
	return true
}

// readList returns the entries of a list file: one a line, "#" begins a
// comment.
func (j *job) readList(path string) ([]string, error) {
	if j.world.Root {
		err := config.CheckOwner(path)
		if _, named := errors.AsType[*fs.PathError](err); err != nil && !named {
			return nil, fmt.Errorf("%s %w", path, err)
		} else if err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO must not hold the run
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxListFile {
		return nil, fmt.Errorf("%s is not a regular file of at most %d bytes", path, maxListFile)
	}
	var entries []string
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if _, err := record.ParseNet(text); err != nil && !strings.HasPrefix(text, "re:") {
			return nil, fmt.Errorf("%s:%d: %.60q is neither an address nor a prefix; write a pattern as re:PATTERN", path, n, text)
		}
		entries = append(entries, text)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return entries, nil
}

// addNames looks up host names and notes the answers, so that they last while
// DNS is silent.
func (j *job) addNames(ctx context.Context, l *expire.List, key string, names []string) {
	if len(names) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	for _, name := range names {
		if addrs, ok := j.lastAnswer(name); ok && j.opt.Quick {
			j.carry(key + " " + name)
			for _, a := range addrs {
				l.AddNamed(a, name)
			}
			j.names = append(j.names, record.Name{Name: name, Addrs: addrs})
			continue
		}
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		if err != nil {
			addrs, _ = j.lastAnswer(name)
			j.problem(key+" "+name, fmt.Errorf("%s: look up %s: %w; %d addresses of the last answer stay in force", key, name, err, len(addrs)))
		}
		for i := range addrs {
			addrs[i] = record.Canonical(addrs[i])
			l.AddNamed(addrs[i], name)
		}
		sort.Slice(addrs, func(i, j int) bool { return addrs[i].Less(addrs[j]) })
		j.names = append(j.names, record.Name{Name: name, Addrs: slices.Compact(addrs)})
	}
}

// lastAnswer returns the addresses that a name had, as the section remembers.
func (j *job) lastAnswer(name string) (addrs []netip.Addr, ok bool) {
	for _, n := range j.prev.Names {
		if n.Name == name {
			return slices.Clone(n.Addrs), true
		}
	}
	return nil, false
}
