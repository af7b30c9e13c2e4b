package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"blockhosts/internal/record"
)

// The JSON of a status, field by field and in this order. It is a contract:
// fields may be added, none renamed or taken away.
type statusJSON struct {
	Blockfile string        `json:"blockfile"`
	Blocked   []blockedJSON `json:"blocked"`
	Watched   []watchedJSON `json:"watched"`
	Sources   []any         `json:"sources"`  // sourceJSON or cursorJSON
	Blockers  []any         `json:"blockers"` // blockerJSON or brokenJSON
}

type blockedJSON struct {
	Address  string        `json:"address"`
	Count    int           `json:"count"`
	Since    *string       `json:"since"`
	Until    *string       `json:"until"` // null: never
	Services []string      `json:"services"`
	Reason   record.Reason `json:"reason"`
}

type watchedJSON struct {
	Address  string   `json:"address"`
	Count    int      `json:"count"`
	Last     *string  `json:"last"`
	Services []string `json:"services"`
}

type sourceJSON struct {
	Kind   string `json:"kind"`
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
	Size   int64  `json:"size"`
	lossJSON
}

type cursorJSON struct {
	Kind   string `json:"kind"`
	Path   string `json:"path"`
	Cursor string `json:"cursor"` // "": not read yet
	lossJSON
}

// lossJSON is there only where something was, or may have been, lost.
type lossJSON struct {
	Lost int64   `json:"lost,omitempty"` // bytes
	Gap  *string `json:"gap,omitempty"`  // when a run last found that nobody knows how much
}

type blockerJSON struct {
	Name    string `json:"name"`
	Present int    `json:"present"`
	Missing int    `json:"missing"`
	Extra   int    `json:"extra"`
}

type brokenJSON struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

// StatusJSON writes the status as one JSON object on one line. Times are
// RFC 3339 in UTC, whole seconds; a prefix is address/len; lists are never
// null.
func StatusJSON(w io.Writer, s Status) error {
	out := statusJSON{
		Blockfile: s.Blockfile,
		Blocked:   []blockedJSON{}, Watched: []watchedJSON{}, Sources: []any{}, Blockers: []any{},
	}
	for _, x := range s.Blocked {
		out.Blocked = append(out.Blocked, blockedJSON{record.FormatNet(x.Net), x.Count, utc(x.Since), utc(x.Until), list(x.Services), x.Reason})
	}
	for _, x := range s.Watched {
		out.Watched = append(out.Watched, watchedJSON{record.FormatNet(x.Net), x.Count, utc(x.Last), list(x.Services)})
	}
	for _, x := range s.Sources {
		loss := lossJSON{x.Lost, utc(x.Gap)}
		if x.Kind == "journal" {
			out.Sources = append(out.Sources, cursorJSON{x.Kind, x.Path, x.Cursor, loss})
			continue
		}
		out.Sources = append(out.Sources, sourceJSON{x.Kind, x.Path, x.Offset, x.Size, loss})
	}
	for _, x := range s.Blockers {
		if x.Error != "" {
			out.Blockers = append(out.Blockers, brokenJSON{x.Name, x.Error})
			continue
		}
		out.Blockers = append(out.Blockers, blockerJSON{x.Name, x.Present, x.Missing, x.Extra})
	}
	return writeJSON(w, out)
}

func utc(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}

func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

// writeJSON writes v on one line. The encoder escapes the control characters
// of ASCII alone; the others would still move a terminal's cursor.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	safe := make([]byte, 0, len(text)+1)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case !unsafeRune(r):
			safe = append(safe, text[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			safe = fmt.Appendf(safe, `\u%04x\u%04x`, high, low)
		default:
			safe = fmt.Appendf(safe, `\u%04x`, r)
		}
		text = text[size:]
	}
	_, err := w.Write(append(safe, '\n'))
	return err
}
