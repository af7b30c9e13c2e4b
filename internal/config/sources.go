package config

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// A Source is where log lines come from. It is of the one kind that its entry
// names; see SourceFile and those after it.
type Source struct {
	Kind    string         // SourceFile, SourceJournal, SourceFIFO or SourceUDP
	File    string         // SourceFile and SourceFIFO: path; of files a glob where Literal is not set
	Literal bool           // File is taken as it stands
	Zone    *time.Location // of stamps that name none; nil: local time. The journal's stamps need none
	Journal Journal        // SourceJournal
	Address netip.AddrPort // SourceUDP: where datagrams are received, under "blockhosts watch" alone
	Allow   []netip.Prefix // SourceUDP: who may send, host bits 0; see defaultSenders
}

// A Journal is what is read of systemd's journal: what one of Units or one of
// Identifiers has written. Both empty: what the log of log-ins would hold.
type Journal struct {
	Units       []string // "ssh.service"
	Identifiers []string // the names that programs give to syslog(3): "sshd"
	Directory   string   // of journal files; empty: this host's own
}

// defaultSenders may send datagrams where no list says otherwise: this host.
func defaultSenders() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

func sourceFields(s *Source) []field {
	return []field{
		{key: "file", read: kindOf(s, SourceFile, textTo(&s.File, path, glob))},
		{key: "journal", read: kindOf(s, SourceJournal, journalTo(&s.Journal)), sub: journalFields(&s.Journal)},
		{key: "fifo", read: kindOf(s, SourceFIFO, textTo(&s.File, path))},
		{key: "udp", read: kindOf(s, SourceUDP, listenTo(&s.Address))},
		{key: "allow", read: sendersTo(&s.Allow)},
		{key: "zone", read: zoneTo(&s.Zone)},
	}
}

func journalFields(j *Journal) []field {
	return []field{
		{key: "units", read: listTo(&j.Units, true, unitOf)},
		{key: "identifiers", read: listTo(&j.Identifiers, true, filled, oneLine)},
		{key: "directory", read: textTo(&j.Directory, path, filled)},
	}
}

// kindOf notes which kind of source a key makes of its entry.
func kindOf(s *Source, kind string, read reader) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		if s.Kind != "" {
			d.fail(n, key, "this source is a "+s.Kind+" already", "begin another entry of the list for it")
			return
		}
		s.Kind = kind
		read(d, key, n)
	}
}

func journalTo(j *Journal) reader {
	return func(d *decoder, key string, n *yaml.Node) { d.section(key, n, journalFields(j)) }
}

func unitOf(s string) (string, string) {
	if !isUnitName(s) {
		return quote(s) + " is not the name of a unit", "write it whole, without * and ?: ssh.service"
	}
	return "", ""
}

func listenTo(p *netip.AddrPort) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		s, ok := d.text(key, n)
		if !ok {
			return
		}
		at, err := netip.ParseAddrPort(s)
		if err != nil || at.Port() == 0 {
			d.want(n, key, "an address and a port", "write 127.0.0.1:5514 or \"[::1]:5514\"")
			return
		}
		*p = at
	}
}

func sendersTo(p *[]netip.Prefix) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		list, _ := d.items(key, n, "a list of addresses")
		out := []netip.Prefix{}
		for _, item := range list {
			s, ok := d.text(key, item)
			if !ok {
				continue
			}
			net, err := netip.ParsePrefix(s)
			if addr, e := netip.ParseAddr(s); e == nil && addr.Zone() == "" {
				net, err = netip.PrefixFrom(addr, addr.BitLen()), nil
			}
			if err != nil {
				d.fail(item, key, quote(s)+" is neither an address nor a prefix", "write 192.0.2.1 or 192.0.2.0/24")
				continue
			}
			out = append(out, net.Masked())
		}
		if len(out) == 0 && len(list) == 0 {
			d.fail(n, key, "an empty list: nobody could send", "leave it out for this host alone")
		}
		*p = out
	}
}

var offsetName = lazily(`^([+-])([01][0-9]|2[0-3]):([0-5][0-9])$`)

// zoneTo reads the name of a zone of the system's time zone database, or an
// offset: +01:00.
func zoneTo(p **time.Location) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		s, ok := d.text(key, n, filled)
		if !ok {
			return
		}
		if m := offsetName().FindStringSubmatch(s); m != nil {
			h, _ := strconv.Atoi(m[2])
			min, _ := strconv.Atoi(m[3])
			sec := (h*60 + min) * 60
			if m[1] == "-" {
				sec = -sec
			}
			*p = time.FixedZone(s, sec)
			return
		}
		zone, err := time.LoadLocation(s)
		if err != nil || strings.EqualFold(s, "local") {
			d.fail(n, key, quote(s)+" is not a time zone of this system", "write UTC, Europe/Berlin or +01:00; leave it out for local time")
			return
		}
		*p = zone
	}
}

// sourcesTo reads the list of sources: names of files, or entries with keys.
func sourcesTo(p *[]Source) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		list, ok := d.items(key, n, "a list of sources")
		if !ok {
			return
		}
		if len(list) == 0 {
			d.fail(n, key, "an empty list: nothing would be read", "name a file, or leave the key out for the default")
		}
		var out []Source
		for _, item := range list {
			var s Source
			if item.Kind == yaml.MappingNode {
				s = d.source(key, item)
			} else if name, ok := d.text(key, item, path, glob); ok {
				s = Source{Kind: SourceFile, File: name}
			}
			out = append(out, s)
		}
		*p = out
	}
}

// source reads an entry with keys.
func (d *decoder) source(key string, n *yaml.Node) (s Source) {
	before := len(d.errs)
	d.section(key, n, sourceFields(&s))
	switch {
	case len(d.errs) > before:
	case s.Kind == "":
		d.fail(n, key, "want one of file, journal, fifo and udp, found none", "write {file: PATH}")
	case s.Allow != nil && s.Kind != SourceUDP:
		d.fail(n, join(key, "allow"), "a "+s.Kind+" has no senders", "allow belongs to udp")
	case s.Zone != nil && s.Kind == SourceJournal:
		d.fail(n, join(key, "zone"), "the journal's stamps have no zone", "leave it out")
	}
	if s.Kind == SourceUDP && s.Allow == nil {
		s.Allow = defaultSenders()
	}
	return s
}
