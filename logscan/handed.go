package logscan

import (
	"bytes"
	"time"
)

// Handed are lines that somebody else has received: what came by UDP, or out
// of a FIFO that is held open. Nobody can read them again, so that they have
// no offset: who hands them keeps them until a run that had them has saved.
type Handed struct {
	Name  string    // for people: "udp 127.0.0.1:5514"
	Lines [][]byte  // without their newlines
	Since time.Time // a line was written after this, whatever its stamp says; zero: nobody knows
}

// handed takes apart the lines of one source that is no file.
//
// A line that begins without a stamp is taken for a program's only behind a
// priority: a message of RFC 3164 may come without one (section 4.3.2). In a
// plain line what looks like such a beginning may be a client's text.
func (s *scan) handed(h *Handed, zone *time.Location) {
	if zone == nil {
		zone = s.opt.Local
	}
	l := &log{path: h.Name, zone: zone, last: -1, report: FileReport{Path: h.Name}}
	of := s.setting(l, &stretch{mode: goesOn, read: h.Since, bare: -1})
	for _, raw := range h.Lines {
		of.bare = priority(raw) > 0
		l.report.Read += int64(len(raw))
		s.one(l, of, raw)
	}
	l.report.Offset, l.report.Size = l.report.Read, l.report.Read
	s.Files = append(s.Files, l.report)
	s.tell(l)
	s.Lines += l.report.Lines
	s.Matched += l.report.Matched
}

// Datagram cuts what one UDP datagram holds into lines. With a priority in
// front (RFC 3164, 4.1.1; RFC 5424, 6.2.1) it is one message, and a control
// character in it is the text of a client: it is written as rsyslog writes it,
// "#012", so that no client begins a line. Without one it is plain lines.
func Datagram(b []byte) [][]byte {
	if priority(b) == 0 {
		var lines [][]byte
		for line := range bytes.SplitSeq(b, []byte("\n")) {
			if line = bytes.Trim(line, "\r\x00"); len(line) > 0 {
				lines = append(lines, line)
			}
		}
		return lines
	}
	b = bytes.TrimRight(b, "\r\n\x00") // many senders end a message so
	if bytes.IndexFunc(b, isControl) < 0 {
		return [][]byte{b}
	}
	var text []byte
	for _, c := range b {
		if isControl(rune(c)) {
			text = append(text, '#', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		} else {
			text = append(text, c)
		}
	}
	return [][]byte{text}
}

// isControl tells the bytes that end or move a line; a tab does neither.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
