package blockfile

import (
	"bytes"
	"fmt"

	"blockhosts/internal/record"
)

// A logical is one line as libwrap reads it: physical lines that end in a
// backslash are joined to the next before anything else is looked at.
type logical struct {
	text   []byte // without newlines and the joining backslashes
	begin  int    // where it begins in the file
	number int    // of its first physical line, from 1
	ended  bool   // with a newline that is not escaped
}

// nextLogical reads the line that begins at begin, number being its number,
// and returns where and with which number the next begins.
func nextLogical(data []byte, begin, number int) (l logical, end, next int) {
	l = logical{begin: begin, number: number}
	for end, next = begin, number; end < len(data); next++ {
		line := data[end:]
		i := bytes.IndexByte(line, '\n')
		if i >= 0 {
			line = line[:i]
			end++
		}
		end += len(line)
		joined := i >= 0 && bytes.HasSuffix(line, []byte(`\`))
		if joined {
			line = line[:len(line)-1]
		}
		if l.text == nil {
			l.text = line[:len(line):len(line)]
		} else {
			l.text = append(l.text, line...)
		}
		if !joined {
			l.ended = i >= 0
			return l, end, next + 1
		}
	}
	return l, end, next
}

// outsideProblems tells what in the administrator's own lines makes libwrap
// ignore a part of the file: hosts.allow then grants what it should deny. What
// makes it ignore the section is a failure, the rest a notice. The tail begins
// after lines lines.
func outsideProblems(path string, head, tail []byte, lines int) []record.Problem {
	var all []record.Problem
	add := func(key, text string, fails bool) {
		all = append(all, record.Problem{Key: "blockfile " + path + ": " + key, Text: path + ": " + text, Fails: fails})
	}
	for _, part := range []struct {
		text  []byte
		first int
		above bool
	}{{head, 1, true}, {tail, lines + 1, false}} {
		for at, number := 0, part.first; at < len(part.text); {
			var l logical
			l, at, number = nextLogical(part.text, at, number)
			if len(l.text) > maxLine {
				add("a line is too long", fmt.Sprintf("line %d is longer than %d bytes, so that libwrap ignores it and all below; break it up into several rules", l.number, maxLine), part.above)
				return all
			}
		}
	}
	if bytes.HasSuffix(head, []byte("\\\n")) {
		add("a line is continued into the section", `the line above the first marker ends in \, so that libwrap joins the marker to it; put a blank line between`, true)
	}
	if len(tail) > 0 && (tail[len(tail)-1] != '\n' || bytes.HasSuffix(tail, []byte("\\\n"))) {
		add("the last line is not ended", "the last line has no newline of its own at its end, so that libwrap ignores it; add one", false)
	}
	return all
}
