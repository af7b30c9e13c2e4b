package blockfile

import (
	"strconv"
	"strings"

	"blockhosts/internal/record"
)

// identity begins what stands where blockhosts.py kept the first line of the
// log. No log begins with this word, so that nobody takes it for one.
const identity = "bh1"

// appendOffsets writes the three lines of blockhosts.py for each source.
func appendOffsets(b []byte, offsets []record.Offset) []byte {
	for i := range offsets {
		x := &offsets[i]
		start := len(b)
		b = append(b, tag+" logfile: "...)
		b = endLine(appendPath(b, x.Path), start)
		b = append(b, tag+" offset: "...)
		b = append(strconv.AppendInt(b, x.Pos, 10), '\n')
		start = len(b)
		b = append(b, tag+" first line: "+identity...)
		b = strconv.AppendUint(appendKey(b, "dev"), x.Device, 10)
		b = strconv.AppendUint(appendKey(b, "ino"), x.Inode, 10)
		b = appendTextKey(b, "head", x.Head)
		b = appendTextKey(b, "tail", x.Tail)
		b = appendTime(appendKey(b, "read"), x.Read)
		b = appendTextKey(b, "cursor", x.Cursor)
		b = appendLoss(b, x)
		b = endLine(b, start)
	}
	return b
}

// appendLoss writes what is known of lines that were not read, mostly nothing.
func appendLoss(b []byte, x *record.Offset) []byte {
	if x.Lost != 0 {
		b = strconv.AppendInt(appendKey(b, "lost"), x.Lost, 10)
	}
	if !x.Gap.IsZero() {
		b = appendTime(appendKey(b, "gap"), x.Gap)
	}
	return b
}

// appendPath writes a path raw, as blockhosts.py does, where that can be read
// again.
func appendPath(b []byte, path string) []byte {
	if isRawPath(path) {
		return append(b, path...)
	}
	return appendQuoted(b, path)
}

func isRawPath(path string) bool {
	if path == "" || len(path) > maxLine/2 || path[0] == '"' || path[0] == ' ' {
		return false
	}
	for i := range len(path) {
		if path[i] < ' ' || path[i] == 0x7f {
			return false
		}
	}
	last := path[len(path)-1]
	return last != ' ' && last != '\\'
}

// logfile, offset and firstLine read the three lines. The latter two belong to
// the logfile above them.
func (r *reader) logfile(s string) bool {
	s = trim(s)
	if path, ok := unquote(s); ok {
		s = path
	}
	r.st.Offsets = append(r.st.Offsets, record.Offset{Path: strings.Clone(s)})
	return s != ""
}

func (r *reader) offset(s string) bool {
	n, err := strconv.ParseInt(trim(s), 10, 64)
	if err != nil || n < 0 || len(r.st.Offsets) == 0 {
		return false
	}
	r.st.Offsets[len(r.st.Offsets)-1].Pos = n
	return true
}

func (r *reader) firstLine(s string) bool {
	if len(r.st.Offsets) == 0 {
		return false
	}
	x := &r.st.Offsets[len(r.st.Offsets)-1]
	if word, fields := cutField(s); word == identity {
		if known, ok := readIdentity(fields); ok {
			known.Path, known.Pos = x.Path, x.Pos
			*x = known
			return true
		}
	}
	x.FirstLine = strings.Clone(strings.TrimSuffix(s, "\r"))
	return true
}

func readIdentity(fields string) (x record.Offset, ok bool) {
	ok = eachField(fields, func(key, value string) bool {
		var err error
		good := true
		switch key {
		case "dev":
			x.Device, err = strconv.ParseUint(value, 10, 64)
		case "ino":
			x.Inode, err = strconv.ParseUint(value, 10, 64)
		case "head":
			x.Head, good = cloned(unquote(value))
		case "tail":
			x.Tail, good = cloned(unquote(value))
		case "read":
			x.Read, good = parseTime(value)
		case "cursor":
			x.Cursor, good = cloned(unquote(value))
		case "lost":
			x.Lost, err = strconv.ParseInt(value, 10, 64)
		case "gap":
			x.Gap, good = parseTime(value)
		}
		return err == nil && good
	})
	return x, ok
}

func cloned(s string, ok bool) (string, bool) { return strings.Clone(s), ok }
