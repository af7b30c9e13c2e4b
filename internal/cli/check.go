package cli

import (
	"encoding/json"
	"fmt"

	"blockhosts/internal/record"
	"blockhosts/internal/report"
	"blockhosts/internal/run"

	"github.com/spf13/cobra"
)

// newCheck makes the command that looks for what is wrong.
func newCheck(f *flags, w World) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "check the configuration and the rules",
		Long: `Check reads the configuration and holds every rule, shipped or your own, against
its samples and the lines that it must leave alone, and lints it: the address
must be pinned to an end of the message by text that no client can choose. A
blockfile that cannot be replaced in one step gets a notice. Check changes
nothing. The exit status is 3 when it finds something, a notice aside.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.config(cmd, w)
			if err != nil {
				return err
			}
			problems, err := run.CheckRules(c)
			if err != nil {
				return err
			}
			for _, p := range run.CheckBlockfile(c) {
				printFinding(w, p, asJSON, true)
			}
			for _, p := range problems {
				printFinding(w, p, asJSON, false)
			}
			if len(problems) > 0 {
				return run.ErrPartial
			}
			if !asJSON {
				fmt.Fprintln(w.Stdout, "nothing is wrong with the configuration and the rules")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// printFinding shows a problem, or a notice: what works and should be known.
func printFinding(w World, p record.Problem, asJSON, notice bool) {
	switch {
	case asJSON:
		b, _ := json.Marshal(struct {
			Key    string `json:"key"`
			Text   string `json:"text"`
			Notice bool   `json:"notice,omitempty"`
		}{p.Key, p.Text, notice})
		fmt.Fprintf(w.Stdout, "%s\n", b)
	case notice:
		fmt.Fprintf(w.Stdout, "notice: %s\n", report.Clean(p.Text, 4000))
	default:
		fmt.Fprintln(w.Stdout, report.Clean(p.Text, 4000))
	}
}
