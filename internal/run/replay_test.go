package run

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"blockhosts/expire"
	"blockhosts/internal/record"
	"blockhosts/internal/report"
	"blockhosts/logscan"
	"blockhosts/logscan/rules"
)

// TestSuccess: who has logged in, from where; nobody by what a client wrote.
func TestSuccess(t *testing.T) {
	set, problems := rules.Compile(rules.Shipped(), nil, rules.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	w := newWitness(set)
	const at = "2026-01-05T01:31:41+00:00 www "
	for line, want := range map[string]string{
		at + "sshd[1]: Accepted password for bob from 192.0.2.1 port 22 ssh2":                                                    "bob 192.0.2.1",
		at + "sshd-session[1]: Accepted publickey for bob from 2001:db8::1 port 22 ssh2: ED25519 SHA256:x":                       "bob 2001:db8::1",
		at + "sshd[1]: Accepted keyboard-interactive/pam for bob from ::ffff:192.0.2.1 port 22 ssh2":                             "bob 192.0.2.1",
		at + "sshd[1]: Accepted publickey for bob from 192.0.2.1 port 22 ssh2: X-CERT ID a from 192.0.2.66 port 1 ssh2":          "bob 192.0.2.1",
		at + "vsftpd[1]: [bob] OK LOGIN: Client \"192.0.2.1\"":                                                                   "bob 192.0.2.1",
		"Mon Jan  5 01:31:41 2026 [pid 2] [bob] OK LOGIN: Client \"::ffff:192.0.2.1\"":                                           "bob 192.0.2.1",
		at + "proftpd[1]: www (client.example[192.0.2.1]) - USER bob: Login successful.":                                         "bob 192.0.2.1",
		at + "pure-ftpd: (?@192.0.2.1) [INFO] bob is now logged in":                                                              "bob 192.0.2.1",
		at + "dovecot: imap-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.9, mpid=77, TLS, session=<a+/b=>": "bob 192.0.2.1",
		// A user name may be anything as long as nobody is logged in by it.
		at + "sshd[1]: Invalid user Accepted password for bob from 192.0.2.66 port 1 ssh2 from 192.0.2.1 port 22":      "",
		at + "sshd[1]: Accepted password for a from 192.0.2.66 port 1 ssh2 b from 192.0.2.1 port 22 ssh2":              "",
		at + "cron[1]: Accepted password for bob from 192.0.2.66 port 22 ssh2":                                         "",
		at + "vsftpd[1]: [bob] OK LOGIN: Client \"192.0.2.66\"] FAIL LOGIN: Client \"192.0.2.1\"":                      "",
		at + "vsftpd[1]: [ftp] OK LOGIN: Client \"192.0.2.1\", anon password \"a] OK LOGIN: Client \"192.0.2.66\"":     "",
		at + "proftpd[1]: www (c[192.0.2.1]) - USER x (c[192.0.2.66]) - USER y: Login successful.":                     "",
		at + "dovecot: imap-login: Disconnected: user=<x>, method=PLAIN, rip=192.0.2.66, lip=192.0.2.9":                "",
		at + "dovecot: imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.66, lip=x>, method=PLAIN, rip=192.0.2.1": "",
		"Accepted password for bob from 192.0.2.1 port 22 ssh2":                                                        "",
	} {
		l := logscan.ParseLine([]byte(line))
		var m record.Match
		w.MatchInto(&l, &m)
		got := ""
		if m.Rule == successRule {
			got = m.User + " " + m.Addr.String()
		}
		if got != want && !(m.Rule != successRule && want == "") {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// replayed is a play over failures of one service until end.
func replayed(p expire.Policy, failures []record.Failure, end time.Time) []report.Replayed {
	pl := play{policy: p, open: map[netip.Prefix]int{}}
	pl.run(failures, end)
	return pl.rows
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func failuresAt(addr string, at ...time.Duration) (all []record.Failure) {
	for i, d := range at {
		all = append(all, record.Failure{Blame: &record.Blame{Addr: netip.MustParseAddr(addr), Service: "sshd", Rule: "sshd-Fail", Program: "sshd"},
			Time: start.Add(d), PID: fmt.Sprint(i), Repeat: 1})
	}
	return all
}

// policyOver blocks the third failure.
func policyOver(l expire.Limits) expire.Policy {
	l.Limiter, l.Blockcount = "count", 2
	return expire.Policy{Limits: l, IPv6Prefix: 64, PrefixMin: 2, Remember: 30 * 24 * time.Hour, MaxTracked: 1000}
}

// TestReplayTimes: a block begins with the failure that brings it, and ends at
// its own time, whatever comes after.
func TestReplayTimes(t *testing.T) {
	const h, m = time.Hour, time.Minute
	for _, c := range []struct {
		what   string
		limits expire.Limits
		at     []time.Duration
		want   string
	}{
		{"under the limit", expire.Limits{Discard: 12 * h}, []time.Duration{0, m}, ""},
		{"one block", expire.Limits{Discard: 12 * h}, []time.Duration{0, m, 2 * m}, "2m0s-12h2m0s"},
		{"moved on", expire.Limits{Discard: 12 * h}, []time.Duration{0, m, 2 * m, 6 * h}, "2m0s-18h0m0s"},
		{"forgotten between", expire.Limits{Discard: h}, []time.Duration{0, m, 2 * h, 3*h + m}, ""},
		{"twice", expire.Limits{Discard: h}, []time.Duration{0, m, 2 * m, 5 * h, 5*h + m, 5*h + 2*m}, "2m0s-1h2m0s 5h2m0s-6h2m0s"},
		{"of its own length", expire.Limits{Discard: 12 * h, BlockFor: 10 * m, BlockFactor: 1}, []time.Duration{0, m, 2 * m, 3 * m}, "2m0s-12m0s"},
		{"for good", expire.Limits{Discard: h, PermanentFailures: 3}, []time.Duration{0, m, 2 * m}, "2m0s-never"},
	} {
		got := ""
		for _, r := range replayed(policyOver(c.limits), failuresAt("192.0.2.1", c.at...), start.Add(240*h)) {
			until := "never"
			if !r.Until.IsZero() {
				until = r.Until.Sub(start).String()
			}
			if got != "" {
				got += " "
			}
			got += r.Since.Sub(start).String() + "-" + until
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// TestReplayPrefix: where the prefix of an address is blocked instead of it,
// its own block is over.
func TestReplayPrefix(t *testing.T) {
	one := failuresAt("2001:db8::1", 0, time.Minute, 2*time.Minute)
	two := failuresAt("2001:db8::2", time.Hour)
	rows := replayed(policyOver(expire.Limits{Discard: 12 * time.Hour}), append(one, two...), start.Add(2*time.Hour))
	if len(rows) != 2 || rows[1].Net.String() != "2001:db8::1/128" || !rows[1].Until.Equal(start.Add(time.Hour)) ||
		rows[0].Net.String() != "2001:db8::/64" || !rows[0].Until.Equal(start.Add(13*time.Hour)) {
		t.Errorf("%+v", rows)
	}
}

// TestReplayLikeRuns: a replay blocks whom runs once a minute would have
// blocked, from and until the same times.
func TestReplayLikeRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var failures []record.Failure
	for i := range 600 {
		f := failuresAt(fmt.Sprintf("192.0.2.%d", r.IntN(40)), time.Duration(r.IntN(48*60*60))*time.Second)
		f[0].PID = fmt.Sprint(i)
		failures = append(failures, f...)
	}
	slices.SortStableFunc(failures, func(a, b record.Failure) int { return a.Time.Compare(b.Time) })
	for _, l := range []expire.Limits{{Discard: 3 * time.Hour}, {Discard: 12 * time.Hour, BlockFor: 20 * time.Minute, BlockFactor: 2, BlockMax: 24 * time.Hour}} {
		p := policyOver(l)
		want := map[string]bool{}
		st, rest := record.State{}, failures
		for now := start; now.Before(start.Add(72 * time.Hour)); now = now.Add(time.Minute) {
			n := 0
			for n < len(rest) && !rest[n].Time.After(now) {
				n++
			}
			var ds []record.Decision
			st, ds = expire.Apply(st, record.Pack(rest[:n]), p, now)
			rest = rest[n:]
			for _, d := range ds {
				if d.Action == record.ActionBlock {
					want[d.Net.String()+" "+d.At.String()] = true
				}
			}
		}
		rows := replayed(p, failures, start.Add(72*time.Hour))
		for _, row := range rows {
			if !want[row.Net.String()+" "+row.Since.String()] {
				t.Errorf("%v from %v: no run would have blocked it", row.Net, row.Since)
			}
			if !row.Until.After(row.Since) {
				t.Errorf("%v from %v until %v", row.Net, row.Since, row.Until)
			}
		}
		if len(rows) != len(want) || len(rows) == 0 {
			t.Errorf("%d blocks, want %d", len(rows), len(want))
		}
	}
}

// TestReplayLogins: a log-in belongs to the latest block before it.
func TestReplayLogins(t *testing.T) {
	failures := failuresAt("192.0.2.1", 0, 1, 2, 5*time.Hour, 5*time.Hour+1, 5*time.Hour+2)
	p := play{policy: policyOver(expire.Limits{Discard: time.Hour}), open: map[netip.Prefix]int{}}
	p.run(failures, start.Add(10*time.Hour))
	p.addLogins(append(failuresAt("192.0.2.1", -time.Hour, 30*time.Minute, 2*time.Hour, 5*time.Hour+30*time.Minute), failuresAt("192.0.2.2", time.Hour)...))
	got := ""
	for _, r := range p.rows {
		got += fmt.Sprintf("%d/%d/%d ", r.LoggedIn, r.KeptOut, len(r.Logins))
	}
	if got != "2/1/2 1/1/1 " {
		t.Errorf("%s: %+v", got, p.rows)
	}
}

// TestReplayLoginsOfPrefix: where a prefix is blocked from the moment on at which
// one of its addresses was, it has the log-ins, each time that one asks.
func TestReplayLoginsOfPrefix(t *testing.T) {
	for range 20 {
		rows := []report.Replayed{
			{Net: netip.MustParsePrefix("2001:db8::1/128"), Since: start, Until: start.Add(time.Minute)},
			{Net: netip.MustParsePrefix("2001:db8::/64"), Since: start, Until: start.Add(time.Hour)},
		}
		p := play{rows: rows}
		p.addLogins(failuresAt("2001:db8::1", 30*time.Minute))
		if rows[0].LoggedIn != 0 || rows[1].KeptOut != 1 {
			t.Fatalf("%+v", rows)
		}
	}
}
