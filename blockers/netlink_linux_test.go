package blockers

import (
	"context"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// asksKernel reads what a table holds by netlink alone. An ipset that is not
// there holds nothing.
func asksKernel(t table, run runner) (list []entry, err error) {
	switch t := t.(type) {
	case *nft:
		h, err := t.ask(context.Background(), run)
		if err != nil {
			return nil, err
		}
		return h.own, nil
	case *routes:
		h, err := t.ask(run)
		if err != nil {
			return nil, err
		}
		return h.own, nil
	case *ipset:
		h := &ipsetHeld{ipset: t}
		for _, set := range t.sets() {
			if err := h.ask(run, set); err != nil && err != unix.ENOENT {
				return nil, err
			}
		}
		return h.own, nil
	}
	return nil, unix.ENOTSUP
}

// TestNetlinkAgrees: the kernel itself and the tools tell the same, whatever
// anybody did; and what we made ourselves is read from the kernel.
func TestNetlinkAgrees(t *testing.T) {
	for _, c := range slices.Concat(nftContenders()[:1], ipsetContenders("nft")[:1], iprouteContenders()) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			need(t, append(c.tools, "iptables", "ipset", "nft", "ip")...)
			a := newArena(t)
			t.Run("arena", func(t *testing.T) { agree(t, a.ground(t, c.variant), c) })
		})
	}
}

func agree(t *testing.T, g ground, c contender) {
	c.config.Dirs = []string{g.dir}
	want := append(many(3000), targets("192.0.2.3", "2001:db8::2", "192.0.2.8/30", "2001:db8:0:1::/64", "198.51.100.0/24")...)
	if c.config.Name != "iproute" {
		c.config.Options = map[string]any{"scope": "service"}
		c.config.Ports = map[string][]int{"sshd": {22, 2222}}
		for i := range want {
			want[i].Services = [][]string{nil, {"sshd"}}[i%2]
		}
	}
	b, err := New(c.config)
	if err != nil {
		t.Fatal(err)
	}
	agreed(t, "nothing there", b, true)
	for _, s := range append([]spoiler{{"filled", ""}}, c.spoil...) {
		if r := Sync(context.Background(), b, want, false); r.Err != nil {
			t.Fatal(r.Err)
		}
		agreed(t, "before: "+s.name, b, true)
		g.spoil(s.script)
		agreed(t, s.name, b, false)
	}
}

// agreed compares the listing that Sync works with, where the kernel may be
// asked, with the tools'.
func agreed(t *testing.T, scene string, b Blocker, must bool) {
	t.Helper()
	textual := b.run
	textual.textual = true
	for _, table := range b.tables {
		tool, _, err := table.list(context.Background(), textual, nil)
		if err != nil {
			t.Fatalf("%s: %s: %v", scene, table.title(), err)
		}
		both, _, err := table.list(context.Background(), b.run, nil)
		if err != nil {
			t.Fatalf("%s: %s: %v", scene, table.title(), err)
		}
		if got, want := textOf(both.entries()), textOf(tool.entries()); got != want {
			t.Errorf("%s: %s holds %.300s, the tool lists %.300s", scene, table.title(), got, want)
		}
		if !slices.Equal(both.faults(), tool.faults()) {
			t.Errorf("%s: %s: faults %q, with the tool %q", scene, table.title(), both.faults(), tool.faults())
		}
		alone, err := asksKernel(table, b.run)
		if err != nil && must {
			t.Errorf("%s: %s: the kernel's answer is not taken: %v", scene, table.title(), err)
		} else if err == nil && textOf(alone) != textOf(tool.entries()) {
			t.Errorf("%s: %s: the kernel tells %.300s, the tool lists %.300s", scene, table.title(), textOf(alone), textOf(tool.entries()))
		}
	}
}

