package run

import (
	"bytes"
	"regexp"

	"blockhosts/internal/record"
	"blockhosts/logscan/rules"
)

// A success is how one daemon says that somebody has logged in. Text that a
// client chooses is in none of the lines but for the name of an account that
// exists, and that is held to have no blank: a pattern is matched whole, and
// has one reading.
type success struct {
	service  string
	programs string         // pattern of the whole name; "" for a log of the daemon's own
	holds    []byte         // each of its lines holds this
	line     *regexp.Regexp // user and address, of the message or, without programs, of the whole line
}

// successes returns what is known of sshd (auth.c, auth_log), vsftpd
// (logging.c, in syslog and in its own log), proftpd (mod_auth.c), pure-ftpd
// (ftpd.c) and dovecot (login-common/client-common.c). Only a replay asks: it
// is no variable, since its patterns would be compiled at every start.
func successes() []success {
	return []success{
		{"sshd", `sshd|sshd-session`, []byte("Accepted "),
			regexp.MustCompile(`^Accepted [a-z/-]+ for (?P<user>\S+) from (?P<addr>[0-9A-Fa-f:.]+) port \d+ ssh2(?:: .*)?$`)},
		{"vsftpd", `vsftpd`, []byte("] OK LOGIN: "),
			regexp.MustCompile(`^(?:\[pid \d+\] )?\[(?P<user>[^]"\s]+)\] OK LOGIN: Client "(?P<addr>[0-9A-Fa-f:.]+)"$`)},
		{"vsftpd", ``, []byte("] OK LOGIN: "),
			regexp.MustCompile(`^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} \[pid \d+\] \[(?P<user>[^]"\s]+)\] OK LOGIN: Client "(?P<addr>[0-9A-Fa-f:.]+)"$`)},
		{"proftpd", `proftpd`, []byte(": Login successful"),
			regexp.MustCompile(`^(?:[\w.:-]+ )?\([\w.:-]+\[(?P<addr>[0-9A-Fa-f:.]+)\]\)(?: -|:) USER (?P<user>[^\s()\[\]]+): Login successful\.?$`)},
		{"pure-ftpd", `pure-ftpd`, []byte(" is now logged in"),
			regexp.MustCompile(`^\(\?@(?P<addr>[0-9A-Fa-f:.]+)\) \[INFO\] (?P<user>[^\s()\[\]]+) is now logged in$`)},
		{"dovecot", `dovecot`, []byte("user=<"),
			regexp.MustCompile(`^(?:imap|pop3|submission|managesieve)-login: (?:Login|Logged in): user=<(?P<user>[^<>\s]+)>, method=[\w-]+, rip=(?P<addr>[0-9A-Fa-f:.]+)(?:, (?:[a-z]+=[0-9A-Fa-f:.]+|session=<[\w+/=-]+>|[A-Za-z]+))*$`)},
	}
}

// successRule is the name under which a witness gives out a log-in, and which
// no rule can have: it lacks the service before the dash.
const successRule = "-"

// A witness finds what the rules find, and who has logged in besides.
type witness struct {
	*rules.Set
	successes []success
	programs  []*regexp.Regexp // of successes
}

func newWitness(set *rules.Set) *witness {
	w := &witness{Set: set, successes: successes()}
	for _, s := range w.successes {
		w.programs = append(w.programs, regexp.MustCompile("^(?:"+s.programs+")$"))
	}
	return w
}

// MatchInto is that of the rules. A line that none of them knows and that tells of
// a log-in comes back under successRule.
func (w *witness) MatchInto(l *record.Line, m *record.Match) {
	w.Set.MatchInto(l, m)
	if m.Matched || m.Ambiguous {
		return
	}
	for i := range w.successes {
		s, text := &w.successes[i], l.Message
		if s.programs == "" {
			text = l.Raw
		}
		if !bytes.Contains(text, s.holds) || !w.programs[i].Match(l.Program) {
			continue
		}
		found := s.line.FindSubmatch(text)
		if found == nil {
			continue
		}
		addr, err := record.ParseAddr(string(found[s.line.SubexpIndex("addr")]))
		if err != nil {
			continue
		}
		user := found[s.line.SubexpIndex("user")]
		m.Matched, m.Addr, m.Rule, m.Service, m.User = true, addr, successRule, s.service, string(user[:min(len(user), record.MaxUser)])
		break
	}
}
