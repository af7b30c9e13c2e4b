package blockers

import (
	"context"
	"fmt"
	"slices"
	"sort"
)

// candidates are the back ends that auto tries, the best first: sets cost a
// packet the same at any size, a chain does not, routes stop only the replies.
func candidates() []string { return []string{"nftables", "ipset", "iptables", "iproute", "pf"} }

// Choose turns the configuration of "auto" into that of the first back end
// that works here: its tables can be listed, and it has the options that are
// set. A tool that was not in use has to do the listing itself, since the
// kernel's answer proves nothing of it. One of those in use (the names recorded
// by earlier runs that did not fail) is kept while it works. Any other configuration is returned as it is.
func Choose(ctx context.Context, c Config, used []string) (Config, error) {
	if c.Name != "auto" {
		return c, nil
	}
	order := candidates()
	sort.SliceStable(order, func(i, j int) bool { // those in use first
		return slices.Contains(used, order[i]) && !slices.Contains(used, order[j])
	})
	var why []error
	for _, name := range order {
		c.Name = name
		b, err := New(c)
		if err != nil {
			why = append(why, err)
			continue
		}
		b.run.textual = !slices.Contains(used, name)
		errs, ok := b.works(ctx)
		if ok {
			return c, nil
		}
		why = append(why, errs...)
	}
	return c, fmt.Errorf("auto: no blocker works here: %w", join(why))
}

// works tells whether a back end can do its work here, and else why not. A
// family without its tool, or without its protocol in the kernel, is no reason.
func (b Blocker) works(ctx context.Context) (why []error, ok bool) {
	listed, broken := false, false
	for _, t := range b.tables {
		_, _, err := t.list(ctx, b.run, nil)
		if err == nil {
			listed = true
			continue
		}
		k := kindOf(err)
		broken = broken || k != kindMissing && k != kindOff
		why = append(why, err)
	}
	return why, listed && !broken
}
