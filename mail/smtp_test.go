package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func message() Message {
	return Message{
		From: "Blockhosts <root@www.example.org>", To: []string{"root", "Jo Doe <jo@example.net>"},
		Subject: "[blockhosts] www: 2 blocked", Body: "Newly blocked\n.\n..\nFrom here on\nend\n",
		Date: time.Date(2026, 1, 5, 1, 31, 41, 0, time.FixedZone("CET", 3600)),
	}
}

func local(port int) Config {
	return Config{SMTP: SMTP{Host: "127.0.0.1", Port: port}}
}

func TestSendPlain(t *testing.T) {
	s := startServer(t)
	if err := Send(context.Background(), local(s.port), message()); err != nil {
		t.Fatal(err)
	}
	d := s.next(t)
	if d.From != "root@www.example.org" || d.Helo != "www.example.org" || d.TLS {
		t.Errorf("from %q, greeted as %q, encrypted %v", d.From, d.Helo, d.TLS)
	}
	if want := []string{"root@www.example.org", "jo@example.net"}; !slices.Equal(d.To, want) {
		t.Errorf("to %q, want %q: a local name gets the sender's domain", d.To, want)
	}
	text, err := Text(local(s.port), message())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(d.Text), strings.ReplaceAll(string(text), "\n", "\r\n"); got != want {
		t.Errorf("arrived\n%q\nand Text said\n%q", got, want)
	}
}

// TestEncryption holds what each tls setting does against each kind of server.
func TestEncryption(t *testing.T) {
	pool, cert := certificate(t)
	for _, c := range []struct {
		mode, server string
		trust        bool
		user         string
		encrypted    bool
		fails        string // a part of the error
	}{
		{mode: "", server: "none"},
		{mode: "auto", server: "starttls", encrypted: true}, // without trust: opportunistic
		{mode: "auto", server: "require", encrypted: true},
		{mode: "none", server: "starttls"},
		{mode: "none", server: "require", fails: "Must issue a STARTTLS"},
		{mode: "starttls", server: "starttls", trust: true, encrypted: true},
		{mode: "starttls", server: "starttls", fails: "certificate"},
		{mode: "starttls", server: "none", fails: "offers no STARTTLS"},
		{mode: "tls", server: "implicit", trust: true, encrypted: true},
		{mode: "tls", server: "implicit", fails: "certificate"},
		{mode: "tls", server: "none", trust: true, fails: "encrypt"},
		{mode: "auto", server: "starttls", trust: true, user: "jo", encrypted: true},
		{mode: "auto", server: "starttls", user: "jo", fails: "certificate"},
		{mode: "auto", server: "none", user: "jo", fails: "offers no STARTTLS"},
		{mode: "tls", server: "implicit", trust: true, user: "jo", encrypted: true},
		{mode: "ssl", server: "none", fails: `"ssl" is not known`},
	} {
		t.Run(fmt.Sprintf("%s to %s, user %q, trust %v", c.mode, c.server, c.user, c.trust), func(t *testing.T) {
			args := append([]string{"--tls", c.server}, cert...)
			if c.user != "" {
				args = append(args, "--user", c.user, "--password", "s3cret")
			}
			s := startServer(t, args...)
			conf := local(s.port)
			conf.SMTP.TLS, conf.SMTP.User, conf.SMTP.Password = c.mode, c.user, "s3cret"
			conf.RootCAs = x509.NewCertPool()
			if c.trust {
				conf.RootCAs = pool
			}
			err := Send(context.Background(), conf, message())
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("error %v, want one with %q", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := s.next(t); d.TLS != c.encrypted || d.User != c.user {
				t.Errorf("encrypted %v, user %q", d.TLS, d.User)
			}
		})
	}
}

func TestLogIn(t *testing.T) {
	pool, cert := certificate(t)
	starttls := append([]string{"--tls", "starttls", "--user", "jo", "--password", "s3cret"}, cert...)
	for name, c := range map[string]struct {
		args     []string
		mode     string
		password string
		fails    string
	}{
		"PLAIN":          {args: starttls, password: "s3cret"},
		"LOGIN":          {args: append([]string{"--only-login"}, starttls...), password: "s3cret"},
		"wrong":          {args: starttls, password: "wr0ng", fails: `log in as "jo": it said "535`},
		"echoed":         {args: append([]string{"--echo-auth"}, starttls...), password: "wr0ng", fails: "bad password *** or ***"},
		"clear to here":  {args: []string{"--user", "jo", "--password", "s3cret", "--clear-auth"}, mode: "none", password: "s3cret"},
		"empty password": {args: starttls, fails: "535"},
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, c.args...)
			conf := local(s.port)
			conf.RootCAs = pool
			conf.SMTP.TLS, conf.SMTP.User, conf.SMTP.Password = c.mode, "jo", c.password
			err := Send(context.Background(), conf, message())
			if c.fails == "" {
				if err != nil {
					t.Fatal(err)
				}
				s.next(t)
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("error %v, want one with %q", err, c.fails)
			}
			if c.password != "" && strings.Contains(err.Error(), c.password) {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
}

// TestPasswordStaysHome: a far server that takes a password in clear text only
// does not get it, and neither does one that takes none.
func TestPasswordStaysHome(t *testing.T) {
	ctx := context.Background()
	for offer, fails := range map[string]string{
		"250-hi\r\n250 AUTH PLAIN LOGIN\r\n": "only in clear text",
		"250-hi\r\n250 AUTH NTLM\r\n":        "only in clear text",
		"250 hi\r\n":                         "offers no log-in",
	} {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(scripted(t, "220 hi\r\n", offer, "221 bye\r\n"))))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		far := &talk{config: SMTP{Host: "mail.example.org", TLS: tlsNone, User: "jo", Password: "s3cret"}, failer: failer{ctx: ctx}}
		if err := far.open(ctx, conn, "localhost"); err != nil {
			t.Fatal(err)
		}
		if err := far.logIn(); err == nil || !strings.Contains(err.Error(), fails) {
			t.Errorf("error %v, want one with %q", err, fails)
		}
	}
}

func TestRefusedRecipients(t *testing.T) {
	s := startServer(t, "--refuse", "jo@example.net")
	err := Send(context.Background(), local(s.port), message())
	var refused *RefusedError
	if !errors.As(err, &refused) || !slices.Equal(refused.To, []string{"jo@example.net"}) {
		t.Fatalf("error %v", err)
	}
	if d := s.next(t); !slices.Equal(d.To, []string{"root@www.example.org"}) {
		t.Errorf("to %q: the other recipient gets the mail", d.To)
	}
	for _, want := range []string{`"jo@example.net": it said "550 5.1.1`, "the others have the mail"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}

	s = startServer(t, "--refuse", "jo@example.net", "--refuse", "root@www.example.org")
	if err = Send(context.Background(), local(s.port), message()); err == nil || errors.As(err, &refused) {
		t.Errorf("all are refused: error %v", err)
	}
	s = startServer(t, "--refuse-data", "552 too big")
	if err = Send(context.Background(), local(s.port), message()); err == nil || !strings.Contains(err.Error(), `"552 too big"`) {
		t.Errorf("data refused: error %v", err)
	}
}
