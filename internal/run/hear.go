package run

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"blockhosts/internal/config"
	"blockhosts/internal/record"
	"blockhosts/internal/watch"
	"blockhosts/logscan"
)

// An ear listens to all sources of a configuration.
type ear struct {
	bell  watch.Bell
	queue watch.Queue
	files *watch.Files

	udp      map[string]*watch.UDP     // by name
	fifos    map[string]*watch.FIFO    // by path
	journals map[string]*watch.Journal // by the command that follows them
	deaf     []record.Problem          // what cannot be listened to
	names    []string                  // what is listened to, for people
	odd      map[string]*oddity        // by source; not told yet
	since    time.Time                 // what is in the queue came after this
}

// An oddity is what was odd about one source since a run has told of it.
type oddity struct {
	dropped int // lines
	refused watch.Refused
}

func newEar() (*ear, error) {
	files, err := watch.NewFiles()
	if err != nil {
		return nil, fmt.Errorf("watch files: %w; see fs.inotify.max_user_instances in inotify(7)", err)
	}
	return &ear{
		bell: watch.NewBell(), files: files, odd: map[string]*oddity{},
		udp: map[string]*watch.UDP{}, fifos: map[string]*watch.FIFO{}, journals: map[string]*watch.Journal{},
	}, nil
}

// close ends the listening. What was received stays in the queue.
func (e *ear) close() {
	e.files.Close()
	closeOthers(e.udp, nil)
	closeOthers(e.fifos, nil)
	closeOthers(e.journals, nil)
}

// closeOthers closes what is open and not wanted.
func closeOthers[T interface{ Close() }](open map[string]T, wanted []string) {
	for name, x := range open {
		if !slices.Contains(wanted, name) {
			x.Close()
			delete(open, name)
		}
	}
}

// listen makes the ear hear what sources and the configuration name, and
// nothing else. It changes only the difference, and tries again what failed.
func (e *ear) listen(sources []logscan.Source, c config.Config) {
	e.deaf, e.names = nil, nil
	var paths, globs []string
	for _, s := range sources {
		if s.File != "" {
			e.names = append(e.names, s.File)
		}
		switch path, err := filepath.Abs(s.File); {
		case s.File == "" || err != nil:
		case !s.Literal && strings.ContainsAny(s.File, `*?[`):
			globs = append(globs, path)
		default:
			paths = append(paths, path)
		}
	}
	if err := e.files.Watch(paths, globs); err != nil {
		e.cannot("files", err)
	}
	e.listenFIFOs(sources)
	e.followJournals(sources)
	e.listenUDP(c)
}

// listenFIFOs holds the FIFOs open. One that cannot be opened, the run tries to
// read by itself, and tells why not.
func (e *ear) listenFIFOs(sources []logscan.Source) {
	var wanted []string
	for _, s := range sources {
		if s.FIFO == nil {
			continue
		}
		path := s.FIFO.Path
		e.names = append(e.names, path)
		if f := e.fifos[path]; f != nil && !f.Current() {
			f.Close()
			delete(e.fifos, path)
		}
		if wanted = append(wanted, path); e.fifos[path] != nil {
			continue
		}
		file, err := logscan.OpenFIFO(path)
		if err != nil {
			continue
		}
		f, err := watch.ReadFIFO(file, path, logscan.MaxLine, &e.queue, e.bell)
		if err != nil {
			e.cannot(path, err)
			continue
		}
		e.fifos[path] = f
	}
	closeOthers(e.fifos, wanted)
}

func (e *ear) followJournals(sources []logscan.Source) {
	var wanted []string
	for _, s := range sources {
		if s.Journal == nil || s.Journal.Tool == "" {
			continue // the run tells
		}
		e.names = append(e.names, logscan.JournalPath(s.Journal.Directory))
		argv := s.Journal.Follow()
		key := strings.Join(argv, " ")
		if wanted = append(wanted, key); e.journals[key] == nil {
			e.journals[key] = watch.FollowJournal(argv, e.bell)
		}
	}
	closeOthers(e.journals, wanted)
}

