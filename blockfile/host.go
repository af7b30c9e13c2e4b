package blockfile

import (
	"net/netip"
	"strconv"
	"time"

	"blockhosts/internal/record"
)

// appendHosts writes the watched and blocked addresses. What stands before
// the "#" is the line of blockhosts.py 3.0, to the blank; the rest is ours.
func appendHosts(b []byte, hosts []record.Host) []byte {
	for i := range hosts {
		h := &hosts[i]
		if !h.Net.IsValid() {
			continue
		}
		start := len(b)
		b = append(b, tag+" ip: "...)
		b = appendPadded(b, 15, func(b []byte) []byte { return appendShown(b, h) })
		b = append(b, " : "...)
		b = appendPadded(b, 3, func(b []byte) []byte { return strconv.AppendInt(b, int64(h.Count), 10) })
		b = append(b, " : "...)
		b = appendTenths(b, h.Last)
		b = append(b, " # "...)
		b = appendDate(b, h.Last)
		if h.Net.Addr().Is6() {
			b = h.Net.AppendTo(appendKey(b, "net"))
		}
		b = appendOffenders(b, h.Offenders)
		b = appendCounts(b, h)
		b = endLine(b, start)
	}
	return b
}

// appendDate writes t as "2006-01-02 15:04:05 UTC".
func appendDate(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 1000 || year > 9999 {
		return t.AppendFormat(b, "2006-01-02 15:04:05 UTC")
	}
	b = append2(append2(b, year/100), year%100)
	b = append2(append(b, '-'), int(month))
	b = append2(append(b, '-'), day)
	b = append2(append(b, ' '), t.Hour())
	b = append2(append(b, ':'), t.Minute())
	b = append2(append(b, ':'), t.Second())
	return append(b, " UTC"...)
}

func append2(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// appendShown writes the address that blockhosts.py is to see: it knows no
// prefixes, so that a single offender stands for his.
func appendShown(b []byte, h *record.Host) []byte {
	if len(h.Offenders) == 1 {
		return h.Offenders[0].AppendTo(b)
	}
	return appendNet(b, h.Net)
}

// appendPadded sets what add writes to the right of a column.
func appendPadded(b []byte, width int, add func([]byte) []byte) []byte {
	start := len(b)
	b = add(b)
	if n := width - (len(b) - start); n > 0 {
		end := len(b)
		b = append(b, "               "[:n]...)
		copy(b[start+n:], b[start:end])
		for i := range n {
			b[start+i] = ' '
		}
	}
	return b
}

// appendNet writes net as record.FormatNet has it.
func appendNet(b []byte, net netip.Prefix) []byte {
	if net.IsSingleIP() {
		return net.Addr().AppendTo(b)
	}
	return net.AppendTo(b)
}

func appendOffenders(b []byte, addrs []netip.Addr) []byte {
	for i, a := range addrs {
		if i == 0 {
			b = appendKey(b, "from")
		} else {
			b = append(b, ',')
		}
		b = a.AppendTo(b)
	}
	return b
}

// appendCounts writes "by=sshd:8,vsftpd:1:1795247555.3" and, where a limiter
// needs them, the average and the stamps: the service's behind its time, the
// host's own in fields of their own.
func appendCounts(b []byte, h *record.Host) []byte {
	for i := range h.Services {
		s := &h.Services[i]
		if i == 0 {
			b = appendKey(b, "by")
		} else {
			b = append(b, ',')
		}
		b = append(appendText(b, s.Service), ':')
		b = strconv.AppendInt(b, int64(s.Count), 10)
		limited := s.Average != 0 || len(s.Stamps) > 0
		if limited || !s.Last.Equal(h.Last) {
			b = appendTime(append(b, ':'), s.Last)
		}
		if limited {
			b = appendAverage(append(b, ':'), s.Average)
			b = appendStamps(append(b, ':'), s.Stamps)
		}
	}
	if h.Average != 0 {
		b = appendAverage(appendKey(b, "average"), h.Average)
	}
	if len(h.Stamps) > 0 {
		b = appendStamps(appendKey(b, "stamps"), h.Stamps)
	}
	return b
}

// appendAverage writes the shortest number that is read as the same one.
func appendAverage(b []byte, average float64) []byte {
	return strconv.AppendFloat(b, average, 'g', -1, 64)
}

func appendStamps(b []byte, stamps []time.Time) []byte {
	for i, at := range stamps {
		if i > 0 {
			b = append(b, '/')
		}
		b = appendTime(b, at)
	}
	return b
}
