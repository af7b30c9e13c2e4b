package blockers

import (
	"encoding/binary"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// Addresses are listed by asking the kernel over netlink(7), as nft(8),
// ipset(8) and ip(8) do themselves: with 50,000 of them, a run that changes
// nothing takes 20 to 40 ms so, and 65 to 180 where the tools make text of them
// first (BenchmarkScale). Only listings are asked for in this way; every change
// is a tool's. An answer that is in any way not what our own tables give is
// left to the tool, whose listing then decides.

// errUnlike: what the kernel answered is not as we make it, or not known here.
var errUnlike = errors.New("not as we make it")

// errMoved: somebody changed it while it was read.
var errMoved = errors.New("changed meanwhile")

// netlinkBuffer takes one datagram. The kernel makes them as long as what it
// is read into, up to 32 KiB; each costs a walk through the set up to where
// the last one ended.
const netlinkBuffer = 64 << 10

// A netlink is a socket to one subsystem of the kernel.
type netlink struct {
	fd  int
	seq uint32
	buf []byte
}

// openNetlink opens a socket (unix.NETLINK_ROUTE, NETLINK_NETFILTER) whose
// reads end after timeout. It is connected to the kernel, which is address 0:
// nobody else's messages reach it, and read(2) will do. Recvfrom, which tells
// who sent one, knows every kind of address there is: 28 kB of the program.
func openNetlink(protocol int, timeout time.Duration) (*netlink, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, err
	}
	n := &netlink{fd: fd, buf: make([]byte, netlinkBuffer)}
	limit := unix.NsecToTimeval(timeout.Nanoseconds())
	err = errors.Join(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit),
		unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *netlink) close() { _ = unix.Close(n.fd) }

// ask sends one request and gives each the payload of every message of the
// answer.
func (n *netlink) ask(kind, flags uint16, payload []byte, each func(payload []byte) error) error {
	n.seq++
	request := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(payload))
	binary.NativeEndian.PutUint32(request, uint32(unix.NLMSG_HDRLEN+len(payload)))
	binary.NativeEndian.PutUint16(request[4:], kind)
	binary.NativeEndian.PutUint16(request[6:], flags|unix.NLM_F_REQUEST)
	binary.NativeEndian.PutUint32(request[8:], n.seq)
	if _, err := unix.Write(n.fd, append(request, payload...)); err != nil {
		return err
	}
	var failed error // the rest of the answer is read nevertheless
	for done := false; !done; {
		length, err := unix.Read(n.fd, n.buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if length == len(n.buf) { // it may have been cut
			return errUnlike
		}
		if done, err = readMessages(n.buf[:length], n.seq, each); err != nil {
			failed, each = err, func([]byte) error { return nil }
		}
	}
	return failed
}

// readMessages reads the messages of one datagram, and tells whether the
// answer to request seq ends with it.
func readMessages(b []byte, seq uint32, each func(payload []byte) error) (done bool, failed error) {
	for len(b) > 0 {
		if len(b) < unix.NLMSG_HDRLEN {
			return true, errUnlike
		}
		length := int(binary.NativeEndian.Uint32(b))
		if length < unix.NLMSG_HDRLEN || length > len(b) {
			return true, errUnlike
		}
		kind, flags := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint16(b[6:])
		payload := b[unix.NLMSG_HDRLEN:length]
		ours := binary.NativeEndian.Uint32(b[8:]) == seq
		b = b[min(aligned(length), len(b)):]
		if !ours {
			continue
		}
		switch err := ended(kind, payload); {
		case flags&unix.NLM_F_DUMP_INTR != 0:
			failed = errMoved
		case err != nil:
			failed = err
		case kind >= unix.NLMSG_MIN_TYPE && failed == nil:
			failed = each(payload)
		}
		if kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR || flags&unix.NLM_F_MULTI == 0 {
			return true, failed
		}
	}
	return false, failed
}

// ended reads the status with which an answer ends: 0, or a negative errno.
func ended(kind uint16, payload []byte) error {
	if kind != unix.NLMSG_DONE && kind != unix.NLMSG_ERROR || len(payload) < 4 {
		return nil
	}
	if status := int32(binary.NativeEndian.Uint32(payload)); status < 0 {
		return unix.Errno(-status)
	}
	return nil
}

// readAttributes gives each attribute of a payload to each, its type without
// flags.
func readAttributes(b []byte, each func(kind uint16, value []byte) error) error {
	for len(b) > 0 {
		if len(b) < unix.SizeofNlAttr {
			return errUnlike
		}
		length := int(binary.NativeEndian.Uint16(b))
		if length < unix.SizeofNlAttr || length > len(b) {
			return errUnlike
		}
		kind := binary.NativeEndian.Uint16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
		if err := each(kind, b[unix.SizeofNlAttr:length]); err != nil {
			return err
		}
		b = b[min(aligned(length), len(b)):]
	}
	return nil
}

// fields are the attributes that somebody wants, by type, and where each goes:
// a *string, a *uint32 for a number in network order, or a *[]byte for what
// is taken apart further.
type fields map[uint16]any

// readFields fills the fields of a payload in. One that is not there stays as
// it is.
func readFields(b []byte, f fields) error {
	return readAttributes(b, func(kind uint16, v []byte) error {
		switch to := f[kind].(type) {
		case *string:
			*to = goString(v)
		case *uint32:
			*to = number(v)
		case *[]byte:
			*to = v
		}
		return nil
	})
}

// only returns the value of an attribute that is there alone.
func only(b []byte, kind uint16) (value []byte, ok bool) {
	if len(b) < unix.SizeofNlAttr || int(binary.NativeEndian.Uint16(b)) != len(b) {
		return nil, false
	}
	return b[unix.SizeofNlAttr:], binary.NativeEndian.Uint16(b[2:])&^unix.NLA_F_NESTED == kind
}

// attribute appends an attribute to a request.
func attribute(b []byte, kind uint16, value []byte) []byte {
	length := unix.SizeofNlAttr + len(value)
	b = binary.NativeEndian.AppendUint16(b, uint16(length))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, aligned(length)-length)...)
}

// aligned rounds a length up to where the next header or attribute begins.
func aligned(n int) int { return (n + 3) &^ 3 }

// cString is a string with its NUL.
func cString(s string) []byte { return append([]byte(s), 0) }

// goString is what stands before the NUL.
func goString(b []byte) string { return unix.ByteSliceToString(b) }

// number reads a 32-bit number in network order; another length is none.
func number(b []byte) uint32 {
	if len(b) != 4 {
		return ^uint32(0)
	}
	return binary.BigEndian.Uint32(b)
}

// nfgenmsg makes the header of a request to netfilter (linux/netfilter/nfnetlink.h).
func nfgenmsg(family byte) []byte { return []byte{family, unix.NFNETLINK_V0, 0, 0} }

// asked lets ask read twice where somebody changed what was read.
func asked[T any](ask func() (T, error)) (T, error) {
	held, err := ask()
	if err == errMoved {
		held, err = ask()
	}
	return held, err
}
