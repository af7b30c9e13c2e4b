package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"
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
		auth = smtp.PlainAuth("", c.User, c.Password, c.Host, safe)
	case safe && slices.Contains(offered, "LOGIN"):
		auth = smtp.LoginAuth(c.User, c.Password, c.Host, safe)
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