func (e *ear) listenUDP(c config.Config) {
	var wanted []string
	for _, s := range udpOf(c) {
		wanted, e.names = append(wanted, s.name), append(e.names, s.name)
		if u := e.udp[s.name]; u != nil {
			u.Allow(s.allow)
			continue
		}
		u, err := watch.ListenUDP(s.address, s.name, s.allow, logscan.Datagram, &e.queue, e.bell)
		if err != nil {
			e.cannot(s.name, err)
			continue
		}
		e.udp[s.name] = u
	}
	closeOthers(e.udp, wanted)
}

// cannot notes that a source is not listened to. Its gains are still found by
// the run of every minute, where a run can find them at all.
func (e *ear) cannot(source string, err error) {
	e.deaf = append(e.deaf, record.Problem{Key: "watch " + source, Text: fmt.Sprintf("source %s cannot be listened to: %v", source, err), Fails: true})
}

// received puts the lines that were received into sources: a FIFO that is held
// open gets its own, a socket's are added.
func (e *ear) received(all []logscan.Source, c config.Config, lines map[string][][]byte) []logscan.Source {
	all = slices.Clone(all)
	for i, s := range all {
		if s.FIFO == nil {
			continue
		}
		if text := lines[s.FIFO.Path]; len(text) > 0 || e.fifos[s.FIFO.Path] != nil {
			all[i].FIFO = logscan.ReceivedFIFO(s.FIFO.Path, text)
		}
	}
	for _, s := range udpOf(c) {
		if len(lines[s.name]) > 0 {
			all = append(all, logscan.Source{Zone: s.zone, Handed: &logscan.Handed{Name: s.name, Lines: lines[s.name], Since: e.since}})
		}
	}
	return all
}

// taken forgets what a run has dealt with and told.
func (e *ear) taken(now time.Time) {
	e.queue.Done()
	e.odd = map[string]*oddity{}
	e.since = now
}

// problems are what a run is to tell of the listening.
func (e *ear) problems() []record.Problem {
	of := func(source string) *oddity {
		if e.odd[source] == nil {
			e.odd[source] = new(oddity)
		}
		return e.odd[source]
	}
	for source, n := range e.queue.Dropped() {
		of(source).dropped += n
	}
	for name, u := range e.udp {
		if r := u.Refused(); r.Datagrams > 0 {
			o := of(name)
			o.refused.Datagrams += r.Datagrams
			if !o.refused.First.IsValid() {
				o.refused.First = r.First
			}
		}
	}
	all := slices.Clone(e.deaf)
	for source, o := range e.odd {
		if o.dropped > 0 {
			all = append(all, record.Problem{Key: "source " + source + ": dropped", Warns: true,
				Text: fmt.Sprintf("source %s: %d lines were dropped, since %d or %d MiB waited already", source, o.dropped, watch.MaxLines, watch.MaxBytes>>20)})
		}
		if r := o.refused; r.Datagrams > 0 {
			all = append(all, record.Problem{Key: "source " + source + ": refused sender", Warns: true,
				Text: fmt.Sprintf("source %s: %d datagrams came from senders that are not allowed, the first from %s; name those that may send under allow", source, r.Datagrams, r.First)})
		}
	}
	for _, j := range e.journals {
		if err := j.Err(); err != nil {
			all = append(all, record.Problem{Key: "watch journal", Text: fmt.Sprintf("the journal cannot be followed: %v", err), Fails: true})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Key < all[j].Key })
	return all
}

// A udpSource is what the configuration says of one socket.
type udpSource struct {
	address netip.AddrPort
	name    string // for people
	allow   []netip.Prefix
	zone    *time.Location
}

// udpOf returns the sockets of a configuration, each once.
func udpOf(c config.Config) []udpSource {
	var all []udpSource
	for _, s := range c.Sources {
		known := slices.ContainsFunc(all, func(x udpSource) bool { return x.address == s.Address })
		if s.Kind == config.SourceUDP && !known {
			all = append(all, udpSource{address: s.Address, name: "udp " + s.Address.String(), allow: s.Allow, zone: s.Zone})
		}
	}
	return all
}
