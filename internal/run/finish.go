package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"blockhosts/blockfile"
	"blockhosts/internal/record"
)

// save writes the section, and tells where that could not be done in one step.
func (j *job) save(ctx context.Context) error {
	known := len(j.file.Problems)
	err := j.file.Save(ctx, j.next)
	for _, p := range j.file.Problems[known:] {
		j.log.Infof("%s", p.Text)
	}
	j.saved = err == nil
	return err
}

// finish puts on record which conditions last and what a mail has told. A
// section that could not be written stays as it was: the counts of this run
// without its offsets would be counted once more.
func (j *job) finish(ctx context.Context) error {
	if !j.opt.LoadOnly && !j.unsaved && !sameDecisions(j.file.State, j.next) {
		if err := j.saveAgain(ctx); err != nil {
			j.problem("blockfile "+j.config.Blockfile, j.unwritten(err, "what this run has told, the next one may tell again"))
			j.news()
		}
	}
	return j.outcome()
}

// saveAgain writes a section that this run has loaded or written, after the
// blockers and the mail. They take a while: where somebody edited the file
// meanwhile, but not the section, that edit stays and the section is written
// all the same.
func (j *job) saveAgain(ctx context.Context) error {
	for try := 1; ; try++ {
		err := j.file.Save(ctx, j.next)
		if !errors.Is(err, blockfile.ErrChanged) || try == tries {
			return err
		}
		now, loadErr := blockfile.Load(j.config.Blockfile, j.blockfileOptions())
		if loadErr != nil || now.Dirty || !bytes.Equal(now.Section(now.State), j.file.Section(j.file.State)) {
			return err
		}
		j.file = now
	}
}

// outcome makes of the problems an error.
func (j *job) outcome() error {
	for _, p := range j.problems {
		if p.Fails {
			return ErrPartial
		}
	}
	return nil
}

// problem notes that a part of the run failed; key is the same each time. It is
// not inlined where nobody is in a hurry, 3 kB of the program.
//
//go:noinline
func (j *job) problem(key string, err error) {
	j.problems = append(j.problems, record.Problem{Key: key, Text: err.Error(), Fails: true})
}

// unwritten says what comes of it, and what to do, where somebody else kept
// the section from being written.
func (j *job) unwritten(err error, so string) error {
	if !errors.Is(err, blockfile.ErrChanged) {
		return err
	}
	return fmt.Errorf("write %s: somebody else changed it meanwhile; %s; if this goes on, find out who writes it, or name another file with the key blockfile", j.config.Blockfile, so)
}
