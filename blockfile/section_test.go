package blockfile

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

// example is the state whose section the test below spells out.
func example() record.State {
	at := time.Date(2026, 11, 21, 7, 52, 35, 3e8, time.UTC)
	four, six := netip.MustParsePrefix("203.0.113.9/32"), netip.MustParsePrefix("2001:db8:1:2::/64")
	one := netip.MustParsePrefix("2001:db8:7::/64")
	return record.State{
		Hosts: []record.Host{
			{Net: netip.MustParsePrefix("192.0.2.1/32"), Counter: record.Counter{Count: 3, Last: at}},
			{Net: four, Counter: record.Counter{Count: 8, Last: at}, Services: []record.ServiceCount{{Service: "sshd", Counter: record.Counter{Count: 7, Last: at}}, {Service: "vsftpd", Counter: record.Counter{Count: 1, Last: at.Add(-time.Minute)}}}},
			{Net: six, Counter: record.Counter{Count: 9, Last: at}, Services: []record.ServiceCount{{Service: "sshd", Counter: record.Counter{Count: 9, Last: at}}}, Offenders: []netip.Addr{netip.MustParseAddr("2001:db8:1:2::1"), netip.MustParseAddr("2001:db8:1:2::2")}},
			{Net: one, Counter: record.Counter{Count: 2, Last: at}, Services: []record.ServiceCount{{Service: "sshd", Counter: record.Counter{Count: 2, Last: at}}}, Offenders: []netip.Addr{netip.MustParseAddr("2001:db8:7::5")}},
		},
		Blocks: []record.Block{
			{Net: netip.MustParsePrefix("198.51.100.0/24"), Reason: record.ReasonDenylist, Since: at},
			{Net: four, Host: four, Reason: record.ReasonCount, Since: at, Count: 8, Services: []string{"sshd", "vsftpd"}},
			{Net: six, Host: six, Reason: record.ReasonPrefix, Since: at, Until: at.Add(time.Hour), Count: 9, Services: []string{"sshd"}},
		},
		Past:     []record.Past{{Net: four, Blocks: 2, Last: at}},
		Tallies:  []record.Tally{{Key: 0xfeed, Rule: "sshd-Fail", Lines: 2, Last: at}},
		Used:     []record.Used{{Name: "iptables", Names: map[string]string{"chain": "blockhosts", "table": "filter"}}},
		Unmailed: []record.Event{{At: at, Action: record.ActionBlock, Net: four, Reason: record.ReasonCount, Count: 8, Before: 1, Services: []string{"sshd"}}},
		Troubles: []record.Trouble{{Text: `run ip: "no such file"`, Since: at, Told: at}, {Text: `source /x`, Since: at, Told: at, Unmailed: true}},
		Offsets:  []record.Offset{{Path: "/var/log/auth.log", Pos: 7933, Device: 2049, Inode: 131, Head: "a1b2", Tail: "c3d4", Read: at}},
		Saved:    at,
	}
}

