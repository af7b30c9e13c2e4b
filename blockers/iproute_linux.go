package blockers

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// routeProto and routeMetric as numbers.
const (
	protocolNumber = 98
	metricNumber   = 98
)

// ask reads the routes of our protocol in the main table from the kernel.
func (r *routes) ask(run runner) (*routesHeld, error) {
	link, err := openNetlink(unix.NETLINK_ROUTE, run.timeout)
	if err != nil {
		return nil, err
	}
	defer link.close()
	// Since Linux 4.20 the kernel chooses the routes, asked to be strict; before,
	// it tells all of them.
	_ = unix.SetsockoptInt(link.fd, unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1)
	request := make([]byte, unix.SizeofRtMsg)
	request[0] = map[int]byte{4: unix.AF_INET, 6: unix.AF_INET6}[r.family]
	request[4], request[5] = unix.RT_TABLE_MAIN, protocolNumber
	return asked(func() (*routesHeld, error) {
		h := &routesHeld{routes: r}
		return h, link.ask(unix.RTM_GETROUTE, unix.NLM_F_DUMP, request, h.take)
	})
}

// take reads one route (rtnetlink(7), struct rtmsg and its attributes).
// Protocol 98 with another metric or type is not ours.
func (h *routesHeld) take(b []byte) error {
	if len(b) < unix.SizeofRtMsg {
		return errUnlike
	}
	kind := map[byte]string{unix.RTN_BLACKHOLE: "blackhole", unix.RTN_UNREACHABLE: "unreachable", unix.RTN_PROHIBIT: "prohibit"}[b[7]]
	flags := binary.NativeEndian.Uint32(b[8:])
	if b[5] != protocolNumber || kind == "" || flags&unix.RTM_F_CLONED != 0 {
		return nil
	}
	length, table, metric := int(b[1]), uint32(b[4]), uint32(0)
	var to netip.Addr
	err := readAttributes(b[unix.SizeofRtMsg:], func(kind uint16, v []byte) error {
		switch kind {
		case unix.RTA_DST:
			to, _ = netip.AddrFromSlice(v)
		case unix.RTA_TABLE:
			table = hostNumber(v)
		case unix.RTA_PRIORITY:
			metric = hostNumber(v)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if table != unix.RT_TABLE_MAIN || metric != metricNumber || length == 0 {
		return nil
	}
	p := netip.PrefixFrom(to, length)
	if !p.IsValid() || p != p.Masked() || family(p) != h.family || b[2] != 0 || b[3] != 0 {
		return errUnlike // with a source or a type of service, which no route of ours has
	}
	if kind == h.kind {
		h.own = append(h.own, entry{net: p})
	} else {
		h.other = append(h.other, route{kind, p})
	}
	return nil
}

// hostNumber reads a 32-bit number in the host's order.
func hostNumber(b []byte) uint32 {
	if len(b) != 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(b)
}
