package blockers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Words of the record of commands that failed, Names["owed"]. It has to fit a
// line of the section: a longer one gives up, and all is done again.
const (
	owedNone = "none"
	owedAll  = "all"
	maxOwed  = 1500 // bytes
)

// newCommand makes the back end that runs the administrator's own commands,
// argument vectors with {ip}, {family}, {service} and {count} in them. Where
// there is a command that lists what is blocked, an address a line, it is
// believed; else what the section says.
func newCommand(c Config, o *options, run runner) (Blocker, error) {
	d := &command{
		block:   o.vector("block"),
		unblock: o.vector("unblock"),
		show:    o.vector("list"),
		service: o.choice("scope", "all", "service") == "service",
	}
	b := Blocker{run: run, tables: []table{d}, names: map[string]string{}}
	if d.service {
		b.parts = byName
	}
	switch {
	case len(d.block) == 0 || len(d.unblock) == 0:
		return Blocker{}, errors.New("block and unblock: want the words of a command each, as [/usr/local/sbin/deny, \"{ip}\"]")
	case d.service && len(d.show) > 0:
		return Blocker{}, errors.New("list: a list of addresses does not tell services apart; want scope: all")
	}
	for _, word := range slices.Concat(d.block, d.unblock) {
		if found := regexp.MustCompile(`\{[a-z]*\}`).FindString(strings.NewReplacer("{ip}", "", "{family}", "", "{service}", "", "{count}", "").Replace(word)); found != "" {
			return Blocker{}, fmt.Errorf("%.60q is not known; want {ip}, {family}, {service}, {count}", found)
		}
	}
	if len(d.show) == 0 {
		d.remember(c, b.parts)
	}
	return b, nil
}

// command runs the administrator's commands.
type command struct {
	block, unblock, show []string
	service              bool
	believed             []entry // held, where nothing lists it
	del, add             []entry // what the commands of the last change are for, in this order
}

// remember takes what the section says for held, less what failed last time
// to be blocked, and what failed to be unblocked. Before the first time
// nothing is held.
func (d *command) remember(c Config, parts partsOf) {
	owed, used := c.Record["owed"]
	if !used {
		return
	}
	words := strings.Fields(owed)
	if !slices.Contains(words, owedAll) {
		d.believed, _ = entriesOf(c.Held, parts)
		d.believed = slices.DeleteFunc(d.believed, func(e entry) bool { return slices.Contains(words, "+"+d.key(e)) })
	}
	for _, s := range words {
		if s, ok := strings.CutPrefix(s, "-"); ok {
			addr, part, _ := strings.Cut(s, ",")
			if p, ok := parseDestination(addr); ok {
				d.believed = append(d.believed, entry{net: p, part: part})
			}
		}
	}
	d.believed = sorted(d.believed)
}

// done notes that a command of the last change did its work.
func (d *command) done(i int) {
	if i < len(d.del) {
		d.believed = slices.DeleteFunc(slices.Clone(d.believed), func(e entry) bool { return compareEntries(e, d.del[i]) == 0 })
	} else {
		d.believed = sorted(append(d.believed, d.add[i-len(d.del)]))
	}
}

// names is what the next run has to know where nothing lists what is held:
// what should be there and is not, and the other way round.
func (d *command) names(want []entry) map[string]string {
	if len(d.show) > 0 {
		return map[string]string{}
	}
	missing, extra := difference(d.believed, want)
	var words []string
	for _, e := range extra {
		words = append(words, "-"+d.key(e))
	}
	gone := len(words)
	for _, e := range missing {
		words = append(words, "+"+d.key(e))
	}
	owed := strings.Join(words, " ")
	if len(owed) > maxOwed {
		owed = owedAll + " " + strings.Join(words[:gone], " ")
		owed = owed[:strings.LastIndexByte(owed[:min(len(owed), maxOwed)]+" ", ' ')]
	}
	return map[string]string{"owed": cmp.Or(strings.TrimSpace(owed), owedNone)}
}

func (d *command) title() string       { return "command" }
func (d *command) takes(entry) bool    { return true }
func (d *command) cannot(entry) string { return "" }
func (d *command) blank() held         { return &commandHeld{command: d} }

// key writes an entry as it is recorded: "192.0.2.1", "192.0.2.1,sshd".
func (d *command) key(e entry) string {
	if e.part == "" {
		return e.text()
	}
	return e.text() + "," + e.part
}

func (d *command) list(ctx context.Context, run runner, _ []entry) (held, []string, error) {
	if len(d.show) == 0 {
		return &commandHeld{command: d, own: d.believed}, nil, nil
	}
	out, warnings, err := run.do(ctx, Command{Args: d.show})
	if err != nil {
		return nil, warnings, err
	}
	h := &commandHeld{command: d}
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		p, ok := parseDestination(line)
		if !ok {
			return nil, warnings, &toolError{tool: "command", cause: "the list has a line that is no address", words: line, cure: "print an address or address/len a line"}
		}
		h.own = append(h.own, entry{net: p})
	}
	return h, warnings, nil
}

// A commandHeld is what the administrator's list, or the section, says.
type commandHeld struct {
	*command
	own []entry
}

func (h *commandHeld) entries() []entry       { return h.own }
func (h *commandHeld) faults() []string       { return nil }
func (h *commandHeld) notes([]entry) []string { return nil }
func (h *commandHeld) clear() []Command       { return h.change(nil, nil, h.own) }

func (h *commandHeld) change(_, add, del []entry) []Command {
	h.command.add, h.command.del = add, del
	var commands []Command
	for _, e := range del {
		commands = append(commands, Command{Args: fill(h.unblock, e)})
	}
	for _, e := range add {
		commands = append(commands, Command{Args: fill(h.block, e)})
	}
	return commands
}

// fill puts an entry's values into a command's words. A word stays one word
// whatever is in it.
func fill(words []string, e entry) []string {
	services, count := "", 0
	if e.target != nil {
		services, count = strings.Join(e.target.Services, ","), e.target.Count
	}
	if e.part != "" {
		services = e.part
	}
	r := strings.NewReplacer("{ip}", e.text(), "{family}", inetOf(family(e.net)), "{service}", services, "{count}", fmt.Sprint(count))
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = r.Replace(w)
	}
	return list
}
