package blockers

import (
	"context"
	"slices"
	"testing"
	"time"
)

// BenchmarkScale puts each back end beside its bare tool, in a network
// namespace: the same batch, the same listing, without anything of ours.
// "sync-ms" is all that a run does, "bare-ms" the tool alone; both are medians.
//
//	go test -run '^$' -bench Scale -benchtime 5x ./blockers
func BenchmarkScale(b *testing.B) {
	for _, c := range []struct {
		name, blocker, variant string
		sizes                  []int
	}{
		{"nftables", "nftables", "nft", []int{10000, 50000, 100000}},
		{"ipset", "ipset", "nft", []int{10000, 50000, 100000}},
		{"iptables-nft", "iptables", "nft", []int{10000, 50000}},
		{"iptables-legacy", "iptables", "legacy", []int{10000, 50000}},
		{"iproute", "iproute", "nft", []int{10000, 50000, 100000}},
	} {
		for _, size := range c.sizes {
			s := scale{config: Config{Name: c.blocker}, variant: c.variant, want: many(size)}
			name := c.name + "/" + map[int]string{10000: "10k", 50000: "50k", 100000: "100k"}[size] + "/"
			b.Run(name+"fill", func(b *testing.B) { s.bench(b, nil, s.want) })
			b.Run(name+"same", func(b *testing.B) { s.bench(b, s.want, s.want) })
			b.Run(name+"add100", func(b *testing.B) { s.bench(b, s.want[100:], s.want) })
			b.Run(name+"del100", func(b *testing.B) { s.bench(b, s.want, s.want[100:]) })
		}
	}
}

type scale struct {
	config  Config
	variant string
	want    []Target
}

// bench goes from one set of addresses to another, by Sync and by the bare
// tool in turn.
func (s scale) bench(b *testing.B, from, to []Target) {
	need(b, "iptables", "ipset", "nft", "ip")
	a := newArena(b)
	// The thread that enters the arena is lost: it must not be the one that
	// takes the arena away afterwards.
	done := make(chan struct{})
	go func() {
		defer close(done)
		enter(b, a.host)
		s.race(b, from, to)
	}()
	<-done
}

func (s scale) race(b *testing.B, from, to []Target) {
	s.config.Dirs = []string{xtables(b, s.variant)}
	ctx := context.Background()
	blocker, err := New(s.config)
	if err != nil {
		b.Fatal(err)
	}
	set := func(want []Target) time.Duration {
		start := time.Now()
		if want == nil { // an empty firewall: nothing of ours, no table, no set
			if r := Flush(ctx, blocker); r.Err != nil {
				b.Fatal(r.Err)
			}
			time.Sleep(time.Second) // the kernel goes on taking away
			return 0
		}
		if r := Sync(ctx, blocker, want, false); r.Err != nil || r.Present != len(want) {
			b.Fatalf("present %d of %d: %v", r.Present, len(want), r.Err)
		}
		return time.Since(start)
	}
	var sync, bare []time.Duration // in turn, so that what other programs take away is taken from both
	for range b.N {
		set(from)
		commands := Sync(ctx, blocker, to, true).Commands
		sync = append(sync, set(to))
		set(from)
		bare = append(bare, s.bare(b, blocker, commands))
		time.Sleep(time.Second) // a set that still grows is listed incompletely, see settling
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(sync)*1000, "sync-ms")
	b.ReportMetric(median(bare)*1000, "bare-ms")
	b.ReportMetric(median(sync)/median(bare), "ratio")
}

// median is in seconds.
func median(list []time.Duration) float64 {
	slices.Sort(list)
	return list[len(list)/2].Seconds()
}

// bare runs the commands alone, or where there are none the listings.
func (s scale) bare(b *testing.B, blocker Blocker, commands []Command) time.Duration {
	if len(commands) == 0 {
		commands = map[string][]Command{
			"nftables": {{Args: []string{"nft", "-j", "list", "table", "inet", "blockhosts"}}},
			"ipset":    {{Args: []string{"ipset", "save", "blockhosts4"}}, {Args: []string{"iptables", "-S"}}, {Args: []string{"ipset", "save", "blockhosts6"}}, {Args: []string{"ip6tables", "-S"}}},
			"iptables": {{Args: []string{"iptables", "-S"}}, {Args: []string{"ip6tables", "-S"}}},
			"iproute":  {{Args: []string{"ip", "-4", "route", "show", "proto", "98"}}, {Args: []string{"ip", "-6", "route", "show", "proto", "98"}}},
		}[s.config.Name]
	}
	start := time.Now()
	for _, c := range commands {
		if _, _, err := blocker.run.do(context.Background(), c); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}
