package run

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"blockhosts/internal/record"
)

// sameDecisions tells whether two states differ in nothing but offsets and the
// time of writing.
func sameDecisions(a, b record.State) bool {
	return slices.EqualFunc(a.Hosts, b.Hosts, sameHost) &&
		slices.EqualFunc(a.Blocks, b.Blocks, sameBlock) &&
		slices.Equal(a.Past, b.Past) &&
		slices.EqualFunc(a.Names, b.Names, func(x, y record.Name) bool { return x.Name == y.Name && slices.Equal(x.Addrs, y.Addrs) }) &&
		slices.Equal(a.Tallies, b.Tallies) &&
		slices.Equal(a.Troubles, b.Troubles) &&
		slices.EqualFunc(a.Used, b.Used, sameUsed) &&
		slices.EqualFunc(a.Unmailed, b.Unmailed, sameEvent)
}

func sameCounter(a, b record.Counter) bool {
	return a.Count == b.Count && a.Last.Equal(b.Last) && a.Average == b.Average && slices.EqualFunc(a.Stamps, b.Stamps, time.Time.Equal)
}

func sameService(a, b record.ServiceCount) bool {
	return a.Service == b.Service && sameCounter(a.Counter, b.Counter)
}

func sameHost(a, b record.Host) bool {
	return a.Net == b.Net && sameCounter(a.Counter, b.Counter) &&
		slices.EqualFunc(a.Services, b.Services, sameService) && slices.EqualFunc(a.Offenders, b.Offenders, func(x, y netip.Addr) bool { return x == y })
}

func sameBlock(a, b record.Block) bool {
	return a.Net == b.Net && a.Host == b.Host && a.Reason == b.Reason && a.Count == b.Count &&
		a.By == b.By && a.Note == b.Note && a.Since.Equal(b.Since) && a.Until.Equal(b.Until) && slices.Equal(a.Services, b.Services)
}

func sameUsed(a, b record.Used) bool { return a.Name == b.Name && maps.Equal(a.Names, b.Names) }

func sameEvent(a, b record.Event) bool {
	return a.At.Equal(b.At) && a.Action == b.Action && a.Net == b.Net && a.Reason == b.Reason && a.Count == b.Count
}

// sameOffsets tells whether everything was read as far as it had been.
func sameOffsets(a, b []record.Offset) bool {
	return slices.EqualFunc(a, b, func(x, y record.Offset) bool {
		x.Read = y.Read
		return x == y
	})
}

// sameNets tells whether two lists of blocks have the same deny lines.
func sameNets(a, b []record.Block) bool {
	return slices.EqualFunc(a, b, func(x, y record.Block) bool { return x.Net == y.Net })
}

// withEvents adds what a mail is to tell to what it has still to tell. The
// oldest go where there are too many.
func withEvents(unmailed []record.Event, ds []record.Decision) []record.Event {
	all := slices.Clone(unmailed)
	for _, d := range ds {
		if d.Action == record.ActionBlock || d.Action == record.ActionRelease || d.Action == record.ActionSpared {
			all = append(all, d.Event)
		}
	}
	return all[max(0, len(all)-record.MaxUnmailed):]
}
