package blockers

import (
	"context"
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// What linux/netfilter/nf_tables.h has and x/sys has not.
const (
	nftaSetCount  = 0x14 // since Linux 6.16
	nfprotoInet   = 1
	udataComment  = 0 // of a rule's user data (libnftnl, udata.h)
	typeIPv4      = 7 // of nft's own (src/datatype.c): ipv4_addr,
	typeIPv6      = 8 // ipv6_addr,
	typeService   = 13
	typeBits      = 6 // of each part of a concatenation
	setConcat     = 0x80
	nftHookAccept = 1
)

// ask reads our table from the kernel: the table, its sets, their elements,
// its chains and rules.
func (n *nft) ask(ctx context.Context, run runner) (*nftHeld, error) {
	link, err := openNetlink(unix.NETLINK_NETFILTER, run.timeout)
	if err != nil {
		return nil, err
	}
	defer link.close()
	return asked(func() (*nftHeld, error) {
		r := nftReader{nftHeld: &nftHeld{nft: n, sets: map[string]bool{}, chains: map[string][]string{}}, link: link, generation: -1}
		err := r.read(ctx)
		if err == unix.ENOENT && !r.exists {
			return &nftHeld{nft: n}, nil
		}
		return r.nftHeld, err
	})
}

// An nftReader reads what netlink tells of our table.
type nftReader struct {
	*nftHeld
	link       *netlink
	generation int // of the ruleset; -1: none read yet
	names      []nftSet
	counts     []int // elements of each set, as the kernel counts them; -1 where it tells none
}

func (r *nftReader) read(ctx context.Context) error {
	err := r.ask(unix.NFT_MSG_GETTABLE, 0, attribute(nil, unix.NFTA_TABLE_NAME, cString(r.table)), func([]byte) error {
		r.exists = true
		return nil
	})
	if err != nil {
		return err
	}
	for _, part := range []struct {
		kind, table uint16
		take        func([]byte) error
	}{
		{unix.NFT_MSG_GETSET, unix.NFTA_SET_TABLE, r.takeSet},
		{unix.NFT_MSG_GETCHAIN, unix.NFTA_CHAIN_TABLE, r.takeChain},
		{unix.NFT_MSG_GETRULE, unix.NFTA_RULE_TABLE, r.takeRule},
	} {
		if err := r.ask(part.kind, unix.NLM_F_DUMP, attribute(nil, part.table, cString(r.table)), part.take); err != nil {
			return err
		}
	}
	for i, s := range r.names {
		if err := r.readElements(ctx, s, r.counts[i]); err != nil {
			return err
		}
	}
	return nil
}

// ask asks nf_tables; take gets the attributes of each message. All messages
// must be of one generation of the ruleset: else it was changed in between.
func (r *nftReader) ask(kind, flags uint16, request []byte, take func([]byte) error) error {
	payload := append(nfgenmsg(nfprotoInet), request...)
	return r.link.ask(unix.NFNL_SUBSYS_NFTABLES<<8|kind, flags, payload, func(b []byte) error {
		if len(b) < 4 {
			return errUnlike
		}
		generation := int(binary.BigEndian.Uint16(b[2:]))
		if r.generation >= 0 && r.generation != generation {
			return errMoved
		}
		r.generation = generation
		return take(b[4:])
	})
}

func (r *nftReader) takeSet(b []byte) error {
	var table, name string
	flags, kind, count := uint32(0), uint32(0), ^uint32(0)
	err := readFields(b, fields{
		unix.NFTA_SET_TABLE: &table, unix.NFTA_SET_NAME: &name,
		unix.NFTA_SET_FLAGS: &flags, unix.NFTA_SET_KEY_TYPE: &kind, nftaSetCount: &count,
	})
	s, ok := parseNftSet(name)
	if err != nil || table != r.table || !ok || flags&^setConcat != 0 || kind != s.keyType() {
		return errUnlike
	}
	r.sets[name] = true
	r.names, r.counts = append(r.names, s), append(r.counts, int(int32(count)))
	return nil
}

// keyType is the number of the set's type; the parts of a concatenation stand
// side by side in it.
func (s nftSet) keyType() uint32 {
	t := map[int]uint32{4: typeIPv4, 6: typeIPv6}[s.family]
	if s.port {
		t = t<<typeBits | typeService
	}
	return t
}

// takeChain takes one of the chains of all inet tables.
func (r *nftReader) takeChain(b []byte) error {
	var table, name, kind string
	policy, hook, prio := uint32(0), uint32(0), uint32(0)
	var stands []byte
	err := readFields(b, fields{
		unix.NFTA_CHAIN_TABLE: &table, unix.NFTA_CHAIN_NAME: &name, unix.NFTA_CHAIN_TYPE: &kind,
		unix.NFTA_CHAIN_POLICY: &policy, unix.NFTA_CHAIN_HOOK: &stands,
	})
	if err == nil {
		err = readFields(stands, fields{unix.NFTA_HOOK_HOOKNUM: &hook, unix.NFTA_HOOK_PRIORITY: &prio})
	}
	hooks := []string{unix.NF_INET_PRE_ROUTING: "prerouting", unix.NF_INET_LOCAL_IN: "input", unix.NF_INET_FORWARD: "forward"}
	switch {
	case err == nil && table != r.table:
		return nil
	case err != nil, !slices.Contains(r.hooks, name), kind != "filter", policy != nftHookAccept,
		int(hook) >= len(hooks) || hooks[hook] != name, int(int32(prio)) != r.prio:
		return errUnlike
	}
	r.chains[name] = []string{}
	return nil
}

// takeRule takes one rule, in the order of its chain; its comment tells what
// it is.
func (r *nftReader) takeRule(b []byte) error {
	var table, chain string
	var user []byte
	err := readFields(b, fields{unix.NFTA_RULE_TABLE: &table, unix.NFTA_RULE_CHAIN: &chain, unix.NFTA_RULE_USERDATA: &user})
	if err == nil && table == r.table {
		r.chains[chain] = append(r.chains[chain], commentOf(user))
	}
	return err
}

// commentOf reads the comment in a rule's user data: records of a type, a
// length in bytes, and a value.
func commentOf(b []byte) string {
	for len(b) >= 2 && len(b) >= 2+int(b[1]) {
		if b[0] == udataComment {
			return goString(b[2 : 2+int(b[1])])
		}
		b = b[2+int(b[1]):]
	}
	return ""
}

// readElements reads a set. The kernel goes on enlarging a hash set for a
// while after many additions, and a listing meanwhile has some elements twice
// and others not at all (see settling): then it is asked again, a few times.
func (r *nftReader) readElements(ctx context.Context, s nftSet, count int) error {
	request := attribute(attribute(nil, unix.NFTA_SET_ELEM_LIST_TABLE, cString(r.table)), unix.NFTA_SET_ELEM_LIST_SET, cString(s.name()))
	take := func(_ uint16, element []byte) error { return r.takeElement(s, element) }
	start := len(r.own)
	for _, pause := range settling {
		if !sleep(ctx, pause) {
			return context.Cause(ctx)
		}
		r.own = slices.Grow(r.own[:start], max(count, 0))
		err := r.ask(unix.NFT_MSG_GETSETELEM, unix.NLM_F_DUMP, request, func(b []byte) error {
			return readAttributes(b, func(kind uint16, v []byte) error {
				if kind != unix.NFTA_SET_ELEM_LIST_ELEMENTS {
					return nil
				}
				return readAttributes(v, take)
			})
		})
		if read := r.own[start:]; err != nil || (count < 0 || count == len(read)) && distinct(read) {
			return err
		}
	}
	return nil
}

// takeElement takes an element that is a key and nothing else: an address
// and, where the set has ports, one of these in four bytes.
func (r *nftReader) takeElement(s nftSet, b []byte) error {
	address, size := 4, 4
	if s.family == 6 {
		address, size = 16, 16
	}
	if s.port {
		size += 4
	}
	key, ok := only(b, unix.NFTA_SET_ELEM_KEY)
	if ok {
		key, ok = only(key, unix.NFTA_DATA_VALUE)
	}
	if !ok || len(key) != size {
		return errUnlike
	}
	a, _ := netip.AddrFromSlice(key[:address])
	e := entry{net: netip.PrefixFrom(a, s.bits)}
	if s.port {
		e.part = strconv.Itoa(int(binary.BigEndian.Uint16(key[address:])))
	}
	if e.net != e.net.Masked() || e.part == "0" {
		return errUnlike
	}
	r.own = append(r.own, e)
	return nil
}
