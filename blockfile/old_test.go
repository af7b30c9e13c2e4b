package blockfile

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

// TestOldSections loads what the versions of blockhosts.py left behind.
func TestOldSections(t *testing.T) {
	est := time.FixedZone("EST", -5*3600)
	for _, c := range []struct {
		name, line string
		want       string // address/len count time offenders
		warns      bool
	}{
		{"3.0", "#bh: ip:     203.0.113.9 :   8 : 1308341273.0 # 2011-06-17 20:07:53 UTC", "203.0.113.9 8 1308341273.0 []", false},
		{"3.0 with a fraction", "#bh: ip: 203.0.113.9 : 8 : 1308341273.25 # x", "203.0.113.9 8 1308341273.2 []", false},
		{"2.0 with a zone", "#bh: ip:     203.0.113.9 :   8 : 2007-11-06 08:39:41 EST", "203.0.113.9 8 1194356381.0 []", false},
		{"2.0 without a zone", "#bh: ip:     203.0.113.9 :   8 : 2007-11-06 08:39:41 ", "203.0.113.9 8 1194356381.0 []", false},
		{"1.0", "#bh: ip:     203.0.113.9 :   8 : 2007-02-22-14-20", "203.0.113.9 8 1172172000.0 []", false},
		{"no blanks", "#bh: ip:203.0.113.9:8:2007-02-22-14-20", "203.0.113.9 8 1172172000.0 []", false},
		{"tabs", "\t#bh: ip:\t203.0.113.9\t:8:\t2007-02-22-14-20\r", "203.0.113.9 8 1172172000.0 []", false},
		{"colon at the address", "#bh: ip: 203.0.113.9: 8: 2007-02-22-14-20", "203.0.113.9 8 1172172000.0 []", false},
		{"time that cannot be read", "#bh: ip: 203.0.113.9 : 8 : 22.2.2007", "203.0.113.9 8 1795262400.0 []", true},
		{"no time", "#bh: ip: 203.0.113.9 : 8 :", "203.0.113.9 8 1795262400.0 []", true},
		{"mapped", "#bh: ip: ::ffff:203.0.113.9 : 8 : 1308341273.0", "203.0.113.9 8 1308341273.0 []", false},
		{"leading zeros", "#bh: ip: 203.000.113.09 : 8 : 1308341273.0", "203.0.113.9 8 1308341273.0 []", false},
		{"IPv6", "#bh: ip: 2001:db8:1:2::9 : 8 : 1308341273.0 # 2011-06-17 20:07:53 UTC", "2001:db8:1:2::/64 8 1308341273.0 [2001:db8:1:2::9]", false},
		{"IPv6, colon at the address", "#bh: ip: 2001:db8:1:2::9: 8 : 1308341273.0", "2001:db8:1:2::/64 8 1308341273.0 [2001:db8:1:2::9]", false},
		{"link-local", "#bh: ip: fe80::9%eth0 : 8 : 1308341273.0", "fe80::9 8 1308341273.0 [fe80::9]", false},
		{"no address", "#bh: ip: localhost : 8 : 1308341273.0", "", true},
		{"no count", "#bh: ip: 203.0.113.9 : x : 1308341273.0", "", true},
		{"negative count", "#bh: ip: 203.0.113.9 : -1 : 1308341273.0", "", true},
		{"two fields", "#bh: ip: 203.0.113.9 : 8", "", true},
		{"nothing", "#bh: ip:", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options()
			o.Local = est
			f, err := Load(write(t, inSection(c.line)), o)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, h := range f.State.Hosts {
				got += fmt.Sprintf("%s %d %s %v", record.FormatNet(h.Net), h.Count, appendTenths(nil, h.Last), h.Offenders)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if warns := len(f.Problems) == 1 && !f.Problems[0].Fails; warns != c.warns || len(f.Problems) > 1 {
				t.Errorf("problems: %+v", f.Problems)
			}
		})
	}
}

