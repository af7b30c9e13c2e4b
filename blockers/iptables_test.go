package blockers

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func newChain(t testing.TB, n int, options map[string]any) *chain {
	t.Helper()
	b, err := New(Config{Name: "iptables", Options: options})
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range b.tables {
		if c := table.(*chain); c.family == n {
			return c
		}
	}
	t.Fatalf("no table for family %d", n)
	return nil
}

const policies = "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n"

const bothJumps = "-A INPUT -j blockhosts\n-A FORWARD -j blockhosts\n"

// TestChainParse: listings, and what has to be sent where two addresses are
// wanted.
func TestChainParse(t *testing.T) {
	own := "-A blockhosts -s 192.0.2.1/32 -j DROP\n-A blockhosts -s 198.51.100.0/24 -j DROP\n"
	chain, refill := "-N blockhosts\n", ":blockhosts - [0:0]\n"+own
	in, fwd := "-I INPUT 1 -j blockhosts\n", "-I FORWARD 1 -j blockhosts\n"
	for _, c := range []struct {
		name, listing string
		held          string // entries
		batch         string
		options       map[string]any
	}{
		{"nothing of ours", policies, "", refill + in + fwd, nil},
		{"all as it should be", policies + chain + bothJumps + own, "192.0.2.1 198.51.100.0/24", "", nil},
		{"CRLF", strings.ReplaceAll(policies+chain+bothJumps+own, "\n", "\r\n"), "192.0.2.1 198.51.100.0/24", "", nil},
		{"a remark first", "# Table `filter' contains incompatible base-chains\n" + policies + chain + bothJumps + own, "192.0.2.1 198.51.100.0/24", "", nil},
		{"one missing", policies + chain + bothJumps + own[:38], "192.0.2.1", own[38:], nil},
		{"one too many", policies + chain + bothJumps + own + "-A blockhosts -s 192.0.2.9/32 -j DROP\n", "192.0.2.1 192.0.2.9 198.51.100.0/24", refill, nil},
		{"chain emptied", policies + chain + bothJumps, "", own, nil},
		{"no chain, jumps elsewhere", policies + "-N other\n-A INPUT -j other\n", "", refill + in + fwd, nil},
		{"name is a prefix of another", policies + "-N blockhosts2\n-A INPUT -j blockhosts2\n-A blockhosts2 -s 192.0.2.1/32 -j DROP\n", "", refill + in + fwd, nil},
		{"foreign rule in our chain", policies + chain + bothJumps + "-A blockhosts -j RETURN\n" + own, "192.0.2.1 198.51.100.0/24", refill, nil},
		{"another action", policies + chain + bothJumps + strings.ReplaceAll(own, "DROP", "ACCEPT"), "", refill, nil},
		{"negated", policies + chain + bothJumps + "-A blockhosts ! -s 192.0.2.1/32 -j DROP\n" + own, "192.0.2.1 198.51.100.0/24", refill, nil},
		{"twice", policies + chain + bothJumps + own + own, "192.0.2.1 198.51.100.0/24", refill, nil},
		{"jump missing", policies + chain + "-A INPUT -j blockhosts\n" + own, "192.0.2.1 198.51.100.0/24", fwd, nil},
		{"jump twice", policies + chain + bothJumps + "-A INPUT -j blockhosts\n" + own, "192.0.2.1 198.51.100.0/24",
			"-D INPUT -j blockhosts\n-D INPUT -j blockhosts\n" + in, nil},
		{"jump moved", policies + chain + "-A INPUT -i lo -j ACCEPT\n" + bothJumps + own, "192.0.2.1 198.51.100.0/24", "", nil},
		{"jump behind the end", policies + chain + "-A INPUT -j REJECT --reject-with icmp-port-unreachable\n" + bothJumps + own, "192.0.2.1 198.51.100.0/24",
			"-D INPUT -j blockhosts\n" + in, nil},
		{"jump with a match", policies + chain + "-A INPUT -p tcp -m tcp --dport 22 -j blockhosts\n-A FORWARD -j blockhosts\n" + own, "192.0.2.1 198.51.100.0/24",
			"-D INPUT -p tcp -m tcp --dport 22 -j blockhosts\n" + in, nil},
		{"goto", policies + chain + "-A INPUT -g blockhosts\n-A FORWARD -j blockhosts\n" + own, "192.0.2.1 198.51.100.0/24",
			"-D INPUT -g blockhosts\n" + in, nil},
		{"the name in a comment", policies + chain + bothJumps + `-A INPUT -m comment --comment "x -j blockhosts" -j ACCEPT` + "\n" +
			`-A INPUT -m comment --comment "\" -j blockhosts" -j ACCEPT` + "\n" + own, "192.0.2.1 198.51.100.0/24", "", nil},
		{"another chain of the administrator's leads here", policies + chain + "-N mine\n" + bothJumps + "-A mine -p udp -j blockhosts\n" + own, "192.0.2.1 198.51.100.0/24", "", nil},
		{"a hook of before", policies + chain + bothJumps + own, "192.0.2.1 198.51.100.0/24", "-D FORWARD -j blockhosts\n", map[string]any{"hooks": []any{"INPUT"}}},
		{"a hook that is not there", policies + chain + bothJumps + own, "192.0.2.1 198.51.100.0/24", "", map[string]any{"hooks": []any{"INPUT", "FORWARD", "DOCKER-USER"}}},
		{"a hook that has come", policies + chain + "-N DOCKER-USER\n" + bothJumps + own, "192.0.2.1 198.51.100.0/24", "-I DOCKER-USER 1 -j blockhosts\n",
			map[string]any{"hooks": []any{"INPUT", "FORWARD", "DOCKER-USER"}}},
		{"behind established", policies + chain + "-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -p icmp -j ACCEPT\n-A FORWARD -j blockhosts\n" + own,
			"192.0.2.1 198.51.100.0/24", "-I INPUT 3 -j blockhosts\n", map[string]any{"position": "after-established"}},
		{"behind established, two jumps before it", policies + chain + "-A INPUT -j blockhosts\n-A INPUT -j blockhosts\n-A INPUT -m state --state ESTABLISHED -j ACCEPT\n-A FORWARD -j blockhosts\n" + own,
			"192.0.2.1 198.51.100.0/24", "-D INPUT -j blockhosts\n-D INPUT -j blockhosts\n-I INPUT 2 -j blockhosts\n", map[string]any{"position": "after-established"}},
		{"half of a reset", policies + chain + bothJumps + "-A blockhosts -s 192.0.2.1/32 -p tcp -j REJECT --reject-with tcp-reset\n", "",
			":blockhosts - [0:0]\n-A blockhosts -s 192.0.2.1/32 -p tcp -j REJECT --reject-with tcp-reset\n-A blockhosts -s 192.0.2.1/32 -j DROP\n" +
				"-A blockhosts -s 198.51.100.0/24 -p tcp -j REJECT --reject-with tcp-reset\n-A blockhosts -s 198.51.100.0/24 -j DROP\n", map[string]any{"action": "tcp-reset"}},
	} {
		h, err := readChain(newChain(t, 4, c.options), c.listing)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := textOf(h.entries()); got != c.held {
			t.Errorf("%s: held %q, want %q", c.name, got, c.held)
		}
		want, _ := entriesOf(targets("192.0.2.1", "198.51.100.0/24"), nil)
		add, del := difference(h.entries(), want)
		batch := ""
		for _, cmd := range h.change(want, add, del) {
			batch = strings.TrimSuffix(strings.TrimPrefix(cmd.Stdin, "*filter\n"), "COMMIT\n")
		}
		if batch != c.batch {
			t.Errorf("%s: would send\n%swant\n%s", c.name, batch, c.batch)
		}
		if (len(h.faults()) == 0 && len(add)+len(del) == 0) != (batch == "") && c.options == nil {
			t.Errorf("%s: faults %q beside a batch %q", c.name, h.faults(), batch)
		}
	}
}

