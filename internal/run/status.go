package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"blockhosts/internal/config"
	"blockhosts/internal/record"
	"blockhosts/internal/report"
	"blockhosts/logscan"
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
	s := j.section()
	s.Blockers = j.look(ctx, j.inUse(), j.prev.Blocks)
	for _, l := range j.lost {
		s.Blockers = append(s.Blockers, report.BlockerStatus{Name: l.name, Error: l.err.Error()})
	}
	return s, nil
}

// section is the status of what was loaded, blockers aside.
func (j *job) section() report.Status {
	s := report.NewStatus(j.config.Blockfile, j.prev, j.ends(j.prev), j.world.Now.In(j.world.Local))
	s.Sources = sourceStatus(j.sources(), j.prev.Offsets)
	return s
}

// inspect shows what --load-only has loaded. The blockers are not asked.
func (j *job) inspect() error {
	s := j.section()
	for _, b := range j.config.Blockers {
		s.Blockers = append(s.Blockers, report.BlockerStatus{Name: b.Name, Error: "not asked with --load-only; see \"blockhosts status\""})
	}
	if err := report.StatusText(j.world.Stdout, s); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return nil
}

// sourceStatus shows how far each source has been read, those that are read
// for the first time included. Nothing is opened: a FIFO's writers would take
// that for a reader.
func sourceStatus(sources []logscan.Source, offsets []record.Offset) []report.SourceStatus {
	var all []report.SourceStatus
	kinds := map[string]string{} // of what is no file, by path
	var order []string           // of what the sources name and a status is given for
	for _, s := range sources {
		path := s.File
		switch {
		case s.Journal != nil:
			path = logscan.JournalPath(s.Journal.Directory)
			kinds[path] = config.SourceJournal
		case s.FIFO != nil:
			path = s.FIFO.Path
			kinds[path] = config.SourceFIFO
		case !s.Literal:
			continue // its files are known by their offsets
		}
		order = append(order, path)
	}
	for _, o := range offsets {
		all = append(all, statusOf(o, kinds[o.Path]))
	}
	for _, path := range order {
		if !slices.ContainsFunc(all, func(s report.SourceStatus) bool { return s.Path == path }) {
			all = append(all, statusOf(record.Offset{Path: path}, kinds[path]))
		}
	}
	return all
}

// statusOf shows one source; of one that is no longer named, the kind follows
// from what is known of it.
func statusOf(o record.Offset, kind string) report.SourceStatus {
	s := report.SourceStatus{Kind: kind, Path: o.Path, Offset: o.Pos, Size: o.Pos, Cursor: o.Cursor, Read: o.Read, Lost: o.Lost, Gap: o.Gap}
	switch {
	case kind == config.SourceFIFO:
		s.Cursor = ""
		return s
	case kind == config.SourceJournal || logscan.IsCursor(o.Cursor):
		s.Kind = config.SourceJournal
		return s
	}
	s.Kind = config.SourceFile
	st, err := os.Stat(o.Path)
	if err != nil {
		if at, ok := errors.AsType[*os.PathError](err); ok {
			err = at.Err
		}
		s.Size, s.Problem = 0, err.Error()
		return s
	}
	s.Size = st.Size()
	return s
}
