package blockfile

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"blockhosts/internal/record"
)

func (r *reader) serviceList(list string) (names []string, ok bool) {
	r.lists.begin(strings.Count(list, ",") + 1)
	ok = eachItem(list, func(item string) bool {
		name, ok := r.name(item)
		r.lists.add(name)
		return ok
	})
	return distinct(r.lists.end(), strings.Compare), ok
}

// add reads one record, "key=value key=value …", to the end of list. Each field
// is given to set, a method by its expression: a closure or a record of its
// own would be two allocations a line.
func add[T any](r *reader, list *[]T, fields string, set func(r *reader, x *T, key, value string) bool) bool {
	*list = append(*list, *new(T))
	x := &(*list)[len(*list)-1]
	if eachField(fields, func(key, value string) bool { return set(r, x, key, value) }) {
		return true
	}
	dropLast(list)
	return false
}

// addNet is add for a record that is nothing without a net.
func addNet[T any](r *reader, list *[]T, fields string, set func(r *reader, x *T, key, value string) bool, net func(*T) netip.Prefix) bool {
	if !add(r, list, fields, set) {
		return false
	}
	if net(&(*list)[len(*list)-1]).IsValid() {
		return true
	}
	dropLast(list)
	return false
}

func dropLast[T any](list *[]T) {
	clear((*list)[len(*list)-1:])
	*list = orNil((*list)[:len(*list)-1])
}

// The functions below take the text of a field into a record. A key that they
// do not know is of a later version.

func number(value string, to *int) (ok bool) {
	*to, ok = parseCount(value)
	return ok
}

// maxCount is the highest count that is believed: a thousand times the highest
// limit, and so far from the end of an int that what is added cannot make it
// negative, which no limit would ever stop.
const maxCount = 1_000_000_000

// parseCount reads a count. One over maxCount is that.
func parseCount(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	if err != nil && !errors.Is(err, strconv.ErrRange) || n < 0 {
		return 0, false
	}
	return min(n, maxCount), true
}

func word[T ~string](r *reader, value string, to *T) bool {
	name, ok := r.name(value)
	*to = T(name)
	return ok
}

func (r *reader) block(s string) bool {
	return addNet(r, &r.st.Blocks, s, (*reader).blockField, netOfBlock)
}

func (r *reader) blockField(x *record.Block, key, value string) (ok bool) {
	ok = true
	switch key {
	case "net":
		x.Net, ok = parseNet(value)
	case "reason":
		ok = word(r, value, &x.Reason)
	case "since":
		x.Since, ok = parseTime(value)
	case "until":
		x.Until, ok = parseTime(value)
	case "host":
		x.Host, ok = parseNet(value)
	case "count":
		ok = number(value, &x.Count)
	case "limit":
		ok = word(r, value, &x.By)
	case "by":
		x.Services, ok = r.serviceList(value)
	case "note":
		x.Note, ok = cloned(unquote(value))
	}
	return ok
}

func (r *reader) past(s string) bool {
	return addNet(r, &r.st.Past, s, (*reader).pastField, netOfPast)
}

func (r *reader) pastField(x *record.Past, key, value string) (ok bool) {
	ok = true
	switch key {
	case "net":
		x.Net, ok = parseNet(value)
	case "blocks":
		ok = number(value, &x.Blocks)
	case "last":
		x.Last, ok = parseTime(value)
	}
	return ok
}

func (r *reader) saved(s string) bool {
	t, ok := parseTenths(trim(s))
	r.st.Saved = t
	return ok
}

func (r *reader) tally(s string) bool { return add(r, &r.st.Tallies, s, (*reader).tallyField) }

func (r *reader) tallyField(x *record.Tally, key, value string) (ok bool) {
	ok = true
	switch key {
	case "key":
		var err error
		x.Key, err = strconv.ParseUint(value, 16, 64)
		ok = err == nil
	case "rule":
		ok = word(r, value, &x.Rule)
	case "lines":
		ok = number(value, &x.Lines)
	case "last":
		x.Last, ok = parseTime(value)
	}
	return ok
}

func (r *reader) event(s string) bool { return add(r, &r.st.Unmailed, s, (*reader).eventField) }

func (r *reader) eventField(x *record.Event, key, value string) (ok bool) {
	ok = true
	switch key {
	case "at":
		x.At, ok = parseTime(value)
	case "action":
		ok = word(r, value, &x.Action)
	case "net":
		x.Net, ok = parseNet(value)
	case "reason":
		ok = word(r, value, &x.Reason)
	case "count":
		ok = number(value, &x.Count)
	case "before":
		ok = number(value, &x.Before)
	case "by":
		x.Services, ok = r.serviceList(value)
	}
	return ok
}

func (r *reader) hostName(s string) bool { return add(r, &r.st.Names, s, (*reader).nameField) }

func (r *reader) nameField(x *record.Name, key, value string) (ok bool) {
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
}

func (r *reader) trouble(s string) bool { return add(r, &r.st.Troubles, s, (*reader).troubleField) }

func (r *reader) troubleField(x *record.Trouble, key, value string) (ok bool) {
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
