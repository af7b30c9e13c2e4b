package config

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// fields lists every key there is, bound to c. It is the one place where a
// key is added; the sample must have it as well.
func fields(c *Config) []field {
	return []field{
		{key: "blockfile", read: textTo(&c.Blockfile, path)},
		{key: "blockline", sub: []field{
			{key: "ipv4", read: textTo(&c.Blockline.IPv4, ipv4Template)},
			{key: "ipv6", read: textTo(&c.Blockline.IPv6, ipv6Template)},
		}},
		{key: "reload", read: listTo(&c.Reload, false, filled, command)},
		{key: "lockfile", read: textTo(&c.Lockfile, path)},
		{key: "verbose", read: textTo(&c.Verbose, oneOf(levels))},
		{key: "log", sub: []field{
			{key: "file", read: textTo(&c.Log.File, path)},
			{key: "time_format", read: textTo(&c.Log.TimeFormat, oneLine, layout)},
		}},
		{key: "sources", read: sourcesTo(&c.Sources), sub: sourceFields(&Source{})},
		{key: "enable_rules", read: textTo(&c.EnableRules, pattern)},
		{key: "enable_classes", read: listTo(&c.EnableClasses, true, oneOf(classes))},
		{key: "ignore_duplicates", read: boolTo(&c.IgnoreDuplicates)},
		{key: "resolve", read: boolTo(&c.Resolve)},
		{key: "clock", read: textTo(&c.Clock, oneOf(clocks))},
		{key: "limits", sub: append(limitFields(&c.Limits), commonFields(&c.Limits)...)},
		{key: "services", read: services, sub: serviceFields(&Service{})},
		{key: "max_tracked", read: intTo(&c.MaxTracked, minTracked, maxTracked)},
		{key: "allowlist", read: entriesTo(&c.Allowlist, allowEntry)},
		{key: "denylist", read: entriesTo(&c.Denylist, denyEntry)},
		{key: "spare", read: boolTo(&c.Spare)},
		{key: "blockers", read: blockersTo(&c.Blockers)},
		{key: "mail", sub: mailFields(&c.Mail)},
		{key: "rules", read: rulesTo(&c.Rules), sub: ruleFields(&Rule{})},
	}
}

func mailFields(m *Mail) []field {
	return []field{
		{key: "enabled", read: boolTo(&m.Enabled)},
		{key: "to", read: listTo(&m.To, true, mailbox)},
		{key: "from", read: textTo(&m.From, mailbox)},
		{key: "smtp", sub: []field{
			{key: "host", read: textTo(&m.SMTP.Host, server)},
			{key: "port", read: intTo(&m.SMTP.Port, 1, 65535)},
			{key: "tls", read: textTo(&m.SMTP.TLS, oneOf(tlsModes))},
			{key: "user", read: textTo(&m.SMTP.User, filled, oneLine)},
			{key: "password_file", read: textTo(&m.SMTP.PasswordFile, path)},
		}},
		{key: "sendmail", read: textTo(&m.Sendmail, path)},
	}
}

func ruleFields(r *Rule) []field {
	return []field{
		{key: "class", read: textTo(&r.Class, oneOf(classes))},
		{key: "pattern", read: textTo(&r.Pattern, filled, balanced)},
		{key: "samples", read: samplesTo(&r.Samples), sub: sampleFields(&Sample{})},
		{key: "ignores", read: listTo(&r.Ignores, false)},
		{key: "unpinned", read: boolTo(&r.Unpinned)},
	}
}

func sampleFields(s *Sample) []field {
	return []field{
		{key: "line", read: textTo(&s.Line, filled)},
		{key: "address", read: textTo(&s.Address, address)},
		{key: "user", read: textTo(&s.User)},
	}
}

// The readers of lists and maps that are not plain.

// entriesTo adds to the default and to what earlier files say, so that no file
// takes off the list what another counts on.
func entriesTo(p *[]string, entry check) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		list, _ := d.items(key, n, "a list")
		var more []string
		for _, item := range list {
			if item.Kind == yaml.MappingNode {
				d.want(item, key, "text", "write file:/path and re:pattern without a blank behind the colon, and put quotes round them")
			} else if s, ok := d.text(key, item, entry); ok {
				more = append(more, s)
			}
		}
		*p = unique(slices.Concat(*p, more))
	}
}

func unique(list []string) []string {
	seen := make(map[string]bool, len(list))
	return slices.DeleteFunc(list, func(s string) bool {
		old := seen[s]
		seen[s] = true
		return old
	})
}

// rulesTo keeps the rules sorted by name; one of a later file replaces its
// namesake whole.
func rulesTo(p *[]Rule) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		for k, v := range d.pairs(key, n, "rules by name") {
			if !isRuleName(k.Value) {
				d.fail(k, key, quote(k.Value)+" is not the name of a rule", "write SERVICE-WORD, as sshd-Fail, in letters, digits and _ . + -")
				continue
			}
			r := Rule{Name: k.Value, Class: ClassAuth, File: d.file, Line: k.Line}
			before := len(d.errs)
			d.section(join(key, r.Name), v, ruleFields(&r))
			if r.Pattern == "" && len(d.errs) == before {
				d.fail(k, join(key, r.Name), "a rule without pattern", "")
			}
			i, found := slices.BinarySearchFunc(*p, r.Name, func(r Rule, name string) int { return strings.Compare(r.Name, name) })
			if found {
				(*p)[i] = r
			} else {
				*p = slices.Insert(*p, i, r)
			}
		}
	}
}

func samplesTo(p *[]Sample) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		list, ok := d.items(key, n, "a list of samples")
		if !ok {
			return
		}
		for i, item := range list {
			var s Sample
			before := len(d.errs)
			d.section(key, item, sampleFields(&s))
			if (s.Line == "" || s.Address == "") && len(d.errs) == before {
				d.fail(item, key, fmt.Sprintf("sample %d lacks its line or its address", i+1), "write {line: '…', address: 192.0.2.1}")
			}
			*p = append(*p, s)
		}
	}
}
