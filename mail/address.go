package mail

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
)

// A mailbox is one address, ready for a header and for the envelope.
type mailbox struct {
	header string // "Jo <jo@example.org>"
	path   string // "jo@example.org", quoted where needed; without angle brackets
}

// An envelope is who sends to whom. A From that is not given is zero.
type envelope struct {
	from mailbox
	to   []mailbox
}

// maxAddress is the length in bytes of the longest address: a path has 256
// octets with its angle brackets (RFC 5321, 4.5.3.1.3).
const maxAddress = 254

// maxName is where a display name is cut, in bytes.
const maxName = 100

// envelope checks the addresses of m. For SMTP a local name gets the sender's
// domain, since a distant server cannot know this host's; sendmail knows it
// better than we do.
func (c Config) envelope(m Message) (envelope, error) {
	var e envelope
	var err error
	if m.From != "" {
		if e.from, err = parseMailbox(m.From); err != nil {
			return e, fmt.Errorf("mail from %w; correct mail.from", err)
		}
	} else if c.SMTP.Host != "" {
		return e, errors.New("mail has no sender, and SMTP needs one; set mail.from")
	}
	for _, to := range m.To {
		box, err := parseMailbox(to)
		if err != nil {
			return e, fmt.Errorf("mail to %w; correct mail.to", err)
		}
		e.to = append(e.to, box)
	}
	if len(e.to) == 0 {
		return e, errors.New("mail has no recipient; set mail.to")
	}
	if c.SMTP.Host != "" {
		domain := e.domain()
		e.from.qualify(domain)
		for i := range e.to {
			e.to[i].qualify(domain)
		}
	}
	return e, nil
}

// domain is the sender's, localhost where it has none.
func (e envelope) domain() string {
	if i := strings.LastIndexByte(e.from.path, '@'); i >= 0 {
		return e.from.path[i+1:]
	}
	return "localhost"
}

func (b *mailbox) qualify(domain string) {
	if !strings.Contains(b.path, "@") {
		b.path += "@" + domain
		b.header = b.path
	}
}

// parseMailbox reads an address (RFC 5322, 3.4) or a local user's name. Only
// ASCII, since not every server speaks SMTPUTF8 (RFC 6531); nothing that a
// sendmail could take for an option.
func parseMailbox(s string) (mailbox, error) {
	s = strings.TrimSpace(s)
	if isLocalName(s) {
		return mailbox{header: s, path: s}, nil
	}
	a, err := mail.ParseAddress(s)
	if err != nil {
		return mailbox{}, fmt.Errorf("%.100q: not a mail address", s)
	}
	path := strings.Trim((&mail.Address{Address: a.Address}).String(), "<>")
	switch {
	case len(path) > maxAddress:
		return mailbox{}, fmt.Errorf("%.100q: longer than %d bytes", s, maxAddress)
	case strings.HasPrefix(path, "-"):
		return mailbox{}, fmt.Errorf("%.100q: begins with a dash", s)
	case strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return mailbox{}, fmt.Errorf("%.100q: holds a blank or a letter that is not ASCII; write the domain in its xn-- form", s)
	}
	a.Name = cut(oneLine(a.Name), maxName)
	return mailbox{header: a.String(), path: path}, nil
}

func isLocalName(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '-' { // RFC 5321, 4.5.3.1.1
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._+-", r))
	})
}
