package blockers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// spoilers are what somebody does to a stand-in, by name.
func spoilers() map[string]func(*standin) {
	table := func(s *standin) (map[string][]string, string) {
		if k := s.Anchors["blockhosts"]; k != nil {
			return k.Tables, "blockhosts"
		}
		return s.anchor("").Tables, "blockhosts"
	}
	return map[string]func(*standin){
		"table flushed": func(s *standin) { t, n := table(s); t[n] = nil },
		"table killed":  func(s *standin) { t, n := table(s); delete(t, n) },
		"address added": func(s *standin) { t, n := table(s); t[n] = append(t[n], "192.0.2.5") },
		"address gone": func(s *standin) {
			t, n := table(s)
			t[n] = slices.DeleteFunc(t[n], func(a string) bool { return a == "192.0.2.3" })
		},
		"exception added": func(s *standin) { t, n := table(s); t[n] = append(t[n], "!192.0.2.3") },
		"rules gone":      func(s *standin) { s.anchor("blockhosts").Rules = nil },
		"rule added": func(s *standin) {
			k := s.anchor("blockhosts")
			k.Rules = slices.Insert(k.Rules, 0, "pass in quick all")
		},
		"anchor gone": func(s *standin) { delete(s.Anchors, "blockhosts") },
		"routes flushed": func(s *standin) {
			s.Routes = slices.DeleteFunc(s.Routes, func(r standinRoute) bool { return r.Proto1 || r.Label != "" })
		},
		"route gone": func(s *standin) {
			s.Routes = slices.DeleteFunc(s.Routes, func(r standinRoute) bool { return r.Net == "192.0.2.3/32" })
		},
		"route added": func(s *standin) {
			s.Routes = append(s.Routes, standinRoute{Net: "192.0.2.5/32", Gateway: "127.0.0.1", Kind: "blackhole", Proto1: s.System == "freebsd", Label: map[bool]string{true: nullLabel}[s.System == "openbsd"]})
		},
		"another kind": func(s *standin) {
			s.Routes = append(s.Routes, standinRoute{Net: "192.0.2.5/32", Gateway: "127.0.0.1", Kind: "reject", Proto1: s.System == "freebsd", Label: map[bool]string{true: nullLabel}[s.System == "openbsd"]})
		},
	}
}

// TestConformanceBSD is the same suite, on stand-ins.
func TestConformanceBSD(t *testing.T) {
	pick := func(names ...string) (list []spoiler) {
		for _, n := range names {
			list = append(list, spoiler{n, n})
		}
		return list
	}
	anchored := map[string]any{"anchor": "blockhosts"}
	for _, system := range []string{"freebsd", "openbsd"} {
		for _, c := range []contender{
			{name: "pf", config: Config{Name: "pf"}, spoil: pick("table flushed", "address added", "address gone", "exception added", "table killed")},
			{name: "pf-anchor", config: Config{Name: "pf", Options: anchored},
				spoil: pick("table flushed", "address added", "address gone", "exception added", "rules gone", "rule added", "anchor gone")},
			{name: "pf-anchor-reset-both", config: Config{Name: "pf", Options: map[string]any{"anchor": "blockhosts", "action": "tcp-reset", "direction": "both"}},
				spoil: pick("rules gone", "anchor gone")},
			{name: "nullroute", config: Config{Name: "nullroute", System: system}, spoil: pick("routes flushed", "route gone", "route added", "another kind")},
		} {
			t.Run(system+"-"+c.name, func(t *testing.T) {
				t.Parallel()
				s := newStandin(t, system, "pfctl", "route", "netstat")
				s.Main = []string{"pass in all", `anchor "blockhosts" all`}
				if c.name == "pf" {
					s.Main[1] = "block drop in quick from <blockhosts> to any"
					s.anchor("").Tables["blockhosts"] = []string{}
				}
				s.anchor("").Tables["spammers"] = []string{"203.0.113.8"}
				s.Routes = []standinRoute{{Net: "203.0.113.9/32", Gateway: "127.0.0.1", Kind: "blackhole"}}
				s.save()
				conform(t, s.ground(t), c)
			})
		}
	}
}

