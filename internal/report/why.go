package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"blockhosts/internal/record"
)

// WhyText explains an address to people. Now is in their zone.
func WhyText(w io.Writer, e record.Explanation, held []BlockerStatus, now time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", e.Addr, e.Verdict)
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-15s %s\n", name+":", value)
		}
	}
	field("allowlist", e.Allowed)
	field("denylist", e.Denied)
	field("spared", e.Spared)
	for _, x := range e.Blocks {
		field("blocked", fmt.Sprintf("%s, %s, since %s, %s", record.FormatNet(x.Net), x.Reason, stamp(x.Since, now, "unknown"), endText(x, now)))
		if x.Count > 0 {
			field("evidence", fmt.Sprintf("%d failures when it began%s", x.Count, onServices(x.Services)))
		}
		field("by", x.By)
		field("note", Clean(x.Note, record.MaxNote))
	}
	if e.Host != nil {
		field("counted as", record.FormatNet(e.Host.Net))
		field("last failure", stamp(e.Host.Last, now, "unknown"))
	}
	for _, line := range e.Counts {
		field("count", line)
	}
	if e.Past != nil {
		field("blocked so far", plural(e.Past.Blocks, "time", "times")+", last "+stamp(e.Past.Last, now, "unknown"))
	}
	for _, x := range held {
		switch {
		case x.Error != "":
			field(x.Name, "cannot be listed: "+Clean(x.Error, maxMessage))
		case x.Missing == 0:
			field(x.Name, "holds it")
		default:
			field(x.Name, "does not hold it; the next run mends that")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func endText(x record.Held, now time.Time) string {
	if x.Ends.IsZero() {
		return "until it is unblocked"
	}
	return "until " + stamp(x.Ends, now, "")
}

func onServices(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

type whyBlock struct {
	Address  string   `json:"address"`
	Reason   string   `json:"reason"`
	Since    string   `json:"since"`
	Until    *string  `json:"until"`
	Count    int      `json:"count"`
	Services []string `json:"services"`
	Note     string   `json:"note,omitempty"`
}

// WhyJSON explains an address to programs, in one object on one line.
func WhyJSON(w io.Writer, e record.Explanation, held []BlockerStatus, _ time.Time) error {
	utc := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	out := struct {
		Address   string          `json:"address"`
		Verdict   string          `json:"verdict"`
		Allowlist string          `json:"allowlist,omitempty"`
		Denylist  string          `json:"denylist,omitempty"`
		Spared    string          `json:"spared,omitempty"`
		Blocks    []whyBlock      `json:"blocks"`
		Counts    []string        `json:"counts"`
		Before    int             `json:"blocks_so_far"`
		Blockers  map[string]bool `json:"held_by"`
	}{Address: e.Addr.String(), Verdict: e.Verdict, Allowlist: e.Allowed, Denylist: e.Denied, Spared: e.Spared,
		Blocks: []whyBlock{}, Counts: append([]string{}, e.Counts...), Blockers: map[string]bool{}}
	for _, x := range e.Blocks {
		b := whyBlock{Address: record.FormatNet(x.Net), Reason: string(x.Reason), Since: utc(x.Since), Count: x.Count,
			Services: append([]string{}, x.Services...), Note: x.Note}
		if !x.Ends.IsZero() {
			until := utc(x.Ends)
			b.Until = &until
		}
		out.Blocks = append(out.Blocks, b)
	}
	if e.Past != nil {
		out.Before = e.Past.Blocks
	}
	for _, x := range held {
		out.Blockers[x.Name] = x.Error == "" && x.Missing == 0
	}
	return json.NewEncoder(w).Encode(out)
}
