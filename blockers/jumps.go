package blockers

import (
	"fmt"
	"slices"
	"strings"
)

// jumps are the rules that lead packets from the system's chains to ours: one
// from each hook. Listings are lines as "iptables -S" prints them.
type jumps struct {
	to    string // our chain
	hooks []string
	after bool // behind the hook's rule that accepts established connections, not first
}

// readJumps reads the options that say where our chain stands.
func readJumps(o *options, chain string) jumps {
	return jumps{
		to:    o.word("chain", chain, chainName, "a chain's name of at most 28 letters, digits and _ . -"),
		hooks: o.list("hooks", []string{"INPUT", "FORWARD"}, chainName, "chains such as INPUT, FORWARD, DOCKER-USER"),
		after: o.choice("position", "first", "after-established") == "after-established",
	}
}

func (j jumps) check() error {
	if builtin(j.to) || slices.Contains(j.hooks, j.to) {
		return fmt.Errorf("chain: %q is one of the system's own", j.to)
	}
	return nil
}

// A hook is one of the system's chains and what leads from it to ours.
type hook struct {
	name   string
	exists bool
	jumps  []string // rules that lead to our chain, as listed
	exact  int      // how many of these are as we write them
	dead   bool     // a rule before the first of them ends the way of every packet
	place  int      // where a new one goes once all of these are gone
}

// hook finds out how a hook stands.
func (j jumps) hook(name string, lines []string) hook {
	h := hook{name: name, place: 1, exists: builtin(name)}
	position, final := 1, false
	for _, line := range lines {
		rule, ok := strings.CutPrefix(line, "-A "+name+" ")
		switch {
		case line == "-N "+name:
			h.exists = true
		case !ok:
		case leadsTo(rule, j.to):
			h.jumps = append(h.jumps, line)
			if rule == "-j "+j.to {
				h.exact++
				h.dead = h.dead || final
			}
		default:
			position++
			final = final || endsAll(rule)
			if j.after && h.place == 1 && acceptsEstablished(rule) {
				h.place = position
			}
		}
	}
	return h
}

// ok tells whether exactly one jump leads to our chain, where packets come by.
// One that was moved stays where the administrator put it.
func (h hook) ok() bool { return h.exact == 1 && len(h.jumps) == 1 && !h.dead }

// mend writes what leaves one jump in each hook.
func (j jumps) mend(b *strings.Builder, lines []string) {
	for _, name := range j.all() {
		h := j.hook(name, lines)
		wanted := slices.Contains(j.hooks, name)
		if wanted && h.ok() || !h.exists {
			continue
		}
		for _, line := range h.jumps {
			b.WriteString("-D" + line[2:] + "\n")
		}
		if wanted {
			fmt.Fprintf(b, "-I %s %d -j %s\n", name, h.place, j.to)
		}
	}
}

// all returns the hooks, and before them those that a former configuration may
// have used. A jump from any other chain is the administrator's.
func (j jumps) all() []string {
	list := slices.Clone(j.hooks)
	for _, name := range []string{"INPUT", "FORWARD", "DOCKER-USER"} {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// remove writes what takes every jump away, also the administrator's own: a
// chain that is referred to cannot be removed.
func (j jumps) remove(b *strings.Builder, lines []string) {
	for _, line := range lines {
		if rule, ok := strings.CutPrefix(line, "-A "); ok && leadsTo(rule, j.to) {
			b.WriteString("-D" + line[2:] + "\n")
		}
	}
}

func (j jumps) faults(title string, lines []string) []string {
	var list []string
	for _, name := range j.hooks {
		if h := j.hook(name, lines); h.exists && !h.ok() {
			list = append(list, fmt.Sprintf("%s: want one jump from %s to %s, found %d", title, name, j.to, len(h.jumps)))
		}
	}
	return list
}

// notes names the hooks that are not there, as DOCKER-USER before Docker runs:
// an insertion there would make the whole batch fail.
func (j jumps) notes(title string, lines []string) []string {
	var list []string
	for _, name := range j.hooks {
		if !j.hook(name, lines).exists {
			list = append(list, fmt.Sprintf("%s: there is no chain %s: nothing blocked there until somebody makes it", title, name))
		}
	}
	return list
}

func builtin(chain string) bool {
	return slices.Contains([]string{"INPUT", "FORWARD", "OUTPUT"}, chain)
}

// leadsTo tells whether a rule jumps (or goes) to a chain.
func leadsTo(rule, chain string) bool {
	if !strings.Contains(rule, chain) {
		return false
	}
	words := splitRule(rule)
	for i := 1; i < len(words); i++ {
		if (words[i-1] == "-j" || words[i-1] == "-g") && words[i] == chain {
			return true
		}
	}
	return false
}

// endsAll tells whether no packet comes past a rule.
func endsAll(rule string) bool {
	words := splitRule(rule)
	return len(words) >= 2 && words[0] == "-j" && slices.Contains([]string{"ACCEPT", "DROP", "REJECT", "RETURN"}, words[1])
}

// acceptsEstablished tells the rule behind which open connections never come.
func acceptsEstablished(rule string) bool {
	words := splitRule(rule)
	states := slices.IndexFunc(words, func(w string) bool { return w == "--ctstate" || w == "--state" })
	target := slices.Index(words, "-j")
	return states >= 0 && states+1 < len(words) && strings.Contains(words[states+1], "ESTABLISHED") &&
		target > states && target+1 < len(words) && words[target+1] == "ACCEPT"
}

// splitRule cuts a rule into words. A comment or log prefix stands in double
// quotes, with a backslash before what would end it; such a word keeps its
// opening quote, so that no text in it is taken for an option or a chain.
func splitRule(rule string) []string {
	var words []string
	var word []byte
	quoted := false
	flush := func() {
		if len(word) > 0 {
			words, word = append(words, string(word)), nil
		}
	}
	for i := 0; i < len(rule); i++ {
		switch c := rule[i]; {
		case c == '\\' && quoted && i+1 < len(rule):
			i++
			word = append(word, rule[i])
		case c == '"':
			quoted = !quoted
			word = append(word, c)
		case c == ' ' && !quoted:
			flush()
		default:
			word = append(word, c)
		}
	}
	flush()
	return words
}
