package run

import (
	"testing"

	"blockhosts/logscan"
)

// TestFileText: what is as it should be is not said.
func TestFileText(t *testing.T) {
	for want, f := range map[string]logscan.FileReport{
		"a.log: 90 bytes read, 3 lines, 1 of them failures":                                                                               {Read: 90, Lines: 3, Matched: 1},
		"a.log: 90 bytes read, 3 lines, 1 of them failures, 7 bytes wait for the end of their line":                                       {Read: 90, Lines: 3, Matched: 1, Waiting: 7},
		"a.log: 0 bytes read, 0 lines, 0 of them failures, 12 bytes possibly lost":                                                        {PossiblyLost: 12},
		"a.log: 0 bytes read, 0 lines, 0 of them failures, lines possibly lost, nobody knows how many":                                    {Gap: true},
		"a.log: 0 bytes read, 0 lines, 0 of them failures, 12 bytes possibly lost, and others, nobody knows how many":                     {PossiblyLost: 12, Gap: true},
		"a.log: 0 bytes read, 0 lines, 0 of them failures; 2 entries were left alone: who wrote them is not, or may not be, who they say": {Untrusted: 2},
	} {
		f.Path = "a.log"
		if got := fileText(f); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
