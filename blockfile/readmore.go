package blockfile

import (
	"net/netip"
	"strconv"
	"strings"

	"blockhosts/internal/record"
)

func (r *reader) tally(s string) bool {
	var x record.Tally
	var err error
	ok := eachField(s, func(key, value string) (ok bool) {
		ok = true
		switch key {
		case "key":
			x.Key, err = strconv.ParseUint(value, 16, 64)
		case "rule":
			x.Rule, ok = r.name(value)
		case "lines":
			x.Lines, err = strconv.Atoi(value)
		case "last":
			x.Last, ok = parseTime(value)
		}
		return ok && err == nil
	})
	if ok {
		r.st.Tallies = append(r.st.Tallies, x)
	}
	return ok
}

func (r *reader) event(s string) bool {
	var x record.Event
	var err error
	ok := eachField(s, func(key, value string) (ok bool) {
		ok = true
		var name string
		switch key {
		case "at":
			x.At, ok = parseTime(value)
		case "action":
			name, ok = r.name(value)
			x.Action = record.Action(name)
		case "net":
			x.Net, ok = parseNet(value)
		case "reason":
			name, ok = r.name(value)
			x.Reason = record.Reason(name)
		case "count":
			x.Count, err = strconv.Atoi(value)
		case "before":
			x.Before, err = strconv.Atoi(value)
		case "by":
			x.Services, ok = r.serviceList(value)
		}
		return ok && err == nil
	})
	if ok {
		r.st.Unmailed = append(r.st.Unmailed, x)
	}
	return ok
}

func (r *reader) hostName(s string) bool {
	var x record.Name
	ok := eachField(s, func(key, value string) (ok bool) {
		ok = true
		switch key {
		case "name":
			x.Name, ok = cloned(unquote(value))
		case "addrs":
			ok = eachItem(value, func(item string) bool {
				a, err := netip.ParseAddr(item)
				x.Addrs = append(x.Addrs, a)
				return err == nil
			})
		}
		return ok
	})
	if ok {
		r.st.Names = append(r.st.Names, x)
	}
	return ok
}

func (r *reader) trouble(s string) bool {
	var x record.Trouble
	ok := eachField(s, func(key, value string) (ok bool) {
		ok = true
		switch key {
		case "since":
			x.Since, ok = parseTime(value)
		case "told":
			x.Told, ok = parseTime(value)
		case "text":
			x.Text, ok = cloned(unquote(value))
		}
		return ok
	})
	if ok {
		r.st.Troubles = append(r.st.Troubles, x)
	}
	return ok
}

func (r *reader) blocker(s string) bool {
	word, fields := cutField(s)
	name, ok := cloned(unquote(word))
	x := record.Used{Name: name}
	ok = ok && eachField(fields, func(key, value string) bool {
		k, kOK := cloned(unquote(key))
		v, vOK := cloned(unquote(value))
		if x.Names == nil {
			x.Names = map[string]string{}
		}
		x.Names[k] = v
		return kOK && vOK
	})
	if ok {
		r.st.Used = append(r.st.Used, x)
	}
	return ok
}

// A dropped counts what could not be used, and remembers the first.
type dropped struct {
	count int
	first string
}

func (d *dropped) add(text string) {
	if d.count++; d.count == 1 {
		d.first = strings.Clone(trim(text[:min(len(text), 1000)]))
	}
}
