package blockfile

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"blockhosts/internal/record"
)

// plainState is what a busy host has: n addresses, one in ten IPv6, half of
// them blocked.
func plainState(n int) record.State {
	var st record.State
	for i := range n {
		h := record.Host{Net: record.Single(netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)})), Counter: record.Counter{Count: 3 + i%9, Last: noon.Add(-time.Duration(i) * time.Second / 10)}}
		if i >= n-n/10 {
			a := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, byte(i >> 16), byte(i >> 8), byte(i), 15: 1})
			h.Net, _ = a.Prefix(64)
			h.Offenders = []netip.Addr{a}
		}
		h.Services = []record.ServiceCount{{Service: "sshd", Counter: record.Counter{Count: h.Count, Last: h.Last}}}
		st.Hosts = append(st.Hosts, h)
		if i%2 == 0 {
			st.Blocks = append(st.Blocks, record.Block{Net: h.Net, Host: h.Net, Reason: record.ReasonCount, Since: h.Last, Count: h.Count, Services: []string{"sshd"}})
		}
	}
	st.Offsets = []record.Offset{{Path: "/var/log/auth.log", Pos: 1 << 30, Device: 1, Inode: 2, Head: "0011223344556677", Tail: "8899aabbccddeeff", Read: noon}}
	st.Saved = noon
	return st
}

func sizes(b *testing.B, bench func(b *testing.B, st record.State)) {
	for _, n := range []int{1000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			st := plainState(n)
			b.ReportAllocs()
			bench(b, st)
		})
	}
}

func BenchmarkSection(b *testing.B) {
	sizes(b, func(b *testing.B, st record.State) {
		f := &File{template: DefaultTemplate.compile()}
		for b.Loop() {
			b.SetBytes(int64(len(f.Section(st))))
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	sizes(b, func(b *testing.B, st record.State) {
		f := &File{template: DefaultTemplate.compile()}
		path := filepath.Join(b.TempDir(), "hosts.allow")
		text := f.Section(st)
		if err := os.WriteFile(path, text, 0o644); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := Load(path, options()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSave is the whole of it, with the disk.
func BenchmarkSave(b *testing.B) {
	sizes(b, func(b *testing.B, st record.State) {
		f := load(b, write(b, inSection()))
		for b.Loop() {
			if err := f.Save(b.Context(), st); err != nil {
				b.Fatal(err)
			}
		}
	})
}
