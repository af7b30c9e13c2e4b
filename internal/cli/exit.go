package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"blockhosts/blockfile"
	"blockhosts/internal/config"
	"blockhosts/internal/run"
)

// The exit codes, the same for every command.
const (
	exitDone    = 0  // also: nothing new, no match
	exitLocked  = 1  // another run holds the lock
	exitUsage   = 2  // bad usage or configuration, no blockfile or not its two markers: nothing was touched
	exitPartial = 3  // a source, a blocker, the mail or the blockfile failed; the rest was carried out
	exitBug     = 70 // EX_SOFTWARE of sysexits(3)
)

// usageError is a mistake on the command line.
type usageError struct {
	text string
	hint string
}

func (e usageError) Error() string { return e.text }

// exitCode is the one place where an error becomes a number and a hint.
func exitCode(err error) (code int, hint string) {
	var marker *blockfile.MarkerError
	var usage usageError
	var begin run.SetupError
	var conf config.Errors
	switch {
	case err == nil:
		return exitDone, ""
	case errors.Is(err, blockfile.ErrLocked):
		return exitLocked, ""
	case errors.As(err, &conf):
		return exitUsage, conf[0].Hint
	case errors.As(err, &usage):
		return exitUsage, usage.hint
	case errors.As(err, &marker):
		return exitUsage, ""
	case errors.Is(err, run.ErrPartial), errors.Is(err, run.ErrFailed):
		return exitPartial, ""
	case errors.As(err, &begin):
		return exitUsage, ""
	case errors.Is(err, context.Canceled):
		return exitPartial, ""
	}
	return exitUsage, ""
}

// tell prints an error and its hint. Problems of a run in part have been told
// by the run itself, when they were news.
func tell(w io.Writer, err error, verbose bool) {
	if err == nil {
		return
	}
	code, hint := exitCode(err)
	if errors.Is(err, run.ErrPartial) || code == exitLocked && !verbose {
		return
	}
	var conf config.Errors
	if errors.As(err, &conf) {
		for _, e := range conf {
			fmt.Fprintf(w, "blockhosts: %s\n", e.Error())
			if e.Hint != "" {
				fmt.Fprintf(w, "hint: %s\n", e.Hint)
			}
		}
		return
	}
	fmt.Fprintf(w, "blockhosts: %s\n", err)
	if hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
}
