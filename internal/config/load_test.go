package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

// refused loads text and returns what is wrong with it.
func refused(t *testing.T, text string) Errors {
	t.Helper()
	_, err := Load(write(t, "blockhosts.yaml", text), true, Options{})
	var errs Errors
	if !errors.As(err, &errs) || len(errs) == 0 {
		t.Fatalf("accepted, or no Errors: %v\n%s", err, text)
	}
	return errs
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		text string
		line int
		want string // in the message, or in the hint
	}{
		// Keys.
		{"blockcont: 5", 1, `unknown key "blockcont"; did you mean "blockcount" under "limits"?`},
		{"limits:\n  blockcont: 5", 2, `unknown key "blockcont"; did you mean "blockcount"?`},
		{"limits:\n  block-count: 5", 2, `did you mean "blockcount"?`},
		{"limits:\n  lockfile: x", 2, `did you mean "lockfile" at the left margin?`},
		{"limits.discard: 5h", 1, `did you mean "discard" under "limits"?`},
		{"whitelist: []", 1, `unknown key "whitelist"; did you mean "allowlist"?`},
		{"blacklist: []", 1, `did you mean "denylist"?`},
		{"mail: {blockfile: x}", 1, `did you mean "blockfile" at the left margin?`},
		{"mail: {smtp: {password: x}}", 1, `did you mean "password_file"?`},
		{"COUNT_THRESHOLD: 7", 1, `did you mean "blockcount" under "limits"?`},
		{"xyzzy: 1", 1, "the keys here are blockfile, "},
		{"sparse: true", 1, `did you mean "spare"?`},
		{"ports: [22]", 1, `did you mean "ports" under "services"?`},
		{"findtime: 10m", 1, `did you mean "window" under "limits"?`},
		{"limits: {halflife: 1h}", 1, `did you mean "half_life"?`},
		{"services: {sshd: {blokcount: 5}}", 1, `unknown key "blokcount"; did you mean "blockcount"?`},
		{strings.Repeat("k", 100_000) + ": 1", 1, `a ":" where none can stand`},
		{strings.Repeat("k", 1000) + ": 1", 1, "want a key, found other text"},
		{"5: x", 1, `unknown key "5"`},
		{"clock: log\nclock: run", 2, `duplicate key "clock"; line 1 has it`},
		{"mail: {to: [a], to: [b]}", 1, `mail: duplicate key "to"`},
		{"[a]: x", 1, "want a word before the colon, found a list"},
		{"<<: {clock: run}", 1, `unknown key "<<"`},
		// Types.
		{"- blockfile", 1, "want keys with values, found a list"},
		{"hello", 1, "want keys with values, found other text"},
		{"limits: 7", 1, "limits: want keys with values, found the number 7"},
		{"blockfile: 5", 1, "blockfile: want text, found the number 5"},
		{"blockfile:", 1, "blockfile: want text, found nothing"},
		{"blockfile: [a]", 1, "want text, found a list"},
		{"allowlist: [10.1]", 1, "want text, found the number 10.1"},
		{"allowlist: 192.0.2.1", 1, `write allowlist: ["192.0.2.1"]`},
		{"reload: systemctl reload nginx", 1, "reload: want a list"},
		{"ignore_duplicates: yes", 1, `ignore_duplicates: want true or false, found "yes"`},
		{"ignore_duplicates: 1", 1, "found the number 1"},
		{"limits: {blockcount: seven}", 1, `limits.blockcount: want a whole number from 0 to 1000000, found "seven"`},
		{"limits: {blockcount: 1.5}", 1, "found the number 1.5"},
		{"limits: {blockcount: '7'}", 1, `found "7"`},
		{"limits: {blockcount: 0x10}", 1, "found the number 0x10"},
		{"limits: {blockcount: 010}", 1, "found the number 010"},
		{"limits: {blockcount: 1_0}", 1, "found the number 1_0"},
		{"limits: {discard: 12}", 1, "for hours write 12h"},
		{"limits: {discard: 0}", 1, "for hours write 0h"},
		{"limits: {discard: true}", 1, `want a duration, found "true"`},
		{"limits: {discard: [12h]}", 1, "want a duration, found a list"},
		{"verbose: 3", 1, "want text, found the number 3"},
		// Values.
		{"limits: {blockcount: -1}", 1, "found the number -1"},
		{"limits: {blockcount: 1000001}", 1, "from 0 to 1000000"},
		{"limits: {blockcount: 99999999999999999999}", 1, "from 0 to 1000000"},
		{"limits: {discard: -12h}", 1, `want a duration, found "-12h"`},
		{"limits: {discard: 101y}", 1, "want a duration"},
		{"limits: {discard: 5201w}", 1, "over 100 years"},
		{"limits: {ipv6_prefix: 129}", 1, "from 32 to 128"},
		{"limits: {ipv6_prefix: 31}", 1, "from 32 to 128"},
		{"limits: {prefix_min: 0}", 1, "from 1 to 32"},
		{"verbose: warnign", 1, `did you mean "warning"?`},
		{"clock: wall", 1, "want one of log, run"},
		{"enable_classes: []", 1, "an empty list"},
		{"enable_classes: [auth, prob]", 1, `did you mean "probe"?`},
		{"enable_rules: '(sshd'", 1, "missing closing )"},
		{"enable_rules: '(?<!x)sshd'", 1, "enable_rules: "},
		{"allowlist: ['file:etc/x']", 1, "is not a whole path"},
		{"allowlist: [file: /etc/x]", 1, "without a blank behind the colon"},
		{"denylist: [192.0.2.l]", 1, "no host has such a name"},
		{"denylist: [-x.example.org]", 1, "nor the name of a host"},
		{"allowlist: [192.0.2.256]", 1, "from 0 to 255"},
		{"denylist:\n- 192.0.2.1\n- 0.0.0.0/0", 3, "would block everybody"},
		{"enable_rules: '[a-'", 1, "missing closing ]"},
		{"sources: []", 1, "nothing would be read"},
		{"sources: ['']", 1, "want the name of a file"},
		{"sources: ['/var/log/[a']", 1, "is not a glob"},
		{"sources: [~/log]", 1, "write the whole path"},
		{"sources: [{journal: {unit: x}}]", 1, `did you mean "units"?`},
		{"sources: [{journal: {units: ['ssh*']}}]", 1, "is not the name of a unit"},
		{"sources: [{journal: {units: [-o]}}]", 1, "is not the name of a unit"},
		{"sources: [{journal: {units: []}}]", 1, "an empty list"},
		{"sources: [{journal: {identifiers: ['']}}]", 1, "empty"},
		{"sources: [{journal: {directory: ''}}]", 1, "want the name of a file"},
		{"sources: [{journal: yes}]", 1, `found "yes"`},
		{"sources: [{journal: {}, zone: UTC}]", 1, "no zone"},
		{"sources: [{file: /a, fifo: /b}]", 1, "this source is a file already"},
		{"sources: [{fifo: ~/x}]", 1, "write the whole path"},
		{"sources: [{file: /a, zone: Mars/Olympus}]", 1, "is not a time zone"},
		{"sources: [{file: /a, zone: Local}]", 1, "is not a time zone"},
		{"sources: [{file: /a, zone: ../../etc/passwd}]", 1, "is not a time zone"},
		{"sources: [{file: /a, zone: '+25:00'}]", 1, "is not a time zone"},
		{"sources: [{zone: UTC}]", 1, "want one of file, journal, fifo and udp"},
		{"sources: [{file: /a, allow: [192.0.2.1]}]", 1, "allow belongs to udp"},
		{"sources: [{udp: 5514}]", 1, "found the number 5514"},
		{"sources: [{udp: '127.0.0.1'}]", 1, "an address and a port"},
		{"sources: [{udp: '127.0.0.1:0'}]", 1, "an address and a port"},
		{"sources: [{udp: 'localhost:514'}]", 1, "an address and a port"},
		{"sources: [{udp: '127.0.0.1:514', allow: []}]", 1, "nobody could send"},
		{"sources: [{udp: '127.0.0.1:514', allow: [localhost]}]", 1, "neither an address nor a prefix"},
		{"sources: [{}]", 1, "write {file: PATH}"},
		{"sources: [{file: ''}]", 1, "want the name of a file"},
		{"sources:\n- a\n-", 3, "found nothing"},
		{"log: {time_format: '%Y-%m-%d'}", 1, "is not a time format"},
		{"log: {time_format: date}", 1, "is not a time format"},
		{"blockline: {ipv4: 'ALL: ip : deny'}", 1, "has no {ip}"},
		{"blockline: {ipv4: 'ALL: {IP} : deny'}", 1, `holds "{IP}"`},
		{`blockline: {ipv4: "ALL: {ip}\n: deny"}`, 1, "line break"},
		{`blockline: {ipv4: 'deny {ip} \'}`, 1, "backslash"},
		{"blockline: {ipv4: '# {ip}'}", 1, "is a comment"},
		{"blockline: {ipv4: '{ip} " + strings.Repeat("x", 2040) + "'}", 1, "libwrap reads 2046"},
		{"blockline: {ipv6: 'ALL: {ip} : deny'}", 1, "would not match"},
		{"blockline: {ipv6: 'sshd: [{ip}/{len}] : DENY'}", 1, "would not match"},
		{"blockers: [iptable]", 1, `did you mean "iptables"?`},
		{"blockers: [ipfw]", 1, "want one of auto, nftables, ipset, iptables, ip6tables, iproute, nullroute, pf, command, none"},
		{"blockers: [iptables, iptables]", 1, "name each once"},
		{"blockers: [iptables, none]", 1, "none stands alone"},
		{"blockers: [none, iptables]", 1, "none stands alone"},
		{"blockers: [iptables: {scope: services}]", 1, `blockers.iptables.scope: want one of all, service, found "services"; did you mean "service"?`},
		{"blockers: [iptables: {scope: }]", 1, "blockers.iptables.scope: want text, found nothing"},
		{"blockers: [iptables: {chain: }]", 1, "blockers.iptables.chain: want a value, found nothing"},
		{"blockers: [iptables: {chain: x, chain: y}]", 1, `blockers.iptables: duplicate key "chain"`},
		{"blockers:\n- iptables:\n  scope: service", 2, "indent the options below the name"},
		{"blockers: [nftables: {priority: 010}]", 1, "want a number in decimal digits, found the number 010"},
		{"blockers: [nftables: {priority: [.nan]}]", 1, "want a number in decimal digits"},
		{"blockers: [iptables: [chain]]", 1, "want options, found a list"},
		{"blockers: [iptables: 5]", 1, "want options, found the number 5"},
		{"blockers: [{a: 1, b: 2}]", 1, "want one blocker with its options, found a map"},
		{"mail: {to: []}", 1, "an empty list"},
		{"mail: {to: ['a b']}", 1, "is not a mail address"},
		{"mail: {to: [\"a@b.example\\nBcc: c@d.example\"]}", 1, "mail.to: "},
		{"mail: {from: '@'}", 1, "is not a mail address"},
		{"mail: {smtp: {host: 'mail.example.org:587'}}", 1, "write host: mail.example.org and port: 587"},
		{"mail: {smtp: {host: 'a b'}}", 1, "neither the name of a host"},
		{"mail: {smtp: {port: 70000}}", 1, "from 1 to 65535"},
		{"mail: {smtp: {port: 0}}", 1, "from 1 to 65535"},
		{"mail: {smtp: {tls: ssl}}", 1, "want one of auto, none, starttls, tls"},
		{"mail:\n  smtp:\n    user: u", 3, "mail.smtp.user: a user without password_file"},
		{"mail: {smtp: {password_file: /p}}", 1, "a password without user"},
		{"mail: {smtp: {host: mail.example.org, user: u, password_file: /p, tls: none}}", 1, "in clear"},
		{"reload: ['']", 1, "reload: empty"},
		// Rules.
		{"rules: {sshd: {pattern: x}}", 1, `"sshd" is not the name of a rule`},
		{"rules:\n  a-B: {}", 2, "rules.a-B: a rule without pattern"},
		{"rules:\n  a-B:", 2, "rules.a-B: a rule without pattern"},
		{"rules: {a-B: {pattern: '(x', class: auth}}", 1, "missing closing )"},
		{"rules: {a-B: {pattern: x, clas: auth}}", 1, `did you mean "class"?`},
		{"rules: {a-B: {pattern: x, class: spam}}", 1, "want one of auth, probe, abuse"},
		{"rules: {a-B: {pattern: x, samples: [{line: y}]}}", 1, "sample 1 lacks"},
		{"rules: {a-B: {pattern: x, samples: [y]}}", 1, `found "y"`},
		{"rules: {a-B: {pattern: x, samples: [{line: y, address: 192.0.2.256}]}}", 1, "is not an address"},
		// The form of the file.
		{"clock: log\n---\nclock: run", 2, "a second document begins here"},
		{"---\n---", 2, "a second document begins here"},
		{"a: &a [x]\nb: *a", 2, "an alias"},
		{"a: *b", 1, "an alias (*…) of nothing"},
		{"blockfile: !!binary aGk=", 1, "a tag"},
		{"limits: !x {}", 1, "a tag"},
		{"limits:\n\tblockcount: 7", 2, "a tab"},
		{"clock: log\n\xff: x", 2, "byte 0xff is not UTF-8"},
		{"clock: log\nblockfile: \x1b", 2, "control character 0x1b"},
		{strings.Repeat("[", 20_000), 1, "nested too deeply"},
		{"clock: log\nallowlist: [a,\n", 2, "close every ["},
		{"\xff\xfec\x00", 1, "not UTF-8"},
	} {
		errs := refused(t, c.text)
		if e := errs[0]; e.Line != c.line || !strings.Contains(e.Msg+" | "+e.Hint, c.want) {
			t.Errorf("%.80q:\n  %v | %s\n  want line %d, %s", c.text, e, e.Hint, c.line, c.want)
		}
		for _, e := range errs {
			for _, inner := range []string{"!!", "config.", "yaml:", "%!"} {
				if strings.Contains(e.Msg+e.Hint, inner) && !strings.Contains(c.text, inner) {
					t.Errorf("%.80q: the message shows %q: %v | %s", c.text, inner, e, e.Hint)
				}
			}
			if len(e.Msg) > 400 || !strings.Contains(e.File, "blockhosts.yaml") {
				t.Errorf("%.80q: %+v", c.text, e)
			}
		}
	}
}

