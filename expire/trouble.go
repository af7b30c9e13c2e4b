package expire

import (
	"slices"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// reminder is how long a condition that lasts is kept quiet about before it is
// told again.
const reminder = 24 * time.Hour

// News is what is to be told about conditions that last.
type News struct {
	Began   []record.Problem
	Lasting []record.Problem // told again, a day after the last time
	Ended   []record.Trouble
}

// Troubles returns the conditions on record after this run, and what of them
// is news. Only problems that fail count; the same Key is the same condition.
func Troubles(prev []record.Trouble, problems []record.Problem, now time.Time) (next []record.Trouble, news News) {
	now = tenths(now)
	present := map[string]bool{}
	for _, p := range problems {
		if !p.Fails || present[p.Key] {
			continue
		}
		present[p.Key] = true
		i := slices.IndexFunc(prev, func(t record.Trouble) bool { return t.Text == p.Key })
		switch {
		case i < 0:
			news.Began = append(news.Began, p)
			next = append(next, record.Trouble{Text: p.Key, Since: now, Told: now})
		case now.Sub(prev[i].Told) >= reminder:
			news.Lasting = append(news.Lasting, p)
			next = append(next, record.Trouble{Text: p.Key, Since: prev[i].Since, Told: now})
		default:
			next = append(next, prev[i])
		}
	}
	for _, t := range prev {
		if !present[t.Text] {
			news.Ended = append(news.Ended, t)
		}
	}
	slices.SortFunc(next, func(a, b record.Trouble) int { return strings.Compare(a.Text, b.Text) })
	return next, news
}
