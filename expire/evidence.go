package expire

import (
	"net/netip"
	"slices"

	"blockhosts/internal/record"
)

// evidence is the failures of a run, as what is shown of them is chosen.
type evidence struct {
	failures *record.Failures
	order    []int32 // their places by time; nil: as they stand
	places   []int32 // of their addresses in sources
}

// addEvidence gives each new block the names that were tried and the lines
// that did it.
func (b *blocks) addEvidence(ds []record.Decision, e evidence) {
	wanted := b.wanted(ds)
	if wanted == nil {
		return
	}
	for i := range e.places {
		if e.order != nil {
			i = int(e.order[i])
		}
		for _, d := range wanted[e.places[i]] {
			addEvidence(&ds[d], e.failures.User(i), e.failures.Text(i))
		}
	}
}

// wanted returns for each address of sources the decisions that its failures
// are evidence for; nil where there are none.
func (b *blocks) wanted(ds []record.Decision) [][]int {
	fresh := map[netip.Prefix][]int{} // by the key under which the failures were counted
	for i := range ds {
		if d := &ds[i]; d.Action == record.ActionBlock || d.Action == record.ActionSpared {
			key := d.Net
			if d.Net.IsSingleIP() {
				key = b.policy.Key(d.Net.Addr())
			}
			fresh[key] = append(fresh[key], i)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	wanted := make([][]int, len(b.sources.all))
	for i := range b.sources.all {
		a := b.sources.all[i].addr
		concerned := fresh[b.policy.Key(a)]
		if slices.ContainsFunc(concerned, func(d int) bool { return !ds[d].Net.Contains(a) }) {
			concerned = slices.DeleteFunc(slices.Clone(concerned), func(d int) bool { return !ds[d].Net.Contains(a) })
		}
		wanted[i] = concerned
	}
	return wanted
}

func addEvidence(d *record.Decision, user, text string) {
	if text != "" && len(d.Lines) < record.EvidenceLines {
		if d.Lines == nil {
			d.Lines = make([]string, 0, record.EvidenceLines)
		}
		d.Lines = append(d.Lines, text)
	}
	if user == "" || len(d.Users) == maxUsers || slices.Contains(d.Users, user) {
		return
	}
	i, _ := slices.BinarySearch(d.Users, user)
	d.Users = slices.Insert(d.Users, i, user)
}
