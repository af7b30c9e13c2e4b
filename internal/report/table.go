package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"blockhosts/internal/record"
)

// table aligns rows of clean cells under a header, each line indented by two.
func table(header []string, rows [][]string) string {
	rows = append([][]string{header}, rows...)
	widths := make([]int, len(header)) // in characters
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += fmt.Sprintf("  %-*s", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n") // the last cell may be empty
	}
	return b.String()
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
