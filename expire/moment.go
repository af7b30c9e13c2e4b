package expire

import (
	"math"
	"time"
)

// A moment is a time in tenths of a second, the precision of the section,
// since the zero time.Time, so that the zero moment is the zero time. Each
// line of a flood is held against a dozen times, and whole numbers compare
// several times faster.
type moment int64

// yearOne is how many seconds the zero time.Time lies before the epoch.
const yearOne = 62_135_596_800

const tenth = 100 * time.Millisecond

// momentOf cuts t to the precision of the section.
func momentOf(t time.Time) moment {
	return moment((t.Unix()+yearOne)*10 + int64(t.Nanosecond())/int64(tenth))
}

// momentOfMicros does the same with microseconds since 1970.
func momentOfMicros(us int64) moment {
	const per = int64(tenth / time.Microsecond)
	m := us / per
	if us%per < 0 {
		m--
	}
	return moment(m + yearOne*10)
}

// time returns m in UTC.
func (m moment) time() time.Time {
	sec, rest := int64(m)/10, int64(m)%10
	if rest < 0 {
		sec, rest = sec-1, rest+10
	}
	return time.Unix(sec-yearOne, rest*int64(tenth)).UTC()
}

// since returns m-o, at most the longest Duration, as time.Time's Sub does.
func (m moment) since(o moment) time.Duration {
	const most = math.MaxInt64 / moment(tenth)
	switch d := m - o; {
	case d > most:
		return math.MaxInt64
	case d < -most:
		return math.MinInt64
	default:
		return time.Duration(d) * tenth
	}
}