func TestOldOffsets(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  []record.Offset
	}{
		{"3.0", []string{"#bh: logfile: /var/log/auth.log", "#bh: offset: 7933", "#bh: first line:Jan  5 01:31:41 www syslogd: \xfc\x00 #---- BlockHosts"},
			[]record.Offset{{Path: "/var/log/auth.log", Pos: 7933, FirstLine: "Jan  5 01:31:41 www syslogd: \xfc\x00 #---- BlockHosts"}}},
		{"two, with blanks", []string{"#bh: logfile: /a b ", "#bh: offset:   1 ", "#bh: first line: x ", "#bh: logfile: /c", "#bh: offset: 2", "#bh: first line:"},
			[]record.Offset{{Path: "/a b", Pos: 1, FirstLine: " x "}, {Path: "/c", Pos: 2}}},
		{"first line like ours", []string{"#bh: logfile: /a", "#bh: offset: 1", "#bh: first line: bh1 is up"},
			[]record.Offset{{Path: "/a", Pos: 1, FirstLine: " bh1 is up"}}},
		{"no path", []string{"#bh: offset: 1", "#bh: first line: x"}, nil},
		{"bad offset", []string{"#bh: logfile: /a", "#bh: offset: -1", "#bh: first line:x"},
			[]record.Offset{{Path: "/a", FirstLine: "x"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := load(t, write(t, inSection(c.lines...))).State.Offsets; !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// TestFirstLineIsNotWritten: no log text goes back into an access-control file.
func TestFirstLineIsNotWritten(t *testing.T) {
	f := load(t, write(t, inSection("#bh: logfile: /a", "#bh: offset: 1", "#bh: first line:some secret")))
	if text := string(f.Section(f.State)); strings.Contains(text, "secret") || !strings.Contains(text, "#bh: offset: 1\n") {
		t.Errorf("section:\n%s", text)
	}
}

// TestFold adds up entries that are one address to us.
func TestFold(t *testing.T) {
	f := load(t, write(t, inSection(
		"#bh: ip: 203.0.113.9 : 3 : 1308341273.0",
		"#bh: ip: 2001:db8::2 : 1 : 1308341273.0",
		"#bh: ip: 192.0.2.1 : 9223372036854775807 : 1308341273.0",
		"#bh: ip: ::ffff:203.0.113.9 : 4 : 1308341275.0",
		"#bh: ip: 2001:db8::1 : 2 : 1308341270.0",
		"#bh: ip: 192.0.2.1 : 1 : 1308341273.0",
	)))
	want := []record.Host{
		{Net: netip.MustParsePrefix("192.0.2.1/32"), Counter: record.Counter{Count: maxCount, Last: time.Unix(1308341273, 0).UTC()}},
		{Net: netip.MustParsePrefix("203.0.113.9/32"), Counter: record.Counter{Count: 7, Last: time.Unix(1308341275, 0).UTC()}},
		{Net: netip.MustParsePrefix("2001:db8::/64"), Counter: record.Counter{Count: 3, Last: time.Unix(1308341273, 0).UTC()},
			Offenders: []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")}},
	}
	if !reflect.DeepEqual(f.State.Hosts, want) {
		t.Errorf("got %+v\nwant %+v", f.State.Hosts, want)
	}
}

// TestAdopt: what blockhosts.py blocked is blocked, and no news; what it did
// not is dropped, and said.
func TestAdopt(t *testing.T) {
	entry := "#bh: ip: 203.0.113.9 : 8 : 1308341273.0"
	six := "#bh: ip: 2001:db8::1 : 8 : 1308341273.0"
	for _, c := range []struct {
		name   string
		lines  []string
		blocks string
		byHand string // quoted in the only problem
	}{
		{"blocked", []string{"ALL: 203.0.113.9 : deny", entry}, "203.0.113.9 count host 203.0.113.9 8 1308341273.0", ""},
		{"order and form", []string{entry, "all :203.0.113.9:DENY\r"}, "203.0.113.9 count host 203.0.113.9 8 1308341273.0", ""},
		{"twice", []string{"ALL: 203.0.113.9 : deny", "ALL: ::ffff:203.0.113.9 : deny", entry}, "203.0.113.9 count host 203.0.113.9 8 1308341273.0", ""},
		{"watched only", []string{entry}, "", ""},
		{"IPv6 bare", []string{"ALL: 2001:db8::1 : deny", six}, "2001:db8::1 count host 2001:db8::/64 8 1308341273.0", ""},
		{"IPv6 in brackets", []string{"ALL: [2001:db8::1] : deny", six}, "2001:db8::1 count host 2001:db8::/64 8 1308341273.0", ""},
		{"IPv6 with a length", []string{"ALL: [2001:db8::1]/128 : deny", six}, "2001:db8::1 count host 2001:db8::/64 8 1308341273.0", ""},
		{"IPv6 length inside", []string{"ALL: [2001:db8::1/128] : deny", six}, "2001:db8::1 count host 2001:db8::/64 8 1308341273.0", ""},
		{"neighbour", []string{"ALL: [2001:db8::2] : deny", six}, "", "ALL: [2001:db8::2] : deny"},
		{"by hand", []string{"ALL: 192.0.2.1 : deny", entry}, "", "ALL: 192.0.2.1 : deny"},
		{"ours", []string{"ALL: 203.0.113.9 : deny", entry, "#bh: block: net=203.0.113.9 reason=denylist since=5.0 until=- count=2"}, "203.0.113.9 denylist host  2 5.0", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := load(t, write(t, inSection(c.lines...)))
			got := ""
			for _, b := range f.State.Blocks {
				host := ""
				if b.Host.IsValid() {
					host = record.FormatNet(b.Host)
				}
				got += fmt.Sprintf("%s %s host %s %d %s", record.FormatNet(b.Net), b.Reason, host, b.Count, appendTenths(nil, b.Since))
			}
			if got != c.blocks {
				t.Errorf("got %q, want %q", got, c.blocks)
			}
			switch {
			case c.byHand == "" && len(f.Problems) > 0:
				t.Errorf("problems: %+v", f.Problems)
			case c.byHand != "" && (len(f.Problems) != 1 || !strings.Contains(f.Problems[0].Text, strconv.Quote(c.byHand))):
				t.Errorf("problems: %+v; want one about %q", f.Problems, c.byHand)
			}
		})
	}
}

// TestUnknownLines are dropped, and said once, with the first in quotes.
func TestUnknownLines(t *testing.T) {
	f := load(t, write(t, inSection("sshd : 192.0.2.5", "#bh: later: x", "\x1b[31mhello", "#bh: block: net=x", "#bh:", "", "#bh: ip: 203.0.113.9 : 8 : 1308341273.0")))
	if len(f.State.Hosts) != 1 || len(f.Problems) != 2 {
		t.Fatalf("state %+v, problems %+v", f.State, f.Problems)
	}
	for i, want := range []string{`4 lines that blockhosts does not know, dropped`, `1 lines that cannot be read, dropped`} {
		if !strings.Contains(f.Problems[i].Text, want) {
			t.Errorf("problem %q, want %q", f.Problems[i].Text, want)
		}
	}
	long := load(t, write(t, inSection("\x1b"+strings.Repeat("x", 5000))))
	if text := long.Problems[0].Text; len(text) > 600 || strings.Contains(text, "\x1b") {
		t.Errorf("problem %q", text)
	}
}

// original reads a section as blockhosts.py 3.0 does: four kinds of lines by a
// pattern, the time as a number up to the "#", everything else with a shrug.
type original struct {
	counts  map[string]int
	times   map[string]float64
	offsets map[string]int64
	first   map[string]string
}

var (
	originalIP     = regexp.MustCompile(`^#bh: ip:\s+(\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]+)\s+:\s+(\d+)\s+:\s+([^#]*)`)
	originalLog    = regexp.MustCompile(`^#bh: logfile:\s*(.+)$`)
	originalOffset = regexp.MustCompile(`^#bh: offset:\s*(\d+)$`)
	originalFirst  = regexp.MustCompile(`^#bh: first line:(.*)$`)
)

func readAsOriginal(t *testing.T, text string) original {
	t.Helper()
	o := original{map[string]int{}, map[string]float64{}, map[string]int64{}, map[string]string{}}
	inside, path := false, ""
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#---- BlockHosts Additions") {
			inside = !inside
			continue
		}
		if !inside {
			continue
		}
		if m := originalIP.FindStringSubmatch(line); m != nil {
			at, err := strconv.ParseFloat(strings.TrimSpace(m[3]), 64)
			if err != nil {
				t.Fatalf("time of %q: %v", line, err)
			}
			o.counts[m[1]], _ = strconv.Atoi(m[2])
			o.times[m[1]] = at
		} else if m := originalLog.FindStringSubmatch(line); m != nil {
			path = m[1]
		} else if m := originalOffset.FindStringSubmatch(line); m != nil {
			o.offsets[path], _ = strconv.ParseInt(m[1], 10, 64)
		} else if m := originalFirst.FindStringSubmatch(line); m != nil {
			o.first[path] = m[1]
		}
	}
	return o
}

// TestTheWayBack: what we write, blockhosts.py loads with the same watched
// addresses, counts and times, IPv6 prefixes aside.
func TestTheWayBack(t *testing.T) {
	states := []record.State{example()}
	for seed := range uint64(50) {
		states = append(states, randomState(rand.New(rand.NewPCG(seed, 3)), 30))
	}
	seen := 0
	for _, st := range states {
		path := write(t, inSection())
		if err := load(t, path).Save(context.Background(), st); err != nil {
			t.Fatal(err)
		}
		got := readAsOriginal(t, read(t, path))
		want := map[string]int{}
		for _, h := range st.Hosts {
			name := record.FormatNet(h.Net)
			if len(h.Offenders) == 1 {
				name = h.Offenders[0].String()
			}
			if strings.Contains(name, "/") {
				continue
			}
			want[name] = h.Count
			if at := float64(h.Last.Unix()) + float64(h.Last.Nanosecond()/1e8)/10; got.times[name] != at {
				t.Errorf("%s: time %f, want %f", name, got.times[name], at)
			}
		}
		seen += len(want)
		if !reflect.DeepEqual(got.counts, want) {
			t.Errorf("counts %v\nwant %v", got.counts, want)
		}
		for _, x := range st.Offsets {
			if isRawPath(x.Path) && !strings.Contains(x.Path, "#") && got.first[x.Path] == "" {
				t.Errorf("no first line for %q", x.Path)
			}
		}
	}
	if seen < 500 {
		t.Errorf("only %d addresses compared", seen)
	}
	got := readAsOriginal(t, string(load(t, write(t, inSection())).Section(example())))
	if got.offsets["/var/log/auth.log"] != 7933 || !strings.HasPrefix(got.first["/var/log/auth.log"], " bh1 dev=") {
		t.Errorf("offsets %v, first lines %v", got.offsets, got.first)
	}
}

// TestMigration: load, save, load: the second time it is our own.
func TestMigration(t *testing.T) {
	path := write(t, inSection("ALL: 203.0.113.9 : deny", "ALL: [2001:db8::1] : deny", "", "#bh: ip: 203.0.113.9 : 8 : 1308341273.0", "#bh: ip: 192.0.2.5 : 2 : 2007-11-06 08:39:41 EST", "#bh: ip: 2001:db8::1 : 9 : 1308341273.0", "#bh: logfile: /a", "#bh: offset: 5", "#bh: first line:x"))
	f := load(t, path)
	before := f.State
	if err := f.Save(context.Background(), before); err != nil {
		t.Fatal(err)
	}
	before.Offsets[0].FirstLine = ""
	g := load(t, path)
	if d := differ(g.State, before); d != "" || len(g.Problems) > 0 {
		t.Errorf("%s, problems %v", d, g.Problems)
	}
	if text := read(t, path); !strings.Contains(text, "ALL: [2001:db8::1]/128 : deny\n") {
		t.Errorf("section:\n%s", text)
	}
}
