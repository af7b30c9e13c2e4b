package watch

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// maxDatagram is more bytes than UDP carries in one datagram (RFC 768: a length
// of 16 bits), so that none is cut.
const maxDatagram = 64 << 10

// socketBuffer is how many bytes the kernel is asked to keep while the
// receiver is not scheduled; it grants what net.core.rmem_max or
// kern.ipc.maxsockbuf allow.
const socketBuffer = 4 << 20

// A UDP receives syslog datagrams (RFC 5426) from allowed senders.
type UDP struct {
	name  string
	conn  *net.UDPConn
	allow []netip.Prefix
	cut   func([]byte) [][]byte
	queue *Queue
	bell  Bell
	ended chan struct{}

	mu      sync.Mutex
	refused Refused
}

// Refused counts what came from senders that are not allowed.
type Refused struct {
	Datagrams int
	First     netip.Addr // of the senders
}

// ListenUDP receives at address what the senders in allow send. Cut makes lines of a datagram, which it may keep. Name is the source's
// in q.
func ListenUDP(address netip.AddrPort, name string, allow []netip.Prefix, cut func([]byte) [][]byte, q *Queue, bell Bell) (*UDP, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(address))
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(socketBuffer) // less will do
	u := &UDP{name: name, conn: conn, allow: allow, cut: cut, queue: q, bell: bell, ended: make(chan struct{})}
	go u.receive()
	return u, nil
}

// Close ends the listener; nothing is added to the queue after it.
func (u *UDP) Close() {
	_ = u.conn.Close()
	<-u.ended
}

// Allow changes who may send.
func (u *UDP) Allow(allow []netip.Prefix) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.allow = allow
}

// Refused returns what was refused since it was asked last.
func (u *UDP) Refused() Refused {
	u.mu.Lock()
	defer u.mu.Unlock()
	r := u.refused
	u.refused = Refused{}
	return r
}

func (u *UDP) receive() {
	defer close(u.ended)
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := u.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || !u.allowed(from.Addr().Unmap().WithZone("")) {
			continue // an error is of one datagram: an ICMP answer, a lack of buffers
		}
		for _, line := range u.cut(bytes.Clone(buf[:n])) {
			u.queue.Add(u.name, line)
		}
		u.bell.Ring()
	}
}

func (u *UDP) allowed(from netip.Addr) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if slices.ContainsFunc(u.allow, func(p netip.Prefix) bool { return p.Contains(from) }) {
		return true
	}
	if u.refused.Datagrams++; !u.refused.First.IsValid() {
		u.refused.First = from
	}
	return false
}
