package report

import (
	"bytes"
	"strings"
	"testing"
)

func TestDryRunCommand(t *testing.T) {
	for _, c := range []struct {
		args  []string
		stdin string
		want  string
	}{
		{[]string{"iptables-restore", "-w", "10", "--noflush"}, "*filter\n-A blockhosts -s 192.0.2.1/32 -j DROP\nCOMMIT\n",
			"# iptables-restore -w 10 --noflush\n#   *filter\n#   -A blockhosts -s 192.0.2.1/32 -j DROP\n#   COMMIT\n"},
		{[]string{"systemctl", "reload", "nginx"}, "", "# systemctl reload nginx\n"},
		{[]string{"a b", "", "$(id)", "it's", "\x1b[2J\n"}, "", "# \"a b\" \"\" \"$(id)\" \"it's\" \"\\x1b[2J\\n\"\n"},
		{[]string{"x"}, "a\r\n\n\u202eb\x1b\\\nlast", "# x\n#   a\\r\n#\n#   \\u202eb\\x1b\\\n#   last\n"},
	} {
		var b bytes.Buffer
		if err := DryRunCommand(&b, c.args, c.stdin); err != nil || b.String() != c.want {
			t.Errorf("%q: got\n%s%v\nwant\n%s", c.args, b.String(), err, c.want)
		}
	}
}

// TestDryRunComments: whatever a command is given, each line is a comment.
func TestDryRunComments(t *testing.T) {
	for _, s := range hostileText {
		var b bytes.Buffer
		if err := DryRunCommand(&b, []string{"x", s}, s+"\n"+s); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if !strings.HasPrefix(line, "#") || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), unsafeRune) {
				t.Errorf("line %.200q", line)
			}
		}
	}
}

func TestDryRunMail(t *testing.T) {
	var b bytes.Buffer
	if err := DryRunMail(&b, "by /usr/sbin/sendmail", []byte("Subject: x\n\n.\n\x1b[2J\n")); err != nil {
		t.Fatal(err)
	}
	if want := "# mail by /usr/sbin/sendmail:\nSubject: x\n\n.\n\\x1b[2J\n"; b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestDryRunFails(t *testing.T) {
	if err := DryRunCommand(full{}, []string{"x"}, ""); err == nil {
		t.Error("a full disk is no error")
	}
	if err := DryRunMail(full{}, "x", nil); err == nil {
		t.Error("a full disk is no error")
	}
	if err := StatusText(full{}, status()); err == nil {
		t.Error("a full disk is no error")
	}
	if err := StatusJSON(full{}, status()); err == nil {
		t.Error("a full disk is no error")
	}
}
