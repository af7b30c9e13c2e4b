package report

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// A Status is what stands in the section and what the world makes of it. Its
// JSON is a contract; see StatusJSON.
type Status struct {
	Now       time.Time // in the zone that people are shown
	Blockfile string
	Blocked   []Blocked       // by Net
	Watched   []Watched       // by Net
	Sources   []SourceStatus  // in the order of the configuration
	Blockers  []BlockerStatus // likewise
}

// A Blocked is an address or prefix that is kept out.
type Blocked struct {
	Net      netip.Prefix
	Count    int
	Since    time.Time
	Until    time.Time // zero: never ends by itself
	Services []string
	Reason   record.Reason
}

// A Watched is an address with failures on record that is not blocked.
type Watched struct {
	Net      netip.Prefix
	Count    int
	Last     time.Time
	Services []string
}

// A SourceStatus is how far a source has been read.
type SourceStatus struct {
	Kind    string    // "file", "fifo", "journal"
	Path    string    // of a journal that is not this host's own, "journal:" and its directory
	Offset  int64     // bytes; of a FIFO, all that was ever read
	Size    int64     // bytes; 0 where it cannot be told
	Cursor  string    // of a journal, in place of Offset and Size; "" where it was never read
	Read    time.Time // when it was read last; zero: never, or nobody knows
	Lost    int64     // bytes that were not read, in all runs
	Gap     time.Time // when others were last found to be possibly lost; zero: never
	Problem string    // why the size cannot be told; for people only
}

// A BlockerStatus is how a blocker agrees with the section.
type BlockerStatus struct {
	Name                    string
	Present, Missing, Extra int    // addresses; not known where there is an Error
	Error                   string // why it cannot be listed
}

// Ends tells when a block ends as things stand, zero for never.
type Ends func(record.Block) time.Time

// of is the block's own end where nothing else is known.
func (e Ends) of(b record.Block) time.Time {
	if e == nil {
		return b.Until
	}
	return e(b)
}

// NewStatus returns the status of a section; sources and blockers are the
// caller's to add. Ends tells when a block ends as things stand, zero for never.
func NewStatus(blockfile string, st record.State, ends Ends, now time.Time) Status {
	return Status{Now: now, Blockfile: blockfile, Blocked: blockedOf(st, ends), Watched: watchedOf(st)}
}

func blockedOf(st record.State, ends Ends) []Blocked {
	list := make([]Blocked, 0, len(st.Blocks))
	for _, b := range st.Blocks {
		count := b.Count
		if i, ok := slices.BinarySearchFunc(st.Hosts, b.Host, func(h record.Host, n netip.Prefix) int {
			return cmp.Or(h.Net.Addr().Compare(n.Addr()), cmp.Compare(h.Net.Bits(), n.Bits()))
		}); ok {
			count = max(count, st.Hosts[i].Count) // it may have gone on since
		}
		list = append(list, Blocked{
			Net: b.Net, Count: count, Since: b.Since, Until: ends.of(b), Services: b.Services, Reason: b.Reason,
		})
	}
	return list
}

// watchedOf returns the hosts that no block is about.
func watchedOf(st record.State) []Watched {
	blocked := map[netip.Prefix]bool{}
	lengths := map[int]bool{}
	for _, b := range st.Blocks {
		blocked[b.Net], lengths[b.Net.Bits()] = true, true
		if b.Host.IsValid() {
			blocked[b.Host], lengths[b.Host.Bits()] = true, true
		}
	}
	list := make([]Watched, 0, max(0, len(st.Hosts)-len(st.Blocks)))
	for _, h := range st.Hosts {
		if !within(h.Net, blocked, lengths) {
			list = append(list, Watched{Net: h.Net, Count: h.Count, Last: h.Last, Services: serviceNames(h)})
		}
	}
	return list
}

// within tells whether net, or a prefix around it, is in the set, whose
// prefixes have these lengths.
func within(net netip.Prefix, set map[netip.Prefix]bool, lengths map[int]bool) bool {
	for bits := range lengths {
		if bits > net.Bits() {
			continue
		}
		if around, err := net.Addr().Prefix(bits); err == nil && set[around] {
			return true
		}
	}
	return false
}

