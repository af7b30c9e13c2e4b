package report

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// facilityAuth is facility 4, where severity 0 begins (RFC 5424, 6.2.1).
// Severity 3 is an error; the graver ones are not for us.
const (
	facilityAuth  = 4 << 3
	severityError = 3
)

// A Syslog is this host's system log, opened at the first message. A machine without
// one is no error: what is grave goes to Stderr too.
type Syslog struct {
	Path string // of its socket; empty: where systems have it

	conn net.Conn
	none bool
}

// Send writes one line of clean text as "blockhosts", facility auth, in the
// form in which syslog(3) hands it to the daemon.
func (s *Syslog) Send(level Level, at time.Time, text string) {
	message := fmt.Sprintf("<%d>%s blockhosts[%d]: %s\n", facilityAuth+severityError+int(level), at.Format(time.Stamp), os.Getpid(), text)
	for try := 0; try < 2 && s.open(); try++ { // once more where the daemon was started anew
		if _, err := io.WriteString(s.conn, message); err == nil {
			return
		}
		s.Close()
	}
	s.none = true
}

// open tells whether there is somebody to write to.
func (s *Syslog) open() bool {
	if s.conn != nil || s.none {
		return s.conn != nil
	}
	paths := []string{"/dev/log", "/var/run/syslog", "/var/run/log"} // Linux; macOS; the BSDs
	if s.Path != "" {
		paths = []string{s.Path}
	}
	for _, network := range []string{"unixgram", "unix"} {
		for _, path := range paths {
			if conn, err := net.Dial(network, path); err == nil {
				s.conn = conn
				return true
			}
		}
	}
	return false
}

// Close ends the connection.
func (s *Syslog) Close() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}
