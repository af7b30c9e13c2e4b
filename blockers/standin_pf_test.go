package blockers

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// pfOptions is what getopt(3) gave pfctl.
type pfOptions struct {
	anchor, table, command, file, show, flush string
	quiet                                     bool
	kills, addrs                              []string
}

const pfUsage = "usage: pfctl [-dehgmNnOPqRrvz] [-a anchor] [-F modifier] [-f file] [-k host | network]"

// options reads the arguments: pfctl takes them in any order and ends on what
// it does not know.
func (s *standin) options(args []string) (o pfOptions, status int) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "-q" {
			o.quiet = true
			continue
		}
		places := map[string]*string{"-a": &o.anchor, "-t": &o.table, "-T": &o.command, "-f": &o.file, "-s": &o.show, "-F": &o.flush}
		switch place, ok := places[a]; {
		case ok || a == "-k":
			if i++; i >= len(args) {
				return o, fails(1, "pfctl: option requires an argument -- %s\n%s", a[1:], pfUsage)
			}
			if ok {
				*place = args[i]
			} else {
				o.kills = append(o.kills, args[i])
			}
		case strings.HasPrefix(a, "-"):
			return o, fails(1, "pfctl: illegal option -- %s\n%s", a[1:], pfUsage)
		default:
			o.addrs = append(o.addrs, a)
		}
	}
	switch {
	case len(o.kills) > 2:
		return o, fails(1, "can only specify -k twice\n%s", pfUsage)
	case (o.table == "") != (o.command == ""), len(o.table) >= 32, len(args) == 0:
		return o, fails(1, "%s", pfUsage)
	}
	return o, 0
}

// pfctl is pfctl(8), as far as the back end and its tests use it.
func (s *standin) pfctl(args []string) int {
	o, status := s.options(args)
	if status != 0 {
		return status
	}
	switch {
	case o.table != "":
		return s.pfTable(o)
	case o.show != "":
		return s.pfShow(o)
	case o.flush != "":
		if o.flush != "rules" {
			return fails(1, "pfctl: Unknown flush modifier '%s'\n%s", o.flush, pfUsage)
		}
		s.anchor(o.anchor).Rules = nil
		return s.say(o, 0, "rules cleared")
	case o.file != "":
		return s.pfLoad(o)
	case len(o.kills) > 0:
		return s.pfKill(o)
	}
	return fails(1, "%s", pfUsage)
}

// say prints what -q keeps quiet, on standard error as pfctl does.
func (s *standin) say(o pfOptions, status int, format string, args ...any) int {
	if !o.quiet {
		fails(0, format, args...)
	}
	return status
}