// readChain reads a listing as if iptables printed it.
func readChain(c *chain, listing string) (*chainHeld, error) {
	r := c.reader(nil)
	printed(listing, r.take)
	return r.end()
}

// printed cuts text into lines as the output of a tool is cut.
func printed(text string, take func(string)) {
	l := &lined{max: maxOutput, take: take}
	for chunk := range slices.Chunk([]byte(text), 7) {
		_, _ = l.Write(chunk)
	}
	l.end()
}

func textOf(list []entry) string {
	var words []string
	for _, e := range sorted(slices.Clone(list)) {
		words = append(words, e.text()+strings.Repeat(":", min(1, len(e.part)))+e.part)
	}
	return strings.Join(words, " ")
}

// TestChainNoTable: an empty or foreign answer is not an empty table, which
// would have jumps and chain written again over what is there.
func TestChainNoTable(t *testing.T) {
	for _, listing := range []string{"", "\n", "-A INPUT -j blockhosts\n", "iptables: nothing today\n"} {
		if _, err := readChain(newChain(t, 4, nil), listing); err == nil {
			t.Errorf("%q is taken as a table", listing)
		}
	}
}

// TestChainLong: a chain that is or becomes too long is warned of, and sets are
// recommended.
func TestChainLong(t *testing.T) {
	c := newChain(t, 4, nil)
	for _, held := range []int{0, slowChain, slowChain + 1} {
		for _, wanted := range []int{0, slowChain, slowChain + 1} {
			entries := func(n int) []entry {
				list, _ := entriesOf(many(n), nil)
				return list
			}
			h := &chainHeld{chain: c, list: entries(held), lines: []string{"-P INPUT ACCEPT"}}
			notes := strings.Join(h.notes(entries(wanted)), "\n")
			if got := strings.Contains(notes, "nftables and ipset"); got != (max(held, wanted) > slowChain) {
				t.Errorf("%d held, %d wanted: %q", held, wanted, notes)
			}
		}
	}
}

