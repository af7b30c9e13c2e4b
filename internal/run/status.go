package run

import (
	"context"
	"errors"
	"os"

	"blockhosts/internal/config"
	"blockhosts/internal/record"
	"blockhosts/internal/report"
)

// Status looks at the section, the sources and the blockers. It changes
// nothing and takes no lock.
func Status(ctx context.Context, c config.Config, w World) (report.Status, error) {
	j, err := prepare(c, Options{LoadOnly: true, Sync: true}, w)
	if err != nil {
		return report.Status{}, err
	}
	defer j.log.Close()
	if err := j.decide(ctx); err != nil {
		return report.Status{}, err
	}
	s := report.NewStatus(c.Blockfile, j.prev, j.ends(j.prev), w.Now.In(w.Local))
	s.Sources = sourceStatus(j, j.prev.Offsets)
	s.Blockers = j.look(ctx, j.inUse(), j.prev.Blocks)
	return s, nil
}

// sourceStatus shows how far each file has been read, those that are read for
// the first time included.
func sourceStatus(j *job, offsets []record.Offset) []report.SourceStatus {
	var all []report.SourceStatus
	known := map[string]bool{}
	for _, o := range offsets {
		known[o.Path] = true
		all = append(all, sizeOf(o.Path, o.Pos))
	}
	for _, s := range j.sources() {
		if s.Literal && !known[s.File] {
			all = append(all, sizeOf(s.File, 0))
		}
	}
	return all
}

func sizeOf(path string, offset int64) report.SourceStatus {
	s := report.SourceStatus{Kind: "file", Path: path, Offset: offset}
	st, err := os.Stat(path)
	if err != nil {
		var at *os.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		s.Problem = err.Error()
		return s
	}
	s.Size = st.Size()
	return s
}
