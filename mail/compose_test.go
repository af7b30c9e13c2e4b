package mail

import (
	"bytes"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestText holds a whole message.
func TestText(t *testing.T) {
	m := message()
	m.To = append(m.To, `"Müller, Jo" <mueller@example.com>`)
	text, err := Text(Config{Sendmail: "/usr/sbin/sendmail"}, m)
	if err != nil {
		t.Fatal(err)
	}
	const want = `Date: Mon, 05 Jan 2026 01:31:41 +0100
From: "Blockhosts" <root@www.example.org>
To: root, "Jo Doe" <jo@example.net>, =?utf-8?b?TcO8bGxlciwgSm8=?=
 <mueller@example.com>
Subject: [blockhosts] www: 2 blocked
Message-ID: <20260105003141.ID@www.example.org>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit

Newly blocked
.
..
From here on
end
`
	got := string(text)
	_, rest, _ := strings.Cut(got, "Message-ID: <20260105003141.")
	id, _, _ := strings.Cut(rest, "@")
	if len(id) != 16 {
		t.Errorf("message id %q", id)
	}
	if got = strings.Replace(got, id, "ID", 1); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// read takes a message apart as a mail reader does.
func read(t *testing.T, text []byte) (*mail.Message, string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	body := m.Body
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(body)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return m, string(b)
}

func TestHostileText(t *testing.T) {
	for name, c := range map[string]struct{ subject, wantSubject, body, wantBody string }{
		"header injection": {"x\r\nBcc: eve@example.org\r\n\r\nhi", "x  Bcc: eve@example.org    hi", "b\n", "b\n"},
		"umlaut":           {"gäste", "gäste", "grüße\n", "grüße\n"},
		"encoded word":     {"=?utf-8?q?=0AX?=", "= ?utf-8?q?=0AX?=", "", "\n"},
		"not UTF-8":        {"a\xffb", "a�b", "a\xffb\n", "a�b\n"},
		"escape":           {"a\x1b[2Jb", "a [2Jb", "a\x1b[2J\x00b\u009b\n", "a�[2J�b�\n"},
		"line ends":        {"", "", "a\r\nb\rc", "a\nb\nc\n"},
		"long line":        {"", "", strings.Repeat("x", 2000), strings.Repeat("x", 2000) + "\n"},
		"long subject":     {strings.Repeat("x", 2000), strings.Repeat("x", 200), "", "\n"},
		"long umlauts":     {strings.Repeat("ü", 2000), strings.Repeat("ü", 100), "", "\n"},
		"dots":             {"", "", ".\n..\n.x\n", ".\n..\n.x\n"},
		"equals":           {"", "", "a=41\n=\n", "a=41\n=\n"},
	} {
		t.Run(name, func(t *testing.T) {
			m := message()
			m.Subject, m.Body = c.subject, c.body
			checkText(t, m, c.wantSubject, c.wantBody)
		})
	}
}

func checkText(t *testing.T, m Message, wantSubject, wantBody string) {
	t.Helper()
	text, err := Text(Config{Sendmail: "/usr/sbin/sendmail"}, m)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if len(line) > maxLine+1 || strings.ContainsAny(line, "\r\x1b\x00") || strings.IndexFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
			t.Errorf("line %.100q", line)
		}
	}
	got, body := read(t, text)
	if n := len(got.Header); n != 9 {
		t.Errorf("%d headers: %v", n, got.Header)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	if err != nil || subject != wantSubject {
		t.Errorf("subject %q, %v; want %q", subject, err, wantSubject)
	}
	if body != wantBody {
		t.Errorf("body %.200q, want %.200q", body, wantBody)
	}
}

// FuzzText: whatever stands in a message, it adds no header and no line over
// the limit, and a reader gets the body back.
func FuzzText(f *testing.F) {
	f.Add("subject", "body\n", "Jo <jo@example.org>")
	f.Add("a\r\nBcc: x@example.org", ".\r\n.\n", "root")
	f.Add(strings.Repeat("é ", 300), strings.Repeat("é", 3000), "\"\r\n\" <a@b>")
	f.Add("=?utf-8?q?x?=", "From x\n", "\"a b\"@example.org")
	f.Fuzz(func(t *testing.T, subject, body, to string) {
		m := message()
		m.Subject, m.Body, m.To = subject, body, []string{to}
		if _, err := parseMailbox(to); err != nil {
			m.To = []string{"root"}
		}
		text, err := Text(Config{Sendmail: "/usr/sbin/sendmail"}, m)
		if err != nil {
			t.Fatal(err)
		}
		got, gotBody := read(t, text)
		if len(got.Header) != 9 {
			t.Errorf("%d headers in\n%s", len(got.Header), text)
		}
		for line := range bytes.Lines(text) {
			if len(line) > maxLine+1 || bytes.ContainsRune(line, '\r') {
				t.Errorf("line %.100q", line)
			}
		}
		if want := cleanBody(body); strings.TrimRight(gotBody, "\n \t") != strings.TrimRight(want, "\n \t") {
			t.Errorf("body %q, want %q", gotBody, want)
		}
	})
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string]mailbox{
		"root":                      {"root", "root"},
		" jo@example.org ":          {"<jo@example.org>", "jo@example.org"},
		"Jo <jo@example.org>":       {`"Jo" <jo@example.org>`, "jo@example.org"},
		"root@localhost":            {"<root@localhost>", "root@localhost"},
		"Jo (the admin) <jo@b.org>": {`"Jo" <jo@b.org>`, "jo@b.org"},
	} {
		got, err := parseMailbox(in)
		if err != nil || got != want {
			t.Errorf("parseMailbox(%q) = %+v, %v; want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "-oQ/tmp", "-x@example.org", "a@b, c@d", "a@b\r\nBcc: c@d", "jo@", "@b", "jo@exämple.org", "jö@example.org",
		"a b", `"a b"@example.org`, "root;id", "$(id)", "|/bin/sh", "/etc/passwd", strings.Repeat("a", 300) + "@example.org", strings.Repeat("a", 65),
	} {
		if got, err := parseMailbox(in); err == nil {
			t.Errorf("parseMailbox(%.60q) = %+v, want an error", in, got)
		}
	}
}

func TestEnvelopeErrors(t *testing.T) {
	m := message()
	m.From = ""
	if _, err := Text(local(25), m); err == nil || !strings.Contains(err.Error(), "set mail.from") {
		t.Errorf("SMTP without sender: %v", err)
	}
	if _, err := Text(Config{}, m); err != nil {
		t.Errorf("sendmail without sender: %v", err)
	}
	m.To = nil
	if _, err := Text(Config{}, m); err == nil || !strings.Contains(err.Error(), "set mail.to") {
		t.Errorf("no recipient: %v", err)
	}
	m.To = []string{"a@b\nBcc: c@d"}
	if _, err := Text(Config{}, m); err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "correct mail.to") {
		t.Errorf("bad recipient: %v", err)
	}
}