// TestChainPorts: with "scope: service" an address has a rule for each port.
func TestChainPorts(t *testing.T) {
	b, err := New(Config{Name: "iptables", Options: map[string]any{"scope": "service", "action": "reject"}, Ports: map[string][]int{"sshd": {22, 2222}, "ftp": {21}}})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := entriesOf([]Target{
		{Net: targets("192.0.2.1")[0].Net, Services: []string{"ftp", "sshd"}},
		{Net: targets("192.0.2.2")[0].Net, Services: []string{"ftp", "unknown"}},
		{Net: targets("192.0.2.3")[0].Net},
	}, b.parts)
	if got := textOf(want); got != "192.0.2.1:21 192.0.2.1:22 192.0.2.1:2222 192.0.2.2 192.0.2.3" {
		t.Errorf("entries %q", got)
	}
	c := b.tables[0].(*chain)
	var rules strings.Builder
	c.rules(&rules, want)
	if first, _, _ := strings.Cut(rules.String(), "\n"); first != "-A blockhosts -s 192.0.2.1/32 -p tcp -m tcp --dport 21 -j REJECT --reject-with icmp-port-unreachable" {
		t.Errorf("rule %q", first)
	}
	h, err := readChain(c, policies+"-N blockhosts\n"+bothJumps+rules.String())
	if err != nil || textOf(h.entries()) != textOf(want) || len(h.faults()) > 0 {
		t.Errorf("listed %q, faults %q: %v", textOf(h.entries()), h.faults(), err)
	}
}

