package blockers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A Report tells how a back end stands. Present, Missing and Extra count
// addresses and prefixes: wanted and enforced, wanted and not, held and not
// wanted.
type Report struct {
	Name     string
	Present  int
	Missing  int
	Extra    int
	Commands []Command         // that changed something or, dry, would
	Warnings []string          // what people should know though it failed nothing
	Err      error             // what failed and what to do about it; the rest was carried out
	Names    map[string]string // chain, table, tag: recorded, so that Former finds them again
}

// A table is what one tool keeps for us, for one family or for both.
type table interface {
	title() string         // the tool, for messages
	takes(e entry) bool    // e belongs here
	cannot(e entry) string // why e, though it belongs here, cannot be held; "" where it can
	blank() held           // nothing held
	// list returns what is held, with the tool's warnings. Want is what should
	// be: what is found in that very order needs no second copy in memory.
	list(ctx context.Context, run runner, want []entry) (held, []string, error)
}

// A held is what a table was found to hold.
type held interface {
	entries() []entry                        // in any order; not to be changed, as it may be the caller's own want
	faults() []string                        // what else is not as it must be, so that the entries do not work
	notes(want []entry) []string             // what people should know about it
	change(want, add, del []entry) []Command // what makes it exact; nothing where it is
	clear() []Command                        // what removes everything of ours; nothing where there is nothing
}

// Sync makes the back end hold exactly what is wanted, and looks again
// afterwards. A table that is exact already costs its listing and no command.
// Dry, it only lists: what cannot be listed is taken as empty, with a warning,
// and the commands are reported instead of issued.
func Sync(ctx context.Context, b Blocker, want []Target, dry bool) Report {
	return b.each(want, func(w *work) { w.sync(ctx, dry) })
}

// Release takes away what is no longer to be kept out and adds nothing: for a
// back end that the configuration has ceased to ask for.
func Release(ctx context.Context, b Blocker, keep []Target, dry bool) Report {
	return b.each(keep, func(w *work) { w.release(ctx, dry) })
}

// Look reports how the back end stands and changes nothing.
func Look(ctx context.Context, b Blocker, want []Target) Report {
	return b.each(want, func(w *work) {
		if h, ok := w.list(ctx); ok {
			add, del := difference(h.entries(), w.want)
			w.count(h, add, del)
			w.warn(h.faults()...)
		}
	})
}

// Flush removes everything of ours and leaves the rest as it was.
func Flush(ctx context.Context, b Blocker) Report {
	r := b.each(nil, func(w *work) { w.flush(ctx) })
	if owed, ok := r.Names["owed"]; ok {
		r.Names["owed"] = owedAll + " " + strings.TrimPrefix(owed, owedNone)
	}
	return r
}

// A work is one table's share of a Sync, Look or Flush.
type work struct {
	table
	run   runner
	want  []entry
	errs  []error
	fatal bool // the tool is not there or does not answer: no use in calling it again
	Report
}

// each does the work table by table, so that one that fails leaves the others
// done, and adds the reports up.
func (b Blocker) each(want []Target, do func(*work)) Report {
	r := Report{Name: b.name, Names: b.names}
	r.warn(b.warnings...)
	entries, refused := entriesOf(want, b.parts)
	r.warn(refused...)
	var errs, idle []error
	for _, t := range b.tables {
		w := &work{table: t, run: b.run}
		w.choose(entries)
		do(w)
		r.add(w)
		if l, ok := t.(*command); ok {
			r.Names = l.names(entries)
		}
		for _, err := range w.errs {
			switch kind := kindOf(err); {
			case kind == kindMissing && len(w.want) == 0:
				idle = append(idle, err)
			case kind != kindOff:
				errs = append(errs, err)
			case len(w.want) > 0:
				r.warn(err.Error())
			}
		}
	}
	if len(idle) == len(b.tables) || slices.ContainsFunc(errs, func(err error) bool { return kindOf(err) == kindMissing }) {
		errs = append(errs, idle...)
	} else {
		r.warn(texts(idle)...)
	}
	r.Err = join(errs)
	return r
}