func (s *standin) pfShow(o pfOptions) int {
	switch o.show {
	case "info":
		fmt.Printf("Status: %s for 0 days 01:02:03           Debug: Urgent\n\nState Table\n", map[bool]string{true: "Enabled", false: "Disabled"}[s.Enabled])
	case "rules":
		rules := s.Main
		if o.anchor != "" {
			if s.Anchors[o.anchor] == nil {
				return fails(1, "pfctl: Anchor or Ruleset does not exist.")
			}
			rules = s.Anchors[o.anchor].Rules
		}
		for _, r := range rules {
			fmt.Println(r)
		}
	case "Tables":
		var names []string
		if s.Anchors[o.anchor] != nil {
			for name := range s.Anchors[o.anchor].Tables {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			fmt.Println(name)
		}
	default:
		return fails(1, "pfctl: Unknown show modifier '%s'\n%s", o.show, pfUsage)
	}
	return 0
}

// pfTable is -t with -T.
func (s *standin) pfTable(o pfOptions) int {
	addrs, bad := o.addrs, ""
	if o.file != "" {
		text, _ := io.ReadAll(os.Stdin)
		addrs = append(addrs, strings.Fields(string(text))...)
	}
	for _, a := range addrs {
		if p, ok := parseDestination(a); !ok || a != (entry{net: p}).text() {
			bad = a
		}
	}
	if bad != "" {
		return fails(255, "no IP address found for %s\npfctl: cannot load -: Invalid argument.", bad)
	}
	if s.System == "freebsd" && len(addrs) > 65535 {
		return fails(255, "pfctl: Invalid argument.")
	}
	k := s.anchor(o.anchor)
	held, exists := k.Tables[o.table]
	if !exists && o.command != "replace" && o.command != "add" {
		return fails(255, "pfctl: Table does not exist%s", map[bool]string{true: "."}[s.System == "freebsd"])
	}
	before := len(held)
	switch o.command {
	case "show":
		for _, a := range held {
			if !strings.HasPrefix(a, "!") {
				a = " " + a
			}
			fmt.Printf("  %s\n", a)
		}
		return 0
	case "replace":
		slices.Sort(addrs)
		k.Tables[o.table] = slices.Compact(addrs)
		return s.say(o, 0, "%d addresses added.", len(addrs))
	case "add":
		for _, a := range addrs {
			if !slices.Contains(held, a) {
				held = append(held, a)
			}
		}
		slices.Sort(held)
		k.Tables[o.table] = held
		return s.say(o, 0, "%d/%d addresses added.", len(held)-before, len(addrs))
	case "delete":
		k.Tables[o.table] = slices.DeleteFunc(held, func(a string) bool { return slices.Contains(addrs, a) })
		return s.say(o, 0, "%d/%d addresses deleted.", before-len(k.Tables[o.table]), len(addrs))
	case "flush":
		k.Tables[o.table] = []string{}
		return s.say(o, 0, "%d addresses deleted.", before)
	case "kill":
		delete(k.Tables, o.table)
		if len(k.Tables)+len(k.Rules) == 0 {
			delete(s.Anchors, o.anchor)
		}
		return s.say(o, 0, "1 table deleted.")
	}
	return fails(1, "pfctl: Unknown table command '%s'\n%s", o.command, pfUsage)
}

var (
	pfTableLine = regexp.MustCompile(`^table <([A-Za-z][A-Za-z0-9_]*)> persist$`)
	pfRuleLine  = regexp.MustCompile(`^block (drop|return|return-rst) (in|out) quick( proto tcp)? (from <\w+> to any( port \d+)?|from any( port \d+)? to <\w+>) label "[^"]{1,63}"$`)
)

// pfLoad is -f: all of it or nothing. Tables that persist keep what they hold.
func (s *standin) pfLoad(o pfOptions) int {
	text, _ := io.ReadAll(os.Stdin)
	var rules, tables []string
	n := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		n++
		if m := pfTableLine.FindStringSubmatch(line); m != nil {
			tables = append(tables, m[1])
			continue
		}
		port, tcp := strings.Contains(line, " port "), strings.Contains(line, "proto tcp")
		if !pfRuleLine.MatchString(line) || (port || strings.Contains(line, "return-rst")) && !tcp {
			return fails(1, "stdin:%d: syntax error\npfctl: Syntax error in config file: pf rules not loaded", n)
		}
		rules = append(rules, strings.ReplaceAll(line, " port ", " port = "))
	}
	if o.anchor == "" || o.file != "-" {
		return fails(1, "pfctl: the test never replaces pf.conf")
	}
	k := s.anchor(o.anchor)
	k.Rules = rules
	for _, name := range tables {
		if _, ok := k.Tables[name]; !ok {
			k.Tables[name] = []string{}
		}
	}
	return 0
}

// pfKill is -k, once or twice: states by source, or by source and destination.
func (s *standin) pfKill(o pfOptions) int {
	before := len(s.States)
	s.States = slices.DeleteFunc(s.States, func(state string) bool {
		ends := strings.Fields(state)
		for i, k := range o.kills {
			end, _ := parseDestination(ends[i])
			if p, ok := parseDestination(k); !ok || p.Bits() > 0 && !p.Contains(end.Addr()) || p.Addr().Is4() != end.Addr().Is4() {
				return false
			}
		}
		return true
	})
	return s.say(o, 0, "killed %d states from %d sources and %d destinations", before-len(s.States), 1, len(o.kills)-1)
}