// TestChainWanted: what is expected changes nothing of what is read, and is
// not changed by it.
func TestChainWanted(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		c := newChain(t, 4, map[string]any{"action": []string{"drop", "tcp-reset"}[seed%2]})
		all, _ := entriesOf(many(12), nil)
		var want, there []entry
		for _, e := range all {
			if r.IntN(8) > 0 {
				want = append(want, e)
			}
			if r.IntN(8) > 0 {
				there = append(there, e)
			}
		}
		if r.IntN(2) == 0 {
			r.Shuffle(len(there), func(i, j int) { there[i], there[j] = there[j], there[i] })
		}
		var rules strings.Builder
		c.rules(&rules, there)
		lines := strings.SplitAfter(rules.String(), "\n")
		if n := r.IntN(2 * len(lines)); n < len(lines) { // as if somebody had deleted one
			lines[n] = ""
		}
		listing := policies + "-N blockhosts\n" + bothJumps + strings.Join(lines, "")
		plain, err := readChain(c, listing)
		if err != nil {
			t.Fatal(err)
		}
		before := slices.Clone(want)
		reader := c.reader(want)
		printed(listing, reader.take)
		h, err := reader.end()
		if err != nil || !slices.EqualFunc(h.list, plain.list, same) || h.broken != plain.broken {
			t.Fatalf("seed %d: want %q: read %q, broken %v, without want %q, %v: %v", seed, textOf(want), textOf(h.list), h.broken, textOf(plain.list), plain.broken, err)
		}
		if !slices.Equal(want, before) {
			t.Fatalf("seed %d: want is now %q", seed, textOf(want))
		}
		add, del := difference(h.list, want)
		add2, del2 := difference(plain.list, want)
		if !slices.EqualFunc(add, add2, same) || !slices.EqualFunc(del, del2, same) {
			t.Fatalf("seed %d: add %q, %q, del %q, %q", seed, textOf(add), textOf(add2), textOf(del), textOf(del2))
		}
	}
}

// chainTool stands in for iptables and iptables-restore of either family: it
// keeps the rules in the order in which they came, and a list of its calls.
const chainTool = `#!/bin/sh
tool=${0##*/}
state=${0%/*}/state.${tool%-restore}
echo "$tool" >>"${0%/*}/calls"
case $tool in
*-restore) { grep -v -e '^-N blockhosts' -e '^-A blockhosts ' "$state"; sed -n 's/^:\(.*\) - .*/-N \1/; s/^-I \([A-Z]*\) 1 /-A \1 /; /^-[AN]/p'; } >"$state.new"
	mv "$state.new" "$state" ;;
*) cat "$state" ;;
esac
`

// TestLooksAgain: a table is listed again after a change, but where nothing is
// in it and nothing had to go.
func TestLooksAgain(t *testing.T) {
	dir := toolbox(t, map[string]string{"iptables": chainTool, "iptables-restore": chainTool, "ip6tables": chainTool, "ip6tables-restore": chainTool})
	b, err := New(Config{Name: "iptables", Dirs: []string{dir, "/usr/bin", "/bin"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		state6 string // what ip6tables holds before; "" for nothing of ours
		want   []Target
		calls  string
	}{
		{"", targets("192.0.2.1"), "iptables iptables-restore iptables ip6tables ip6tables-restore"},
		{"", targets("2001:db8::1"), "iptables iptables-restore ip6tables ip6tables-restore ip6tables"},
		{"-N blockhosts\n" + bothJumps + "-A blockhosts -s 2001:db8::1/128 -j DROP\n", targets("192.0.2.1"),
			"iptables iptables-restore iptables ip6tables ip6tables-restore ip6tables"},
	} {
		for name, text := range map[string]string{"calls": "", "state.iptables": policies, "state.ip6tables": policies + c.state6} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r := Sync(context.Background(), b, c.want, false)
		text, err := os.ReadFile(filepath.Join(dir, "calls"))
		if got := strings.Join(strings.Fields(string(text)), " "); got != c.calls || r.Present != 1 || errors.Join(err, r.Err) != nil {
			t.Errorf("want %v: called %q, want %q; present %d: %v", c.want, got, c.calls, r.Present, errors.Join(err, r.Err))
		}
	}
}

func TestIptablesTools(t *testing.T) {
	for path, want := range map[string][2]string{
		"":                            {"iptables", "ip6tables"},
		"/sbin/iptables":              {"/sbin/iptables", "/sbin/ip6tables"},
		"/sbin/ip6tables":             {"/sbin/iptables", "/sbin/ip6tables"},
		"/a b/ip6tables-legacy":       {"/a b/iptables-legacy", "/a b/ip6tables-legacy"},
		"/opt/iptables/bin/ip6tables": {"/opt/iptables/bin/iptables", "/opt/iptables/bin/ip6tables"},
	} {
		v4, v6, err := iptablesTools(path)
		if err != nil || v4 != want[0] || v6 != want[1] {
			t.Errorf("%q: %q %q %v, want %q", path, v4, v6, err, want)
		}
	}
}

// FuzzChain: no listing makes the parser panic; what is sent to a chain as
// listed always leaves a chain that wants nothing more, read by applying the
// batch as iptables-restore(8) does; and no rule that is not ours is in it.
func FuzzChain(f *testing.F) {
	f.Add(policies + "-N blockhosts\n" + bothJumps + "-A blockhosts -s 192.0.2.1/32 -j DROP\n")
	f.Add(policies + "-N blockhosts\n-A INPUT -m comment --comment \"a -j blockhosts\" -j DROP\n-A INPUT -g blockhosts\n-A blockhosts -j X\n")
	f.Add(policies + "-N DOCKER-USER\n-A DOCKER-USER -j blockhosts\n-A INPUT -j ACCEPT\n" + bothJumps)
	f.Add(policies + "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A INPUT -j \"\n")
	want, _ := entriesOf(targets("192.0.2.1", "198.51.100.0/24"), nil)
	f.Add("-P \n-A FORWARD -j blockhosts")
	f.Add("-P \n-A INPUT -j ACCEPT --state ESTABLISHED")
	f.Fuzz(func(t *testing.T, listing string) {
		listing = strings.ReplaceAll(listing, "\r", "") // blanks part words, nothing else does
		for _, options := range []map[string]any{nil, {"position": "after-established", "action": "tcp-reset"}} {
			c := newChain(t, 4, options)
			h, err := readChain(c, listing)
			if err != nil {
				return
			}
			add, del := difference(h.entries(), want)
			text := listing
			for _, cmd := range h.change(want, add, del) {
				text = restore(t, text, cmd.Stdin)
			}
			again, err := readChain(c, text)
			if err != nil {
				t.Fatal(err)
			}
			if len(again.faults()) > 0 || textOf(again.entries()) != textOf(want) {
				t.Errorf("from\n%s\nto\n%s\nfaults %q", listing, text, again.faults())
			}
			for _, cmd := range again.clear() {
				text = restore(t, text, cmd.Stdin)
			}
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "-A blockhosts ") || line == "-N blockhosts\n" {
					t.Errorf("flush leaves %q", line)
				}
			}
		}
	})
}

