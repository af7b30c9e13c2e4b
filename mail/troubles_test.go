package mail

import (
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

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	port := scripted(t, "220 hi\r\n")
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := Send(ctx, local(port), message()); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("error %v", err)
	}
}
