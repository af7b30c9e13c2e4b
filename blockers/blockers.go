// Package blockers makes packet filters and routing tables agree with a set of
// addresses, one file per back end. It knows which tools there are and what
// they print; it does not know why an address is blocked, nor for how long.
//
// Tools get argument vectors and text on their standard input, never a shell;
// addresses reach them only as parsed values, because iptables, nft, ipset,
// pfctl and route(8) look up a host name wherever they want an address.
// Whatever a back end holds is listed, compared, changed in one batch and
// listed again, so that the next run mends what anybody else changed.
// Callers keep two runs apart with a lock of their own.
package blockers

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A Target is what is to be kept out.
type Target struct {
	Net      netip.Prefix // one address, or a prefix with host bits 0
	Services []string     // what was attacked; matters for "scope: service" and for command
	Count    int          // attempts; matters for command
}

// A Command is one tool's argument vector and what it reads from its standard
// input.
type Command struct {
	Args  []string
	Stdin string
}

// A Config names a back end and says how it is to work.
type Config struct {
	Name    string            // one of Names
	Path    string            // the tool's path where it was given: …/iptables, …/ip6tables, …/ip; its siblings stand beside it
	Options map[string]any    // as YAML has them: strings, numbers, lists of these
	Held    []Target          // for command without a list: what the section had blocked before this run
	Record  map[string]string // for command: Report.Names as it was recorded; nil before the first time
	Ports   map[string][]int  // TCP ports of each service, for "scope: service"
	Dirs    []string          // the folders that hold the tools, in order; see Dirs
	System  string            // whose route(8), as runtime.GOOS has it; "": this system's
	Timeout time.Duration     // for each call of a tool; 0: a minute
}

// A Blocker is one back end, ready to work.
type Blocker struct {
	name     string
	names    map[string]string
	parts    partsOf
	tables   []table
	run      runner
	warnings []string
}

// Name returns the name under which the back end was asked for.
func (b Blocker) Name() string { return b.name }

// A builder makes a back end from its configuration and options.
type builder func(c Config, o *options, run runner) (Blocker, error)

func builders() map[string]builder {
	return map[string]builder{
		"command":   newCommand,
		"ipset":     newIpset,
		"iptables":  newIptables,
		"ip6tables": newIptables,
		"iproute":   newIproute,
		"nftables":  newNftables,
		"none":      newNone,
		"nullroute": newNullroute,
		"pf":        newPf,
	}
}

// Names returns the names of all back ends, and "auto", sorted.
func Names() []string {
	names := []string{"auto"}
	for name := range builders() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// New prepares a back end; it starts no tool. An unknown name, an unknown
// option and a value that cannot be are errors.
func New(c Config) (Blocker, error) {
	build, ok := builders()[c.Name]
	if !ok {
		return Blocker{}, fmt.Errorf("%.60q is not a blocker; want one of %s", c.Name, strings.Join(Names(), ", "))
	}
	o := &options{blocker: c.Name, given: c.Options}
	b, err := build(c, o, newRunner(c))
	if o.err() != nil {
		return Blocker{}, o.err()
	}
	if err != nil {
		return Blocker{}, fmt.Errorf("%s: %w", c.Name, err)
	}
	b.name = c.Name
	return b, nil
}

// Former returns the configuration of a back end that was in use under these
// names (Report.Names), to release what it still holds. For command New then
// fails: what is run never comes from a record, only from the configuration.
func Former(name string, names map[string]string) Config {
	c := Config{Name: name, Options: map[string]any{}}
	for k, v := range names {
		switch k {
		case "path":
			c.Path = v
		case "owed": // a record, not an option
		default:
			c.Options[k] = v
		}
	}
	return c
}

// newNone makes the back end that enforces nothing: blockhosts then only
// counts, writes the blockfile and mails.
func newNone(Config, *options, runner) (Blocker, error) { return Blocker{}, nil }
