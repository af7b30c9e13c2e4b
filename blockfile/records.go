package blockfile

import (
	"net/netip"
	"strconv"
	"strings"

	"blockhosts/internal/record"
)

// parseNet reads what record.FormatNet wrote. record.ParseNet would take an
// address in a special prefix for the IPv4 address it stands for.
func parseNet(s string) (netip.Prefix, bool) {
	if strings.IndexByte(s, '/') >= 0 {
		net, err := netip.ParsePrefix(s)
		if err == nil && net.Addr().Is4In6() {
			net, err = record.ParseNet(s)
		}
		return net.Masked(), err == nil
	}
	a, err := netip.ParseAddr(s)
	a = a.Unmap()
	return record.Single(a), err == nil && a.Zone() == ""
}

func (r *reader) serviceList(list string) (names []string, ok bool) {
	r.lists.begin(strings.Count(list, ",") + 1)
	ok = eachItem(list, func(item string) bool {
		name, ok := r.name(item)
		r.lists.add(name)
		return ok
	})
	return distinct(r.lists.end(), strings.Compare), ok
}

func (r *reader) block(s string) bool {
	var x record.Block
	var err error
	ok := eachField(s, func(key, value string) (ok bool) {
		ok = true
		switch key {
		case "net":
			x.Net, ok = parseNet(value)
		case "reason":
			var name string
			name, ok = r.name(value)
			x.Reason = record.Reason(name)
		case "since":
			x.Since, ok = parseTime(value)
		case "until":
			x.Until, ok = parseTime(value)
		case "host":
			x.Host, ok = parseNet(value)
		case "count":
			x.Count, err = strconv.Atoi(value)
		case "limit":
			x.By, ok = r.name(value)
		case "by":
			x.Services, ok = r.serviceList(value)
		case "note":
			x.Note, ok = cloned(unquote(value))
		}
		return ok && err == nil
	})
	if !ok || !x.Net.IsValid() {
		return false
	}
	r.st.Blocks = append(r.st.Blocks, x)
	return true
}

func (r *reader) past(s string) bool {
	var x record.Past
	var err error
	ok := eachField(s, func(key, value string) (ok bool) {
		ok = true
		switch key {
		case "net":
			x.Net, ok = parseNet(value)
		case "blocks":
			x.Blocks, err = strconv.Atoi(value)
		case "last":
			x.Last, ok = parseTime(value)
		}
		return ok && err == nil
	})
	if !ok || !x.Net.IsValid() {
		return false
	}
	r.st.Past = append(r.st.Past, x)
	return true
}

func (r *reader) saved(s string) bool {
	t, ok := parseTenths(trim(s))
	r.st.Saved = t
	return ok
}

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
		case "unmailed":
			x.Unmailed = value == "yes"
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
