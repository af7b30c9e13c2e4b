package blockfile

import (
	"strconv"
	"strings"
	"time"
)

// never is written where a time is zero.
const never = "-"

// appendTenths writes t as seconds since the epoch with one decimal, as
// blockhosts.py 3.0 does ("%.1f"). What is finer is cut off.
func appendTenths(b []byte, t time.Time) []byte {
	n := t.Unix()*10 + int64(t.Nanosecond()/1e8)
	if n < 0 {
		b = append(b, '-')
		n = -n
	}
	b = strconv.AppendInt(b, n/10, 10)
	return append(b, '.', byte('0'+n%10))
}

// appendTime is appendTenths, for our own lines: a zero time is never.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, never...)
	}
	return appendTenths(b, t)
}

// maxSeconds keeps the year at five digits and the arithmetic in range.
const maxSeconds = 1e12

// parseTenths reads seconds since the epoch; more than one decimal is cut off.
func parseTenths(s string) (time.Time, bool) {
	s, negative := strings.CutPrefix(s, "-")
	n, digits := int64(0), 0
	for ; digits < len(s) && '0' <= s[digits] && s[digits] <= '9'; digits++ {
		if n = n*10 + int64(s[digits]-'0'); n > maxSeconds {
			return time.Time{}, false
		}
	}
	if digits == 0 {
		return time.Time{}, false
	}
	n *= 10
	if rest := s[digits:]; rest != "" {
		if rest[0] != '.' || !isDigits(rest[1:]) {
			return time.Time{}, false
		}
		if len(rest) > 1 {
			n += int64(rest[1] - '0')
		}
	}
	if negative {
		n = -n
	}
	return time.Unix(floorDiv(n, 10), (n-floorDiv(n, 10)*10)*1e8).UTC(), true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func floorDiv(n, by int64) int64 {
	if n < 0 {
		return -((by - 1 - n) / by)
	}
	return n / by
}

// parseTime reads what appendTime wrote.
func parseTime(s string) (time.Time, bool) {
	if s == never {
		return time.Time{}, true
	}
	return parseTenths(s)
}

// oldStamps are the forms that blockhosts.py 1.x and 2.0 wrote, in local time:
// "2007-02-22-14-20" and "2007-11-06 08:39:41 EST". The zone's name behind the
// second one is not unique ("EST", "IST") and no help.
var oldStamps = []string{"2006-01-02-15-04", "2006-01-02 15:04:05"}

// parseStamp reads a time in any form that a version of blockhosts.py wrote.
func parseStamp(s string, local *time.Location) (time.Time, bool) {
	s = trim(s)
	if t, ok := parseTenths(s); ok {
		return t, true
	}
	if words := strings.Fields(s); len(words) == 3 {
		s = words[0] + " " + words[1]
	}
	for _, form := range oldStamps {
		if t, err := time.ParseInLocation(form, s, local); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
