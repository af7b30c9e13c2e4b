package run

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"sort"
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

// openBlockers prepares the blockers that the configuration asks for. One that
// cannot be prepared is a mistake in the configuration, found before anything
// is touched. Which one "auto" is, is chosen when the section is loaded.
func (j *job) openBlockers() error {
	for _, b := range j.config.Blockers {
		c := blockers.Config{Name: b.Name, Path: b.Path, Options: b.Options, Ports: portsOf(j.config), Dirs: blockers.Dirs(j.world.Path)}
		if b.Name == config.BlockerAuto {
			j.auto = append(j.auto, c)
			continue
		}
		made, err := blockers.New(c)
		if err != nil {
			return fmt.Errorf("blockers: %w", err)
		}
		j.blockers = append(j.blockers, made)
		j.asked = append(j.asked, c)
	}
	return nil
}

// equip tells the blockers that have no listing of their own, the
// administrator's commands, what they hold as far as the section knows.
func (j *job) equip() {
	for i, c := range j.asked {
		if c.Name != config.BlockerCommand {
			continue
		}
		c.Held = targets(j.prev.Blocks)
		for _, u := range j.prev.Used {
			if u.Name == c.Name {
				c.Record = u.Names
			}
		}
		if b, err := blockers.New(c); err == nil { // it was made before
			j.blockers[i] = b
		}
	}
}

// chooseAuto puts a blocker in the place of "auto": the one of the runs before
// while it works, which the run itself finds out, else the best that does.
func (j *job) chooseAuto(ctx context.Context) {
	auto := j.opt.keep.chosenFor(j.auto, j.opt.Quick)
	j.auto = nil
	for _, c := range auto {
		var names []string
		for _, u := range j.prev.Used {
			failed := slices.ContainsFunc(j.prev.Troubles, func(t record.Trouble) bool { return t.Text == "blocker "+u.Name })
			if !failed {
				names = append(names, u.Name)
			}
		}
		chosen, err := blockers.Choose(ctx, c, names)
		if err == nil {
			var b blockers.Blocker
			if b, err = blockers.New(chosen); err == nil {
				j.opt.keep.choose(chosen)
				j.blockers = append(j.blockers, b)
				continue
			}
		}
		j.problem("blocker auto", fmt.Errorf("blocker %w", err))
	}
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
// What a back end has found out about itself since stays.
func (j *job) used() []record.Used {
	all := j.prev.Used
	for _, b := range j.blockers {
		names := b.Holds()
		if names != nil && !j.opt.DryRun {
			names = b.Owes(targets(j.next.Blocks))
		}
		known := slices.ContainsFunc(all, func(u record.Used) bool { return u.Name == b.Name() && covers(u.Names, names) })
		if names != nil && !known {
			all = withUsed(all, record.Used{Name: b.Name(), Names: names})
		}
	}
	return all
}

// withUsed returns all with u in its place; all itself stays as it is.
func withUsed(all []record.Used, u record.Used) []record.Used {
	next := slices.DeleteFunc(slices.Clone(all), func(x record.Used) bool { return x.Name == u.Name })
	next = append(next, u)
	sort.Slice(next, func(i, j int) bool { return next[i].Name < next[j].Name })
	return next
}

// covers tells whether names has everything of other.
func covers(names, other map[string]string) bool {
	for k, v := range other {
		if names[k] != v {
			return false
		}
	}
	return true
}

// sync brings every blocker in line with the section. One that fails leaves
// the others done. One that is no longer asked for loses what has expired.
func (j *job) sync(ctx context.Context) {
	if !j.opt.Sync {
		return
	}
	want := targets(j.next.Blocks)
	if k := j.opt.keep; j.opt.Quick && !k.behind && slices.EqualFunc(want, targets(j.prev.Blocks), sameTarget) {
		j.carry("blocker ")
		return
	}
	for _, b := range j.blockers {
		j.synced(blockers.Sync(ctx, b, want, j.opt.DryRun))
	}
	for _, b := range j.former() {
		j.synced(blockers.Release(ctx, b, want, j.opt.DryRun))
	}
	for _, l := range j.lost {
		j.problem("blocker "+l.name, l.err)
	}
}

// tellOffRecord warns of blockers that --load-only --ipblock has filled and that
// the section does not name, since --load-only writes nothing: later runs that
// do not ask for them will leave them as they are.
func (j *job) tellOffRecord() {
	if !j.opt.LoadOnly {
		return
	}
	for _, r := range j.reports {
		known := slices.ContainsFunc(j.prev.Used, func(u record.Used) bool { return u.Name == r.Name })
		if !known && r.Present > 0 {
			j.log.Warningf("%s: %d blocked; --load-only writes nothing, so that no later run knows of them: \"blockhosts flush %[1]s\" takes them out again", r.Name, r.Present)
		}
	}
}

// synced tells of one blocker's part, and keeps what it wants on record.
func (j *job) synced(r blockers.Report) {
	j.reports = append(j.reports, r)
	for _, w := range r.Warnings {
		key := "blocker " + r.Name + ": " + w
		j.problems = append(j.problems, record.Problem{Key: key[:min(len(key), maxKey)], Text: r.Name + ": " + w, Warns: true})
	}
	if r.Names != nil && !j.opt.DryRun {
		j.next.Used = withUsed(j.next.Used, record.Used{Name: r.Name, Names: r.Names})
	}
	if r.Err != nil {
		j.problem("blocker "+r.Name, fmt.Errorf("blocker %s: %w", r.Name, r.Err))
		return
	}
	if !j.opt.Quick || len(r.Commands) > 0 {
		j.log.Infof("%s: %d blocked, %d commands", r.Name, r.Present, len(r.Commands))
	}
}

// maxKey is the length in bytes at which the key of a problem is cut: the
// section keeps no more of it.
const maxKey = 300

// reloadTime bounds the command that tells a daemon of changed deny lines.
const reloadTime = time.Minute

// reload runs the administrator's command after the deny lines changed, and
// again where it failed the last time.
func (j *job) reload(ctx context.Context) {
	argv := j.config.Reload
	if len(argv) == 0 || j.opt.LoadOnly && !j.saved || j.unsaved {
		return
	}
	key := "reload " + argv[0]
	failed := slices.ContainsFunc(j.prev.Troubles, func(t record.Trouble) bool { return t.Text == key })
	if !failed && (!j.saved || sameNets(j.prev.Blocks, j.next.Blocks)) {
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
