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
must be pinned to an end of the message by text that no client can choose. It
changes nothing. The exit status is 3 when it finds something.`,
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
			for _, p := range problems {
				printProblem(w, p, asJSON)
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

func printProblem(w World, p record.Problem, asJSON bool) {
	if !asJSON {
		fmt.Fprintln(w.Stdout, report.Clean(p.Text, 4000))
		return
	}
	b, _ := json.Marshal(struct {
		Key  string `json:"key"`
		Text string `json:"text"`
	}{p.Key, p.Text})
	fmt.Fprintf(w.Stdout, "%s\n", b)
}
