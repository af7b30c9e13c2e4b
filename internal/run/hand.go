package run

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"blockhosts/blockers"
	"blockhosts/blockfile"
	"blockhosts/expire"
	"blockhosts/internal/config"
	"blockhosts/internal/record"
	"blockhosts/internal/report"
)

// handWait is how long a command that a person typed waits for a run to end.
const handWait = 30 * time.Second

// A change makes of one state the next.
type change func(st record.State, p expire.Policy) (record.State, []record.Decision, error)

// byHand changes the section as the administrator says, at once and under the
// lock of the run, and brings the blockers in line.
func byHand(ctx context.Context, c config.Config, w World, do change) ([]record.Decision, error) {
	j, err := prepare(c, Options{LoadOnly: true, Sync: true}, w)
	if err != nil {
		return nil, err
	}
	defer j.log.Close()
	held, err := blockfile.Lock(c.Lockfile, handWait)
	if err != nil {
		return nil, err
	}
	defer held.Unlock() // the lock dies with the process in any case
	if err := j.changeAndSave(ctx, do); err != nil {
		return nil, err
	}
	j.announce()
	j.reload(ctx)
	j.sync(ctx)
	return j.decisions, j.finishByHand(ctx)
}

// finishByHand tells what failed, and puts on record what the blockers owe.
// The conditions on record stay those of the last run: only a run tries every
// part, and only a run mails.
func (j *job) finishByHand(ctx context.Context) error {
	j.news()
	j.next.Troubles = j.prev.Troubles
	if !sameDecisions(j.file.State, j.next) {
		if err := j.saveAgain(ctx); err != nil {
			return j.unwritten(err, "give the command again")
		}
	}
	return j.outcome()
}

// changeAndSave loads, changes and saves, once more where somebody edited the
// blockfile meanwhile.
func (j *job) changeAndSave(ctx context.Context, do change) (err error) {
	for try := 1; ; try++ {
		if err := j.decide(ctx); err != nil {
			return err
		}
		if j.next, j.decisions, err = do(j.prev, j.policy); err != nil {
			return setup(err)
		}
		if sameDecisions(j.prev, j.next) {
			return nil
		}
		j.next.Saved, j.next.Used, j.next.Names = j.world.Now, j.used(), j.names
		err := j.save(ctx)
		if errors.Is(err, blockfile.ErrChanged) && try < tries {
			continue
		}
		return j.unwritten(err, "give the command again")
	}
}

// Block blocks nets by hand, for a time or, where that is 0, for good.
func Block(ctx context.Context, c config.Config, w World, nets []netip.Prefix, length time.Duration, note string) ([]record.Decision, error) {
	var until time.Time
	if length > 0 {
		until = w.Now.Add(length)
	}
	return byHand(ctx, c, w, func(st record.State, p expire.Policy) (record.State, []record.Decision, error) {
		var ds []record.Decision
		for _, net := range nets {
			next, d, err := expire.BlockByHand(st, p, net, until, note, w.Now)
			if err != nil {
				return st, nil, err
			}
			st, ds = next, append(ds, d)
		}
		return st, ds, nil
	})
}

// Unblock ends every block that overlaps one of nets, and forgets what was
// counted there.
func Unblock(ctx context.Context, c config.Config, w World, nets []netip.Prefix) ([]record.Decision, error) {
	return byHand(ctx, c, w, func(st record.State, p expire.Policy) (record.State, []record.Decision, error) {
		next, ds := expire.Unblock(st, nets, w.Now)
		return next, ds, nil
	})
}

// Why explains what is known of an address, and which blockers hold it.
func Why(ctx context.Context, c config.Config, w World, a netip.Addr) (record.Explanation, []report.BlockerStatus, error) {
	j, err := prepare(c, Options{LoadOnly: true, Sync: true}, w)
	if err != nil {
		return record.Explanation{}, nil, err
	}
	defer j.log.Close()
	if err := j.decide(ctx); err != nil {
		return record.Explanation{}, nil, err
	}
	e := expire.Why(j.prev, j.policy, a, w.Now)
	var held []record.Block
	for _, b := range e.Blocks {
		held = append(held, b.Block)
	}
	if len(held) == 0 {
		return e, nil, nil
	}
	return e, j.look(ctx, j.inUse(), held), nil
}

