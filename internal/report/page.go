package report

import (
	"fmt"
	"strings"
)

// A page is a text of bounded length in chapters.
type page struct{ strings.Builder }

func newPage(in MailInput) *page {
	zone, _ := in.Now.Zone()
	p := new(page)
	fmt.Fprintf(p, "blockhosts on %s, %s %s\n", Clean(in.Host, 100), in.Now.Format(stampLayout), zone)
	return p
}

// list adds a chapter of n items, as far as budget bytes reach, and says how
// many more there are.
func (p *page) list(title string, n, budget int, item func(i int) string) {
	if n == 0 {
		return
	}
	fmt.Fprintf(p, "\n%s: %d\n", title, n)
	end := p.Len() + budget
	for i := range n {
		text := ""
		if i < maxMailRows {
			text = item(i)
		}
		if text == "" || p.Len()+len(text) > end {
			p.omitted(n - i)
			return
		}
		p.WriteString(text)
	}
}

// table adds a chapter with as much of a table of n rows as has room; render
// makes one of the first rows. Rows are bounded, so that the limit of rows is
// the limit of bytes too.
func (p *page) table(title, none string, n int, render func(rows int) string) {
	if n == 0 {
		fmt.Fprintf(p, "\n%s: %s\n", title, none)
		return
	}
	rows := min(n, maxMailRows)
	text := render(rows)
	for len(text) > budgetTable && rows > 1 {
		rows /= 2
		text = render(rows)
	}
	fmt.Fprintf(p, "\n%s: %d\n%s", title, n, text)
	if n > rows {
		p.omitted(n - rows)
	}
}

func (p *page) omitted(n int) {
	fmt.Fprintf(p, "  and %d more, which \"blockhosts status\" shows as far as they stand on record\n", n)
}