func TestSectionForm(t *testing.T) {
	want := `#---- BlockHosts Additions
ALL: 198.51.100.0/24 : deny
ALL: 203.0.113.9 : deny
ALL: [2001:db8:1:2::]/64 : deny

#bh: ip:       192.0.2.1 :   3 : 1795247555.3 # 2026-11-21 07:52:35 UTC
#bh: ip:     203.0.113.9 :   8 : 1795247555.3 # 2026-11-21 07:52:35 UTC by=sshd:7,vsftpd:1:1795247495.3
#bh: ip: 2001:db8:1:2::/64 :   9 : 1795247555.3 # 2026-11-21 07:52:35 UTC net=2001:db8:1:2::/64 from=2001:db8:1:2::1,2001:db8:1:2::2 by=sshd:9
#bh: ip:   2001:db8:7::5 :   2 : 1795247555.3 # 2026-11-21 07:52:35 UTC net=2001:db8:7::/64 from=2001:db8:7::5 by=sshd:2
#bh: block: net=198.51.100.0/24 reason=denylist since=1795247555.3 until=- count=0
#bh: block: net=203.0.113.9 reason=count since=1795247555.3 until=- host=203.0.113.9 count=8 by=sshd,vsftpd
#bh: block: net=2001:db8:1:2::/64 reason=prefix since=1795247555.3 until=1795251155.3 host=2001:db8:1:2::/64 count=9 by=sshd
#bh: past: net=203.0.113.9 blocks=2 last=1795247555.3
#bh: tally: key=feed rule=sshd-Fail lines=2 last=1795247555.3
#bh: blocker: iptables chain=blockhosts table=filter
#bh: event: at=1795247555.3 action=block net=203.0.113.9 reason=count count=8 before=1 by=sshd
#bh: trouble: since=1795247555.3 told=1795247555.3 text="run ip: \x22no such file\x22"
#bh: trouble: since=1795247555.3 told=1795247555.3 unmailed=yes text="source /x"
#bh: saved: 1795247555.3
#bh: logfile: /var/log/auth.log
#bh: offset: 7933
#bh: first line: bh1 dev=2049 ino=131 head=a1b2 tail=c3d4 read=1795247555.3
#---- BlockHosts Additions
`
	f := load(t, write(t, inSection()))
	if got := string(f.Section(example())); got != want {
		t.Errorf("section:\n%s\nwant:\n%s", got, want)
	}
}

// TestRoundTrip: what is saved is loaded, exactly, and every line is one that
// libwrap reads.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(300) {
		roundTrip(t, randomState(rand.New(rand.NewPCG(seed, 1)), int(seed%40)), options())
	}
	roundTrip(t, record.State{}, options())
	roundTrip(t, example(), options())
}

