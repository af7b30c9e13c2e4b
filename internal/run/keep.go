package run

import (
	"slices"
	"strings"
	"time"

	"blockhosts/blockers"
	"blockhosts/expire"
	"blockhosts/internal/record"
	"blockhosts/logscan"
	"blockhosts/logscan/rules"
)

// kept is what a watch keeps in memory between its runs. Nothing of it decides
// who is blocked: that is in the section, so that runs that cron starts, and
// the next watch, can take over at any time. Everywhere else it is nil.
type kept struct {
	rules    *rules.Set       // compiled once
	problems []record.Problem // of compiling them
	chosen   []blockers.Config
	behind   bool // a blocker failed: the next run compares it again
	read     reading
	late     late

	received func([]logscan.Source) []logscan.Source // puts what was received in its place; nil: nothing was
	odd      []record.Problem                        // for the next run: what is wrong with receiving
	taken    bool                                    // the run has dealt with both
}

// A reading is how far the sources were read by a run that left the section as
// it was, since nothing in them counted. Without it, each of the runs of five
// minutes would read the same lines again.
type reading struct {
	saved       time.Time // of the section from which that run began
	from, until []record.Offset
}

// late is what quick runs leave for the mail of the next full one.
type late struct {
	decisions []record.Decision
	news      expire.News
}

// offsets returns where a run begins to read: where the section says, or
// further on, where the run before read on from the very same section.
func (k *kept) offsets(st record.State) []record.Offset {
	if k != nil && k.read.until != nil && k.read.saved.Equal(st.Saved) && slices.Equal(k.read.from, st.Offsets) {
		return k.read.until
	}
	return st.Offsets
}

// sources adds what the watch has received.
func (k *kept) sources(all []logscan.Source) []logscan.Source {
	if k == nil || k.received == nil {
		return all
	}
	return k.received(all)
}

// chosenFor returns what stands for the blockers "auto": in a quick run what
// an earlier one has chosen, since trying them out takes longer than the rest.
func (k *kept) chosenFor(auto []blockers.Config, quick bool) []blockers.Config {
	if k == nil || len(auto) == 0 {
		return auto
	}
	if quick && len(k.chosen) == len(auto) {
		auto = k.chosen
	}
	k.chosen = nil
	return auto
}

func (k *kept) choose(c blockers.Config) {
	if k != nil {
		k.chosen = append(k.chosen, c)
	}
}

// done keeps of a run what makes the next one quick.
func (k *kept) done(j *job) {
	if k == nil {
		return
	}
	k.behind = slices.ContainsFunc(j.reports, func(r blockers.Report) bool { return r.Err != nil })
	k.read, k.taken = reading{}, !j.unsaved
	if !j.unsaved {
		k.read = reading{saved: j.prev.Saved, from: j.prev.Offsets, until: j.next.Offsets}
	}
	if !j.opt.Quick {
		k.late = late{} // it has been told, or stands in the section for the next mail
	}
}

// tellLater keeps what a quick run would have mailed.
func (k *kept) tellLater(j *job, news expire.News) {
	if j.unsaved { // all of it will be found again
		return
	}
	l := &k.late
	l.decisions = append(l.decisions, j.decisions...)
	l.decisions = l.decisions[max(0, len(l.decisions)-record.MaxUnmailed):]
	l.news.Began = append(l.news.Began, news.Began...)
	l.news.Lasting = append(l.news.Lasting, news.Lasting...)
	l.news.Ended = append(l.news.Ended, news.Ended...)
}

// untold puts what quick runs left in front of what a full run mails. The
// events of these stand in the section, too, in case that the watch ends.
func (k *kept) untold(ds []record.Decision, unmailed []record.Event, news expire.News) ([]record.Decision, []record.Event, expire.News) {
	if k == nil {
		return ds, unmailed, news
	}
	l := k.late
	earlier := slices.DeleteFunc(slices.Clone(unmailed), func(e record.Event) bool {
		return slices.ContainsFunc(l.decisions, func(d record.Decision) bool { return sameEvent(d.Event, e) })
	})
	return slices.Concat(l.decisions, ds), earlier, expire.News{
		Began:   slices.Concat(l.news.Began, news.Began),
		Lasting: slices.Concat(l.news.Lasting, news.Lasting),
		Ended:   slices.Concat(l.news.Ended, news.Ended),
	}
}

// noticeMark begins the text on record of a condition that fails nothing, see
// expire.Troubles.
const noticeMark = "notice: "

// carry notes the conditions of a part that a quick run leaves out: that it was
// not tried does not mean that it works again.
func (j *job) carry(part string) {
	for _, t := range j.prev.Troubles {
		key, notice := strings.CutPrefix(t.Text, noticeMark)
		if strings.HasPrefix(key, part) {
			j.problems = append(j.problems, record.Problem{Key: key, Text: key, Fails: !notice})
		}
	}
}

// lasting leaves out of a quick run's problems a log that is missing only now:
// rotation itself rings, and the new file comes a moment after the old one
// went. The next full run tells if it does not.
func (j *job) lasting(problems []record.Problem) []record.Problem {
	if !j.opt.Quick {
		return problems
	}
	return slices.DeleteFunc(slices.Clone(problems), func(p record.Problem) bool {
		if p.Key != "sources: none exists" && !strings.HasSuffix(p.Key, ": missing") {
			return false
		}
		return !slices.ContainsFunc(j.prev.Troubles, func(t record.Trouble) bool { return strings.TrimPrefix(t.Text, noticeMark) == p.Key })
	})
}

// sameTarget tells whether a blocker has nothing to do for b that it has not
// done for a. Counts are words for a comment.
func sameTarget(a, b blockers.Target) bool {
	return a.Net == b.Net && slices.Equal(a.Services, b.Services)
}
