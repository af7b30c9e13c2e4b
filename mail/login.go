package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"slices"
	"strings"
)

// logIn authenticates where there is a User. PLAIN (RFC 4616) and LOGIN send
// the password itself, so that they go only through TLS or to this host;
// CRAM-MD5 (RFC 2195) is for servers that encrypt nothing.
func (t *talk) logIn() error {
	c := t.config
	if c.User == "" {
		return nil
	}
	ok, list := t.client.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(list))
	_, encrypted := t.client.TLSConnectionState()
	safe := encrypted || isLoopback(c.Host)
	var auth smtp.Auth
	switch {
	case !ok:
		return t.fail("log in", errors.New("the server offers no log-in"), "take out mail.smtp.user, or use the port for submission, 587")
	case safe && slices.Contains(offered, "PLAIN"):
		auth = &credentials{mechanism: "PLAIN", first: []byte("\x00" + c.User + "\x00" + c.Password)}
	case safe && slices.Contains(offered, "LOGIN"):
		auth = &credentials{mechanism: "LOGIN", answers: []string{c.User, c.Password}}
	case slices.Contains(offered, "CRAM-MD5"):
		auth = smtp.CRAMMD5Auth(c.User, c.Password)
	case !safe:
		return t.fail("log in", errors.New("the server would take the password only in clear text"), `it was not sent; set mail.smtp.tls to "starttls"`)
	default:
		return t.fail("log in", fmt.Errorf("the server wants one of %.100q", list), "we know PLAIN, LOGIN and CRAM-MD5")
	}
	if err := t.client.Auth(auth); err != nil {
		return t.fail(fmt.Sprintf("log in as %.60q", c.User), err, "see mail.smtp.user and password_file")
	}
	return nil
}

// credentials log in by sending the user and the password as they are. The
// library's own PLAIN knows less of this host's addresses than isLoopback, and
// it has no LOGIN.
type credentials struct {
	mechanism string
	first     []byte   // goes along with the mechanism's name; nil: nothing does
	answers   []string // to the server's questions, in whatever words it asks
}

// Start is part of smtp.Auth.
func (c *credentials) Start(*smtp.ServerInfo) (mechanism string, first []byte, err error) {
	return c.mechanism, c.first, nil
}

// Next is part of smtp.Auth.
func (c *credentials) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	if len(c.answers) == 0 {
		return nil, errors.New("it asks for more than a user and a password")
	}
	answer := c.answers[0]
	c.answers = c.answers[1:]
	return []byte(answer), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// secrets are the forms in which a server could send the password back.
func secrets(c SMTP) []string {
	if c.Password == "" {
		return nil
	}
	encode := base64.StdEncoding.EncodeToString
	return []string{
		encode([]byte("\x00" + c.User + "\x00" + c.Password)),
		encode([]byte(c.Password)),
		c.Password,
	}
}
