// Package run is the pipeline: load, scan, decide, save, sync, mail, once. It
// puts the rooms in order and decides nothing itself.
package run

import (
	"context"
	"errors"
	"io"
	"time"

	"blockhosts/blockers"
	"blockhosts/blockfile"
	"blockhosts/expire"
	"blockhosts/internal/config"
	"blockhosts/internal/record"
	"blockhosts/internal/report"
	"blockhosts/logscan"
	"blockhosts/logscan/rules"
)

// ErrPartial is a run whose work was done in part; what failed has been told.
var ErrPartial = errors.New("done in part")

// ErrFailed is a command that could not do the one thing it was asked for.
var ErrFailed = errors.New("failed")

// A SetupError is a run that did not begin: nothing was touched.
type SetupError struct{ Err error }

func (e SetupError) Error() string { return e.Err.Error() }

// Unwrap returns what was wrong.
func (e SetupError) Unwrap() error { return e.Err }

func setup(err error) error { return SetupError{Err: err} }

// A World is what a run may touch beside files and programs.
type World struct {
	Stdout, Stderr io.Writer
	Now            time.Time      // the moment of the run
	Local          *time.Location // of stamps without a zone
	Host           string         // this host's name, for the mail
	Path           string         // where tools are looked for first, as in $PATH
	Root           bool
	Syslog         bool   // notices go to the system's log
	SSHConnection  string // the environment's SSH_CONNECTION
	Terminal       bool   // somebody watches Stderr
}

// Options are about this run alone.
type Options struct {
	DryRun       bool      // print instead of doing
	LoadOnly     bool      // neither scan nor write
	IgnoreOffset bool      // read the logs from their start
	Sync, Mail   bool      // bring the blockers in line; mail where the configuration says so
	Echo         string    // a tag for syslog
	CheckIP      string    // mail only about this address
	Since, Until time.Time // failures before and after these are passed over; zero: none is

	// Quick is a run of a watch, between two full ones: what only time or
	// somebody else changes waits for the next full one. Names of the lists
	// are not looked up, blockers that should hold the same as before are not
	// asked, no mail is sent.
	Quick bool

	keep *kept // of a watch; else nil
}

// A job is one run on its way.
type job struct {
	config   config.Config
	opt      Options
	world    World
	log      *report.Log
	rules    *rules.Set
	policy   expire.Policy
	blockers []blockers.Blocker
	asked    []blockers.Config // of blockers, "auto" aside
	auto     []blockers.Config // not chosen yet
	fifos    []*logscan.FIFO   // of the sources, each drained once
	problems []record.Problem  // of all parts, as they come up
	lasts    int               // how many of problems are found once, and not at each try
	told     []string          // keys of the problems that were told
	names    []record.Name     // host names of the lists, looked up

	sparedAsked bool // of the policy: what is spared is known

	file      *blockfile.File
	prev      record.State // as loaded
	next      record.State // as decided
	decisions []record.Decision
	scan      logscan.Result
	saved     bool // the section was written
	unsaved   bool // it should have been
	reports   []blockers.Report
	lost      []lostBlocker // of those in use before
	held      *blockfile.Held
}

// Once does one run.
//
// A run that dies may do so anywhere: until the blockfile is replaced nothing
// has happened, and offsets and counts are replaced together, so that the next
// run reads the same lines and comes to the same result. After that, the
// blockers are behind the section until the next run compares them again, and
// what the mail was to tell stands in the section until a mail has told it.
func Once(ctx context.Context, c config.Config, o Options, w World) error {
	j, err := prepare(c, o, w)
	if err != nil {
		return err
	}
	defer j.log.Close()
	if o.Echo != "" {
		j.log.Echo(o.Echo)
	}
	if o.DryRun {
		return j.dryRun(ctx)
	}
	return j.once(ctx)
}

// once is the run, under the lock.
func (j *job) once(ctx context.Context) error {
	unlock, err := j.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := j.decideAndSave(ctx); err != nil {
		return err
	}
	if j.opt.LoadOnly && j.config.Verbose != config.LevelError {
		if err := j.inspect(); err != nil {
			return err
		}
	}
	j.announce()
	j.reload(ctx)
	j.sync(ctx)
	j.tellOffRecord()
	j.mail(ctx)
	j.opt.keep.done(j)
	return j.finish(ctx)
}