// FuzzRoundTrip looks for a state that does not come back.
func FuzzRoundTrip(f *testing.F) {
	f.Add(uint64(1), "/var/log/auth.log", "sshd")
	f.Add(uint64(2), "\"/a\nb\"", `a"b\`)
	f.Fuzz(func(t *testing.T, seed uint64, path, name string) {
		r := rand.New(rand.NewPCG(seed, 2))
		st := randomState(r, r.IntN(5))
		if path != "" {
			st.Offsets = append(st.Offsets, record.Offset{Path: path, Head: name, Tail: path})
		}
		st.Used = []record.Used{{Name: name, Names: map[string]string{path: name}}}
		st.Hosts = []record.Host{{Net: netip.MustParsePrefix("192.0.2.1/32"), Services: []record.ServiceCount{{Service: name, Counter: record.Counter{Count: 1}}}}}
		roundTrip(t, st, options())
	})
}

func roundTrip(t *testing.T, st record.State, o Options) {
	t.Helper()
	path := write(t, "sshd : 192.0.2.7\n"+inSection()+"ALL : ALL\n")
	f, err := Load(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Save(context.Background(), st); err != nil {
		t.Fatal(err)
	}
	text := read(t, path)
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) > maxLine || strings.HasSuffix(line, `\`) || strings.ContainsAny(line, "\r\x00") {
			t.Fatalf("a line that libwrap reads otherwise: %.300q", line)
		}
	}
	o.IPv6Prefix = 48 // what is ours does not hang on the configuration
	g, err := Load(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if d := differ(g.State, st); d != "" {
		t.Fatalf("%s\nin:\n%.2000s", d, text)
	}
	if len(g.Problems) > 0 {
		t.Fatalf("problems with our own section: %.2000s", fmt.Sprint(g.Problems))
	}
	if again := string(g.Section(g.State)); "sshd : 192.0.2.7\n"+again+"ALL : ALL\n" != text {
		t.Fatalf("Section is not what Save wrote:\n%.2000s\nfile:\n%.2000s", again, text)
	}
}

func TestTimesAreTenths(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.Unix(1308341273, 0), "1308341273.0"},
		{time.Unix(1308341273, 999999999), "1308341273.9"},
		{time.Unix(0, 0), "0.0"},
		{time.Unix(-1, 9e8), "-0.1"},
		{time.Unix(-2, 5e8), "-1.5"},
		{time.Time{}, "-62135596800.0"},
	} {
		got := string(appendTenths(nil, c.at))
		if got != c.want {
			t.Errorf("appendTenths(%v) = %s, want %s", c.at, got, c.want)
		}
		back, ok := parseTenths(got)
		if want := c.at.UTC().Truncate(100 * time.Millisecond); !ok || !back.Equal(want) {
			t.Errorf("parseTenths(%s) = %v, want %v", got, back, want)
		}
	}
	for _, s := range []string{"", "-", ".5", "1e9", "nan", "1.5x", "1,5", "99999999999999999999", "0x10", " 1", "1 "} {
		if got, ok := parseTenths(s); ok {
			t.Errorf("parseTenths(%q) = %v, want it refused", s, got)
		}
	}
}

func TestTemplates(t *testing.T) {
	nets := []string{"192.0.2.1", "192.0.2.0/24", "2001:db8::1", "2001:db8:1::/48"}
	for _, c := range []struct {
		name string
		t    Template
		want string
	}{
		{"libwrap", DefaultTemplate, "ALL: 192.0.2.1 : deny\nALL: 192.0.2.0/24 : deny\nALL: [2001:db8::1]/128 : deny\nALL: [2001:db8:1::]/48 : deny\n"},
		{"apache", Template{"Require not ip {ip}", "Require not ip {ip}"}, "Require not ip 192.0.2.1\nRequire not ip 192.0.2.0/24\nRequire not ip 2001:db8::1\nRequire not ip 2001:db8:1::/48\n"},
		{"nginx", Template{"  deny {ip};", "  deny {ip};"}, "  deny 192.0.2.1;\n  deny 192.0.2.0/24;\n  deny 2001:db8::1;\n  deny 2001:db8:1::/48;\n"},
		{"bare", Template{"{ip}", "{ip}"}, "192.0.2.1\n192.0.2.0/24\n2001:db8::1\n2001:db8:1::/48\n"},
		{"length everywhere", Template{"{ip}/{len} REJECT", "{ip}/{len} REJECT"}, "192.0.2.1/32 REJECT\n192.0.2.0/24 REJECT\n2001:db8::1/128 REJECT\n2001:db8:1::/48 REJECT\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.t.Check(); err != nil {
				t.Fatal(err)
			}
			x := c.t.compile()
			var b []byte
			for _, s := range nets {
				net, _ := record.ParseNet(s)
				line := x.append(nil, net)
				if got, ok := x.parse(trim(string(line[:len(line)-1]))); !ok || got != net {
					t.Errorf("%q is read as %v", line, got)
				}
				b = append(b, line...)
			}
			if string(b) != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", b, c.want)
			}
			if x.libwrap != (c.name == "libwrap") {
				t.Errorf("libwrap: %v", x.libwrap)
			}
		})
	}
	for _, line := range []string{"", "ALL : deny", "{ip} {ip}", "{len} {ip}", "{ip} {len} {len}", "{ip}{len}", "{ip}\nALL: ALL", `{ip} \`, "#bh: {ip}", " " + Marker + " {ip}", strings.Repeat("x", 2000) + "{ip}"} {
		if _, err := Load(write(t, inSection()), Options{Template: Template{line, DefaultTemplate.IPv6}}); err == nil || !strings.Contains(err.Error(), "template") {
			t.Errorf("template %.40q: %v, want it refused", line, err)
		}
	}
}

// TestHostBits: libwrap never matches an IPv4 prefix with host bits.
func TestHostBits(t *testing.T) {
	x := DefaultTemplate.compile()
	if got := string(x.append(nil, netip.MustParsePrefix("192.0.2.77/24"))); got != "ALL: 192.0.2.0/24 : deny\n" {
		t.Errorf("got %q", got)
	}
}