// Slips of YAML itself must be told at the line where they are.
func TestSyntax(t *testing.T) {
	head := "blockfile: /etc/hosts.allow\nclock: log\n"
	for _, c := range []struct {
		text string
		line int // within text
		want string
	}{
		{"limits:\n  blockcount: 7\n discard: 12h\nverbose: info\n", 3, "does not fit"},
		{"limits:\n  blockcount 7\n  discard: 12h\n", 3, `a ":" where none can stand`},
		{"enable_rules: a: b\n", 1, `a ":" where none can stand`},
		{"enable_rules: @x\n", 1, "special character"},
		{"enable_rules: 'x\nverbose: info\n", 1, "a quotation is not closed"},
		{"enable_rules: \"\\.x\"\nverbose: info\n", 1, "single quotes"},
		{"allowlist: [a, b\nverbose: info\n", 1, "lacks a comma or its ]"},
		{"mail: {enabled: true\nverbose: info\n", 1, "lacks a comma or its }"},
		{"allowlist:\n  - a\n   - b\n  c\n", 4, `a key without ":"`},
		{"allowlist:\n- a\n-b\nverbose: info\n", 3, "a blank behind"},
		{"allowlist: - a\n", 1, "no list can begin"},
		{"blockfile /etc/x\nverbose: info\n", 1, `a key without ":"`},
		{"allowlist: [*x]\n", 1, "alias"},
		{"allowlist:\n  - *.example.org\n", 2, ""},
	} {
		e := refused(t, head+c.text)[0]
		if e.Line != c.line+2 || !strings.Contains(e.Msg+" | "+e.Hint, c.want) {
			t.Errorf("%q:\n  %v | %s\n  want line %d, %s", c.text, e, e.Hint, c.line+2, c.want)
		}
	}
}

