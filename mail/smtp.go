package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"strconv"
	"time"
)

// maxReplies is how many bytes a server may say in one delivery.
const maxReplies = 1 << 20

// farewell is how long a server that has taken the message may think about
// its goodbye.
const farewell = time.Second

// A talk is one conversation with a mail server.
type talk struct {
	config SMTP
	tls    *tls.Config
	conn   net.Conn
	client *smtp.Client
	failer
}

// speak delivers text to the mail server.
func (c Config) speak(ctx context.Context, limit time.Duration, e envelope, text []byte) error {
	mode, err := c.SMTP.mode()
	if err != nil {
		return err
	}
	t := &talk{config: c.SMTP}
	t.config.TLS, t.config.Port = mode, c.SMTP.port()
	server := net.JoinHostPort(c.SMTP.Host, strconv.Itoa(t.config.Port))
	t.failer = failer{ctx: ctx, who: "mail server " + server, limit: limit, secrets: secrets(c.SMTP)}
	t.tls = &tls.Config{
		ServerName: c.SMTP.Host, RootCAs: c.RootCAs, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: t.config.TLS == tlsAuto, // see SMTP.TLS; no password goes this way
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", server)
	if err != nil {
		return t.fail("connect", err, "is it running? see mail.smtp.host and mail.smtp.port")
	}
	defer conn.Close()
	t.conn = conn
	// The client knows no context: the connection ends with it.
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if err := t.open(ctx, conn, e.domain()); err != nil {
		return err
	}
	if err := t.logIn(); err != nil {
		return err
	}
	return t.transfer(e, text)
}

// mode spells auto out where there is a password to protect.
func (s SMTP) mode() (string, error) {
	switch s.TLS {
	case tlsNone, tlsStart, tlsImplicit:
		return s.TLS, nil
	case tlsAuto, "":
		if s.User != "" {
			return tlsStart, nil
		}
		return tlsAuto, nil
	}
	return "", fmt.Errorf("mail: smtp tls %.60q is not known; it is auto, none, starttls or tls", s.TLS)
}

func (s SMTP) port() int {
	switch {
	case s.Port != 0:
		return s.Port
	case s.TLS == tlsImplicit:
		return 465
	case s.User != "":
		return 587
	}
	return 25
}

// open greets the server, encrypted as far as asked for.
func (t *talk) open(ctx context.Context, conn net.Conn, name string) (err error) {
	conn = &boundedConn{Conn: conn, left: maxReplies}
	if t.config.TLS == tlsImplicit {
		secure := tls.Client(conn, t.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return t.fail("encrypt", err, `does this port speak TLS at once? else set mail.smtp.tls to "starttls"`)
		}
		conn = secure
	}
	if t.client, err = smtp.NewClient(conn, t.config.Host); err != nil {
		return t.fail("wait for its greeting", err, "is this the SMTP port, and does it want TLS at once?")
	}
	if err := t.client.Hello(name); err != nil {
		return t.fail(fmt.Sprintf("greet as %q", name), err, "mail.from gives the name")
	}
	if t.config.TLS != tlsStart && t.config.TLS != tlsAuto {
		return nil
	}
	offered, _ := t.client.Extension("STARTTLS")
	if !offered && t.config.TLS == tlsStart {
		return t.fail("encrypt", errors.New("the server offers no STARTTLS"), `nothing was sent; set mail.smtp.tls to "tls" where the port speaks TLS at once, or to "none"`)
	}
	if !offered {
		return nil
	}
	if err := t.client.StartTLS(t.tls); err != nil {
		return t.fail("encrypt", err, `name the server as its certificate does, or set mail.smtp.tls to "none"`)
	}
	return nil
}

// transfer sends the message. Refused recipients do not keep it from the
// others.
func (t *talk) transfer(e envelope, text []byte) error {
	if err := t.sender(e.from.path); err != nil {
		return t.fail(fmt.Sprintf("send from %q", e.from.path), err, "see mail.from")
	}
	refused := RefusedError{server: t.who}
	for _, to := range e.to {
		err := t.client.Rcpt(to.path)
		if _, said := errors.AsType[*textproto.Error](err); err != nil && (!said || len(e.to) == 1) {
			return t.fail(fmt.Sprintf("send to %q", to.path), err, "see mail.to")
		}
		if err != nil {
			refused.add(to.path, t.say(err))
		}
	}
	if len(refused.To) == len(e.to) {
		refused.all = true
		return errors.New(refused.Error())
	}
	w, err := t.client.Data()
	if err != nil {
		return t.fail("send the message", err, "see the server's log")
	}
	_, err = w.Write(text)
	if err = errors.Join(err, w.Close()); err != nil {
		return t.fail("send the message", err, "see the server's log")
	}
	t.quit()
	if len(refused.To) > 0 {
		return &refused
	}
	return nil
}

// quit says goodbye, as RFC 5321, 4.1.1.10, wants it. The server has taken the
// message: what it answers changes nothing, and a run that holds its lock does
// not wait for one that hangs.
func (t *talk) quit() {
	defer time.AfterFunc(farewell, func() { _ = t.conn.SetDeadline(time.Unix(1, 0)) }).Stop()
	_ = t.client.Quit()
}

// sender begins a message. The library's Mail would ask for SMTPUTF8 wherever
// that is offered, and the next server on the way need not know it; here all
// addresses and texts are ASCII.
func (t *talk) sender(path string) error {
	id, err := t.client.Text.Cmd("MAIL FROM:<%s>", path)
	if err != nil {
		return err
	}
	t.client.Text.StartResponse(id)
	defer t.client.Text.EndResponse(id)
	_, _, err = t.client.Text.ReadResponse(250)
	return err
}

// A boundedConn reads no more than left bytes, so that no server fills the
// memory.
type boundedConn struct {
	net.Conn
	left int
}

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("the server says more than %d bytes", maxReplies)
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
