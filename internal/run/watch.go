package run

import (
	"context"
	"errors"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"blockhosts/blockfile"
	"blockhosts/internal/config"
	"blockhosts/internal/report"
	"blockhosts/logscan"
)

// WatchOptions are what a watch takes from its caller.
type WatchOptions struct {
	Load   func() (config.Config, error) // reads the configuration again
	Reload <-chan os.Signal              // when to
	Now    func() time.Time
	World  func(now time.Time) World // of a run
}

// stopTime is how long the run at hand may take when the watch is to end:
// longer than any tool, shorter than what service managers wait.
const stopTime = 20 * time.Second

// Watch does runs until ctx ends: a full one at first and every minute, and a
// quick one whenever the sources gained something. Each is the run that cron
// starts, under the same lock and with the same state, so that both can be
// mixed. When ctx ends, the run at hand is finished, and what was received is
// dealt with.
//
// An error is returned only where the watch cannot begin; later ones are told,
// and tried again.
func Watch(ctx context.Context, c config.Config, o WatchOptions) error {
	e, err := newEar()
	if err != nil {
		return setup(err)
	}
	defer e.close()
	w := &watcher{opt: o, config: c, keep: new(kept), ear: e}
	e.since = o.Now()
	w.listen()
	if err := w.run(ctx, false); untold(err) {
		return err
	}
	debug.FreeOSMemory() // what the first run has read may be all that came for days
	w.say(func(l *report.Log) { l.Infof("watching %s", strings.Join(e.names, ", ")) })
	w.loop(ctx)
	e.close()
	w.last(ctx)
	return nil
}

// A watcher is a watch on its way. Its one goroutine does the runs; what waits
// for sources only rings.
type watcher struct {
	opt    WatchOptions
	config config.Config
	keep   *kept
	ear    *ear
	pace   pace
	told   string    // the error of the runs before, which is not told again
	locked time.Time // since when somebody else holds the lock; zero: nobody does
}

// loop does what happens next until ctx ends.
func (w *watcher) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := w.opt.Now()
		at, quick := w.pace.next()
		if !at.After(now) {
			w.listen() // directories may have come, and what failed is tried again
			w.tell(w.run(ctx, quick))
			continue
		}
		timer.Reset(at.Sub(now))
		events := w.ear.files.Events()
		if w.pace.waits(now) {
			events = nil // of many alike the kernel keeps one meanwhile
		}
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-w.opt.Reload:
			w.reload(ctx)
		case ev := <-events:
			if w.ear.files.Concerns(ev) {
				w.ring()
			}
		case <-w.ear.files.Errors(): // events were lost
			w.ring()
		case <-w.ear.bell:
			w.ring()
		}
	}
}

func (w *watcher) ring() { w.pace.ring(w.opt.Now()) }

// run does one run, and notes when the next is due.
func (w *watcher) run(ctx context.Context, quick bool) error {
	ctx, cancel := graceful(ctx)
	defer cancel()
	world := w.opt.World(w.opt.Now())
	lines := w.ear.queue.Take()
	w.keep.received = func(all []logscan.Source) []logscan.Source { return w.ear.received(all, w.config, lines) }
	w.keep.odd, w.keep.taken = w.ear.problems(), false
	err := Once(ctx, w.config, Options{Sync: true, Mail: true, Quick: quick, keep: w.keep}, world)
	w.keep.received = nil
	if w.keep.taken {
		w.ear.taken(world.Now)
	} else {
		w.ear.queue.Back()
	}
	if errors.Is(err, blockfile.ErrLocked) {
		w.pace.locked(w.opt.Now())
		return err
	}
	w.pace.ran(world.Now, quick)
	return err
}

// graceful returns a context for a run that outlives ctx for stopTime.
func graceful(ctx context.Context) (context.Context, context.CancelFunc) {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(stopTime, cancel) })
	return run, func() { stop(); cancel() }
}

// last deals with what came in after the last run.
func (w *watcher) last(ctx context.Context) {
	if w.ear.queue.Empty() && !w.pace.rung() {
		return
	}
	for range lastTries {
		if err := w.run(ctx, true); !errors.Is(err, blockfile.ErrLocked) {
			return
		}
		time.Sleep(lockFirst)
	}
}

// lastTries is how often the lock is tried before the watch ends.
const lastTries = 50

// reload takes the configuration anew. One with which no run can begin is told,
// and the old one stays, with all that listens for it.
func (w *watcher) reload(ctx context.Context) {
	if !w.ear.queue.Empty() { // the new one may not know where that came from
		w.tell(w.run(ctx, true))
	}
	c, err := w.opt.Load()
	if err == nil {
		old, keep := w.config, w.keep
		w.config, w.keep = c, &kept{late: keep.late}
		w.pace.full = time.Time{} // also where the lock is held now
		if err = w.run(ctx, false); !untold(err) {
			w.listen()
			w.ring() // for what came before it listened
			w.say(func(l *report.Log) { l.Noticef("the configuration was read again") })
			return
		}
		w.config, w.keep = old, keep
		w.ring() // what the run has heard is still to be done
	}
	w.say(func(l *report.Log) {
		all, several := errors.AsType[config.Errors](err)
		if !several {
			l.Errorf("%s", err)
		}
		for _, e := range all {
			l.Errorf("%s", e.Error())
		}
		l.Errorf("the configuration was not read again; the one before stays in force")
	})
}

func (w *watcher) listen() {
	j := job{config: w.config, world: w.opt.World(w.opt.Now())}
	w.ear.listen(j.sources(), w.config)
}

// tell tells of a run that could not begin, once.
func (w *watcher) tell(err error) {
	if errors.Is(err, blockfile.ErrLocked) {
		w.tellLocked(err)
		return
	}
	w.locked = time.Time{}
	text := ""
	if untold(err) {
		text = err.Error()
	}
	if text != "" && text != w.told {
		w.say(func(l *report.Log) { l.Errorf("%s; the watch goes on, and tries again every minute", text) })
	}
	w.told = text
}

// tellLocked tells of a lock that is held for long, once.
func (w *watcher) tellLocked(err error) {
	now := w.opt.Now()
	switch {
	case w.locked.IsZero():
		w.locked = now
	case now.Sub(w.locked) > lockLong && w.told == "":
		w.told = err.Error()
		w.say(func(l *report.Log) { l.Warningf("%s, for over a minute; the watch waits for it", err) })
	}
}

// lockLong is longer than any run but the first over large logs.
const lockLong = time.Minute

// untold tells whether a run ended with an error that it has not told itself,
// and that does not pass by itself.
func untold(err error) bool {
	return err != nil && !errors.Is(err, ErrPartial) && !errors.Is(err, blockfile.ErrLocked)
}

// say tells what is no part of a run.
func (w *watcher) say(do func(*report.Log)) {
	j := job{config: w.config, opt: Options{LoadOnly: true}, world: w.opt.World(w.opt.Now())}
	if l, err := j.openLog(); err == nil {
		do(l)
		_ = l.Close()
	}
}
