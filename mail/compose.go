package mail

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxSubject = 200 // bytes; longer ones are cut
	maxHeader  = 76  // bytes of a header line with encoded words (RFC 2047, 2)
	maxLine    = 998 // bytes of a line without its end (RFC 5322, 2.1.1)
)

// compose writes the message with "\n" at the end of its lines: sendmail takes
// its host's own line ends, and the SMTP writer makes "\r\n" of them.
func compose(e envelope, m Message) []byte {
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s\n", fold(name+": "+value)) }
	header("Date", m.Date.Format(time.RFC1123Z))
	if e.from.header != "" {
		header("From", e.from.header)
	}
	to := make([]string, len(e.to))
	for i, box := range e.to {
		to[i] = box.header
	}
	header("To", strings.Join(to, ", "))
	header("Subject", encodeWord(cut(oneLine(m.Subject), maxSubject)))
	encoding, body := encodeBody(m.Body)
	header("Message-ID", messageID(e, m))
	header("Auto-Submitted", "auto-generated") // RFC 3834, 5: no vacation answers
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", encoding)
	b.WriteByte('\n')
	b.Write(body)
	return b.Bytes()
}

// messageID is made of the message itself, so that a second delivery of the
// same one is known as such and no clock or chance is needed.
func messageID(e envelope, m Message) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q", e.from, e.to, m.Subject, m.Body)
	return fmt.Sprintf("<%s.%x@%s>", m.Date.UTC().Format("20060102150405"), h.Sum(nil)[:8], e.domain())
}

// encodeWord makes s fit for a header (RFC 2047). Text that only looks like an
// encoded word is broken up, or a reader would decode it.
func encodeWord(s string) string {
	return mime.QEncoding.Encode("utf-8", strings.ReplaceAll(s, "=?", "= ?"))
}

// fold breaks a header at its blanks into lines of maxHeader bytes. A longer
// word stays whole: none is over maxLine, since addresses and subject are cut.
func fold(s string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Split(s, " ") {
		switch {
		case i == 0:
		case column > 0 && column+1+len(word) > maxHeader && word != "":
			b.WriteString("\n ")
			column = 1
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// encodeBody leaves plain ASCII of ordinary lines as it is and makes
// quoted-printable (RFC 2045, 6.7) of all else.
func encodeBody(s string) (encoding string, body []byte) {
	s = cleanBody(s)
	plain := true
	for line := range strings.Lines(s) {
		plain = plain && len(line) <= maxLine && strings.IndexFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
	}
	if plain {
		return "7bit", []byte(s)
	}
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(s)) // into memory: cannot fail
	_ = w.Close()
	return "quoted-printable", bytes.ReplaceAll(b.Bytes(), []byte("\r\n"), []byte("\n"))
}

// cleanBody leaves no control character but tabs and line ends: a mail reader
// on a terminal would obey them.
func cleanBody(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
	if !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return s
}

// oneLine puts a blank for each control character, line ends above all.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// cut shortens s to n bytes on the boundary of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
