package logscan

import "bytes"

// An ownForm is a form in which daemons stamp logs of their own.
type ownForm int

const (
	ymd       ownForm = iota // 2026-01-05 01:31:41, 2026/01/05 01:31:41 (nginx), 2026:01:05-01:31:41
	compact                  // 20260105-01:31:41, 20260105-013141, 260105  1:31:41 (mysqld)
	clf                      // 05/Jan/2026:01:31:41 +0100 (access logs), 05-Jan-2026 01:31:41
	dmy                      // 05-01-2026 01:31:41, 05/01/26 01:31:41, 01/27/2026 - 01:31:41
	ctime                    // Mon Jan  5 01:31:41.123 2026 (Apache, vsftpd), Jan-05-26 01:31:41
	rfc2822                  // Mon, 05 Jan 2026 01:31:41 +0100
	md                       // 01-05 01:31:41.026292 (freeswitch)
	epoch                    // 1767573101.123 (squid)
	tai64n                   // @4000000052d7a9f51e0d5a3c
	timeOfDay                // 01:31:41.907
	ownForms                 // how many there are
)

// own reads one form at i and returns the index behind it, or -1.
func (m *moment) own(form ownForm, b []byte, i int) int {
	*m = moment{year: noYear}
	switch form {
	case ymd:
		return m.ymd(b, i)
	case compact:
		return m.compact(b, i)
	case clf:
		return m.clf(b, i)
	case dmy:
		return m.dmy(b, i)
	case ctime:
		return m.ctime(b, i)
	case rfc2822:
		return m.rfc2822(b, i)
	case md:
		return m.md(b, i)
	case epoch:
		return m.unix(b, i)
	case tai64n:
		return m.tai64n(b, i)
	default:
		return m.timeOfDay(b, i)
	}
}

// ownStamp reads any of the forms at the start of b.
func ownStamp(b []byte, m *moment) int {
	for form := range ownForms {
		if n := m.own(form, b, 0); n > 0 && (n == len(b) || !isDigit(b[n])) {
			return n
		}
	}
	*m = moment{year: noYear}
	return -1
}

// The limits of a search for a stamp: where daemons put one it stands before
// this, and a client's text behind it must not be searched for long.
const (
	searchFor     = 1024 // bytes
	searchEarly   = 128  // bytes, for a stamp that nothing marks
	searchBracket = 8    // opening brackets
)

// findStamp finds the stamp of a line without a syslog prefix: at its start,
// in its first brackets, under a JSON key, or as ISO 8601 near its start.
func findStamp(b []byte, m *moment) bool {
	b = b[:min(len(b), searchFor)]
	start := bytes.TrimLeft(b, " \t")
	if ownStamp(opened(start), m) > 0 || ownStamp(behindThread(start), m) > 0 || ownStamp(behindRole(start), m) > 0 {
		return true
	}
	if len(start) > 0 && start[0] == '{' {
		return jsonStamp(start, m)
	}
	if inBrackets(b, m) {
		return true
	}
	early := b[:min(len(b), searchEarly)]
	for _, mark := range [...]string{"msg=audit(", " t=", " ts=", " time="} {
		if _, rest, ok := bytes.Cut(early, []byte(mark)); ok && ownStamp(bytes.TrimPrefix(rest, []byte(`"`)), m) > 0 {
			return true
		}
	}
	for i := range early {
		if b[i] == ' ' || b[i] == '(' {
			if m.own(ymd, b, i+1) > 0 {
				return true
			}
		}
	}
	return false
}

// opened takes off what may stand before a stamp at the start of a line.
func opened(b []byte) []byte {
	for _, key := range [...]string{"time=", "ts=", "t=", "timestamp=", "<co ts=", "L ", "<W>", "<F>", "<C>"} {
		if rest, ok := bytes.CutPrefix(b, []byte(key)); ok {
			b = rest
			break
		}
	}
	if len(b) > 0 && (b[0] == '[' || b[0] == '(' || b[0] == '"') {
		b = b[1:]
	}
	return b
}

// behindThread returns what follows process and thread, "[0D20:0002-0E74] ",
// with which Domino begins the lines of its console log; nil without them.
func behindThread(b []byte) []byte {
	end := bytes.Index(b, []byte("] "))
	if end < 0 || b[0] != '[' || bytes.IndexByte(b[:end], ':') < 0 || bytes.IndexByte(b[:end], '-') < 0 {
		return nil
	}
	for _, c := range b[1:end] {
		if !isDigit(c) && c != ':' && c != '-' && (c < 'A' || c > 'F') {
			return nil
		}
	}
	return b[end+2:]
}

// behindRole returns what follows process and role, "1643:M ", with which Redis
// begins the lines of its log; nil without them.
func behindRole(b []byte) []byte {
	pid, rest, ok := bytes.Cut(b[:min(len(b), searchEarly)], []byte(":"))
	if !ok || !digits(pid) || len(rest) < 2 || rest[0] < 'A' || rest[0] > 'Z' || rest[1] != ' ' {
		return nil
	}
	return rest[2:]
}

// inBrackets reads the stamp in one of the first brackets. A time of day
// alone is not taken there.
func inBrackets(b []byte, m *moment) bool {
	for n := 0; n < searchBracket; n++ {
		i := bytes.IndexByte(b, '[')
		if i < 0 {
			break
		}
		b = b[i+1:]
		if ownStamp(b, m) > 0 && (m.month > 0 || m.zone == zoneEpoch) {
			return true
		}
	}
	*m = moment{year: noYear}
	return false
}

// jsonStamp reads the stamp under the first key that is one for time. A quote
// in a client's text is written \", so that the text cannot hold such a key.
func jsonStamp(b []byte, m *moment) bool {
	for _, key := range [...]string{`"time":`, `"timestamp":`, `"@timestamp":`, `"ts":`, `"$date":`, `"date":`, `"datetime":`, `"t":`} {
		for rest := b; ; {
			i := bytes.Index(rest, []byte(key))
			if i < 0 {
				break
			}
			before := bytes.TrimRight(rest[:i], " ")
			rest = bytes.TrimLeft(rest[i+len(key):], " ")
			if len(before) == 0 || before[len(before)-1] != ',' && before[len(before)-1] != '{' {
				continue
			}
			if ownStamp(bytes.TrimPrefix(rest, []byte(`"`)), m) > 0 {
				return true
			}
		}
	}
	return false
}
