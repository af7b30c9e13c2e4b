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
	conf, badConfig := errors.AsType[config.Errors](err)
	usage, badUsage := errors.AsType[usageError](err)
	_, noSection := errors.AsType[*blockfile.MarkerError](err)
	_, noStart := errors.AsType[run.SetupError](err)
	switch {
	case err == nil:
		return exitDone, ""
	case errors.Is(err, blockfile.ErrLocked):
		return exitLocked, ""
	case badConfig:
		return exitUsage, conf[0].Hint
	case badUsage:
		return exitUsage, usage.hint
	case noSection:
		return exitUsage, ""
	case errors.Is(err, run.ErrPartial), errors.Is(err, run.ErrFailed):
		return exitPartial, ""
	case noStart:
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
	if conf, ok := errors.AsType[config.Errors](err); ok {
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