func TestErrorsTogether(t *testing.T) {
	errs := refused(t, "clock: x\nlimits:\n  blockcount: -1\n  blokcount: 3\nverbose: loud\n")
	var lines []int
	for _, e := range errs {
		lines = append(lines, e.Line)
	}
	if !reflect.DeepEqual(lines, []int{1, 3, 4, 5}) {
		t.Errorf("lines %v:\n%v", lines, errs)
	}
	if errs := refused(t, strings.Repeat("? [a]\n: 1\n", 1000)); len(errs) != maxErrors+1 || errs[maxErrors].Msg != "980 more errors" {
		t.Errorf("%d errors, last %v", len(errs), errs[len(errs)-1])
	}
}

// A file that was named by mistake is not shown to whoever reads cron's mail.
func TestSecretNotShown(t *testing.T) {
	for _, text := range []string{
		"hunter2$x", "bob:hunter2$x: 1\nbob:hunter2$x: 1\n", "bob:hunter2$x:1:\neve:hunter2$x:2:\n", "- hunter2$x\n", "{hunter2$x: 1, hunter2$x: 2}",
	} {
		errs := refused(t, text)
		for _, e := range errs {
			if strings.Contains(e.Error()+e.Hint, "hunter2") {
				t.Errorf("%q: %v | %s", text, e, e.Hint)
			}
		}
	}
	errs := refused(t, "bob:hunter2$x:1:\neve:hunter2$x:2:\n")
	if len(errs) != 2 || errs[0].Hint == "" || errs[1].Hint != "" {
		t.Errorf("the keys are to be listed once: %+v", errs)
	}
}

