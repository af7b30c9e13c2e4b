package report

import (
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// A MailInput is what a run has to tell.
type MailInput struct {
	Host      string    // this host's name
	Now       time.Time // in the zone that people are shown
	Decisions []record.Decision
	Earlier   []record.Event   // of runs whose mail was not sent
	Began     []record.Problem // problems that are new
	Lasting   []record.Problem // told again, a day after the last time
	Ended     []record.Trouble
	State     record.State // after the run
	Ends      Ends         // when a block of State ends
	CheckIP   netip.Addr   // valid: only about this address, and only if it is watched or blocked
}

// What a mail holds at most, in bytes: together under 1 MB, so that servers
// take it and people can read it.
const (
	budgetBlocked  = 300 << 10 // newly blocked, with evidence
	budgetChapter  = 40 << 10  // released, problems and what an earlier mail could not tell
	budgetTable    = 120 << 10 // all blocked; watched
	maxMailRows    = 500       // of each list
	maxProblemText = 1000
)

// Mail returns the mail about a run, and whether there is anything to send:
// somebody was blocked or released, something failed or works again, or an
// earlier mail could not be sent. With CheckIP it is about that address alone:
// earlier events are not told then and must be kept for another mail.
func Mail(in MailInput) (subject, body string, send bool) {
	if in.CheckIP.IsValid() {
		return checkMail(in)
	}
	blocked, spared, released := in.pick(record.ActionBlock), in.pick(record.ActionSpared), in.pick(record.ActionRelease)
	problems := slices.Concat(in.Began, in.Lasting)
	var what []string
	say := func(n int, one, many string) {
		if n > 0 {
			what = append(what, plural(n, one, many))
		}
	}
	say(len(blocked), "blocked", "blocked")
	say(len(released), "expired", "expired")
	say(len(spared), "spared", "spared")
	say(len(problems), "problem", "problems")
	say(len(in.Ended), "problem over", "problems over")
	say(len(in.Earlier), "told late", "told late")
	if len(what) == 0 {
		return "", "", false
	}
	p := newPage(in)
	p.list("Newly blocked", len(blocked), budgetBlocked, func(i int) string { return in.blockedText(blocked[i]) })
	p.list("Over the limit, but spared", len(spared), budgetChapter, func(i int) string { return in.blockedText(spared[i]) })
	p.list("No longer blocked", len(released), budgetChapter, func(i int) string { return "  " + releasedText(released[i]) + "\n" })
	p.list("Problems", len(problems), budgetChapter, func(i int) string { return problemText(problems[i]) })
	p.list("Problems that are over", len(in.Ended), budgetChapter, func(i int) string { return in.endedText(in.Ended[i]) })
	p.list("Not told before, since mail could not be sent", len(in.Earlier), budgetChapter, func(i int) string { return in.earlierText(in.Earlier[i]) })
	in.tables(p)
	return in.subject(strings.Join(what, ", ")), p.String(), true
}

func (in MailInput) subject(what string) string {
	return "[blockhosts] " + Clean(in.Host, 100) + ": " + what
}

// pick returns the decisions of one kind.
func (in MailInput) pick(a record.Action) []record.Decision {
	var ds []record.Decision
	for _, d := range in.Decisions {
		if d.Action == a {
			ds = append(ds, d)
		}
	}
	return ds
}

// blockedText tells why an address was blocked. What the attacker chose stands
// in quotes, or at the end of its line.
func (in MailInput) blockedText(d record.Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s: %s\n", record.FormatNet(d.Net), Clean(d.Detail, maxMessage))
	field := func(name, value string) { fmt.Fprintf(&b, "    %-15s %s\n", name+":", value) }
	field("reason", string(d.Reason))
	if d.Count > 0 {
		field("count", strconv.Itoa(d.Count))
	}
	if len(d.Services) > 0 {
		field("services", names(d.Services))
	}
	if !d.Last.IsZero() {
		field("last attempt", stamp(d.Last, in.Now, ""))
	}
	if len(d.Users) > 0 {
		field("users tried", quoteAll(d.Users))
	}
	if d.Before > 0 {
		field("blocked before", plural(d.Before, "time", "times")+", last until "+stamp(d.Prior, in.Now, "unknown"))
	}
	if len(d.Lines) > 0 {
		b.WriteString("    lines:\n")
	}
	for _, line := range d.Lines[:min(len(d.Lines), record.EvidenceLines)] {
		b.WriteString("      " + Clean(line, record.MaxEvidence) + "\n")
	}
	return b.String()
}

func quoteAll(users []string) string {
	list := make([]string, 0, len(users))
	for _, u := range users {
		list = append(list, Quote(u, record.MaxUser))
	}
	return strings.Join(list, ", ")
}

func releasedText(d record.Decision) string {
	s := record.FormatNet(d.Net)
	if d.Detail != "" {
		s += ": " + d.Detail
	}
	return Clean(s, maxMessage)
}

func problemText(p record.Problem) string {
	text := p.Text
	if text == "" {
		text = p.Key
	}
	return "  " + Clean(text, maxProblemText) + "\n"
}

func (in MailInput) endedText(t record.Trouble) string {
	return fmt.Sprintf("  %s\n    since %s\n", Clean(t.Text, maxProblemText), stamp(t.Since, in.Now, "unknown"))
}

func (in MailInput) earlierText(e record.Event) string {
	what := "no longer blocked"
	switch e.Action {
	case record.ActionSpared:
		what = fmt.Sprintf("over the limit, but spared, count %d, services %s", e.Count, names(e.Services))
	case record.ActionBlock:
		what = fmt.Sprintf("blocked, %s, count %d, services %s", e.Reason, e.Count, names(e.Services))
		if e.Before > 0 {
			what += ", " + plural(e.Before, "block", "blocks") + " before"
		}
	}
	return fmt.Sprintf("  %s  %s: %s\n", e.At.In(in.Now.Location()).Format(stampLayout), record.FormatNet(e.Net), what)
}

// tables adds who is blocked and who is watched, the newest first.
func (in MailInput) tables(p *page) {
	blocked := blockedOf(in.State, in.Ends)
	sort.SliceStable(blocked, func(i, j int) bool { return blocked[i].Since.After(blocked[j].Since) })
	p.table("All blocked", "nobody is blocked", len(blocked), func(n int) string { return blockedTable(blocked[:n], in.Now) })
	watched := watchedOf(in.State)
	sort.SliceStable(watched, func(i, j int) bool { return watched[i].Last.After(watched[j].Last) })
	p.table("Watched", "nobody is watched", len(watched), func(n int) string { return watchedTable(watched[:n], in.Now) })
}
