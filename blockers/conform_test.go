package blockers

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A contender is a back end in the conformance suite.
type contender struct {
	name    string
	variant string // of iptables
	config  Config
	tools   []string  // what has to be installed
	spoil   []spoiler // what somebody else does to it; each must be mended
	only4   bool      // it cannot do IPv6 on this system
	textual bool      // the tools list, never the kernel itself
}

// A spoiler is a script of somebody else's.
type spoiler struct{ name, script string }

// A ground is where a back end is put to the test: a kernel in a network
// namespace, or a stand-in for one.
type ground struct {
	dir      string                                               // the tools
	open     func(from, port string, expected bool) (bool, error) // whether a connection comes about
	spoil    func(script string)                                  // what somebody else does
	snapshot func() string                                        // all that filters and routes hold
	others   func(snapshot string) string                         // without what is ours
}

// conform takes a back end through all that every one of them promises.
func conform(t *testing.T, g ground, c contender) {
	c.config.Dirs = []string{g.dir}
	b, err := New(c.config)
	if err != nil {
		t.Fatal(err)
	}
	b.run.textual = c.textual
	before := g.snapshot()
	p := &play{t: t, b: b, ground: g, only4: c.only4}

	p.sync("nothing to block", nil)
	p.exact("nothing to block", nil)
	p.reach(true, "192.0.2.2", "2001:db8::2")

	four := p.targets("192.0.2.2", "192.0.2.3", "2001:db8::2", "192.0.2.8/30", "2001:db8:0:1::/64")
	p.dry("dry", four)
	p.reach(true, "192.0.2.2", "2001:db8::2")
	p.sync("block", four)
	p.exact("same again", four)
	p.reach(false, "192.0.2.2", "192.0.2.3", "2001:db8::2", "192.0.2.9", "2001:db8:0:1::2")
	p.reach(true, "192.0.2.4", "2001:db8::3")

	rest := four[1:]
	p.sync("release one", rest)
	p.exact("release one", rest)
	p.reach(true, "192.0.2.2")
	p.reach(false, "192.0.2.3", "2001:db8::2", "192.0.2.9", "2001:db8:0:1::2")
	if got, want := g.others(g.snapshot()), g.others(before); got != want {
		t.Errorf("touched what is not ours:\n%s", lineDiff(got, want))
	}

	for _, s := range c.spoil {
		g.spoil(s.script)
		if r := Look(context.Background(), b, rest); r.Missing+r.Extra == 0 && len(r.Warnings) == 0 {
			t.Errorf("%s: Look notices nothing: %+v", s.name, r)
		}
		p.sync(s.name, rest)
		p.exact(s.name, rest)
		p.reach(false, "192.0.2.3", "2001:db8::2", "192.0.2.9")
		p.reach(true, "192.0.2.5")
	}

	p.release(rest[1:])
	p.reach(true, "192.0.2.3")
	p.reach(false, "2001:db8::2", "192.0.2.9")

	if r := Flush(context.Background(), b); r.Err != nil || len(r.Commands) == 0 {
		t.Errorf("flush: %+v", r)
	}
	if r := Flush(context.Background(), b); r.Err != nil || len(r.Commands) != 0 {
		t.Errorf("second flush: %+v", r)
	}
	p.reach(true, "192.0.2.2", "192.0.2.3", "2001:db8::2", "192.0.2.9", "2001:db8:0:1::2")
	if got := g.snapshot(); got != before {
		t.Errorf("after the flush:\n%s", lineDiff(got, before))
	}
}

// A play takes a back end through its scenes.
type play struct {
	ground
	t     *testing.T
	b     Blocker
	only4 bool
}

// targets leaves out what the back end cannot block here.
func (p *play) targets(nets ...string) []Target {
	return targets(slices.DeleteFunc(nets, func(s string) bool { return p.only4 && strings.Contains(s, ":") })...)
}

func (p *play) sync(scene string, want []Target) {
	p.t.Helper()
	r := Sync(context.Background(), p.b, want, false)
	if r.Err != nil || r.Present != len(want) || r.Missing+r.Extra != 0 || len(r.Warnings) > 0 {
		p.t.Errorf("%s: present %d missing %d extra %d, warnings %q: %v", scene, r.Present, r.Missing, r.Extra, r.Warnings, r.Err)
	}
}

// exact: a table that is as it should be is not touched.
func (p *play) exact(scene string, want []Target) {
	p.t.Helper()
	r := Sync(context.Background(), p.b, want, false)
	if r.Err != nil || len(r.Commands) > 0 || r.Present != len(want) {
		p.t.Errorf("%s, again: %+v", scene, r)
	}
}

func (p *play) dry(scene string, want []Target) {
	p.t.Helper()
	r := Sync(context.Background(), p.b, want, true)
	if r.Err != nil || len(r.Commands) == 0 || r.Missing != len(want) {
		p.t.Errorf("%s: %+v", scene, r)
	}
}

func (p *play) release(keep []Target) {
	p.t.Helper()
	more := append(targets("192.0.2.7"), keep...)
	r := Release(context.Background(), p.b, more, false)
	if r.Err != nil || r.Present != len(keep) || len(r.Commands) == 0 {
		p.t.Errorf("release: %+v", r)
	}
	p.reach(true, "192.0.2.7")
	if r := Release(context.Background(), p.b, more, false); r.Err != nil || len(r.Commands) != 0 {
		p.t.Errorf("release again: %+v", r)
	}
}

// reach holds who may and may not connect.
func (p *play) reach(want bool, from ...string) {
	p.t.Helper()
	p.reachPort("7000", want, from...)
}

func (p *play) reachPort(port string, want bool, from ...string) {
	p.t.Helper()
	var wg sync.WaitGroup
	for _, addr := range from {
		if p.only4 && strings.Contains(addr, ":") {
			continue
		}
		wg.Go(func() {
			got, err := p.open(addr, port, want)
			if err != nil {
				p.t.Errorf("probe from %s: %v", addr, err)
			} else if got != want {
				p.t.Errorf("connection from %s to port %s: %v, want %v", addr, port, got, want)
			}
		})
	}
	wg.Wait()
}

// lineDiff names the lines that only one of two texts has.
func lineDiff(got, want string) string {
	var b strings.Builder
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for _, line := range g {
		if !slices.Contains(w, line) {
			b.WriteString("+ " + line + "\n")
		}
	}
	for _, line := range w {
		if !slices.Contains(g, line) {
			b.WriteString("- " + line + "\n")
		}
	}
	if b.Len() == 0 {
		return "same lines, other order or number:\n" + got
	}
	return b.String()
}
