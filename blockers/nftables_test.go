package blockers

import (
	"fmt"
	"strings"
	"testing"
)

func newNft(t testing.TB, options map[string]any) *nft {
	t.Helper()
	b, err := New(Config{Name: "nftables", Options: options})
	if err != nil {
		t.Fatal(err)
	}
	return b.tables[0].(*nft)
}

// nftJSON writes our table as nft 1.0.6 lists it.
func nftJSON(n *nft, elements map[string]string, sets ...nftSet) string {
	objects := []string{`{"metainfo": {"version": "1.0.6"}}`, `{"table": {"family": "inet", "name": "blockhosts", "handle": 1}}`}
	for _, s := range sets {
		kind := `"` + s.types() + `"`
		if s.port {
			kind = `["` + strings.ReplaceAll(s.types(), " . ", `", "`) + `"]`
		}
		elem := ""
		if e := elements[s.name()]; e != "" {
			elem = `, "elem": [` + e + `]`
		}
		objects = append(objects, fmt.Sprintf(`{"set": {"family": "inet", "name": %q, "table": "blockhosts", "type": %s, "handle": 2%s}}`, s.name(), kind, elem))
	}
	for _, h := range n.hooks {
		objects = append(objects, fmt.Sprintf(`{"chain": {"family": "inet", "table": "blockhosts", "name": %q, "handle": 3, "type": "filter", "hook": %q, "prio": %d, "policy": "accept"}}`, h, h, n.prio))
		for _, r := range n.rules(sets) {
			objects = append(objects, fmt.Sprintf(`{"rule": {"family": "inet", "table": "blockhosts", "chain": %q, "handle": 4, "comment": %q, "expr": [{"drop": null}]}}`, h, r))
		}
	}
	return `{"nftables": [` + strings.Join(objects, ", ") + `]}`
}

var (
	nft4, nft6 = nftSet{4, 32, false}, nftSet{6, 128, false}
	nft24      = nftSet{4, 24, false}
	nftPort    = nftSet{4, 32, true}
)

// TestNftParse: listings, and the first words of what has to be sent where
// 192.0.2.1 and 198.51.100.0/24 are wanted.
func TestNftParse(t *testing.T) {
	n := newNft(t, nil)
	right := map[string]string{"v4": `"192.0.2.1"`, "v4_24": `"198.51.100.0"`}
	whole := nftJSON(n, right, nft4, nft24, nft6)
	for _, c := range []struct{ name, listing, held, batch string }{
		{"all as it should be", whole, "192.0.2.1 198.51.100.0/24", ""},
		{"an empty set more", nftJSON(n, right, nft4, nft24, nftPort, nft6), "192.0.2.1 198.51.100.0/24", ""},
		{"one missing", nftJSON(n, map[string]string{"v4": `"192.0.2.1"`}, nft4, nft24, nft6), "192.0.2.1", "add element inet blockhosts v4_24 { 198.51.100.0 }\n"},
		{"two too many", nftJSON(n, map[string]string{"v4": `"192.0.2.1", "192.0.2.9"`, "v4_24": `"198.51.100.0"`, "v6": `"2001:db8::1"`}, nft4, nft24, nft6),
			"192.0.2.1 192.0.2.9 198.51.100.0/24 2001:db8::1",
			"delete element inet blockhosts v4 { 192.0.2.9 }\ndelete element inet blockhosts v6 { 2001:db8::1 }\n"},
		{"ports of before", nftJSON(n, map[string]string{"v4": `"192.0.2.1"`, "v4_24": `"198.51.100.0"`, "v4_port": `{"concat": ["192.0.2.1", 22]}`}, nft4, nft24, nftPort, nft6),
			"192.0.2.1 192.0.2.1:22 198.51.100.0/24", "delete element inet blockhosts v4_port { 192.0.2.1 . 22 }\n"},
		{"set missing", nftJSON(n, map[string]string{"v4": `"192.0.2.1"`}, nft4, nft6), "192.0.2.1", "add table inet blockhosts\nadd set inet blockhosts v4 "},
		{"rule missing", strings.Replace(whole, "ip saddr @v4 counter drop", "", 1), "192.0.2.1 198.51.100.0/24", "add table inet blockhosts\nadd set inet blockhosts v4 "},
		{"policy drop", strings.Replace(whole, `"policy": "accept"`, `"policy": "drop"`, 1), "192.0.2.1 198.51.100.0/24", "add table inet blockhosts\ndelete table inet blockhosts\nadd table"},
		{"interval set", strings.Replace(whole, `"handle": 2`, `"handle": 2, "flags": ["interval"]`, 1), "198.51.100.0/24", "add table inet blockhosts\ndelete table inet blockhosts\nadd table"},
		{"element with a time", nftJSON(n, map[string]string{"v4": `{"elem": {"val": "192.0.2.1", "timeout": 9}}`, "v4_24": `"198.51.100.0"`}, nft4, nft24, nft6),
			"198.51.100.0/24", "add table inet blockhosts\ndelete table inet blockhosts\nadd table"},
		{"host bits", nftJSON(n, map[string]string{"v4": `"192.0.2.1"`, "v4_24": `"198.51.100.7"`}, nft4, nft24, nft6), "192.0.2.1", "add table inet blockhosts\ndelete table inet blockhosts\nadd table"},
	} {
		h, err := n.parse([]byte(c.listing))
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
			batch += cmd.Stdin
		}
		if !strings.HasPrefix(batch, c.batch) || c.batch == "" && batch != "" {
			t.Errorf("%s: would send\n%swant\n%s", c.name, batch, c.batch)
		}
	}
}

