package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"blockhosts/blockfile"
	"blockhosts/internal/config"

	"github.com/spf13/cobra"
)

// newInit makes the command that prepares a host for the first run.
func newInit(f *flags, w World) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "put the two markers into the blockfile and write a configuration where there is none",
		Long: `Init prepares this host for the first run. It puts the two marker lines into the
blockfile, above the first rule that is about all clients or that spawns
something, since libwrap heeds the first rule that matches; a backup is made
beside it. It writes ` + config.DefaultPath + ` where there is none. It says
what it would do and asks; without a terminal it wants --yes. It is safe to
repeat.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.initConfig(cmd, w)
			if err != nil {
				return err
			}
			return initialise(cmd.Context(), c, f.configfile, yes, w)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

// initConfig is config, with the defaults in the place of a file that is still
// to be written.
func (f *flags) initConfig(cmd *cobra.Command, w World) (config.Config, error) {
	if !missing(f.configfile) {
		return f.config(cmd, w)
	}
	over, err := f.over(cmd)
	if err != nil {
		return config.Config{}, err
	}
	return config.Default().With(over)
}

// missing tells whether nothing is at path: init is what makes it.
func missing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

func initialise(ctx context.Context, c config.Config, configfile string, yes bool, w World) error {
	plan, err := blockfile.PlanInit(c.Blockfile, w.Now())
	if err != nil {
		return err
	}
	writeConfig := missing(configfile)
	fmt.Fprintln(w.Stdout, plan)
	if writeConfig {
		fmt.Fprintf(w.Stdout, "%s: would be written, with every key and its default\n", configfile)
	} else {
		fmt.Fprintf(w.Stdout, "%s: is there already, and stays as it is\n", configfile)
	}
	if plan.Done && !writeConfig {
		fmt.Fprintln(w.Stdout, "nothing to do")
		return nil
	}
	if err := confirm(yes, w); err != nil {
		return err
	}
	if err := plan.Do(ctx); err != nil {
		return err
	}
	if writeConfig {
		if err := writeNew(configfile, w.Sample); err != nil {
			return fmt.Errorf("write %s: %w", configfile, err)
		}
	}
	fmt.Fprintln(w.Stdout, "done; \"blockhosts --dry-run\" shows what a run would do")
	return nil
}

// confirm asks on a terminal; anywhere else --yes has to be given.
func confirm(yes bool, w World) error {
	if yes {
		return nil
	}
	in, ok := w.Stdin.(*os.File)
	if !ok || !isTerminal(in) {
		return usageError{text: "nobody to ask: standard input is no terminal", hint: "run it again with --yes to do what is shown above"}
	}
	fmt.Fprint(w.Stdout, "do this? [y/N] ")
	answer, _ := bufio.NewReader(w.Stdin).ReadString('\n')
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return usageError{text: "nothing was changed"}
	}
	return nil
}

// writeNew writes a file that nobody else may write, and none that is there.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return err
}
