package cli

import (
	"fmt"

	"blockhosts/internal/report"
	"blockhosts/internal/run"

	"github.com/spf13/cobra"
)

// newStatus makes the command that shows what stands in the section.
func newStatus(f *flags, w World) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show who is blocked and watched, how far the logs are read, and whether the blockers agree",
		Long: `Status shows the section of the blockfile: who is blocked and watched, how far
each log has been read, and whether the blockers hold what the section says. It
changes nothing, and reads a section that blockhosts.py wrote as well.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.config(cmd, w)
			if err != nil {
				return err
			}
			s, err := run.Status(cmd.Context(), c, f.world(w, w.Now()))
			if err != nil {
				return err
			}
			write := report.StatusText
			if asJSON {
				write = report.StatusJSON
			}
			if err := write(w.Stdout, s); err != nil {
				return fmt.Errorf("write to standard output: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
