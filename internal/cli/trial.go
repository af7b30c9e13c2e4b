package cli

import (
	"errors"
	"fmt"
	"io"
	"time"

	"blockhosts/internal/report"
	"blockhosts/internal/run"

	"github.com/spf13/cobra"
)

// trialFlags are the options of "test".
type trialFlags struct {
	file   string
	asJSON bool
	now    string
}

// newTest makes the command that holds lines against the rules.
func newTest(f *flags, w World) *cobra.Command {
	var t trialFlags
	cmd := &cobra.Command{
		Use:   "test [LINE... | -]",
		Short: "show what the rules make of log lines",
		Long: `Test holds log lines against the rules and shows which rule blames whom: lines
given as words, those of --file (plain or gzip), or with "-" those of standard
input. All rules of all classes are tried, unless --enable-rules says otherwise;
a rule that a run would not use is marked. With -v it shows every rule that was
tried, and why it did not match: the way to write a rule of your own. With
--mail and no lines it sends a test mail. Nothing is counted.`,
		RunE: func(cmd *cobra.Command, args []string) error { return runTest(cmd, f, t, args, w) },
	}
	cmd.Flags().StringVar(&t.file, "file", "", "read the lines of `FILE`, plain or gzip")
	cmd.Flags().BoolVar(&t.asJSON, "json", false, "print one JSON object a line")
	cmd.Flags().StringVar(&t.now, "now", "", "complete stamps without a year as if it were this `TIME` (RFC 3339)")
	return cmd
}

func runTest(cmd *cobra.Command, f *flags, t trialFlags, args []string, w World) error {
	only := f.enableRules
	f.enableRules = ""
	c, err := f.config(cmd, w)
	if err != nil {
		return err
	}
	now, err := momentOf(t.now, w)
	if err != nil {
		return err
	}
	world := f.world(w, now)
	world.Terminal = isTerminal(w.Stdout)
	if f.mail {
		if err := run.TestMail(cmd.Context(), c, world); err != nil {
			return fmt.Errorf("%w: %w", run.ErrFailed, err)
		}
		fmt.Fprintf(w.Stdout, "test mail sent to %v\n", c.Mail.To)
		if len(args) == 0 && t.file == "" {
			return nil
		}
	}
	if (len(args) > 0) == (t.file != "") {
		return usageError{text: "want lines, or --file, or \"-\" for standard input", hint: "blockhosts test --file /var/log/auth.log"}
	}
	trial, problems, err := run.NewTrial(c, only, world)
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintf(w.Stderr, "blockhosts: %s\n", report.Clean(p.Text, 2000))
	}
	trial.Trace = f.verbose || f.debug
	if err := holdLines(trial, t, args, w, world.Terminal); err != nil {
		return err
	}
	if len(problems) > 0 {
		return run.ErrPartial
	}
	return nil
}

// holdLines tries each line and shows what came of it.
func holdLines(trial *run.Trial, t trialFlags, args []string, w World, color bool) error {
	quiet := t.file != "" || len(args) == 1 && args[0] == "-"
	show := func(r report.Tried) error {
		switch {
		case t.asJSON:
			return report.TrialJSON(w.Stdout, r)
		case quiet && !r.Match.Matched && !r.Match.Ambiguous && !trial.Trace:
			return nil
		}
		return report.TrialText(w.Stdout, r, color)
	}
	if err := eachLine(trial, t.file, args, w, show); err != nil {
		return err
	}
	if t.asJSON || trial.Total.Lines < 2 {
		return nil
	}
	return report.TrialSummary(w.Stdout, trial.Total)
}

func eachLine(trial *run.Trial, file string, args []string, w World, show func(report.Tried) error) error {
	var in io.Reader = w.Stdin
	if file != "" && file != "-" {
		log, err := run.OpenLog(file)
		if err != nil {
			return usageError{text: err.Error()}
		}
		defer log.Close()
		in = log
	}
	if file != "" || len(args) == 1 && args[0] == "-" {
		return trial.Lines(in, show)
	}
	var errs []error
	for _, line := range args {
		errs = append(errs, show(trial.Line([]byte(line))))
	}
	return errors.Join(errs...)
}

// momentOf is now, or the time that was given.
func momentOf(text string, w World) (time.Time, error) {
	if text == "" {
		return w.Now(), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, usageError{text: fmt.Sprintf("--now %.60q is not a time of RFC 3339", text), hint: "write it like 2026-01-05T01:31:41+01:00"}
	}
	return t, nil
}
