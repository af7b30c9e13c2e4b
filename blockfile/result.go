package blockfile

import (
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"blockhosts/internal/record"
)

// result puts what was read in order, and says what was dropped.
func (r *reader) result(path string) (record.State, []record.Problem) {
	r.st.Hosts = folded(r.st.Hosts, netOfHost, addHost)
	// Twice the same: the first counts, or the one that knows more.
	r.st.Blocks = folded(r.st.Blocks, netOfBlock, func(*record.Block, record.Block) {})
	r.st.Past = folded(r.st.Past, netOfPast, func(p *record.Past, q record.Past) {
		if q.Blocks > p.Blocks {
			*p = q
		}
	})
	r.adopt()
	st := &r.st
	ordered(st.Tallies, func(i, j int) bool {
		a, b := &st.Tallies[i], &st.Tallies[j]
		return a.Key < b.Key || a.Key == b.Key && a.Rule < b.Rule
	})
	ordered(st.Names, func(i, j int) bool { return st.Names[i].Name < st.Names[j].Name })
	ordered(st.Used, func(i, j int) bool { return st.Used[i].Name < st.Used[j].Name })
	ordered(st.Troubles, func(i, j int) bool { return st.Troubles[i].Text < st.Troubles[j].Text })
	r.st.Offsets = slices.DeleteFunc(r.st.Offsets, func(o record.Offset) bool { return o.Path == "" })
	r.st.Hosts, r.st.Blocks, r.st.Offsets = orNil(r.st.Hosts), orNil(r.st.Blocks), orNil(r.st.Offsets)
	return r.st, r.problems(path)
}

// orNil keeps a state without entries equal to an empty one.
func orNil[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return s
}

// ordered puts a list in order that nearly always is: one out of order was
// changed by hand, or is blockhosts.py's. Package sort is in the program once,
// slices.SortStableFunc 10 to 20 kB for each type.
func ordered(all any, before func(i, j int) bool) {
	if !sort.SliceIsSorted(all, before) {
		sort.SliceStable(all, before)
	}
}

// folded sorts all by net and joins those of one net. A section of ours is in
// order already.
func folded[T any](all []T, net func(*T) netip.Prefix, join func(*T, T)) []T {
	before := func(i, j int) bool { return byNet(net(&all[i]), net(&all[j])) < 0 }
	ready := true
	for i := 1; i < len(all) && ready; i++ {
		ready = before(i-1, i)
	}
	if ready {
		return all
	}
	sort.SliceStable(all, before)
	out := all[:1]
	for _, x := range all[1:] {
		if last := &out[len(out)-1]; net(last) == net(&x) {
			join(last, x)
		} else {
			out = append(out, x)
		}
	}
	clear(all[len(out):])
	return out
}

// addHost adds up two entries that are counted as one: those of
// "::ffff:192.0.2.1" and "192.0.2.1", or of two addresses of one prefix.
func addHost(h *record.Host, other record.Host) {
	h.Count = addCounts(h.Count, other.Count)
	if other.Last.After(h.Last) {
		h.Last = other.Last
	}
	h.Services = slices.Clone(h.Services)
	for _, s := range other.Services {
		i, ok := slices.BinarySearchFunc(h.Services, s.Service, func(a record.ServiceCount, name string) int {
			return strings.Compare(a.Service, name)
		})
		if !ok {
			h.Services = slices.Insert(h.Services, i, s)
			continue
		}
		mine := &h.Services[i]
		mine.Count = addCounts(mine.Count, s.Count)
		if s.Last.After(mine.Last) {
			mine.Last = s.Last
		}
	}
	offenders := slices.Clone(h.Offenders)
	for _, a := range other.Offenders {
		i, ok := slices.BinarySearchFunc(offenders, a, netip.Addr.Compare)
		if !ok && len(offenders) < record.MaxOffenders {
			offenders = slices.Insert(offenders, i, a)
		}
	}
	h.Offenders = offenders
}

// addCounts adds two counts that were read, neither over maxCount.
func addCounts(a, b int) int { return min(a+b, maxCount) }

// adopt makes a Block of each deny line without one whose address is on
// record: blockhosts.py wrote it, and nothing about it is news. The others
// were written by hand, or are long over.
func (r *reader) adopt() {
	ordered(r.denials, func(i, j int) bool { return byNet(r.denials[i].net, r.denials[j].net) < 0 })
	recorded := r.st.Blocks // in order, as the lines are
	known := len(recorded)
	for i, d := range r.denials {
		if i > 0 && r.denials[i-1].net == d.net {
			continue
		}
		for len(recorded) > 0 && byNet(recorded[0].Net, d.net) < 0 {
			recorded = recorded[1:]
		}
		if len(recorded) > 0 && recorded[0].Net == d.net {
			continue
		}
		h, ok := r.hostOf(d.net)
		if !ok {
			r.byHand.add(d.line)
			continue
		}
		x := record.Block{Net: d.net, Host: h.Net, Reason: record.ReasonCount, Since: h.Last, Count: h.Count}
		if !d.net.IsSingleIP() {
			x.Reason = record.ReasonPrefix
		}
		for _, s := range h.Services {
			x.Services = append(x.Services, s.Service)
		}
		r.st.Blocks = append(r.st.Blocks, x)
	}
	if len(r.st.Blocks) > known {
		ordered(r.st.Blocks, func(i, j int) bool { return byNet(r.st.Blocks[i].Net, r.st.Blocks[j].Net) < 0 })
	}
}

// hostOf returns the entry that a deny line on net belongs to: the one on net,
// or the prefix in which the address offended.
func (r *reader) hostOf(net netip.Prefix) (record.Host, bool) {
	i, ok := slices.BinarySearchFunc(r.st.Hosts, net, func(h record.Host, n netip.Prefix) int { return byNet(h.Net, n) })
	if ok {
		return r.st.Hosts[i], true
	}
	// The prefix that holds net starts at or before it.
	for i--; i >= 0 && net.IsSingleIP(); i-- {
		h := r.st.Hosts[i]
		if !h.Net.Contains(net.Addr()) {
			break
		}
		if _, ok := slices.BinarySearchFunc(h.Offenders, net.Addr(), netip.Addr.Compare); ok {
			return h, true
		}
	}
	return record.Host{}, false
}

// problems says what was dropped, one Problem a kind.
func (r *reader) problems(path string) []record.Problem {
	var all []record.Problem
	for _, p := range []struct {
		d         dropped
		key, text string
	}{
		{r.unknown, "unknown lines in the section", "lines that blockhosts does not know, dropped; rules of your own belong above the first marker or below the second"},
		{r.unreadable, "unreadable lines in the section", "lines that cannot be read, dropped"},
		{r.stamps, "unreadable times in the section", "times that cannot be read, taken as now"},
		{r.byHand, "deny lines without a record in the section", "deny lines without an entry, dropped; \"blockhosts block ADDRESS\" keeps one out, and so does a line above the first marker"},
	} {
		if p.d.count > 0 {
			all = append(all, record.Problem{
				Key:  "blockfile " + path + ": " + p.key,
				Text: fmt.Sprintf("%s: in the section: %d %s; the first: %s", path, p.d.count, p.text, quote(p.d.first)),
			})
		}
	}
	return all
}

// quote makes foreign text fit to be shown.
func quote(s string) string { return fmt.Sprintf("%.200q", s) }
