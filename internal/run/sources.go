package run

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"blockhosts/blockers"
	"blockhosts/internal/config"
	"blockhosts/logscan"
)

// sources returns what the configuration names, else the usual logs as far as
// they exist, else the journal. What comes by UDP is a watch's to receive.
func (j *job) sources() []logscan.Source {
	var all []logscan.Source
	for _, s := range j.config.Sources {
		switch s.Kind {
		case config.SourceUDP:
		case config.SourceJournal:
			all = append(all, logscan.Source{Journal: j.journal(s.Journal)})
		case config.SourceFIFO:
			f := j.fifo(s.File)
			if !slices.ContainsFunc(all, func(x logscan.Source) bool { return x.FIFO == f }) { // named twice, it is read once
				all = append(all, logscan.Source{FIFO: f, Zone: s.Zone})
			}
		default:
			all = append(all, logscan.Source{File: s.File, Literal: s.Literal, Zone: s.Zone})
		}
	}
	if len(j.config.Sources) > 0 {
		return all
	}
	for _, path := range config.DefaultLogs {
		if _, err := os.Stat(path); err == nil {
			all = append(all, logscan.Source{File: path, Literal: true})
		}
	}
	if len(all) > 0 {
		return all
	}
	if journal := j.journal(config.Journal{}); journal.Tool != "" {
		return []logscan.Source{{Journal: journal}}
	}
	for _, path := range config.DefaultLogs { // named, so that the run says that it reads nothing
		all = append(all, logscan.Source{File: path, Literal: true})
	}
	return all
}

func (j *job) journal(c config.Journal) *logscan.Journal {
	tool := ""
	for _, dir := range append(blockers.Dirs(j.world.Path), "/usr/bin", "/bin") {
		path := filepath.Join(dir, "journalctl")
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			tool = path
			break
		}
	}
	return &logscan.Journal{Tool: tool, Units: c.Units, Identifiers: c.Identifiers, Directory: c.Directory}
}

// fifo returns the FIFO of a path, one and the same for all that this run
// does: what it was drained of once stays with it.
func (j *job) fifo(path string) *logscan.FIFO {
	i := slices.IndexFunc(j.fifos, func(f *logscan.FIFO) bool { return f.Path == path })
	if i < 0 {
		i = len(j.fifos)
		j.fifos = append(j.fifos, &logscan.FIFO{Path: path, Leave: j.opt.DryRun})
	}
	return j.fifos[i]
}

// oldest is how far a journal is read back where it was never read: what is
// older is forgotten, and its blocks are over.
func (j *job) oldest() time.Time {
	back := max(j.policy.Limits.Discard, j.policy.Limits.BlockFor)
	for _, l := range j.policy.Services {
		back = max(back, l.Discard, l.BlockFor)
	}
	return j.world.Now.Add(-back)
}
