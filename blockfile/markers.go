package blockfile

import (
	"bytes"
)

// Marker begins and ends the section. A line is a marker when it begins with
// this text, blanks in front of it aside, as blockhosts.py had it.
const Marker = "#---- BlockHosts Additions"

// markerWord is what to search for: a "#" begins nearly every line.
const markerWord = "BlockHosts Additions"

// blanks is what is trimmed off a line. A line ends at a newline and nowhere
// else, for libwrap as well.
const blanks = " \t\r\v\f"

// A cut says where a file falls apart.
type cut struct {
	begin, inner int // the first marker line is [begin, inner)
	outer, end   int // the second is [outer, end)
	lines        int // lines up to the second marker line, that one included
}

// findMarkers counts the marker lines of data. Where there are two, the cut
// is theirs.
func findMarkers(data []byte) (c cut, count int) {
	searched, lines := 0, 0
	for {
		i := bytes.Index(data[searched:], []byte(markerWord))
		if i < 0 {
			return c, count
		}
		at := searched + i
		start := bytes.LastIndexByte(data[:at], '\n') + 1
		before, isMarker := bytes.CutSuffix(data[start:at], []byte(Marker[:len(Marker)-len(markerWord)]))
		end := len(data)
		if n := bytes.IndexByte(data[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		if isMarker && len(bytes.Trim(before, blanks)) == 0 {
			lines += bytes.Count(data[c.end:end], []byte("\n"))
			if count++; count == 1 {
				c.begin, c.inner = start, end
			}
			c.outer, c.end, c.lines = start, end, lines
		}
		searched = end
	}
}
