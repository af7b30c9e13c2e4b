package run

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"

	"blockhosts/internal/record"
)

// maxNames is how many host names a run looks up: a flood under names that
// resolve slowly must not hold the lock.
const maxNames = 100

// named puts addresses to the failures that have a host name instead, and
// leaves out those whose name cannot be told for sure. With "resolve: false"
// there are none.
func (j *job) named(ctx context.Context, failures *record.Failures) *record.Failures {
	if !slices.ContainsFunc(failures.Blames(), nameless) {
		return failures
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	known := map[string]netip.Addr{}
	var kept []record.Failure
	left := 0
	for f := range failures.All() {
		if nameless(f.Blame) {
			a, asked := known[f.Host]
			if !asked && len(known) < maxNames {
				a = confirmed(ctx, f.Host)
				known[f.Host] = a
			}
			blame := *f.Blame
			blame.Addr, f.Blame = a, &blame
		}
		if f.Addr.IsValid() {
			kept = append(kept, f)
		} else {
			left++
		}
	}
	if left > 0 {
		j.log.Infof("%d failures were left alone: their host names do not lead to one address that leads back to them", left)
	}
	return record.Pack(kept)
}

func nameless(b *record.Blame) bool { return !b.Addr.IsValid() && b.Host != "" }

// confirmed returns the one address of a name whose own name is that name: the
// owner of the address and the owner of the name agree. A name of several
// addresses blames none of them.
func confirmed(ctx context.Context, name string) netip.Addr {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil || len(addrs) != 1 {
		return netip.Addr{}
	}
	addr := record.Canonical(addrs[0]) // Go gives an IPv4 address mapped
	back, err := net.DefaultResolver.LookupAddr(ctx, addr.String())
	same := func(n string) bool {
		return strings.EqualFold(strings.TrimSuffix(n, "."), strings.TrimSuffix(name, "."))
	}
	if err != nil || !slices.ContainsFunc(back, same) {
		return netip.Addr{}
	}
	return addr
}
