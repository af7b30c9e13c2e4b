package report

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// A Replay is what the limits would have made of old logs. Its JSON is a
// contract; see ReplayJSON.
type Replay struct {
	Now       time.Time // in the zone that people are shown
	From, To  time.Time // of the first and the last line that counts; zero: there is none
	Lines     int       // read
	Failures  int
	Addresses int        // that failed
	Blocked   []Replayed // by Since, then Net
}

// A Replayed is one block that there would have been.
type Replayed struct {
	Net      netip.Prefix
	Since    time.Time
	Until    time.Time // when it would have ended, or would end as things stand; zero: never
	Count    int       // attempts when it began
	Services []string
	Reason   record.Reason
	Detail   string  // the arithmetic
	Logins   []Login // of its addresses after Since and before a later block, oldest first, at most MaxLogins
	LoggedIn int     // how many there are in all
	KeptOut  int     // how many of them while the block would have lasted
}

// MaxLogins is how many log-ins of one block are shown.
const MaxLogins = 10

// A Login is somebody who did log in.
type Login struct {
	At      time.Time
	Addr    netip.Addr
	User    string // foreign text
	Service string
	Blocked bool // while the block would have lasted: it would have kept him out
}

// ReplayText writes a replay for people.
func ReplayText(w io.Writer, r Replay) error {
	zone, _ := r.Now.Zone()
	var b strings.Builder
	if r.From.IsZero() {
		fmt.Fprintf(&b, "%s, none of them a failure or a log-in\n", plural(r.Lines, "line", "lines"))
	} else {
		fmt.Fprintf(&b, "%s to %s %s: %s, %s from %s\n", at(r.From, r.Now), at(r.To, r.Now), zone,
			plural(r.Lines, "line", "lines"), plural(r.Failures, "failure", "failures"), plural(r.Addresses, "address", "addresses"))
	}
	var logins [][]string
	for _, x := range r.Blocked {
		logins = append(logins, loginRows(x, r.Now)...)
	}
	chapter(&b, "Would have been blocked", len(r.Blocked), "nobody", func() string { return replayTable(r.Blocked, r.Now) })
	chapter(&b, "Logged in after that", len(logins), "nobody of them", func() string {
		return table([]string{"address", "time", "user", "service", ""}, logins)
	})
	_, err := io.WriteString(w, b.String())
	return err
}

func at(t, now time.Time) string { return t.In(now.Location()).Format(stampLayout) }

func replayTable(list []Replayed, now time.Time) string {
	rows := make([][]string, 0, len(list))
	for _, x := range list {
		until, lasts := "never", "for good"
		if !x.Until.IsZero() {
			until, lasts = at(x.Until, now), Duration(x.Until.Sub(x.Since))
		}
		rows = append(rows, []string{record.FormatNet(x.Net), at(x.Since, now), until, lasts, strconv.Itoa(x.Count), string(x.Reason), names(x.Services), strconv.Itoa(x.LoggedIn)})
	}
	return table([]string{"address", "since", "until", "lasting", "count", "reason", "services", "log-ins later"}, rows)
}

func loginRows(x Replayed, now time.Time) (rows [][]string) {
	for _, l := range x.Logins {
		word := "after its end"
		if l.Blocked {
			word = "would have been kept out"
		}
		rows = append(rows, []string{l.Addr.String(), at(l.At, now), Clean(l.User, 60), Clean(l.Service, 60), word})
	}
	return rows
}

type replayJSON struct {
	From      *string        `json:"from"`
	To        *string        `json:"to"`
	Lines     int            `json:"lines"`
	Failures  int            `json:"failures"`
	Addresses int            `json:"addresses"`
	Blocked   []replayedJSON `json:"blocked"`
}

type replayedJSON struct {
	Address  string        `json:"address"`
	Since    *string       `json:"since"`
	Until    *string       `json:"until"`   // null: never
	Seconds  *int64        `json:"seconds"` // null: for good
	Count    int           `json:"count"`
	Services []string      `json:"services"`
	Reason   record.Reason `json:"reason"`
	Detail   string        `json:"detail"`
	LoggedIn int           `json:"logged_in"`
	KeptOut  int           `json:"kept_out"` // of logged_in: while the block would have lasted
	Logins   []loginJSON   `json:"logins"`   // the first of them
}

type loginJSON struct {
	Time    *string `json:"time"`
	Address string  `json:"address"`
	User    string  `json:"user"`
	Service string  `json:"service"`
	KeptOut bool    `json:"kept_out"`
}

// ReplayJSON writes a replay as one JSON object on one line, in the manner of
// StatusJSON.
func ReplayJSON(w io.Writer, r Replay) error {
	out := replayJSON{From: utc(r.From), To: utc(r.To), Lines: r.Lines, Failures: r.Failures, Addresses: r.Addresses, Blocked: []replayedJSON{}}
	for _, x := range r.Blocked {
		y := replayedJSON{Address: record.FormatNet(x.Net), Since: utc(x.Since), Until: utc(x.Until), Count: x.Count, Services: list(x.Services),
			Reason: x.Reason, Detail: x.Detail, LoggedIn: x.LoggedIn, KeptOut: x.KeptOut, Logins: []loginJSON{}}
		if !x.Until.IsZero() {
			seconds := int64(x.Until.Sub(x.Since) / time.Second)
			y.Seconds = &seconds
		}
		for _, l := range x.Logins {
			y.Logins = append(y.Logins, loginJSON{utc(l.At), l.Addr.String(), l.User, l.Service, l.Blocked})
		}
		out.Blocked = append(out.Blocked, y)
	}
	return writeJSON(w, out)
}
