package config

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func ptr[T any](v T) *T { return &v }

func TestWith(t *testing.T) {
	for name, c := range map[string]struct {
		f    Flags
		want func(*Config)
	}{
		"nothing": {Flags{}, func(*Config) {}},
		"files":   {Flags{Blockfile: ptr("b"), Lockfile: ptr("l")}, func(c *Config) { c.Blockfile, c.Lockfile = "b", "l" }},
		"logfiles": {Flags{Logfiles: ptr("/a, b[,")}, func(c *Config) {
			c.Sources = []Source{{Kind: "file", File: "/a", Literal: true}, {Kind: "file", File: "b[", Literal: true}}
		}},
		"limits":    {Flags{Blockcount: ptr(0), Discard: ptr(time.Duration(0))}, func(c *Config) { c.Limits.Blockcount, c.Limits.Discard = 0, 0 }},
		"rules":     {Flags{EnableRules: ptr("sshd-.*")}, func(c *Config) { c.EnableRules = "sshd-.*" }},
		"allow":     {Flags{Allowlist: ptr(`10\..*,127.0.0.1`)}, func(c *Config) { c.Allowlist = []string{`10\..*`, "127.0.0.1"} }},
		"nobody":    {Flags{Allowlist: ptr("")}, func(c *Config) { c.Allowlist = nil }},
		"hosts":     {Flags{Allowlist: ptr("admin.example.org,file:/a b,::1")}, func(c *Config) { c.Allowlist = []string{"admin.example.org", "file:/a b", "::1"} }},
		"deny":      {Flags{Denylist: ptr(" 203.0.113.1 , ::2")}, func(c *Config) { c.Denylist = []string{"203.0.113.1", "::2"} }},
		"mail":      {Flags{Mail: true, NotifyAddress: ptr("root,a@b.example")}, func(c *Config) { c.Mail.Enabled, c.Mail.To = true, []string{"root", "a@b.example"} }},
		"quiet":     {Flags{Quiet: true}, func(c *Config) { c.Verbose = "error" }},
		"verbose":   {Flags{Quiet: true, Verbose: true}, func(c *Config) { c.Verbose = "info" }},
		"debug":     {Flags{Verbose: true, Debug: true}, func(c *Config) { c.Verbose = "debug" }},
		"ipblock":   {Flags{Ipblock: ptr("/sbin/ip route")}, func(c *Config) { c.Blockers = []Blocker{{Name: "iproute", Path: "/sbin/ip"}} }},
		"noipblock": {Flags{Ipblock: ptr("")}, func(c *Config) { c.Blockers = []Blocker{{Name: "none"}} }},
	} {
		before, want := Default(), Default()
		c.want(&want)
		got, err := before.With(c.f)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, want)
		}
		if !reflect.DeepEqual(before, Default()) {
			t.Errorf("%s: changed what it was called on", name)
		}
	}
}

func TestWithRefused(t *testing.T) {
	for want, f := range map[string]Flags{
		"--blockfile: want the name of a file":   {Blockfile: ptr("")},
		"--lockfile: ":                           {Lockfile: ptr("")},
		"--logfiles: no name given":              {Logfiles: ptr(" ,")},
		"--enable-rules: ":                       {EnableRules: ptr("(")},
		"--blockcount: want a whole number":      {Blockcount: ptr(-1)},
		"--discard: want an age":                 {Discard: ptr(-time.Hour)},
		"--allowlist: \"192.0.2.256\" is not an": {Allowlist: ptr("192.0.2.1,192.0.2.256")},
		"--denylist: \"::/0\" would block":       {Denylist: ptr("::/0")},
		"--notify-address: no address":           {NotifyAddress: ptr("")},
		"--notify-address: \"a b\" is not":       {NotifyAddress: ptr("a b")},
		"--ipblock: \"ipfw\" is not a blocker":   {Ipblock: ptr("ipfw")},
	} {
		_, err := Default().With(f)
		var errs Errors
		if !errors.As(err, &errs) || !strings.HasPrefix(err.Error(), want) || errs[0].File != "" {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}

func TestParseIpblock(t *testing.T) {
	for in, want := range map[string]Blocker{
		"":                         {Name: "none"},
		"  ":                       {Name: "none"},
		"none":                     {Name: "none"},
		"iptables":                 {Name: "iptables"},
		"ip6tables":                {Name: "ip6tables"},
		"/sbin/iptables":           {Name: "iptables", Path: "/sbin/iptables"},
		"/opt/my tools/ip6tables":  {Name: "ip6tables", Path: "/opt/my tools/ip6tables"},
		"./iptables":               {Name: "iptables", Path: "./iptables"},
		"iproute":                  {Name: "iproute"},
		"auto":                     {Name: "auto"},
		"nftables":                 {Name: "nftables"},
		"ipset":                    {Name: "ipset"},
		"nullroute":                {Name: "nullroute"},
		"pf":                       {Name: "pf"},
		"command":                  {Name: "command"},
		"ip route":                 {Name: "iproute"},
		" ip  route ":              {Name: "iproute"},
		"/usr/sbin/ip route":       {Name: "iproute", Path: "/usr/sbin/ip"},
		"/usr/my tools/ip   route": {Name: "iproute", Path: "/usr/my tools/ip"},
	} {
		if got, ok := parseIpblock(in); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v; want %+v", in, got, ok, want)
		}
	}
	for _, in := range []string{"ip", "/sbin/ip", "route", "ip route add", "/sbin/iptables -w", "iptable", "/sbin/none", "/sbin/iproute", "sh -c x", "xip route", "/", "/sbin/", "ipfw", "/sbin/nftables", "/sbin/ipset", "/sbin/pf"} {
		if got, ok := parseIpblock(in); ok {
			t.Errorf("%q: %+v", in, got)
		}
	}
}

func TestSplitEntries(t *testing.T) {
	for in, want := range map[string][]string{
		`10\..*,127.0.0.1`:              {`10\..*`, "127.0.0.1"},
		`10\.\d{1,3}\..*,192.0.2.1`:     {`10\.\d{1,3}\..*`, "192.0.2.1"},
		`a[(,]b,c`:                      {"a[(,]b", "c"},
		`(a,b),c\,d,e`:                  {"(a,b)", `c\,d`, "e"},
		` a , ,b,`:                      {"a", "b"},
		`\`:                             {`\`},
		`a),b`:                          {"a)", "b"},
		"":                              nil,
		"file:/etc/a,2001:db8::/32,::1": {"file:/etc/a", "2001:db8::/32", "::1"},
	} {
		if got := splitEntries(in); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
