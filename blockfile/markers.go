package blockfile

import "strings"

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
func findMarkers(data string) (c cut, count int) {
	searched, lines := 0, 0
	for {
		i := strings.Index(data[searched:], markerWord)
		if i < 0 {
			return c, count
		}
		at := searched + i
		start := strings.LastIndexByte(data[:at], '\n') + 1
		before, isMarker := strings.CutSuffix(data[start:at], Marker[:len(Marker)-len(markerWord)])
		end := len(data)
		if n := strings.IndexByte(data[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		if isMarker && len(strings.Trim(before, blanks)) == 0 {
			lines += strings.Count(data[c.end:end], "\n")
			if count++; count == 1 {
				c.begin, c.inner = start, end
			}
			c.outer, c.end, c.lines = start, end, lines
		}
		searched = end
	}
}
