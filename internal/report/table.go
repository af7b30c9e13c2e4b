package report

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"blockhosts/internal/record"
)

// table aligns rows of clean cells under a header, each line indented by two.
func table(header []string, rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "  "+strings.Join(header, "\t"))
	for _, row := range rows {
		fmt.Fprintln(w, "  "+strings.Join(row, "\t"))
	}
	_ = w.Flush() // into memory: cannot fail
	lines := strings.Split(b.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ") // where the last cell is empty
	}
	return strings.Join(lines, "\n")
}

// maxNames is where a list of names in a table is cut, in bytes.
const maxNames = 120

// names joins a list of services for a cell.
func names(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return Clean(strings.Join(list, " "), maxNames)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// serviceNames returns the services that h attacked.
func serviceNames(h record.Host) []string {
	list := make([]string, 0, len(h.Services))
	for _, s := range h.Services {
		list = append(list, s.Service)
	}
	return list
}
