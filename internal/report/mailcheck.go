package report

import (
	"slices"

	"blockhosts/internal/record"
)

// checkMail is the mail about one address. It tells nothing where the address
// is neither watched nor blocked.
func checkMail(in MailInput) (subject, body string, send bool) {
	blocked := slices.DeleteFunc(blockedOf(in.State, in.Ends), func(b Blocked) bool { return !b.Net.Contains(in.CheckIP) })
	watched := slices.DeleteFunc(watchedOf(in.State), func(w Watched) bool { return !w.Net.Contains(in.CheckIP) })
	word := "watched"
	switch {
	case len(blocked) > 0:
		word = "blocked"
	case len(watched) == 0:
		return "", "", false
	}
	p := newPage(in)
	fresh := slices.DeleteFunc(in.pick(record.ActionBlock), func(d record.Decision) bool { return !d.Net.Contains(in.CheckIP) })
	p.list("Newly blocked", len(fresh), budgetBlocked, func(i int) string { return in.blockedText(fresh[i]) })
	if len(blocked) > 0 {
		p.table("Blocked", "", len(blocked), func(n int) string { return blockedTable(blocked[:n], in.Now) })
	}
	if len(watched) > 0 {
		p.table("Watched", "", len(watched), func(n int) string { return watchedTable(watched[:n], in.Now) })
	}
	past := slices.DeleteFunc(slices.Clone(in.State.Past), func(x record.Past) bool { return !x.Net.Contains(in.CheckIP) })
	p.list("On record", len(past), budgetChapter, func(i int) string {
		return "  " + record.FormatNet(past[i].Net) + ": blocked " + plural(past[i].Blocks, "time", "times") + " so far, last " + stamp(past[i].Last, in.Now, "unknown") + "\n"
	})
	return in.subject(in.CheckIP.String() + " is " + word), p.String(), true
}
