package blockers

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// What linux/netfilter/ipset/ip_set.h has and x/sys has not. Commands:
const (
	ipsetCmdList  = 7
	ipsetProtocol = 6 // which every kernel since Linux 3.1 speaks
)

// Attributes of a message, of a set's data, of an element and of an address.
const (
	ipsetProtocolAttr = 1
	ipsetSetname      = 2
	ipsetTypename     = 3
	ipsetFamily       = 5
	ipsetData         = 7
	ipsetADT          = 8 // the elements

	ipsetIP       = 1
	ipsetCIDR     = 3
	ipsetPort     = 4
	ipsetTimeout  = 6
	ipsetProto    = 7
	ipsetFlags    = 8 // nomatch; with counters, comment, …
	ipsetMaxelem  = 19
	ipsetElements = 24

	ipsetIPv4 = 1
	ipsetIPv6 = 2
)

// ask reads one of our sets from the kernel. One that is not there is
// unix.ENOENT.
func (h *ipsetHeld) ask(run runner, set string) error {
	link, err := openNetlink(unix.NETLINK_NETFILTER, run.timeout)
	if err != nil {
		return err
	}
	defer link.close()
	held := h.own
	_, err = asked(func() (struct{}, error) {
		h.own = held
		r := ipsetReader{ipsetHeld: h, set: set}
		request := attribute(nfgenmsg(0), ipsetProtocolAttr, []byte{ipsetProtocol})
		request = attribute(request, ipsetSetname, cString(set))
		err := link.ask(unix.NFNL_SUBSYS_IPSET<<8|ipsetCmdList, unix.NLM_F_DUMP, request, r.take)
		if err == nil && !r.created {
			err = errUnlike
		}
		return struct{}{}, err
	})
	if err != nil {
		h.own = held
	}
	return err
}

// An ipsetReader reads what netlink tells of one set.
type ipsetReader struct {
	*ipsetHeld
	set     string
	created bool // the set's type was told, and is ours
}

// take reads one message: the first tells the set's type and data too.
func (r *ipsetReader) take(b []byte) error {
	if len(b) < 4 {
		return errUnlike
	}
	return readAttributes(b[4:], func(kind uint16, v []byte) error {
		switch kind {
		case ipsetSetname:
			if goString(v) != r.set {
				return errUnlike
			}
		case ipsetTypename:
			r.created = goString(v) == r.kind(r.set)
		case ipsetFamily:
			if len(v) != 1 || v[0] != map[int]byte{4: unix.AF_INET, 6: unix.AF_INET6}[r.family] {
				return errUnlike
			}
		case ipsetData:
			return r.takeData(v)
		case ipsetADT:
			return readAttributes(v, func(_ uint16, element []byte) error { return r.takeElement(element) })
		}
		return nil
	})
}

// takeData reads how the set was made.
func (r *ipsetReader) takeData(b []byte) error {
	return readAttributes(b, func(kind uint16, v []byte) error {
		switch kind {
		case ipsetTimeout, ipsetFlags:
			return errUnlike
		case ipsetMaxelem:
			if number(v) != maxElem {
				return errUnlike
			}
		case ipsetElements:
			r.own = slices.Grow(r.own, int(min(number(v), maxElem)))
		}
		return nil
	})
}

// takeElement reads an address with its length and, where the set has them,
// its TCP port.
func (r *ipsetReader) takeElement(b []byte) error {
	var a netip.Addr
	port, proto, length := -1, byte(unix.IPPROTO_TCP), -1
	err := readAttributes(b, func(kind uint16, v []byte) error {
		switch {
		case kind == ipsetIP:
			return readAttributes(v, func(kind uint16, v []byte) error {
				switch {
				case r.family == 4 && kind == ipsetIPv4 && len(v) == 4, r.family == 6 && kind == ipsetIPv6 && len(v) == 16:
					a, _ = netip.AddrFromSlice(v)
					return nil
				}
				return errUnlike
			})
		case kind == ipsetCIDR && len(v) == 1:
			length = int(v[0])
		case kind == ipsetPort && len(v) == 2:
			port = int(binary.BigEndian.Uint16(v))
		case kind == ipsetProto && len(v) == 1:
			proto = v[0]
		default:
			return errUnlike
		}
		return nil
	})
	e := entry{net: netip.PrefixFrom(a, length)}
	if err != nil || !e.net.IsValid() || length == 0 || e.net != e.net.Masked() || proto != unix.IPPROTO_TCP || (port > 0) != (r.set != r.base) {
		return errUnlike
	}
	if port > 0 {
		e.part = strconv.Itoa(port)
	}
	r.own = append(r.own, e)
	return nil
}
