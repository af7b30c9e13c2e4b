package report

import (
	"bufio"
	"io"
	"strings"
)

// maxInput is where a line of a command's input is cut in a dry run, in bytes.
const maxInput = 4096

// DryRunCommand shows a command that would be run, as comment lines that may
// stand in an access-control file: its arguments, then its input.
//
//	# iptables-restore -w 10 --noflush
//	#   *filter
func DryRunCommand(w io.Writer, args []string, stdin string) error {
	b := bufio.NewWriter(w)
	b.WriteString("#")
	for _, a := range args {
		b.WriteByte(' ')
		b.WriteString(argument(a))
	}
	b.WriteByte('\n')
	for line := range strings.Lines(stdin) {
		if line = Clean(strings.TrimSuffix(line, "\n"), maxInput); line != "" {
			line = "   " + line
		}
		b.WriteString("#" + line + "\n")
	}
	return b.Flush() // holds the first error
}

// argument quotes what would not be read as one word.
func argument(a string) string {
	plain := a != "" && !strings.ContainsFunc(a, func(r rune) bool {
		return unsafeRune(r) || strings.ContainsRune(" \"'\\#$`&|;<>(){}*?!~", r)
	})
	if plain && len(a) <= maxInput {
		return a
	}
	return Quote(a, maxInput)
}

// DryRunMail shows a mail that would be sent, after a comment line that says
// how: "by /usr/sbin/sendmail". The mail itself is as it would be sent.
func DryRunMail(w io.Writer, how string, text []byte) error {
	b := bufio.NewWriter(w)
	b.WriteString("# mail " + Clean(how, 200) + ":\n")
	for line := range strings.Lines(string(text)) {
		b.WriteString(Clean(strings.TrimSuffix(line, "\n"), maxInput) + "\n")
	}
	return b.Flush()
}
