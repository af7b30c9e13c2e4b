package spare

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// maxFile bounds what is read of a file that should be small.
const maxFile = 1 << 20

// read returns the content of a small file, nil where there is none.
func read(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, _ := io.ReadAll(io.LimitReader(f, maxFile))
	return data
}

// resolvers reads the "nameserver" lines of resolv.conf(5).
func resolvers(path string) []netip.Addr {
	var all []netip.Addr
	for line := range strings.Lines(string(read(path))) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(words[1]); err == nil {
			all = append(all, a)
		}
	}
	return all
}

// logindSessions reads systemd-logind's files of open sessions, one a session
// with lines such as "REMOTE_HOST=192.0.2.1" and "USER=anna". It is nil where
// no session is known, since a host without logind has other sources.
func logindSessions(dir string) []Address {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var all []Address
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue // logind keeps a FIFO beside each
		}
		fields := map[string]string{}
		for line := range strings.Lines(string(read(filepath.Join(dir, e.Name())))) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			fields[key] = value
		}
		if fields["STATE"] == "closing" {
			continue
		}
		if a, err := netip.ParseAddr(fields["REMOTE_HOST"]); err == nil {
			all = append(all, Address{Addr: a, Why: "open session of " + userName(fields["USER"])})
		}
	}
	return all
}

// Linux' struct utmp, see utmp(5): 384 bytes, the same on 32 and 64 bit.
const (
	utmpSize     = 384
	utmpUser     = 44
	utmpUserLen  = 32
	utmpAddr     = 348
	utmpUserProc = 7 // USER_PROCESS: a log-in
)

// utmpSessions reads the log-ins of utmp that came from another host.
func utmpSessions(root string) []Address {
	var data []byte
	for _, path := range []string{"/run/utmp", "/var/run/utmp"} {
		if data = read(filepath.Join(root, path)); len(data) >= utmpSize {
			break
		}
	}
	if len(data)%utmpSize != 0 { // another system's format
		return nil
	}
	var all []Address
	for ; len(data) >= utmpSize; data = data[utmpSize:] {
		if binary.NativeEndian.Uint16(data) != utmpUserProc {
			continue
		}
		user, _, _ := bytes.Cut(data[utmpUser:utmpUser+utmpUserLen], []byte{0})
		a := netip.AddrFrom16([16]byte(data[utmpAddr : utmpAddr+16]))
		if a4 := [4]byte(data[utmpAddr : utmpAddr+4]); [12]byte(data[utmpAddr+4:utmpAddr+16]) == [12]byte{} {
			a = netip.AddrFrom4(a4) // an IPv4 address stands in the first word alone
		}
		if !a.IsUnspecified() {
			all = append(all, Address{Addr: a, Why: "open session of " + userName(string(user))})
		}
	}
	return all
}

// userName keeps of a user name what useradd(8) would take.
func userName(s string) string {
	clean := strings.Map(func(r rune) rune {
		if r|0x20 >= 'a' && r|0x20 <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return -1
	}, s)
	if clean == "" {
		return "somebody"
	}
	return clean[:min(len(clean), 32)]
}
