package expire

import (
	"slices"
	"sort"
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

// noticeMark begins the text on record of a condition that fails nothing.
const noticeMark = "notice: "

// Troubles returns the conditions on record after this run, and what of them
// is news. The same Key is the same condition. The end of one that failed
// nothing is no news.
func Troubles(prev []record.Trouble, problems []record.Problem, now time.Time) (next []record.Trouble, news News) {
	now = tenths(now)
	present := map[string]bool{}
	for _, p := range problems {
		text := p.Key
		if !p.Fails {
			text = noticeMark + text
		}
		if present[text] {
			continue
		}
		present[text] = true
		i := slices.IndexFunc(prev, func(t record.Trouble) bool { return t.Text == text })
		switch {
		case i < 0:
			news.Began = append(news.Began, p)
			next = append(next, record.Trouble{Text: text, Since: now, Told: now})
		case now.Sub(prev[i].Told).Abs() >= reminder: // also where the clock was put back
			news.Lasting = append(news.Lasting, p)
			next = append(next, record.Trouble{Text: text, Since: prev[i].Since, Told: now})
		default:
			next = append(next, prev[i])
		}
	}
	for _, t := range prev {
		if !present[t.Text] && !strings.HasPrefix(t.Text, noticeMark) {
			news.Ended = append(news.Ended, t)
		}
	}
	sort.Slice(next, func(i, j int) bool { return next[i].Text < next[j].Text })
	return next, news
}