// TestNetlinkSender: what another program sends reaches a socket that is bound,
// and none of ours.
func TestNetlinkSender(t *testing.T) {
	n, err := openNetlink(unix.NETLINK_ROUTE, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	other, err := openNetlink(unix.NETLINK_ROUTE, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer other.close()
	address, err := unix.Getsockname(n.fd)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Sendto(other.fd, message(unix.NLMSG_NOOP, 0, 1, nil), 0, address); err != unix.ECONNREFUSED {
		t.Errorf("sent to %+v: %v", address, err)
	}
}

// message makes a netlink message.
func message(kind, flags uint16, seq uint32, payload []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(payload)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, seq)
	return append(append(b, 0, 0, 0, 0), payload...)
}

// TestReadMessages: how an answer goes on and how it ends.
func TestReadMessages(t *testing.T) {
	status := func(errno int32) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(-errno)) }
	const multi, part = unix.NLM_F_MULTI, 0x40
	for _, c := range []struct {
		name string
		b    []byte
		read string
		done bool
		err  error
	}{
		{"one", message(part, 0, 7, []byte("abcd")), "abcd", true, nil},
		{"parts", slices.Concat(message(part, multi, 7, []byte("abcd")), message(part, multi, 7, []byte("efgh"))), "abcdefgh", false, nil},
		{"the last", slices.Concat(message(part, multi, 7, []byte("abcd")), message(unix.NLMSG_DONE, multi, 7, status(0))), "abcd", true, nil},
		{"another's", slices.Concat(message(part, multi, 6, []byte("abcd")), message(part, multi, 7, []byte("efgh"))), "efgh", false, nil},
		{"refused", message(unix.NLMSG_ERROR, 0, 7, status(int32(unix.EPERM))), "", true, unix.EPERM},
		{"ends badly", slices.Concat(message(part, multi, 7, []byte("abcd")), message(unix.NLMSG_DONE, multi, 7, status(int32(unix.EIO)))), "abcd", true, unix.EIO},
		{"changed", slices.Concat(message(part, multi|unix.NLM_F_DUMP_INTR, 7, []byte("abcd")), message(unix.NLMSG_DONE, multi, 7, status(0))), "", true, errMoved},
		{"changed at the end", slices.Concat(message(part, multi, 7, []byte("abcd")), message(unix.NLMSG_DONE, multi|unix.NLM_F_DUMP_INTR, 7, status(0))), "abcd", true, errMoved},
		{"half a header", make([]byte, 7), "", true, errUnlike},
		{"cut", message(part, multi, 7, []byte("abcd"))[:18], "", true, errUnlike},
	} {
		read := ""
		done, err := readMessages(c.b, 7, func(p []byte) error {
			read += string(p)
			return nil
		})
		if read != c.read || done != c.done || err != c.err {
			t.Errorf("%s: %q %v %v, want %q %v %v", c.name, read, done, err, c.read, c.done, c.err)
		}
	}
}

// FuzzNetlink: no answer makes a reader panic, and what it takes is an address
// or a prefix without host bits.
func FuzzNetlink(f *testing.F) {
	address := attribute(nil, unix.NFTA_DATA_VALUE, []byte{192, 0, 2, 1})
	element := attribute(nil, unix.NFTA_LIST_ELEM, attribute(nil, unix.NFTA_SET_ELEM_KEY, address))
	set := attribute(attribute(nil, unix.NFTA_SET_TABLE, cString("blockhosts")), unix.NFTA_SET_NAME, cString("v4"))
	f.Add(message(0x40, unix.NLM_F_MULTI, 7, element))
	f.Add(message(0x40, unix.NLM_F_MULTI, 7, append(nfgenmsg(1), attribute(set, unix.NFTA_SET_KEY_TYPE, []byte{0, 0, 0, typeIPv4})...)))
	member := attribute(attribute(nil, ipsetIP, attribute(nil, ipsetIPv4, []byte{192, 0, 2, 1})), ipsetCIDR, []byte{32})
	f.Add(message(0x40, unix.NLM_F_MULTI, 7, append(nfgenmsg(2), attribute(nil, ipsetADT, attribute(nil, ipsetData, member))...)))
	route := []byte{unix.AF_INET, 32, 0, 0, unix.RT_TABLE_MAIN, protocolNumber, 0, unix.RTN_BLACKHOLE, 0, 0, 0, 0}
	route = attribute(attribute(route, unix.RTA_DST, []byte{192, 0, 2, 1}), unix.RTA_PRIORITY, binary.NativeEndian.AppendUint32(nil, metricNumber))
	f.Add(message(unix.RTM_NEWROUTE, unix.NLM_F_MULTI, 7, route))
	sets, err := New(Config{Name: "ipset", Options: map[string]any{"scope": "service"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, family := range []int{4, 6} {
			n := nftReader{nftHeld: &nftHeld{nft: newNft(t, nil), sets: map[string]bool{}, chains: map[string][]string{}}}
			routes := &routesHeld{routes: &routes{kind: "blackhole", family: family}}
			s := &ipsetHeld{ipset: sets.tables[family/2-2].(*ipset)}
			readers := []func([]byte) error{routes.take, n.takeSet, n.takeChain, n.takeRule}
			for _, set := range s.sets() {
				r := ipsetReader{ipsetHeld: s, set: set}
				readers = append(readers, r.take)
			}
			for _, s := range []nftSet{nft4, nft6, nft24, nftPort, {6, 64, true}} {
				readers = append(readers, func(b []byte) error {
					return readAttributes(b, func(_ uint16, v []byte) error { return n.takeElement(s, v) })
				})
			}
			for _, each := range readers {
				_, _ = readMessages(b, 7, each)
			}
			for _, e := range slices.Concat(routes.own, n.own, s.own) {
				if !e.net.IsValid() || e.net != e.net.Masked() || e.net.Bits() == 0 || e.part != "" && !validPort(e.part) {
					t.Errorf("takes %v from %x", e, b)
				}
			}
		}
	})
}
