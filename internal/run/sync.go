package run

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"blockhosts/blockers"
	"blockhosts/internal/config"
	"blockhosts/internal/record"
)

// targets is what the blockers are to hold.
func targets(blocks []record.Block) []blockers.Target {
	all := make([]blockers.Target, len(blocks))
	for i, b := range blocks {
		all[i] = blockers.Target{Net: b.Net, Services: b.Services, Count: b.Count}
	}
	return all
}

// blockersOf prepares the blockers that the configuration asks for. One that
// cannot be prepared is a mistake in the configuration, found before anything
// is touched.
func blockersOf(c config.Config, path string) ([]blockers.Blocker, error) {
	var all []blockers.Blocker
	for _, b := range c.Blockers {
		made, err := blockers.New(blockers.Config{Name: b.Name, Path: b.Path, Options: b.Options, Ports: portsOf(c), Dirs: blockers.Dirs(path)})
		if err != nil {
			return nil, fmt.Errorf("blockers: %w", err)
		}
		all = append(all, made)
	}
	return all, nil
}

// portsOf returns the TCP ports of the services, for blockers of scope service.
func portsOf(c config.Config) map[string][]int {
	ports := map[string][]int{}
	for name, s := range c.Services {
		if len(s.Ports) > 0 {
			ports[name] = s.Ports
		}
	}
	return ports
}

// used is what stands in the section of the blockers in use: on record before
// they get the first address, so that nothing of ours is ever lost sight of.
func (j *job) used() []record.Used {
	all := j.prev.Used
	for _, b := range j.blockers {
		if names := b.Holds(); names != nil {
			all = withUsed(all, record.Used{Name: b.Name(), Names: names})
		}
	}
	return all
}

// withUsed returns all with u in its place; all itself stays as it is.
func withUsed(all []record.Used, u record.Used) []record.Used {
	var next []record.Used
	placed := false
	for _, x := range all {
		if !placed && u.Name <= x.Name {
			next, placed = append(next, u), true
		}
		if x.Name != u.Name {
			next = append(next, x)
		}
	}
	if !placed {
		next = append(next, u)
	}
	return next
}

// sync brings every blocker in line with the section. One that fails leaves
// the others done.
func (j *job) sync(ctx context.Context) {
	if !j.opt.Sync {
		return
	}
	want := targets(j.next.Blocks)
	for _, b := range j.blockers {
		r := blockers.Sync(ctx, b, want, j.opt.DryRun)
		j.reports = append(j.reports, r)
		for _, w := range r.Warnings {
			j.log.Warningf("%s: %s", r.Name, w)
		}
		if r.Err != nil {
			j.problem("blocker "+r.Name, fmt.Errorf("blocker %s: %w", r.Name, r.Err))
			continue
		}
		j.log.Infof("%s: %d blocked, %d commands", r.Name, r.Present, len(r.Commands))
	}
}

// reloadTime bounds the command that tells a daemon of changed deny lines.
const reloadTime = time.Minute

// reload runs the administrator's command after the deny lines changed, and
// again where it failed the last time.
func (j *job) reload(ctx context.Context) {
	argv := j.config.Reload
	if len(argv) == 0 || !j.saved {
		return
	}
	key := "reload " + argv[0]
	failed := slices.ContainsFunc(j.prev.Troubles, func(t record.Trouble) bool { return t.Text == key })
	if !failed && sameNets(j.prev.Blocks, j.next.Blocks) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, reloadTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		j.problem(key, fmt.Errorf("reload %s: %w: %.200q; the deny lines are written, their reader may not know",
			strings.Join(argv, " "), err, strings.TrimSpace(string(out))))
	}
}