func TestAccepted(t *testing.T) {
	for _, c := range []struct {
		text string
		want func(*Config)
	}{
		{"# nothing\n", func(*Config) {}},
		{"---\n", func(*Config) {}},
		{"\ufeffclock: run\n", func(c *Config) { c.Clock = "run" }},
		{"clock: run\r\nverbose: info\r\n", func(c *Config) { c.Clock, c.Verbose = "run", "info" }},
		{"limits:\nmail:\nallowlist:\nrules:\nsources:\nblockers:\n  # - iptables\n", func(*Config) {}},
		{"allowlist: []", func(*Config) {}},
		{"allowlist: [192.0.2.1, 192.0.2.1, '::1']", func(c *Config) { c.Allowlist = []string{"127.0.0.0/8", "::1", "192.0.2.1"} }},
		{"resolve: true\nspare: false\nmax_tracked: 100", func(c *Config) { c.Resolve, c.Spare, c.MaxTracked = true, false, 100 }},
		{"limits: {discard: 0s, blockcount: 0, remember: 1d12h}", func(c *Config) {
			c.Limits.Discard, c.Limits.Blockcount, c.Limits.Remember = 0, 0, 36*time.Hour
		}},
		{"sources: [/a*, {file: /b}]", func(c *Config) {
			c.Sources = []Source{{Kind: "file", File: "/a*"}, {Kind: "file", File: "/b"}}
		}},
		{"sources: [{file: /a, zone: UTC}, {fifo: /f, zone: '-02:30'}]", func(c *Config) {
			c.Sources = []Source{{Kind: "file", File: "/a", Zone: time.UTC}, {Kind: "fifo", File: "/f", Zone: time.FixedZone("-02:30", -9000)}}
		}},
		{"sources: [journal: , {journal: {units: [ssh.service, a@b-c], identifiers: [postfix/smtpd], directory: /j}}]", func(c *Config) {
			c.Sources = []Source{{Kind: "journal"}, {Kind: "journal", Journal: Journal{
				Units: []string{"ssh.service", "a@b-c"}, Identifiers: []string{"postfix/smtpd"}, Directory: "/j"}}}
		}},
		{"sources: [udp: '127.0.0.1:5514', {udp: '[::]:514', allow: [192.0.2.1, 2001:db8::1/32]}]", func(c *Config) {
			c.Sources = []Source{
				{Kind: "udp", Address: netip.MustParseAddrPort("127.0.0.1:5514"), Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}},
				{Kind: "udp", Address: netip.MustParseAddrPort("[::]:514"), Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::/32")}},
			}
		}},
		{"blockers: [iptables, iproute: {}]", func(c *Config) { c.Blockers = []Blocker{{Name: "iptables"}, {Name: "iproute"}} }},
		{"blockers: [nftables: {scope: service, priority: -5, hooks: [input, 7]}, command: {block: [/bin/x, '{ip}'], env: {A: 1.5, B: true, C: 2026-01-02}}]", func(c *Config) {
			c.Blockers = []Blocker{
				{Name: "nftables", Options: map[string]any{"scope": "service", "priority": -5, "hooks": []any{"input", 7}}},
				{Name: "command", Options: map[string]any{"block": []any{"/bin/x", "{ip}"}, "env": map[string]any{"A": 1.5, "B": true, "C": "2026-01-02"}}},
			}
		}},
		{"log: {time_format: 2006-01-02}", func(c *Config) { c.Log.TimeFormat = "2006-01-02" }},
		{"mail: {smtp: {host: h, tls: tls}}", func(c *Config) { c.Mail.SMTP = SMTP{Host: "h", TLS: "tls", Port: 465} }},
		{"mail: {smtp: {host: h, user: u, password_file: /none}}", func(c *Config) {
			c.Mail.SMTP = SMTP{Host: "h", TLS: "auto", Port: 587, User: "u", PasswordFile: "/none"}
		}},
		{"blockline: {ipv6: 'Require not ip {ip}'}", func(c *Config) { c.Blockline.IPv6 = "Require not ip {ip}" }},
		{"rules: {a-B: {pattern: '(?<!x)sshd(?=-)'}}", func(c *Config) {
			c.Rules = []Rule{{Name: "a-B", Class: "auth", Pattern: "(?<!x)sshd(?=-)"}}
		}},
		{"&a clock: run", func(c *Config) { c.Clock = "run" }},
	} {
		want := Default()
		c.want(&want)
		got := load(t, c.text)
		for i := range got.Rules {
			got.Rules[i].File, got.Rules[i].Line = "", 0
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %+v\nwant %+v", c.text, got, want)
		}
	}
}

