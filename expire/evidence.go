package expire

import (
	"net/netip"
	"slices"

	"blockhosts/internal/record"
)

// evidence is the failures of a run, as what is shown of them is chosen.
type evidence struct {
	failures *record.Failures
	order    []int32  // their places by time; nil: as they stand
	charges  []charge // by place of the blame
}

// addEvidence gives each new block the names that were tried and the lines
// that did it.
func (b *blocks) addEvidence(ds []record.Decision, e evidence) {
	wanted := b.wanted(ds)
	if wanted == nil {
		return
	}
	for i := range e.failures.Len() {
		if e.order != nil {
			i = int(e.order[i])
		}
		w := &wanted[e.charges[e.failures.BlameAt(i)].source]
		if len(w.decisions) == 0 {
			continue
		}
		text, user := e.failures.Text(i), e.failures.UserKey(i)
		if text == "" && user == w.user {
			continue
		}
		w.user = user
		for _, d := range w.decisions {
			addEvidence(&ds[d], e.failures.User(i), text)
		}
	}
}

// A witness is an address whose failures are evidence.
type witness struct {
	decisions []int
	user      record.UserKey // of the failure before
}

// wanted returns for each address of sources the decisions that its failures
// are evidence for; nil where there are none.
func (b *blocks) wanted(ds []record.Decision) []witness {
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
	wanted := make([]witness, len(b.sources.all))
	for i := range b.sources.all {
		a := b.sources.all[i].addr
		concerned := fresh[b.policy.Key(a)]
		if slices.ContainsFunc(concerned, func(d int) bool { return !ds[d].Net.Contains(a) }) {
			concerned = slices.DeleteFunc(slices.Clone(concerned), func(d int) bool { return !ds[d].Net.Contains(a) })
		}
		wanted[i].decisions = concerned
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
