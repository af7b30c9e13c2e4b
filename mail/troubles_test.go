package mail

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// scripted is a server that answers each line of the client with the next reply.
func scripted(t *testing.T, replies ...string) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buf := make([]byte, 4096)
		for _, r := range replies {
			if _, err := io.WriteString(conn, r); err != nil {
				return
			}
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, conn) // say no more
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func TestServerTroubles(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := free.Addr().(*net.TCPAddr).Port
	free.Close()
	long := strings.Repeat("x", 5000)
	for name, c := range map[string]struct {
		port  int
		fails string
	}{
		"down":           {down, "connection refused; is it running?"},
		"silent":         {scripted(t), "greeting: no answer within 300ms"},
		"hangs later":    {scripted(t, "220 hi\r\n", "250 hi\r\n"), "no answer within 300ms"},
		"busy":           {scripted(t, "421 too busy\r\n"), `it said "421 too busy"`},
		"no SMTP":        {scripted(t, "HTTP/1.1 400 Bad Request\r\n"), "greeting"},
		"talks much":     {scripted(t, "220 hi\r\n", "250 hi\r\n", "550 "+long+"\x1b[2J\r\n"), "it said"},
		"talks for ever": {scripted(t, "220-"+strings.Repeat(strings.Repeat("y", 100)+"\r\n220-", 20000)), "says more than"},
		"sender refused": {scripted(t, "220 hi\r\n", "250 hi\r\n", "550 5.7.1 go away\r\n"), `send from "root@www.example.org": it said "550 5.7.1 go away"; see mail.from`},
		"closes":         {scripted(t, "220 hi\r\n", "250 hi\r\n", "421 bye\r\n"), "421"},
	} {
		t.Run(name, func(t *testing.T) {
			conf := local(c.port)
			conf.Timeout = 300 * time.Millisecond
			err := Send(context.Background(), conf, message())
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("error %v, want one with %q", err, c.fails)
			}
			if prefix := fmt.Sprintf("mail server 127.0.0.1:%d: ", c.port); !strings.HasPrefix(err.Error(), prefix) {
				t.Errorf("error %q does not name the server", err)
			}
			if len(err.Error()) > 600 || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("foreign words are neither cut nor quoted: %q", err)
			}
		})
	}
}

// TestHangsAtQuit: a server that has taken the message and answers QUIT only
// after the client is gone. Who waits for it does so for ever.
func TestHangsAtQuit(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heard := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		heard <- hangAtQuit(conn)
	}()
	conf := local(l.Addr().(*net.TCPAddr).Port)
	conf.Timeout = 24 * time.Hour
	if err := Send(context.Background(), conf, message()); err != nil {
		t.Error(err)
	}
	if got := <-heard; got != "EHLO MAIL RCPT RCPT DATA QUIT and went away" {
		t.Errorf("the client said %q", got)
	}
}

// hangAtQuit answers a client up to QUIT, and returns what it said and did.
func hangAtQuit(conn net.Conn) string {
	in := bufio.NewReader(conn)
	say := func(reply string) { _, _ = io.WriteString(conn, reply+"\r\n") }
	var said []string
	say("220 hi")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return strings.Join(append(said, err.Error()), " ")
		}
		verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		said = append(said, verb)
		switch verb {
		case "DATA":
			say("354 go on")
			for line != ".\r\n" && err == nil {
				line, err = in.ReadString('\n')
			}
			say("250 taken")
		case "QUIT":
			if _, err := in.ReadByte(); err != nil { // nothing comes until the client closes
				said = append(said, "and went away")
			}
			say("221 bye")
			return strings.Join(said, " ")
		default:
			say("250 fine")
		}
	}
}

// TestPlainSMTP: the message is ASCII, and the sender says no more than that:
// what else the server offers, the next one on the way need not know.
func TestPlainSMTP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	said := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buf := make([]byte, 4096)
		n := 0
		for _, reply := range []string{"220 hi\r\n", "250-hi\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"} {
			_, _ = io.WriteString(conn, reply)
			n, _ = conn.Read(buf)
		}
		said <- string(buf[:n])
	}()
	_ = Send(context.Background(), local(l.Addr().(*net.TCPAddr).Port), message())
	if got := <-said; got != "MAIL FROM:<root@www.example.org>\r\n" {
		t.Errorf("the client said %q", got)
	}
}

// TestCredentials: a server that asks on and on gets nothing more.
func TestCredentials(t *testing.T) {
	c := &credentials{mechanism: "LOGIN", answers: []string{"jo", ""}}
	for _, want := range []string{"jo", ""} {
		if got, err := c.Next([]byte("?"), true); err != nil || got == nil || string(got) != want {
			t.Errorf("answer %q, %v; want %q", got, err, want)
		}
	}
	if _, err := c.Next([]byte("?"), true); err == nil {
		t.Error("a third question was answered")
	}
	if got, err := c.Next(nil, false); got != nil || err != nil {
		t.Errorf("at the end: %q, %v", got, err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	port := scripted(t, "220 hi\r\n")
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := Send(ctx, local(port), message()); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("error %v", err)
	}
}
