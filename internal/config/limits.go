package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Bounds of the limits.
const (
	maxBlockcount = 1_000_000
	maxFactor     = 1000
	minIPv6Prefix = 32 // what a registry gives to a provider: below it one would block thousands of sites

	// maxWindowCount bounds blockcount where limiter is window: the section
	// keeps one moment more than it for each address.
	maxWindowCount = 100

	// maxPrefixMin is how many offenders of a prefix the section keeps by
	// name; more could never be reached.
	maxPrefixMin = 32

	minTracked = 100
	maxTracked = 10_000_000 // gigabytes of state, read and written by every run
)

// limitFields lists the keys that limits and each of services have.
func limitFields(l *Limits) []field {
	return []field{
		{key: "limiter", read: textTo(&l.Limiter, oneOf(limiters))},
		{key: "blockcount", read: intTo(&l.Blockcount, 0, maxBlockcount)},
		{key: "window", read: ageTo(&l.Window, time.Second)},
		{key: "half_life", read: ageTo(&l.HalfLife, time.Second)},
		{key: "discard", read: ageTo(&l.Discard, 0)},
		{key: "block_for", read: ageTo(&l.BlockFor, 0)},
		{key: "block_factor", read: factorTo(&l.BlockFactor)},
		{key: "block_max", read: ageTo(&l.BlockMax, 0)},
		{key: "block_per_hundred", read: ageTo(&l.BlockPerHundred, 0)},
		{key: "permanent_after", read: intTo(&l.PermanentAfter, 0, maxBlockcount)},
		{key: "permanent_failures", read: intTo(&l.PermanentFailures, 0, maxBlockcount)},
		{key: "users", read: usersTo(&l.Users)},
	}
}

// commonFields lists the keys of limits that a service cannot have.
func commonFields(l *Limits) []field {
	return []field{
		{key: "count_by", read: textTo(&l.CountBy, oneOf(countBys))},
		{key: "remember", read: ageTo(&l.Remember, 0)},
		{key: "ipv6_prefix", read: intTo(&l.IPv6Prefix, minIPv6Prefix, 128)},
		{key: "prefix_min", read: intTo(&l.PrefixMin, 1, maxPrefixMin)},
	}
}

func serviceFields(s *Service) []field {
	return append(limitFields(&s.Limits), field{key: "ports", read: portsTo(&s.Ports)})
}

// usersTo reads weights by the user tried. They merge by name: from file to
// file, and those of a service with those for every service.
func usersTo(p *map[string]int) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		merged := maps.Clone(*p) // a service begins with the map of limits
		for k, v := range d.pairs(key, n, "users with weights") {
			if msg, hint := user(k.Value); msg != "" {
				d.fail(k, key, msg, hint)
				continue
			}
			weight := UserBlock
			if v.Kind != yaml.ScalarNode || v.Value != userBlock {
				before := len(d.errs)
				wholeTo(&weight, 0, maxBlockcount, " or the word "+userBlock)(d, join(key, cut(k.Value)), v)
				if len(d.errs) > before {
					continue
				}
			}
			if merged == nil {
				merged = map[string]int{}
			}
			merged[k.Value] = weight
		}
		*p = merged
	}
}

// user checks a name, or a pattern behind "re:".
func user(s string) (string, string) {
	re, ok := strings.CutPrefix(s, "re:")
	switch {
	case s == "":
		return "an empty name", ""
	case ok && re == "":
		return quote(s) + " is an empty pattern", ""
	case ok:
		return pattern(re)
	}
	return "", ""
}

// portsTo reads TCP ports.
func portsTo(p *[]int) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		list, ok := d.items(key, n, "a list of TCP ports")
		if !ok {
			return
		}
		var out []int
		for _, item := range list {
			var port int
			intTo(&port, 1, 65535)(d, key, item)
			if !slices.Contains(out, port) {
				out = append(out, port)
			}
		}
		*p = out
	}
}

// services checks limits and ports by service, and keeps what was written for
// complete.
func services(d *decoder, key string, n *yaml.Node) {
	for k, v := range d.pairs(key, n, "services by name") {
		switch {
		case !isServiceName(k.Value):
			d.fail(k, key, quote(k.Value)+" is not the name of a service", "write what stands before the last dash of a rule's name, as sshd")
		case v.Kind != yaml.MappingNode && !isNull(v):
			d.want(v, join(key, k.Value), "keys with values", "the name of a service stands first: sshd: {blockcount: 5}")
		default:
			d.section(join(key, k.Value), v, serviceFields(&Service{}))
			d.services[k.Value] = append(d.services[k.Value], v)
		}
	}
}

// complete fills in the services. What a service does not set is taken from
// the limits of all the files together, so that its own keys are read once
// more, over those, when no file is left.
func (d *decoder) complete() {
	for name, nodes := range d.services {
		s := Service{Limits: d.c.Limits}
		again := decoder{c: d.c, at: map[string]mark{}}
		for _, n := range nodes {
			again.section("", n, serviceFields(&s))
			s.HasLimits = s.HasLimits || setsLimit(n)
		}
		if d.c.Services == nil {
			d.c.Services = map[string]Service{}
		}
		d.c.Services[name] = s
	}
}

// setsLimit tells whether a service sets more than its ports.
func setsLimit(n *yaml.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "ports" && !isNull(n.Content[i+1]) {
			return true
		}
	}
	return false
}

// overWindow tells whether a limit is more than the window can count.
func (l Limits) overWindow() bool {
	return l.Limiter == LimiterWindow && l.Blockcount > maxWindowCount
}

// windows refuses limits that are more than the window can count. A service
// that sets neither of the two keys has the mistake of limits, which is told
// there.
func (d *decoder) windows() {
	check := func(section string, l Limits) {
		for _, key := range []string{"blockcount", "limiter"} {
			if _, ok := d.at[join(section, key)]; ok && l.overWindow() {
				d.failAt(join(section, key), fmt.Sprintf("with limiter window a blockcount of at most %d can be held, found %d", maxWindowCount, l.Blockcount),
					"lower blockcount, or take limiter count or ema")
				return
			}
		}
	}
	check("limits", d.c.Limits)
	for _, name := range slices.Sorted(maps.Keys(d.c.Services)) {
		check(join("services", name), d.c.Services[name].Limits)
	}
}