// restore applies a batch to a listing. It knows of iptables-restore(8) what
// the batches need: a line that does not apply is an error.
func restore(t *testing.T, listing, batch string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(listing, "\n"), "\n")
	for line := range strings.Lines(batch) {
		line = strings.TrimSuffix(line, "\n")
		f := strings.Fields(line)
		switch {
		case line == "*filter" || line == "COMMIT":
		case line == ":blockhosts - [0:0]", line == "-F blockhosts", line == "-X blockhosts":
			lines = slices.DeleteFunc(lines, func(s string) bool {
				return strings.HasPrefix(s, "-A blockhosts ") || s == "-N blockhosts" && line != "-F blockhosts"
			})
			if line[0] == ':' {
				lines = append(lines, "-N blockhosts")
			}
		case f[0] == "-A":
			lines = append(lines, line)
		case f[0] == "-D":
			i := slices.Index(lines, "-A"+line[2:])
			if i < 0 {
				t.Fatalf("%q: no such rule in\n%s", line, strings.Join(lines, "\n"))
			}
			lines = slices.Delete(lines, i, i+1)
		case f[0] == "-I":
			lines = insert(t, lines, f[1], f[2], "-A "+f[1]+" "+strings.Join(f[3:], " "))
		default:
			t.Fatalf("unexpected line %q", line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// insert puts a rule at a place of its chain, counted from 1.
func insert(t *testing.T, lines []string, chain, place, rule string) []string {
	t.Helper()
	var at []int
	for i, s := range lines {
		if strings.HasPrefix(s, "-A "+chain+" ") {
			at = append(at, i)
		}
	}
	n := int(place[0]-'0') - 1
	for _, digit := range place[1:] {
		n = (n+1)*10 + int(digit-'0') - 1
	}
	if n < 0 || n > len(at) {
		t.Fatalf("index of insertion %s too big in\n%s", place, strings.Join(lines, "\n"))
	}
	if n == len(at) {
		return append(lines, rule)
	}
	return slices.Insert(lines, at[n], rule)
}
