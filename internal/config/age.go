package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day

	// maxAge keeps sums of a time and an age far from where time.Duration
	// (292 years) overflows.
	maxAge = 5200 * week
)

type unit struct {
	letter byte
	d      time.Duration
}

var units = []unit{{'w', week}, {'d', day}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}

// parseDuration reads 30s, 10m, 12h, 7d, 4w, 1d12h: whole numbers, each unit
// once, the largest first.
func parseDuration(s string) (time.Duration, error) {
	wrong := fmt.Errorf("want a duration, found %s", quote(s))
	var sum time.Duration
	left := units
	for rest := s; ; {
		n := 0
		for n < len(rest) && '0' <= rest[n] && rest[n] <= '9' {
			n++
		}
		if n == 0 || n == len(rest) {
			return 0, wrong
		}
		i := slices.IndexFunc(left, func(u unit) bool { return u.letter == rest[n] })
		if i < 0 {
			return 0, wrong
		}
		count, err := strconv.ParseInt(rest[:n], 10, 64)
		if err != nil || count > int64(maxAge/left[i].d) {
			return 0, fmt.Errorf("%s is over 100 years", quote(s))
		}
		sum += time.Duration(count) * left[i].d
		left, rest = left[i+1:], rest[n+1:]
		if sum > maxAge {
			return 0, fmt.Errorf("%s is over 100 years", quote(s))
		}
		if rest == "" {
			return sum, nil
		}
	}
}

// ParseAge reads the argument of --discard: whole hours, as blockhosts.py took
// them, or a duration as in the file.
func ParseAge(s string) (time.Duration, error) {
	if s != "" && strings.Trim(s, "0123456789") == "" {
		s += "h"
	}
	age, err := parseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%w; write whole hours, or 30s 10m 12h 7d 4w 1d12h", err)
	}
	return age, nil
}

// FormatAge writes an age as ParseAge and the file take it, in days and
// smaller units; what is less than a second is dropped.
func FormatAge(age time.Duration) string {
	if age < time.Second {
		return "0s"
	}
	var s string
	for _, u := range units[1:] { // 30d is read more easily than 4w2d
		if n := age / u.d; n > 0 {
			s += strconv.FormatInt(int64(n), 10) + string(u.letter)
			age -= n * u.d
		}
	}
	return s
}