// look tells how each of bs stands to blocks.
func (j *job) look(ctx context.Context, bs []blockers.Blocker, blocks []record.Block) []report.BlockerStatus {
	var all []report.BlockerStatus
	for _, b := range bs {
		r := blockers.Look(ctx, b, targets(blocks))
		x := report.BlockerStatus{Name: b.Name(), Present: r.Present, Missing: r.Missing, Extra: r.Extra}
		if r.Err != nil {
			x.Error = r.Err.Error()
		}
		all = append(all, x)
	}
	return all
}

// Flush takes everything of ours out of the blocker of that name, or out of
// all that are in use or were. The next run puts back what is asked for. A
// blocker that is named need not be on record: --load-only --ipblock leaves
// none, and a section may have been lost.
func Flush(ctx context.Context, c config.Config, w World, name string) ([]blockers.Report, error) {
	j, err := prepare(c, Options{LoadOnly: true, Sync: true}, w)
	if err != nil {
		return nil, err
	}
	defer j.log.Close()
	held, err := blockfile.Lock(c.Lockfile, handWait)
	if err != nil {
		return nil, err
	}
	defer held.Unlock()
	if err := j.decide(ctx); err != nil {
		return nil, err
	}
	var reports []blockers.Report
	for _, b := range j.toFlush(name) {
		r := blockers.Flush(ctx, b)
		reports = append(reports, r)
		if r.Err != nil {
			j.problem("blocker "+r.Name, fmt.Errorf("blocker %s: %w", r.Name, r.Err))
			if _, owes := r.Names["owed"]; owes { // part of it is done, and nothing else would tell
				j.next.Used = withUsed(j.next.Used, record.Used{Name: r.Name, Names: r.Names})
			}
			continue
		}
		j.offRecord(r.Name)
	}
	lost := j.forgetLost(name)
	if len(reports) == 0 && !lost && name != "" {
		return nil, setup(fmt.Errorf("%q is neither configured nor in use; \"blockhosts status\" lists the blockers", name))
	}
	return reports, j.finishByHand(ctx)
}

// inUse returns the blockers that are configured, and those that the section
// remembers and nobody asks for any more.
func (j *job) inUse() []blockers.Blocker {
	all := slices.Clone(j.blockers)
	return append(all, j.former()...)
}

// toFlush returns the blockers in use, or the one of that name.
func (j *job) toFlush(name string) []blockers.Blocker {
	all := j.inUse()
	if name == "" {
		return all
	}
	all = slices.DeleteFunc(all, func(b blockers.Blocker) bool { return b.Name() != name })
	lost := slices.ContainsFunc(j.lost, func(l lostBlocker) bool { return l.name == name })
	if len(all) > 0 || lost || name == config.BlockerNone {
		return all
	}
	b, err := blockers.New(blockers.Config{Name: name, Ports: portsOf(j.config), Dirs: blockers.Dirs(j.world.Path)})
	if err != nil {
		return nil
	}
	return []blockers.Blocker{b}
}

// former returns the blockers of which the section says that they hold
// addresses of ours, and that the configuration no longer asks for.
func (j *job) former() []blockers.Blocker {
	var all []blockers.Blocker
	j.lost = nil
	for _, u := range j.prev.Used {
		if slices.ContainsFunc(j.blockers, func(b blockers.Blocker) bool { return b.Name() == u.Name }) {
			continue
		}
		cfg := blockers.Former(u.Name, u.Names)
		cfg.Dirs = blockers.Dirs(j.world.Path)
		b, err := blockers.New(cfg)
		if err != nil {
			j.lost = append(j.lost, lostBlocker{u.Name, fmt.Errorf("blocker %s, in use before: %w; \"blockhosts flush %s\" takes it off the record", u.Name, err, u.Name)})
			continue
		}
		all = append(all, b)
	}
	return all
}

// A lostBlocker was in use before, and nobody knows any more how it is asked:
// the administrator's commands that are gone from the configuration.
type lostBlocker struct {
	name string
	err  error
}

// forgetLost takes the lost blocker of that name, or all of them, off the
// record. What they hold, nobody but the administrator can take away.
func (j *job) forgetLost(name string) (found bool) {
	for _, l := range j.lost {
		if name != "" && l.name != name {
			continue
		}
		found = true
		j.offRecord(l.name)
		j.log.Warningf("%s: off the record; it is no longer configured, so that what it blocked is to be unblocked by hand", l.name)
	}
	return found
}

func (j *job) offRecord(name string) {
	j.next.Used = slices.DeleteFunc(slices.Clone(j.next.Used), func(u record.Used) bool { return u.Name == name })
}