// lock keeps other runs out. Where only loading is asked for, nothing is
// written that a lock could protect.
func (j *job) lock() (unlock func(), err error) {
	if j.opt.LoadOnly && !j.opt.Sync && !j.opt.Mail {
		return func() {}, nil
	}
	l, err := blockfile.Lock(j.config.Lockfile, 0)
	if err != nil {
		return nil, err
	}
	j.held = l
	return func() { _ = l.Unlock() }, nil // the lock dies with the process in any case
}

// tries is how often a run decides again because somebody edited the
// blockfile meanwhile.
const tries = 3

// decideAndSave loads, scans, decides and saves.
func (j *job) decideAndSave(ctx context.Context) error {
	for try := 1; ; try++ {
		if err := j.decide(ctx); err != nil {
			return err
		}
		if j.opt.LoadOnly || !j.worthSaving() {
			return nil
		}
		j.next.Saved = j.world.Now
		err := j.save(ctx)
		if errors.Is(err, blockfile.ErrChanged) && try < tries {
			j.log.Infof("%s was edited meanwhile: once more", j.config.Blockfile)
			continue
		}
		if err != nil {
			j.problem("blockfile "+j.config.Blockfile, j.unwritten(err, "nothing is lost, the next run tries again"))
			j.next.Offsets = j.prev.Offsets
			j.unsaved = true
		}
		return nil
	}
}

// decide loads the section, reads what the logs gained, and decides.
func (j *job) decide(ctx context.Context) (err error) {
	j.file, err = blockfile.Load(j.config.Blockfile, j.blockfileOptions())
	if err != nil && !(j.opt.DryRun && blockfile.NeedsInit(err)) {
		return setup(err)
	}
	j.prev = j.file.State
	j.next, j.decisions = j.prev, nil
	if err := j.lists(ctx); err != nil {
		return setup(err)
	}
	j.equip()
	j.chooseAuto(ctx)
	if j.lasts == 0 {
		j.lasts = len(j.problems)
	}
	j.problems = j.problems[:j.lasts] // what another try finds again goes
	for _, p := range j.file.Problems {
		p.Warns = true
		j.problems = append(j.problems, p)
	}
	if j.opt.LoadOnly {
		j.askSpared()
		return nil
	}
	j.scan = j.read(ctx, j.opt.keep.offsets(j.prev))
	j.problems = append(j.problems, j.lasting(j.scan.Problems)...)
	j.next, j.decisions = j.apply(j.scan.Failures)
	j.next.Offsets = j.scan.Offsets
	j.next.Used, j.next.Names = j.used(), j.names
	if j.mailWanted() {
		expire.Evidence(j.decisions, j.scan.Failures, j.policy)
		j.next.Unmailed = withEvents(j.prev.Unmailed, j.decisions)
	}
	return nil
}

// apply decides. Who is spared matters to blocks alone, and it takes the kernel,
// logind or utmp, and resolv.conf to know: a quarter of a millisecond of the
// few that a run takes which finds nothing new. So it is asked when there is a
// block, and where the first block would begin now, it is decided once more. To
// decide about many failures takes longer than to ask.
func (j *job) apply(failures *record.Failures) (record.State, []record.Decision) {
	if len(j.prev.Blocks) > 0 || failures.Len() > fewFailures {
		j.askSpared()
	}
	next, ds := expire.Apply(j.prev, failures, j.policy, j.world.Now)
	if len(next.Blocks) > 0 && j.askSpared() {
		return expire.Apply(j.prev, failures, j.policy, j.world.Now)
	}
	return next, ds
}

// fewFailures are decided about in less time than it takes to ask who is spared.
const fewFailures = 2000

// offsetsEvery is how often a section is rewritten for new offsets alone:
// reading lines again that hold no failure does no harm, a rewrite each
// minute wears flash memory and wakes whoever watches the file.
const offsetsEvery = 5 * time.Minute

// worthSaving tells whether the section would say anything new.
func (j *job) worthSaving() bool {
	return !sameDecisions(j.prev, j.next) || j.scan.Unrepeatable ||
		!sameOffsets(j.prev.Offsets, j.next.Offsets) && j.world.Now.Sub(j.prev.Saved).Abs() >= offsetsEvery ||
		j.prev.Saved.IsZero() || j.file.Dirty
}
