package run

import (
	"context"
	"fmt"

	"blockhosts/internal/report"
	"blockhosts/mail"
)

// dryRun prints what a run would do: the section, the commands, the mail. It
// takes no lock and writes nothing.
func (j *job) dryRun(ctx context.Context) error {
	if err := j.decide(ctx); err != nil {
		return err
	}
	j.next.Saved = j.world.Now
	if _, err := j.world.Stdout.Write(j.file.Section(j.next)); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	j.announce()
	j.sync(ctx)
	for _, r := range j.reports {
		for _, c := range r.Commands {
			if err := report.DryRunCommand(j.world.Stdout, c.Args, c.Stdin); err != nil {
				return fmt.Errorf("write to standard output: %w", err)
			}
		}
	}
	if err := j.dryReload(); err != nil {
		return err
	}
	news := j.news()
	if !j.mailWanted() {
		return j.outcome()
	}
	m, send := j.message(news)
	if !send {
		return j.outcome()
	}
	c, err := j.mailConfig()
	if err != nil {
		return err
	}
	text, err := mail.Text(c, m)
	if err != nil {
		j.problem("mail", err)
		j.news()
		return j.outcome()
	}
	if err := report.DryRunMail(j.world.Stdout, j.mailRoute(), text); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return j.outcome()
}

// dryReload shows the administrator's command where the deny lines would
// change.
func (j *job) dryReload() error {
	if len(j.config.Reload) == 0 || sameNets(j.prev.Blocks, j.next.Blocks) {
		return nil
	}
	return report.DryRunCommand(j.world.Stdout, j.config.Reload, "")
}
