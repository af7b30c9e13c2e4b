// Package cli is the command line: one file a command, exit codes and hints in
// one table. It reads flags, hands values on, and decides nothing.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"blockhosts/internal/config"
	"blockhosts/internal/report"
	"blockhosts/internal/run"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Version is what --version prints.
const Version = "4.0.0"

// A World is all that a command may touch beside files and programs.
type World struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time
	Getenv         func(string) string
	Local          *time.Location
	Syslog         bool   // notices go to the system's log
	Sample         []byte // blockhosts.yaml as shipped, for init
}

// Execute runs one command line and returns the exit code.
func Execute(args []string, w World) (code int) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(w.Stderr, "blockhosts: a bug: %.300v\n%s\nhint: nothing is lost, the next run does this one's work again; please report the lines above\n", r, debug.Stack())
			code = exitBug
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	f := new(flags)
	root := newRoot(f, w)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	tell(w.Stderr, err, f.verbose || f.debug)
	code, _ = exitCode(err)
	return code
}

// newRoot makes the command line. No template of cobra's may be set here, and
// --version is a flag of ours, since cobra's wants one: templates bring
// text/template in, which looks methods up by name, so that the linker keeps
// every exported method of every type. That is 2.3 MB.
func newRoot(f *flags, w World) *cobra.Command {
	root := &cobra.Command{
		Use:   "blockhosts [flags]",
		Short: "Block the addresses that attack this host, from its logs, in one run",
		Long:  rootHelp,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.version { // whatever else stands there
				return nil
			}
			return noArguments(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.version {
				fmt.Fprintln(w.Stdout, "blockhosts "+Version)
				return nil
			}
			return runOnce(cmd, f, w)
		},
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetOut(w.Stdout)
	root.SetErr(w.Stderr)
	root.SetIn(w.Stdin)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return usageError{text: err.Error(), hint: `"blockhosts --help" lists the flags`}
	})
	root.InitDefaultHelpFlag() // before ours, which --help lists in this order
	f.register(root)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { help(cmd, f, w) })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newInit(f, w), newStatus(f, w), newTest(f, w), newCheck(f, w), newWhy(f, w), newBlock(f, w), newUnblock(f, w), newFlush(f, w), newWatch(f, w))
	return root
}

const rootHelp = `Blockhosts reads what the system logs gained since its last run, counts failed
log-ins per address, writes the addresses over the limit into the marked section
of hosts.allow, brings the packet filters in line, mails a summary, and ends.
Let cron run it every minute.

Begin with "blockhosts init", then "blockhosts --dry-run", which changes nothing.`

// noArguments refuses words that are no flag: most likely a mistyped command.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError{text: fmt.Sprintf("%q is not a command of %s", args[0], cmd.CommandPath()), hint: `"blockhosts --help" lists the commands`}
}

// runOnce is the command without a name: the run.
func runOnce(cmd *cobra.Command, f *flags, w World) error {
	c, err := f.config(cmd, w)
	if err != nil {
		return err
	}
	o, err := f.options(cmd)
	if err != nil {
		return err
	}
	now, err := f.moment(w)
	if err != nil {
		return err
	}
	if o.Since, o.Until, err = f.span(w, now); err != nil {
		return err
	}
	if f.replay {
		return replay(cmd, c, o, f.world(w, now), f.asJSON)
	}
	return run.Once(cmd.Context(), c, o, f.world(w, now))
}

// replay shows what the limits would have made of old logs.
func replay(cmd *cobra.Command, c config.Config, o run.Options, w run.World, asJSON bool) error {
	r, partly := run.Replay(cmd.Context(), c, o, w)
	if partly != nil && !errors.Is(partly, run.ErrPartial) {
		return partly
	}
	write := report.ReplayText
	if asJSON {
		write = report.ReplayJSON
	}
	if err := write(w.Stdout, r); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return partly
}

// config loads the configuration and lays the command line over it.
func (f *flags) config(cmd *cobra.Command, w World) (config.Config, error) {
	// A dry run acts on nothing that somebody else's file says, nor does a replay.
	owner := os.Geteuid() == 0 && !f.dryRun && !f.replay
	c, err := config.Load(f.configfile, cmd.Flags().Changed("configfile"), config.Options{CheckOwner: owner})
	if err != nil {
		return c, err
	}
	over, err := f.over(cmd)
	if err != nil {
		return c, err
	}
	return c.With(over)
}

// world makes the run's world of the program's.
func (f *flags) world(w World, now time.Time) run.World {
	host, _ := os.Hostname()
	if host == "" {
		host = "localhost"
	}
	return run.World{
		Stdout: w.Stdout, Stderr: w.Stderr, Now: now, Local: w.Local,
		Host: host, Root: os.Geteuid() == 0, Syslog: w.Syslog,
		Terminal: isTerminal(w.Stderr), Path: w.Getenv("PATH"), SSHConnection: w.Getenv("SSH_CONNECTION"),
	}
}

// isTerminal tells whether somebody is watching, or there to answer.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