func TestNftSetNames(t *testing.T) {
	for _, s := range []nftSet{nft4, nft6, nft24, nftPort, {6, 64, false}, {6, 64, true}, {4, 1, true}} {
		if got, ok := parseNftSet(s.name()); !ok || got != s {
			t.Errorf("%s is read as %+v %v", s.name(), got, ok)
		}
	}
	for _, name := range []string{"", "v5", "v4_", "v4_32", "v4_33", "v4_0", "v4_-1", "v4_024", "v6_128", "v6_129", "v4_port_port", "_port"} {
		if got, ok := parseNftSet(name); ok {
			t.Errorf("%q is read as %+v", name, got)
		}
	}
}

// FuzzNft: no listing makes the parser panic, and what is held has no host
// bits, is of one of our sets, and is listed.
func FuzzNft(f *testing.F) {
	n := newNft(f, nil)
	f.Add([]byte(nftJSON(n, map[string]string{"v4": `"192.0.2.1"`, "v4_24": `"198.51.100.0"`, "v4_port": `{"concat": ["192.0.2.1", 22]}`}, nft4, nft24, nftPort, nft6)))
	f.Add([]byte(`{"nftables": [{"set": {"name": "v4", "type": "ipv4_addr", "elem": [{"prefix": {"addr": "192.0.2.0", "len": 24}}, 7, null, ["x"]]}}]}`))
	f.Fuzz(func(t *testing.T, out []byte) {
		h, err := n.parse(out)
		if err != nil {
			return
		}
		for _, e := range h.entries() {
			if e.net != e.net.Masked() || !h.sets[setOf(e).name()] {
				t.Errorf("holds %v of %s", e, out)
			}
		}
		want, _ := entriesOf(targets("192.0.2.1", "2001:db8:1::/64"), nil)
		add, del := difference(h.entries(), want)
		for _, cmd := range h.change(want, add, del) {
			for line := range strings.Lines(cmd.Stdin) {
				f := strings.Fields(line)
				if f[len(f)-2] == "{" || len(f) < 4 || f[2] != "inet" || f[3] != "blockhosts" {
					t.Errorf("sends %q", line)
				}
			}
		}
	})
}
