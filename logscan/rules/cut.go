package rules

import (
	"bytes"

	"blockhosts/internal/record"
)

// shortestCut is the length in bytes of the shortest line that a syslog daemon
// may have cut: RFC 3164, 4.1, lets it keep 1024 bytes of what a program sent,
// without the host name, and write it with another stamp. Others keep 2048 or
// 8192. What a client has written would then stand at the end, in the place of
// the daemon's own words.
const shortestCut = 1000

// BusyBox' syslogd (sysklogd/syslogd.c) keeps less: of what a program sent it reads
// 255 bytes, one fewer than FEATURE_SYSLOGD_READ_BUFFER_SIZE, 256 by default. It
// takes off the priority, "<6>" to "<191>", and 16 bytes of stamp, so that a line
// that it cut has so many bytes from the program's name on. A bigger buffer cuts
// at lengths that shortestCut has.
const (
	shortestBusyBox = 255 - len("<191>") - 16
	longestBusyBox  = 255 - len("<6>") - 16
)

// mayBeCut tells whether a syslog daemon may have cut the line.
func mayBeCut(l *record.Line) bool {
	return len(l.Raw) >= shortestCut || len(l.Raw) >= shortestBusyBox && cutByBusyBox(l)
}

// cutByBusyBox tells whether a line is one of BusyBox', as long as it cuts them:
// lines of others that happen to have such a length count, or a client could
// choose it. Where -S keeps "auth.info" away nobody can tell whose it is. A control
// character is "^A" in what it writes.
func cutByBusyBox(l *record.Line) bool {
	if l.Form != record.FormBusyBox {
		return false
	}
	sent := l.Raw[cap(l.Raw)-cap(l.Program):] // from the program's name, which is a part of the line
	return len(sent) >= shortestBusyBox && len(sent)-bytes.Count(sent, []byte("^")) <= longestBusyBox
}
