package blockfile

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func options() Options { return Options{Now: noon, Local: time.UTC, IPv6Prefix: 64} }

// write puts text into a new file and returns its path.
func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hosts.allow")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// load loads a file that must be right.
func load(t testing.TB, path string) *File {
	t.Helper()
	f, err := Load(path, options())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// inSection is a file that holds lines between the markers.
func inSection(lines ...string) string {
	return Marker + "\n" + strings.Join(append(lines, ""), "\n") + Marker + "\n"
}

// randomState makes a valid state with n of everything, odd cases more often
// than life has them.
func randomState(r *rand.Rand, n int) record.State {
	var st record.State
	nets := randomNets(r, n)
	for _, net := range nets {
		h := record.Host{Net: net, Counter: randomCounter(r), Services: randomCounts(r)}
		if net.Addr().Is6() {
			h.Offenders = randomOffenders(r, net)
		}
		st.Hosts = append(st.Hosts, h)
		if r.IntN(2) == 0 {
			b := record.Block{Net: net, Reason: record.ReasonDenylist, Since: randomTime(r), Until: randomTime(r), Count: r.IntN(9), By: randomName(r), Services: randomNames(r), Note: randomName(r)}
			if r.IntN(2) == 0 {
				b.Host = net
			}
			st.Blocks = append(st.Blocks, b)
		}
		if r.IntN(2) == 0 {
			st.Past = append(st.Past, record.Past{Net: net, Blocks: r.IntN(5), Last: randomTime(r)})
		}
		st.Unmailed = append(st.Unmailed, record.Event{At: randomTime(r), Action: record.ActionBlock, Net: net, Reason: record.ReasonCount, Count: r.IntN(9), Before: r.IntN(3), Services: randomNames(r)})
	}
	for i := range n {
		st.Tallies = append(st.Tallies, record.Tally{Key: uint64(i) << 50, Rule: randomName(r), Lines: r.IntN(9), Last: randomTime(r)})
		st.Names = append(st.Names, record.Name{Name: fmt.Sprintf("n%05d.example.org", i), Addrs: randomOffenders(r, netip.MustParsePrefix("2001:db8::/64"))})
		st.Used = append(st.Used, record.Used{Name: fmt.Sprintf("u%05d", i), Names: map[string]string{randomName(r): randomName(r), "chain": "blockhosts"}})
		st.Troubles = append(st.Troubles, record.Trouble{Text: fmt.Sprintf("%05d %.900s", i, randomName(r)), Since: randomTime(r), Told: randomTime(r), Unmailed: i%2 == 1})
		st.Offsets = append(st.Offsets, record.Offset{Path: "/" + randomName(r), Pos: r.Int64(), Device: r.Uint64(), Inode: r.Uint64(), Head: randomName(r), Tail: "0011223344556677", Read: randomTime(r)})
	}
	if r.IntN(2) == 0 {
		st.Offsets = append(st.Offsets, record.Offset{Path: "journal", Cursor: "s=" + randomName(r) + ";i=1", Lost: r.Int64(), Gap: randomTime(r), Read: randomTime(r)})
	}
	st.Saved = randomTime(r)
	return st
}

func randomNets(r *rand.Rand, n int) []netip.Prefix {
	var nets []netip.Prefix
	for range n {
		var a [16]byte
		for i := range a {
			a[i] = byte(r.UintN(256))
		}
		switch r.IntN(5) {
		case 0:
			nets = append(nets, netip.PrefixFrom(netip.AddrFrom4([4]byte(a[:4])), r.IntN(33)).Masked())
		case 1:
			a = [16]byte{0x20, 1, 0xd, 0xb8, 0, byte(r.UintN(3)), 0, byte(r.UintN(3))}
			nets = append(nets, netip.PrefixFrom(netip.AddrFrom16(a), 32+r.IntN(97)).Masked())
		case 2:
			nets = append(nets, record.Single(netip.AddrFrom16(a).Unmap()))
		default:
			nets = append(nets, record.Single(netip.AddrFrom4([4]byte(a[:4]))))
		}
	}
	slices.SortFunc(nets, byNet)
	return slices.Compact(nets)
}

// randomOffenders are distinct addresses of net, in order.
func randomOffenders(r *rand.Rand, net netip.Prefix) []netip.Addr {
	if net.IsSingleIP() {
		return []netip.Addr{net.Addr()}
	}
	var addrs []netip.Addr
	for range r.IntN(record.MaxOffenders + 1) {
		a := net.Addr().As16()
		a[15] = byte(r.UintN(256))
		if net.Bits() <= 64 {
			for i := 8; i < 15; i++ {
				a[i] = byte(r.UintN(256))
			}
		}
		if addr := netip.AddrFrom16(a); net.Contains(addr) {
			addrs = append(addrs, addr)
		}
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return slices.Compact(addrs)
}

func randomTime(r *rand.Rand) time.Time {
	switch r.IntN(12) {
	case 0:
		return time.Time{}
	case 1:
		return time.Unix(0, 0).UTC()
	case 2:
		return time.Unix(-r.Int64N(1e9), r.Int64N(10)*1e8).UTC()
	}
	return time.Unix(1.5e9+r.Int64N(1e9), r.Int64N(10)*1e8).UTC()
}

// randomName is a name as configurations have it, or one as an enemy would.
func randomName(r *rand.Rand) string {
	switch r.IntN(6) {
	case 0:
		b := make([]byte, r.IntN(40))
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		return string(b)
	case 1:
		return strings.Repeat(`\`, r.IntN(2500)) + " \n\" : =,#"
	case 2:
		return Marker + "\r\n" + Marker
	}
	return []string{"sshd", "vsftpd", "pure-ftpd", "sshd-Fail", ""}[r.IntN(5)]
}

func randomNames(r *rand.Rand) []string {
	var names []string
	for range r.IntN(4) {
		names = append(names, randomName(r))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// randomCounter has what the limiters keep, now and then.
func randomCounter(r *rand.Rand) record.Counter {
	c := record.Counter{Count: r.IntN(300), Last: randomTime(r)}
	switch r.IntN(4) {
	case 0:
		c.Average = r.ExpFloat64() * 10
	case 1:
		for range 1 + r.IntN(record.MaxStamps) {
			c.Stamps = append(c.Stamps, time.Unix(1.5e9+r.Int64N(1e9), r.Int64N(10)*1e8).UTC())
		}
		slices.SortFunc(c.Stamps, time.Time.Compare)
	}
	return c
}

func randomCounts(r *rand.Rand) []record.ServiceCount {
	var counts []record.ServiceCount
	for _, name := range randomNames(r) {
		counts = append(counts, record.ServiceCount{Service: name, Counter: randomCounter(r)})
	}
	return counts
}

// differ tells where two states differ; "" where they do not.
func differ(got, want record.State) string {
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		name, a, b := g.Type().Field(i).Name, g.Field(i), w.Field(i)
		if reflect.DeepEqual(a.Interface(), b.Interface()) {
			continue
		}
		if a.Kind() == reflect.Slice && a.Len() == b.Len() {
			for j := range a.Len() {
				if x, y := a.Index(j).Interface(), b.Index(j).Interface(); !reflect.DeepEqual(x, y) {
					return fmt.Sprintf("%s[%d] = %.900s\nwant %.900s", name, j, fmt.Sprintf("%+v", x), fmt.Sprintf("%+v", y))
				}
			}
		}
		return fmt.Sprintf("%s = %.900s\nwant %.900s", name, fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b))
	}
	return ""
}