func TestRule(t *testing.T) {
	path := write(t, "x.yaml", "rules:\n  b-Fail: {pattern: 'x {HOST_IP}$', unpinned: true}\n  a-Fail:\n    class: probe\n    pattern: y\n"+
		"    ignores: [z]\n    samples: [{line: l, address: '2001:db8::1', user: u}]\n")
	c, err := Load(path, true, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Rule{
		{Name: "a-Fail", Class: "probe", Pattern: "y", Samples: []Sample{{"l", "2001:db8::1", "u"}}, Ignores: []string{"z"}, File: path, Line: 3},
		{Name: "b-Fail", Class: "auth", Pattern: "x {HOST_IP}$", Unpinned: true, File: path, Line: 2},
	}
	if !reflect.DeepEqual(c.Rules, want) {
		t.Errorf("got %+v\nwant %+v", c.Rules, want)
	}
}

func TestOverlay(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"blockhosts.yaml":           "limits: {blockcount: 5}\nallowlist: [192.0.2.1]\ndenylist: [203.0.113.1]\nsources: [/a]\nrules: {a-B: {pattern: x, class: probe}, b-B: {pattern: y}}\n",
		"blockhosts.d/10.yaml":      "limits: {discard: 7d}\nallowlist: [192.0.2.2, 192.0.2.1]\nsources: [/b]\nrules: {a-B: {pattern: z}}\n",
		"blockhosts.d/20.yaml":      "denylist: [203.0.113.2]\nsources: [/c, /d]\n",
		"blockhosts.d/30.yaml.orig": "no: [",
		"blockhosts.d/.#40.yaml":    "no: [",
		"blockhosts.d/README":       "no: [",
	} {
		if err := os.MkdirAll(filepath.Join(dir, "blockhosts.d"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "blockhosts.yaml")
	c, err := Load(path, false, Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := Default()
	d.Limits.Blockcount, d.Limits.Discard = 5, 7*24*time.Hour
	d.Allowlist, d.Denylist = []string{"127.0.0.0/8", "::1", "192.0.2.1", "192.0.2.2"}, []string{"203.0.113.1", "203.0.113.2"}
	d.Sources = []Source{{Kind: "file", File: "/c"}, {Kind: "file", File: "/d"}}
	d.Files = []string{path, filepath.Join(dir, "blockhosts.d/10.yaml"), filepath.Join(dir, "blockhosts.d/20.yaml")}
	d.Rules = []Rule{
		{Name: "a-B", Class: "auth", Pattern: "z", File: d.Files[1], Line: 4}, // class and all replaced
		{Name: "b-B", Class: "auth", Pattern: "y", File: path, Line: 5},
	}
	if !reflect.DeepEqual(c, d) {
		t.Errorf("got %+v\nwant %+v", c, d)
	}

	// Without the main file the directory still counts, unless it was named.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(path, false, Options{}); err != nil || c.Limits.Discard != 7*24*time.Hour || c.Limits.Blockcount != 7 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := Load(path, true, Options{}); err == nil {
		t.Error("a named file is missing, and nothing is said")
	}
	// An error names the file of the directory.
	bad := filepath.Join(dir, "blockhosts.d/20.yaml")
	if err := os.WriteFile(bad, []byte("\nclock: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var errs Errors
	if _, err := Load(path, false, Options{}); !errors.As(err, &errs) || errs[0].File != bad || errs[0].Line != 2 {
		t.Errorf("%v", err)
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none.yaml"), false, Options{CheckOwner: true}); err != nil {
		t.Errorf("nothing there: %v", err)
	}
	big := write(t, "big.yaml", "# "+strings.Repeat("x", maxFile))
	fifo := filepath.Join(dir, "fifo.yaml")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.yaml"):     "no such file",
		dir:                                 "is a directory",
		big:                                 "larger than",
		fifo:                                "not a regular file",
		filepath.Join(dir, "x.cfg"):         "configuration of blockhosts.py",
		filepath.Join(fifo, "x"):            "not a directory",
		write(t, "a.yaml", "x: \x00\n"):     "control character",
		filepath.Join(dir, "no", "no.yaml"): "no such file",
	} {
		_, err := Load(path, true, Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

func TestOldFormat(t *testing.T) {
	var errs Errors
	if _, err := Load("/etc/blockhosts.cfg", true, Options{}); !errors.As(err, &errs) || !strings.Contains(errs[0].Hint, "COUNT_THRESHOLD limits.blockcount") {
		t.Errorf("%v", err)
	}
}