// choose picks the entries that are this table's. They mostly stand together,
// IPv4 before IPv6, and are then not copied.
func (w *work) choose(entries []entry) {
	cannot := map[string]int{}
	first, together := 0, true
	for i, e := range entries {
		if !w.takes(e) {
			continue
		}
		if why := w.cannot(e); why != "" {
			cannot[why]++
			w.Missing++
			continue
		}
		switch n := len(w.want); {
		case n == 0:
			first, w.want = i, entries[i:i+1:i+1]
		case together && i == first+n:
			w.want = entries[first : i+1 : i+1]
		default:
			together, w.want = false, append(w.want, e)
		}
	}
	for why, n := range cannot {
		w.warn(fmt.Sprintf("%s: %s: %d not blocked here", w.title(), why, n))
	}
}

func (w *work) list(ctx context.Context) (held, bool) {
	h, warnings, err := w.table.list(ctx, w.run, w.want)
	w.warn(warnings...)
	if err != nil {
		w.fail(err)
		w.Missing += countNets(w.want)
		return w.blank(), false
	}
	return h, true
}

func (w *work) sync(ctx context.Context, dry bool) {
	h, ok := w.list(ctx)
	if !ok && !dry {
		return
	}
	if !ok {
		w.unlisted()
	}
	w.warn(h.notes(w.want)...)
	add, del := difference(h.entries(), w.want)
	commands := h.change(w.want, add, del)
	if dry || len(commands) == 0 {
		w.Commands = commands
		if ok {
			w.count(h, add, del)
		}
		if ok && len(commands) == 0 {
			w.unmended(h.faults(), dry)
		}
		return
	}
	known := len(w.errs) + len(w.Warnings)
	w.issue(ctx, commands)
	idle := len(w.want)+len(del) == 0 // only its frame was made, as IPv6's where no such address is known
	if (idle || len(w.want) > lookUpTo) && len(w.errs)+len(w.Warnings) == known {
		w.Present += countNets(w.want)
		return
	}
	w.verify(ctx)
}

// lookUpTo is the number of entries up to which a table is listed again after
// a change. Beyond it a listing costs more than the change itself (20 to 40 ms
// at 50,000, against 2 ms for a difference of 100), tools report
// what they could not do, and the next run lists the table anyway. It sees soon
// enough, too, whether a frame around nothing stands: a twentieth of what
// filling the other family's chain with 10,000 costs (BenchmarkScale).
const lookUpTo = 2000

// release narrows what is wanted down to what is held, whatever its ports.
func (w *work) release(ctx context.Context, dry bool) {
	h, ok := w.list(ctx)
	if !ok && dry {
		w.unlisted()
	}
	if !ok {
		return
	}
	keep := map[netip.Prefix]bool{}
	for _, e := range w.want {
		keep[e.net] = true
	}
	w.want = sorted(slices.DeleteFunc(slices.Clone(h.entries()), func(e entry) bool { return !keep[e.net] }))
	if add, del := difference(h.entries(), w.want); len(del) == 0 {
		w.count(h, add, del)
		return
	}
	w.sync(ctx, dry)
}

// unlisted turns a listing that failed into a warning: a dry run goes on with
// nothing held.
func (w *work) unlisted() {
	for _, err := range w.errs {
		w.warn(err.Error() + "; taken as empty")
	}
	w.errs, w.fatal = nil, false
}

// unmended reports what no command of ours can mend.
func (w *work) unmended(faults []string, dry bool) {
	for _, f := range faults {
		if dry {
			w.warn(f)
		} else {
			w.fail(errors.New(f))
		}
	}
}

