package cli

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"blockhosts/internal/config"
	"blockhosts/internal/record"
	"blockhosts/internal/report"
	"blockhosts/internal/run"

	"github.com/spf13/cobra"
)

// newBlock makes the command that blocks by hand.
func newBlock(f *flags, w World) *cobra.Command {
	var length, note string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "block ADDRESS...",
		Short: "block addresses or prefixes by hand, at once",
		Long: `Block keeps addresses or prefixes out, at once, until --for has passed or, without
it, until "blockhosts unblock". An address on the allowlist is an error.`,
		Args: someArguments("an address or a prefix"),
		RunE: func(cmd *cobra.Command, args []string) error {
			nets, err := netsOf(args)
			if err != nil {
				return err
			}
			var d time.Duration
			if length != "" {
				if d, err = config.ParseAge(length); err != nil || d <= 0 {
					return usageError{text: fmt.Sprintf("--for %.60q: want how long, such as 2h", length)}
				}
			}
			c, err := f.config(cmd, w)
			if err != nil {
				return err
			}
			ds, err := run.Block(cmd.Context(), c, f.world(w, w.Now()), nets, d, note)
			return printDecisions(w, ds, asJSON, err)
		},
	}
	cmd.Flags().StringVar(&length, "for", "", "how long: `AGE`, 30s 10m 12h 7d 4w")
	cmd.Flags().StringVar(&note, "reason", "", "why: `TEXT` that status and why show")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// newUnblock makes the command that ends blocks.
func newUnblock(f *flags, w World) *cobra.Command {
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   "unblock ADDRESS... | --all",
		Short: "end blocks, at once; the count begins at 0",
		Long: `Unblock ends the blocks of addresses or prefixes, at once, and forgets what was
counted: they start from zero. What the denylist names is blocked again by the
next run.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usageError{text: "want addresses, or --all"}
			}
			if all {
				args = []string{"0.0.0.0/0", "::/0"}
			}
			nets, err := netsOf(args)
			if err != nil {
				return err
			}
			c, err := f.config(cmd, w)
			if err != nil {
				return err
			}
			ds, err := run.Unblock(cmd.Context(), c, f.world(w, w.Now()), nets)
			if err == nil && len(ds) == 0 && !asJSON {
				fmt.Fprintln(w.Stdout, "nothing of it was blocked")
			}
			return printDecisions(w, ds, asJSON, err)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "end every block")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// newWhy makes the command that explains an address.
func newWhy(f *flags, w World) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "why ADDRESS...",
		Short: "explain why an address is blocked, or is not",
		Long: `Why shows what is known of an address: the verdict, the lists that touch it, its
counts held against their limits, when its block ends, and which blockers hold
it. It changes nothing.`,
		Args: someArguments("an address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := f.config(cmd, w)
			if err != nil {
				return err
			}
			for _, arg := range args {
				a, err := record.ParseAddr(arg)
				if err != nil {
					return usageError{text: err.Error()}
				}
				e, held, err := run.Why(cmd.Context(), c, f.world(w, w.Now()), a)
				if err != nil {
					return err
				}
				write := report.WhyText
				if asJSON {
					write = report.WhyJSON
				}
				if err := write(w.Stdout, e, held, w.Now().In(w.Local)); err != nil {
					return fmt.Errorf("write to standard output: %w", err)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// newFlush makes the command that empties the blockers.
func newFlush(f *flags, w World) *cobra.Command {
	return &cobra.Command{
		Use:   "flush [NAME]",
		Short: "take everything of ours out of the blockers",
		Long: `Flush takes everything of ours out of the blocker NAME, or out of all that are in
use or were, and leaves the rest of the firewall as it was. Nobody is unblocked
in the blockfile, and the next run puts back what the configuration asks for:
"unblock --all" is what ends blocks.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := f.config(cmd, w)
			if err != nil {
				return err
			}
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			reports, err := run.Flush(cmd.Context(), c, f.world(w, w.Now()), name)
			for _, r := range reports {
				if r.Err == nil {
					fmt.Fprintf(w.Stdout, "%s: nothing of ours is left\n", r.Name)
				}
			}
			return err
		},
	}
}

// someArguments wants at least one word.
func someArguments(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return usageError{text: cmd.CommandPath() + ": want " + what}
	}
}

func netsOf(args []string) ([]netip.Prefix, error) {
	var nets []netip.Prefix
	for _, arg := range args {
		n, err := record.ParseNet(arg)
		if err != nil {
			return nil, usageError{text: err.Error()}
		}
		nets = append(nets, n)
	}
	return nets, nil
}

// printDecisions shows what was done, also where the rest of it failed.
func printDecisions(w World, ds []record.Decision, asJSON bool, err error) error {
	for _, d := range ds {
		if !asJSON {
			fmt.Fprintln(w.Stdout, report.DecisionText(d, false))
			continue
		}
		b, _ := json.Marshal(struct {
			Action  string `json:"action"`
			Address string `json:"address"`
			Reason  string `json:"reason"`
		}{string(d.Action), record.FormatNet(d.Net), string(d.Reason)})
		fmt.Fprintf(w.Stdout, "%s\n", b)
	}
	return err
}
