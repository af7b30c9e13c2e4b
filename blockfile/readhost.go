package blockfile

import (
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// ip reads an entry of ours or of blockhosts.py: address, count, time, with
// " : " between them, in older versions with other blanks.
func (r *reader) ip(s string) bool {
	s, tail, _ := strings.Cut(s, "#")
	at, s, ok := cutAddr(trim(s))
	digits, stamp, found := strings.Cut(s, ":")
	if !ok || !found {
		return false
	}
	count, ok := parseCount(trim(digits))
	if !ok {
		return false
	}
	h := record.Host{Counter: record.Counter{Count: count}}
	if h.Last, ok = parseStamp(stamp, r.o.Local); !ok {
		r.stamps.add(stamp)
		h.Last = r.o.Now.UTC().Truncate(100 * time.Millisecond)
	}
	if !r.place(&h, at, tail) {
		return false
	}
	r.st.Hosts = append(r.st.Hosts, h)
	return true
}

// cutAddr takes the address off an entry. The addresses of IPv6 have colons
// themselves: it is the blank that ends one.
func cutAddr(s string) (at, rest string, ok bool) {
	end := 0
	for end < len(s) && !isBlank(s[end]) {
		end++
	}
	at, rest = s[:end], trimLeft(s[end:])
	if dot := strings.IndexByte(at, '.'); dot > 0 {
		if colon := strings.IndexByte(at, ':'); colon > dot { // "192.0.2.1:8"
			return at[:colon], s[colon+1:], true
		}
	}
	if rest, ok = strings.CutPrefix(rest, ":"); ok {
		return at, rest, true
	}
	at, ok = strings.CutSuffix(at, ":")
	return at, rest, ok
}

// place finds out what h is counted by: what our own fields behind the "#"
// say, unless the address in front was changed by hand; else the address, or
// its prefix.
func (r *reader) place(h *record.Host, at, tail string) bool {
	net, addr, ok := readAt(at)
	if !ok {
		return false
	}
	if fields, ours := cutDate(tail); ours && !r.details(h, fields) {
		*h = record.Host{Counter: record.Counter{Count: h.Count, Last: h.Last}}
		r.unreadable.add(tail)
	}
	switch {
	case net.IsValid(): // a prefix
		if h.Net != net {
			h.Net, h.Offenders = net, nil
		}
	case h.Net.IsValid() && h.Net.Contains(addr):
	case addr.Is4():
		h.Net, h.Offenders = record.Single(addr), nil
	default:
		h.Net, h.Offenders = r.key(addr), r.addrs.one(addr)
	}
	h.Offenders = orNil(slices.DeleteFunc(h.Offenders, func(a netip.Addr) bool { return !h.Net.Contains(a) }))
	return true
}

// cutDate takes " 2006-01-02 15:04:05 UTC" off what stands behind the "#".
func cutDate(tail string) (fields string, ours bool) {
	const date, zone = len(" 2006-01-02 15:04:05"), " UTC"
	if len(tail) > date && strings.HasPrefix(tail[date:], zone) {
		return tail[date+len(zone):], true
	}
	_, fields, ours = strings.Cut(tail, zone)
	return fields, ours
}

// readAt reads an address, which is valid, or a prefix, which is then net.
func readAt(s string) (net netip.Prefix, addr netip.Addr, ok bool) {
	if addr, ok = parseIPv4(s); ok {
		return net, addr, true
	}
	if strings.IndexByte(s, '/') >= 0 {
		net, ok = parseNet(s)
		return net, addr, ok
	}
	addr, err := record.ParseAddr(s)
	return net, addr, err == nil
}

// key returns what an address of blockhosts.py is counted by. It is expire's
// rule: link-local addresses singly, others by their prefix.
func (r *reader) key(a netip.Addr) netip.Prefix {
	if a.IsLinkLocalUnicast() {
		return record.Single(a)
	}
	net, _ := a.Prefix(r.o.IPv6Prefix)
	return net
}

// details reads what stands behind the date.
func (r *reader) details(h *record.Host, fields string) bool {
	return eachField(fields, func(key, value string) (ok bool) {
		switch key {
		case "net":
			h.Net, ok = parseNet(value)
			return ok
		case "from":
			h.Offenders, ok = r.offenders(value)
			return ok
		case "by":
			h.Services, ok = r.counts(value, h.Last)
			return ok
		case "average":
			h.Average, ok = parseAverage(value)
			return ok
		case "stamps":
			h.Stamps, ok = parseStamps(value)
			return ok
		}
		return true // of a later version
	})
}

func (r *reader) offenders(list string) ([]netip.Addr, bool) {
	r.addrs.begin(strings.Count(list, ",") + 1)
	ok := eachItem(list, func(item string) bool {
		a, err := netip.ParseAddr(item)
		r.addrs.add(record.Canonical(a))
		return err == nil
	})
	addrs := distinct(r.addrs.end(), netip.Addr.Compare)
	return addrs[:min(len(addrs), record.MaxOffenders)], ok
}

func (r *reader) counts(list string, last time.Time) ([]record.ServiceCount, bool) {
	r.services.begin(strings.Count(list, ",") + 1)
	ok := eachItem(list, func(item string) bool {
		name, rest := cutUnquoted(item, ':')
		digits, at, timed := strings.Cut(rest, ":")
		s := record.ServiceCount{Counter: record.Counter{Last: last}}
		var named, stamped bool
		s.Service, named = r.name(name)
		if stamped = true; timed {
			stamped = readLimits(&s, at)
		}
		var counted bool
		s.Count, counted = parseCount(digits)
		r.services.add(s)
		return named && stamped && counted
	})
	byName := func(a, b record.ServiceCount) int { return strings.Compare(a.Service, b.Service) }
	return distinct(r.services.end(), byName), ok
}

// distinct puts a list that was changed by hand in order.
func distinct[T any](list []T, order func(a, b T) int) []T {
	for i := 1; i < len(list); i++ {
		if order(list[i-1], list[i]) >= 0 {
			sort.SliceStable(list, func(i, j int) bool { return order(list[i], list[j]) < 0 })
			return slices.CompactFunc(list, func(a, b T) bool { return order(a, b) == 0 })
		}
	}
	return list
}

// readLimits reads "time" or "time:average:stamps".
func readLimits(s *record.ServiceCount, text string) (ok bool) {
	at, rest, limited := strings.Cut(text, ":")
	if s.Last, ok = parseTime(at); !ok || !limited {
		return ok
	}
	average, stamps, _ := strings.Cut(rest, ":")
	if s.Average, ok = parseAverage(average); !ok {
		return false
	}
	s.Stamps, ok = parseStamps(stamps)
	return ok
}

// parseAverage refuses what no average can be.
func parseAverage(text string) (float64, bool) {
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil && x >= 0 && x < 1e18
}

// parseStamps reads the stamps of one counter, and puts those in order that
// were changed by hand.
func parseStamps(text string) ([]time.Time, bool) {
	if text == "" {
		return nil, true
	}
	stamps := make([]time.Time, 0, strings.Count(text, "/")+1)
	for item := range strings.SplitSeq(text, "/") {
		at, ok := parseTime(item)
		if !ok {
			return nil, false
		}
		stamps = append(stamps, at)
	}
	if !slices.IsSortedFunc(stamps, time.Time.Compare) {
		sort.Slice(stamps, func(i, j int) bool { return stamps[i].Before(stamps[j]) })
	}
	return stamps[max(0, len(stamps)-record.MaxStamps):], true
}
