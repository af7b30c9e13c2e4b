package logscan

import (
	"bytes"
	"time"

	"blockhosts/internal/record"
)

// A setting is what the lines of one stretch have in common.
type setting struct {
	bare         bool      // lines may begin without a stamp
	now          time.Time // of the run, in UTC
	zone         *time.Location
	since, until time.Time // as in Options
	clockRun     bool
	read         time.Time // when the log was read last; zero where it never was
	mode         mode
}

// setting returns that of a stretch.
func (s *scan) setting(l *log, st *stretch) *setting {
	return &setting{bare: s.bareLog(st), now: s.opt.Now.UTC(), zone: l.zone, since: s.opt.Since, until: s.opt.Until,
		clockRun: s.opt.ClockRun, read: st.read, mode: st.mode}
}

// A fate is what a line's stamp makes of its failure.
type fate uint8

const (
	counted    fate = iota
	wrongZone       // counted as now: the stamp cannot be right
	seenBefore      // counted in an earlier run
	notWanted       // not of the time that is asked for
)

// zoneSlack is how much older than the reading before a new line may be
// stamped. The hour that summer time's end repeats is just within it.
const zoneSlack = time.Hour

// fate returns what becomes of a failure at a time.
func (of *setting) fate(at time.Time) fate {
	switch {
	case at.Before(of.since), !of.until.IsZero() && at.After(of.until):
		return notWanted
	case of.read.IsZero():
		return counted
	case of.mode == goesOn && at.Before(of.read.Add(-zoneSlack)):
		return wrongZone
	case of.mode == again && at.Before(of.read.Add(-settle)):
		return seenBefore
	}
	return counted
}

// A dating tells when the failures of lines count. Many lines in a row have the
// same stamp: what came of the latest is known.
type dating struct {
	of      *setting
	stamp   []byte // as written, with the word behind it; empty: of a line that begins without one
	written time.Time
	at      int64 // microseconds since 1970
	fate    fate
}

// when returns when a line's failure counts, in microseconds since 1970.
func (d *dating) when(of *setting, line *record.Line) (at int64, f fate) {
	prefixed := line.Form != record.FormNone && line.Form != record.FormBare
	if d.of == of && prefixed && len(d.stamp) > 0 && bytes.HasPrefix(line.Raw, d.stamp) {
		return d.at, d.fate
	}
	d.of, d.stamp = of, d.stamp[:0]
	var ok bool
	if prefixed {
		ok = d.prefix(line.Raw)
	} else {
		d.written, ok = Stamp(line, of.now, of.zone)
	}
	if !ok {
		d.written = of.now
	}
	if d.fate = of.fate(d.written); !ok && d.fate != notWanted {
		d.fate = counted
	}
	if d.at = d.written.UnixMicro(); d.fate == wrongZone || of.clockRun {
		d.at = of.now.UnixMicro()
	}
	return d.at, d.fate
}

// prefix is Stamp for a line with a prefix. It notes the stamp as it is written,
// and the word behind it, mostly the host: in another line with the same
// beginning that word could be a year or a zone.
func (d *dating) prefix(raw []byte) (ok bool) {
	m := moment{year: noYear}
	_, end := prefixStamp(raw, &m)
	if d.written, ok = m.time(d.of.now, d.of.zone); ok && end < len(raw) {
		if word := bytes.IndexByte(raw[end+1:], ' '); word >= 0 {
			d.stamp = append(d.stamp, raw[:end+1+word+1]...)
		}
	}
	return ok
}
