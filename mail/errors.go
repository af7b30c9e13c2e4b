package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"syscall"
	"time"
)

// maxSaid is where foreign words in an error are cut, in bytes.
const maxSaid = 200

// A RefusedError names recipients that the server would not take while it took
// the message for the others. To send the message again would give those a
// second copy.
type RefusedError struct {
	To     []string // addresses
	said   []string
	server string
	all    bool
}

func (e *RefusedError) Error() string {
	parts := make([]string, len(e.To))
	for i, to := range e.To {
		parts[i] = fmt.Sprintf("%q: %s", to, e.said[i])
	}
	rest := "; the others have the mail; see mail.to"
	if e.all {
		rest = "; nobody has the mail; see mail.to"
	}
	return e.server + ": recipients refused: " + cut(strings.Join(parts, ", "), 5*maxSaid) + rest
}

func (e *RefusedError) add(to, said string) {
	e.To = append(e.To, to)
	e.said = append(e.said, said)
}

// A failer puts errors into words.
type failer struct {
	ctx     context.Context
	who     string
	limit   time.Duration
	secrets []string
}

// fail tells what was being done, what came of it, and what to do.
func (f failer) fail(doing string, err error, hint string) error {
	return fmt.Errorf("%s: %s: %s; %s", f.who, doing, f.say(err), hint)
}

// say puts err into words: the other side's own where it spoke, quoted, cut
// and without our secrets.
func (f failer) say(err error) string {
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		return "it said " + f.quote(fmt.Sprintf("%d %s", reply.Code, reply.Msg))
	}
	if errors.Is(f.ctx.Err(), context.Canceled) {
		return "stopped"
	}
	if network, ok := errors.AsType[net.Error](err); f.ctx.Err() != nil || ok && network.Timeout() {
		return fmt.Sprintf("no answer within %s", f.limit)
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		return f.quote(name.Err)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it closed the connection"
	}
	return f.quote(err.Error())
}

func (f failer) quote(s string) string {
	for _, secret := range f.secrets {
		s = strings.ReplaceAll(s, secret, "***")
	}
	return fmt.Sprintf("%q", cut(strings.TrimSpace(s), maxSaid))
}