// TestPfService: a table and a rule for each port.
func TestPfService(t *testing.T) {
	s := newStandin(t, "freebsd", "pfctl")
	s.Main = []string{`anchor "blockhosts" all`}
	s.save()
	before := s.ground(t).snapshot()
	p := &play{t: t, ground: s.ground(t)}
	var err error
	p.b, err = New(Config{Name: "pf", Dirs: []string{s.dir}, Ports: map[string][]int{"sshd": {7000, 7002}},
		Options: map[string]any{"anchor": "blockhosts", "scope": "service"}})
	if err != nil {
		t.Fatal(err)
	}
	want := targets("192.0.2.2", "192.0.2.3")
	want[0].Services = []string{"sshd"}
	p.sync("by service", want)
	p.exact("by service", want)
	p.reachPort("7000", false, "192.0.2.2", "192.0.2.3")
	p.reachPort("7001", true, "192.0.2.2")
	p.reachPort("7001", false, "192.0.2.3")
	if r := Flush(context.Background(), p.b); r.Err != nil {
		t.Error(r.Err)
	}
	if after := s.ground(t).snapshot(); after != before {
		t.Errorf("after the flush:\n%s", lineDiff(after, before))
	}
}

// TestPfStates: open connections of new addresses end, in both directions;
// others go on.
func TestPfStates(t *testing.T) {
	s := newStandin(t, "openbsd", "pfctl")
	s.Main = []string{"block drop in quick from <blockhosts> to any"}
	s.States = []string{"192.0.2.2 192.0.2.1", "192.0.2.1 192.0.2.2", "192.0.2.3 192.0.2.1", "2001:db8::2 2001:db8::1"}
	s.save()
	b, err := New(Config{Name: "pf", Dirs: []string{s.dir}})
	if err != nil {
		t.Fatal(err)
	}
	if r := Sync(context.Background(), b, targets("192.0.2.2", "2001:db8::2"), false); r.Err != nil {
		t.Error(r.Err)
	}
	if left := loadStandin(s.dir).States; fmt.Sprint(left) != "[192.0.2.3 192.0.2.1]" {
		t.Errorf("states left: %q", left)
	}
}

// TestPfLarge: FreeBSD takes 65,535 addresses at once.
func TestPfLarge(t *testing.T) {
	s := newStandin(t, "freebsd", "pfctl")
	s.Main = []string{"block drop in quick from <blockhosts> to any"}
	s.save()
	b, err := New(Config{Name: "pf", Dirs: []string{s.dir}, Options: map[string]any{"states": "keep"}})
	if err != nil {
		t.Fatal(err)
	}
	want := many(70000)
	if r := Sync(context.Background(), b, want, true); len(r.Commands) != 2 || strings.Count(r.Commands[0].Stdin, "\n") != pfChunk {
		t.Errorf("%d commands", len(r.Commands))
	}
}

// TestPfFaults: what keeps pf from blocking though the table is right.
func TestPfFaults(t *testing.T) {
	for _, c := range []struct {
		name    string
		options map[string]any
		change  func(*standin)
		err     string
	}{
		{"disabled", nil, func(s *standin) { s.Enabled = false }, "pfctl: pf is disabled; enable it with pfctl -e"},
		{"no rule", nil, func(s *standin) { s.Main = []string{"pass in quick from <blockhosts> to any"} }, "pfctl: no rule names the table; add to pf.conf: block drop in quick from <blockhosts> to any"},
		{"no anchor", map[string]any{"anchor": "bh"}, func(*standin) {}, `pfctl: no rule leads to the anchor; add to pf.conf: anchor "bh"`},
	} {
		s := newStandin(t, "freebsd", "pfctl")
		s.Main = []string{"block drop in quick from <blockhosts> to any"}
		c.change(s)
		s.save()
		b, err := New(Config{Name: "pf", Dirs: []string{s.dir}, Options: c.options})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			r := Sync(context.Background(), b, targets("192.0.2.2"), false)
			if r.Err == nil || r.Err.Error() != c.err || r.Missing != 1 {
				t.Errorf("%s: missing %d: %v, want %q", c.name, r.Missing, r.Err, c.err)
			}
		}
	}
}
