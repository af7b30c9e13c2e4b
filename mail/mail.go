// Package mail hands one finished message to an SMTP server or to a
// sendmail(8). It knows nothing of hosts, blocks or logs, keeps no queue and
// tries once: what could not be sent, the caller tells with the next message.
package mail

import (
	"context"
	"crypto/x509"
	"time"
)

// A Message is a plain text mail. Nothing in it has to be safe: control
// characters and line breaks in headers are taken out, the body is encoded.
type Message struct {
	From    string    // "root@www.example.org", also with a display name; empty is for sendmail only, which fills it in
	To      []string  // the same form, or a local name such as "root"
	Subject string    // one line, cut at 200 bytes
	Body    string    // lines end in "\n"
	Date    time.Time // of the Date header, in its own zone
}

// A Config says which way mail goes: by SMTP where SMTP.Host is set, else
// through Sendmail.
type Config struct {
	SMTP     SMTP
	Sendmail string         // absolute path of a program that takes "-t -oi -f sender", as sendmail(8) does
	RootCAs  *x509.CertPool // whom a mail server's certificate may come from; nil: the system's authorities
	Timeout  time.Duration  // bound for the whole delivery; 0: 30 s
}

// An SMTP is a mail server and how to talk to it.
type SMTP struct {
	Host string
	Port int // 0: 25, 465 with TLS "tls" (RFC 8314, 3.3), 587 with a User (RFC 6409, 3.1)
	// TLS is "auto" (or empty), "none", "starttls" or "tls". starttls and tls
	// (from the first byte) want a valid certificate. auto is starttls where
	// there is a User; without one it encrypts where the server offers that and
	// takes any certificate (RFC 7435): who could forge it could as well strip
	// the offer, and a local server's certificate is rarely valid.
	TLS      string
	User     string // empty: no log-in
	Password string // never part of an error; sent only encrypted, as a CRAM-MD5 digest, or to this host
}

// The ways to encrypt.
const (
	tlsAuto     = "auto"
	tlsNone     = "none"
	tlsStart    = "starttls"
	tlsImplicit = "tls"
)

// bound is how long a delivery may take where Config names no other time: the
// run holds its lock meanwhile, and the next one starts after a minute.
const bound = 30 * time.Second

// Send delivers m. The error names the server or program, what it said, and
// what to do. A *RefusedError means that the message is on its way to the
// other recipients, so that it must not be sent again.
func Send(ctx context.Context, c Config, m Message) error {
	e, err := c.envelope(m)
	if err != nil {
		return err
	}
	limit := c.Timeout
	if limit <= 0 {
		limit = bound
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	text := compose(e, m)
	if c.SMTP.Host == "" {
		return runSendmail(ctx, c.Sendmail, limit, e, text)
	}
	return c.speak(ctx, limit, e, text)
}

// Text returns m as Send would send it (RFC 5322), with "\n" at the end of its
// lines, and an error where Send would refuse the addresses.
func Text(c Config, m Message) ([]byte, error) {
	e, err := c.envelope(m)
	if err != nil {
		return nil, err
	}
	return compose(e, m), nil
}