// StatusText writes the status for people.
func StatusText(w io.Writer, s Status) error {
	zone, _ := s.Now.Zone()
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s %s\n", Clean(s.Blockfile, 400), s.Now.Format(stampLayout), zone)
	chapter(&b, "Blocked", len(s.Blocked), "nobody is blocked", func() string { return blockedTable(s.Blocked, s.Now) })
	chapter(&b, "Watched", len(s.Watched), "nobody is watched", func() string { return watchedTable(s.Watched, s.Now) })
	chapter(&b, "Sources", len(s.Sources), "nothing is read", func() string { return sourceTable(s.Sources, s.Now) })
	chapter(&b, "Blockers", len(s.Blockers), "none is configured; the deny lines of the blockfile are all that blocks", func() string { return blockerTable(s.Blockers) })
	_, err := io.WriteString(w, b.String())
	return err
}

func chapter(b *strings.Builder, title string, n int, none string, body func() string) {
	if n == 0 {
		fmt.Fprintf(b, "\n%s: %s\n", title, none)
		return
	}
	fmt.Fprintf(b, "\n%s: %d\n%s", title, n, body())
}

func blockedTable(list []Blocked, now time.Time) string {
	rows := make([][]string, 0, len(list))
	for _, x := range list {
		rows = append(rows, []string{
			record.FormatNet(x.Net), strconv.Itoa(x.Count), stamp(x.Since, now, "unknown"), stamp(x.Until, now, "never"), string(x.Reason), names(x.Services),
		})
	}
	return table([]string{"address", "count", "since", "until", "reason", "services"}, rows)
}

func watchedTable(list []Watched, now time.Time) string {
	rows := make([][]string, 0, len(list))
	for _, x := range list {
		rows = append(rows, []string{record.FormatNet(x.Net), strconv.Itoa(x.Count), stamp(x.Last, now, "unknown"), names(x.Services)})
	}
	return table([]string{"address", "count", "last", "services"}, rows)
}

func sourceTable(list []SourceStatus, now time.Time) string {
	rows := make([][]string, 0, len(list))
	for _, x := range list {
		offset, size := strconv.FormatInt(x.Offset, 10), strconv.FormatInt(x.Size, 10)
		switch {
		case x.Kind == "journal":
			offset, size = "-", "-"
		case x.Problem != "":
			size = "-"
		}
		rows = append(rows, []string{x.Kind, Clean(x.Path, 400), offset, size, sourceState(x, now) + lossText(x, now)})
	}
	return table([]string{"kind", "path", "offset", "size", ""}, rows)
}

// sourceState says how far a source is read.
func sourceState(x SourceStatus, now time.Time) string {
	switch {
	case x.Problem != "":
		return Clean(x.Problem, 200)
	case x.Kind == "journal" || x.Kind == "fifo":
		if x.Read.IsZero() {
			return "not read yet"
		}
		return "read " + stamp(x.Read, now, "")
	case x.Offset < x.Size:
		return fmt.Sprintf("%d bytes to read", x.Size-x.Offset)
	case x.Offset > x.Size:
		return "shorter than what was read: truncated or replaced"
	}
	return "all read"
}

// lossText says what of a source may never have been read.
func lossText(x SourceStatus, now time.Time) (text string) {
	if x.Lost > 0 {
		text += fmt.Sprintf("; %d bytes were lost", x.Lost)
	}
	if !x.Gap.IsZero() {
		text += "; lines from before " + stamp(x.Gap, now, "") + " may be lost"
	}
	return text
}

func blockerTable(list []BlockerStatus) string {
	rows := make([][]string, 0, len(list))
	for _, x := range list {
		row := []string{Clean(x.Name, 60), strconv.Itoa(x.Present), strconv.Itoa(x.Missing), strconv.Itoa(x.Extra), ""}
		switch {
		case x.Error != "":
			row = []string{row[0], "-", "-", "-", Clean(x.Error, 400)}
		case x.Missing > 0 || x.Extra > 0:
			row[4] = "the next run mends it"
		}
		rows = append(rows, row)
	}
	return table([]string{"name", "present", "missing", "extra", ""}, rows)
}
