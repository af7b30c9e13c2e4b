package expire

import (
	"net/netip"
	"slices"

	"blockhosts/internal/record"
)

// maxUsers is how many of the names tried a decision carries: enough to see
// whether somebody guesses or has mistyped.
const maxUsers = 10

// Evidence adds to the decisions that Apply made on failures the names that were
// tried and the lines that did it. Nothing is decided by them, and only a mail
// shows them.
func Evidence(decisions []record.Decision, failures *record.Failures, p Policy) {
	p = p.ready()
	suspects := p.suspects(decisions, failures.Blames())
	if suspects == nil {
		return
	}
	order := inOrder(failures)
	for i := range failures.Len() {
		if order != nil {
			i = int(order[i])
		}
		s := suspects[failures.BlameAt(i)]
		if s == nil {
			continue
		}
		text, user := failures.Text(i), failures.UserKey(i)
		if text == "" && user == s.user {
			continue
		}
		s.user = user
		for _, d := range s.decisions {
			addEvidence(&decisions[d], failures.User(i), text)
		}
	}
}

// A suspect is an address whose failures are evidence.
type suspect struct {
	decisions []int
	user      record.UserKey // of the failure before
}

// suspects returns for each blame the suspect that it names, nil for none; all
// nil where there are no decisions to prove.
func (p *Policy) suspects(ds []record.Decision, blames []*record.Blame) []*suspect {
	fresh := map[netip.Prefix][]int{} // by the key under which the failures were counted
	for i := range ds {
		if d := &ds[i]; d.Action == record.ActionBlock || d.Action == record.ActionSpared {
			key := d.Net
			if d.Net.IsSingleIP() {
				key = p.Key(d.Net.Addr())
			}
			fresh[key] = append(fresh[key], i)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	all, known := make([]*suspect, len(blames)), map[netip.Addr]*suspect{}
	for i, b := range blames {
		s, ok := known[b.Addr]
		if !ok {
			s = suspectOf(b.Addr, fresh[p.Key(b.Addr)], ds)
			known[b.Addr] = s
		}
		all[i] = s
	}
	return all
}

// suspectOf returns the suspect at a, whose prefix the decisions concern.
func suspectOf(a netip.Addr, concerned []int, ds []record.Decision) *suspect {
	others := func(d int) bool { return !ds[d].Net.Contains(a) }
	if slices.ContainsFunc(concerned, others) {
		concerned = slices.DeleteFunc(slices.Clone(concerned), others)
	}
	if len(concerned) == 0 {
		return nil
	}
	return &suspect{decisions: concerned}
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