// issue runs the commands. One that fails does not stop the others, unless
// the tool itself is the trouble.
func (w *work) issue(ctx context.Context, commands []Command) {
	for i, c := range commands {
		if w.fatal {
			return
		}
		w.Commands = append(w.Commands, c)
		_, warnings, err := w.run.do(ctx, c)
		w.warn(warnings...)
		if err != nil {
			w.fail(err)
		} else if l, ok := w.table.(*command); ok {
			l.done(i)
		}
	}
}

// settling are the pauses before each look after acting. The kernel goes on
// enlarging a hash set for a while after many additions (rhashtable), and a
// listing meanwhile leaves out elements that are there: up to one in six was
// seen with nft 1.0.6 at 100,000.
var settling = [...]time.Duration{0, 50 * time.Millisecond, 250 * time.Millisecond, time.Second}

// verify looks again. A command that failed where all is as it should be, such
// as the removal of what had just gone, is no failure.
func (w *work) verify(ctx context.Context) {
	failed := w.errs
	var h held
	var add, del []entry
	for _, pause := range settling {
		if !sleep(ctx, pause) {
			w.fail(context.Cause(ctx))
			return
		}
		var ok bool
		if h, ok = w.list(ctx); !ok {
			return
		}
		add, del = difference(h.entries(), w.want)
		if len(add)+len(del) == 0 || len(failed) > 0 {
			break
		}
	}
	w.count(h, add, del)
	switch {
	case len(add)+len(del)+len(h.faults()) == 0:
		for _, err := range failed {
			w.warn(err.Error() + "; all is as it should be nevertheless")
		}
		w.errs = nil
	case len(failed) > 0:
	case len(add)+len(del) == 0:
		w.unmended(h.faults(), false)
	default:
		w.fail(&toolError{tool: w.title(), cause: notExact(add, del),
			cure: "another program changes it at the same time; the next run tries again"})
	}
}

// sleep pauses, and tells whether there is time left.
func sleep(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func notExact(add, del []entry) string {
	example := append(slices.Clone(add[:min(1, len(add))]), del[:min(1, len(del))]...)
	return fmt.Sprintf("reported success, yet %d are missing and %d too many, among them %s", len(add), len(del), example[0].text())
}

func (w *work) flush(ctx context.Context) {
	h, ok := w.list(ctx)
	if !ok {
		return
	}
	commands := h.clear()
	if len(commands) == 0 {
		return
	}
	w.issue(ctx, commands)
	failed := w.errs
	if h, ok = w.list(ctx); !ok {
		return
	}
	add, del := difference(h.entries(), w.want)
	w.count(h, add, del)
	if len(h.clear()) == 0 {
		w.errs = nil
	} else if len(failed) == 0 {
		w.fail(&toolError{tool: w.title(), cause: "reported success, yet something of ours is left", cure: "look for who uses it"})
	}
}

// count tells what is held of what is wanted, by their difference. Entries
// that do not work because something else is not as it must be are not present.
func (w *work) count(h held, add, del []entry) {
	all, missing := countNets(w.want), countNets(add)
	if len(h.faults()) > 0 {
		missing = all
	}
	w.Present += all - missing
	w.Missing += missing
	w.Extra += countNets(del)
}

func (w *work) fail(err error) {
	w.errs = append(w.errs, err)
	w.fatal = w.fatal || kindOf(err) == kindMissing || kindOf(err) == kindHung
}

// warn notes texts, each once. Nothing of it is in a hurry: inlined, it would be
// 9 kB of the program.
//
//go:noinline
func (r *Report) warn(texts ...string) {
	for _, t := range texts {
		if t != "" && !slices.Contains(r.Warnings, t) {
			r.Warnings = append(r.Warnings, t)
		}
	}
}

func (r *Report) add(w *work) {
	r.Present += w.Present
	r.Missing += w.Missing
	r.Extra += w.Extra
	r.Commands = append(r.Commands, w.Commands...)
	r.warn(w.Warnings...)
}
