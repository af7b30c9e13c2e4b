package cli

import (
	"fmt"
	"strings"
	"time"

	"blockhosts/internal/config"
	"blockhosts/internal/run"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flags are the options of blockhosts.py 2.7 and 3.0 under their own names,
// and --now.
type flags struct {
	configfile, echo, blockfile, logfiles, lockfile, enableRules string
	discard, allowlist, denylist, checkIP, notify, ipblock, now  string
	since, until                                                 string
	blockcount                                                   int
	quiet, verbose, debug, dryRun, loadOnly, ignoreOffset, mail  bool
	replay, asJSON, version                                      bool
}

// The groups in which --help shows the flags, as the original grouped them.
const (
	groupRun   = "This run"
	groupWhat  = "What is read and who is blocked"
	groupMail  = "Mail"
	groupBlock = "Packet filter and routes"
)

var groups = []string{groupRun, groupWhat, groupMail, groupBlock}

// groupKey is the annotation of a flag that names its group.
const groupKey = "group"

func (f *flags) register(root *cobra.Command) {
	set := root.PersistentFlags()
	set.SortFlags = false
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		switch name {
		case "whitelist":
			name = "allowlist"
		case "blacklist":
			name = "denylist"
		}
		return pflag.NormalizedName(name)
	})
	set.StringVar(&f.configfile, "configfile", config.DefaultPath, "read `FILE` and the files of its .d directory instead of the default ones")
	set.BoolVarP(&f.quiet, "quiet", "q", false, "print errors only")
	set.BoolVarP(&f.verbose, "verbose", "v", false, "print what is done")
	set.BoolVarP(&f.debug, "debug", "g", false, "print everything")
	set.StringVar(&f.blockfile, "blockfile", "", "the `FILE` with the marked section")
	set.StringVar(&f.lockfile, "lockfile", "", "the `FILE` that keeps two runs apart")
	set.StringVar(&f.logfiles, "logfiles", "", "read these `FILES`, a comma list of names, instead of the sources")
	set.StringVar(&f.enableRules, "enable-rules", "", "`PATTERN` held against the start of each rule's name")
	set.IntVar(&f.blockcount, "blockcount", 0, "block when there are more than `N` failures")
	set.StringVar(&f.discard, "discard", "", "forget an address this long after its last failure: `AGE`, 30s 10m 12h 7d 4w or whole hours; 0 forgets all")
	set.StringVar(&f.allowlist, "allowlist", "", "never block these: a comma `LIST` of addresses, prefixes, patterns; also --whitelist")
	set.StringVar(&f.denylist, "denylist", "", "always block these: a comma `LIST`, the same; also --blacklist")
	set.BoolVar(&f.mail, "mail", false, "mail a summary when something changed")
	set.StringVar(&f.notify, "notify-address", "", "mail to this comma `LIST`")
	set.StringVar(&f.ipblock, "ipblock", "", "block by `NAME`: auto, nftables, ipset, iptables, iproute, nullroute, pf, or the path of iptables, ip6tables or \"ip route\"; empty: none")
	group(set, groupRun, "configfile", "quiet", "verbose", "debug", "lockfile")
	group(set, groupWhat, "blockfile", "logfiles", "enable-rules", "blockcount", "discard", "allowlist", "denylist")
	group(set, groupMail, "mail", "notify-address")
	group(set, groupBlock, "ipblock")

	own := root.Flags()
	own.SortFlags = false
	own.BoolVar(&f.dryRun, "dry-run", false, "print the section, the commands and the mail; change nothing, need no root")
	own.BoolVar(&f.loadOnly, "load-only", false, "load the section and report; read no logs, write nothing")
	own.BoolVar(&f.ignoreOffset, "ignore-offset", false, "read the logs from their start")
	own.StringVar(&f.echo, "echo", "", "write `TAG` to syslog, to tell one spawn from another")
	own.StringVar(&f.now, "now", "", "run as if it were this `TIME` (RFC 3339); with --dry-run or --replay")
	own.BoolVar(&f.replay, "replay", false, "tell whom these limits would have blocked, by the logs' own time, and who of them logged in later; write nothing")
	own.StringVar(&f.since, "since", "", "pass over failures before this `TIME`: an age, 2h, or RFC 3339; with --dry-run, --replay or --logfiles")
	own.StringVar(&f.until, "until", "", "pass over failures after this `TIME`")
	own.BoolVar(&f.asJSON, "json", false, "print one JSON object; with --replay")
	own.StringVar(&f.checkIP, "check-ip", "", "mail only if this `ADDRESS` is watched or blocked, and only about it")
	own.BoolVar(&f.version, "version", false, "print the version of blockhosts")
	group(own, groupRun, "dry-run", "load-only", "ignore-offset", "echo", "now", "replay", "since", "until", "json")
	group(own, groupMail, "check-ip")
}

func group(set *pflag.FlagSet, name string, names ...string) {
	for _, n := range names {
		if err := set.SetAnnotation(n, groupKey, []string{name}); err != nil {
			panic(err) // a flag that is not registered: a mistake in this file
		}
	}
}

// over is the part of the command line that overrides the configuration.
func (f *flags) over(cmd *cobra.Command) (config.Flags, error) {
	given := cmd.Flags().Changed
	o := config.Flags{Mail: f.mail}
	for name, field := range map[string]struct {
		to   **string
		from *string
	}{
		"blockfile": {&o.Blockfile, &f.blockfile}, "lockfile": {&o.Lockfile, &f.lockfile}, "logfiles": {&o.Logfiles, &f.logfiles},
		"enable-rules": {&o.EnableRules, &f.enableRules}, "allowlist": {&o.Allowlist, &f.allowlist}, "denylist": {&o.Denylist, &f.denylist},
		"notify-address": {&o.NotifyAddress, &f.notify}, "ipblock": {&o.Ipblock, &f.ipblock},
	} {
		if given(name) {
			*field.to = field.from
		}
	}
	if given("blockcount") {
		o.Blockcount = &f.blockcount
	}
	if given("discard") {
		age, err := config.ParseAge(f.discard)
		if err != nil {
			return o, usageError{text: "--discard: " + err.Error()}
		}
		o.Discard = &age
	}
	o.Quiet, o.Verbose, o.Debug = f.quiet, f.verbose, f.debug
	return o, nil
}

// options is the part of the command line that is about this run alone.
func (f *flags) options(cmd *cobra.Command) (run.Options, error) {
	if f.dryRun && f.loadOnly {
		return run.Options{}, usageError{text: "--dry-run and --load-only exclude each other: the one scans and writes nothing, the other does not even scan"}
	}
	if f.replay && (f.dryRun || f.loadOnly) {
		return run.Options{}, usageError{text: "--replay goes neither with --dry-run nor with --load-only: it writes nothing, and begins with an empty section"}
	}
	if f.asJSON && !f.replay {
		return run.Options{}, usageError{text: "--json goes with --replay, or with a command that reports", hint: "blockhosts status --json"}
	}
	given := cmd.Flags().Changed
	return run.Options{
		DryRun: f.dryRun, LoadOnly: f.loadOnly, IgnoreOffset: f.ignoreOffset,
		Echo: f.echo, CheckIP: f.checkIP,
		Sync: !f.loadOnly || given("ipblock"), Mail: !f.loadOnly || given("mail"),
	}, nil
}

// moment is when the run takes place.
func (f *flags) moment(w World) (time.Time, error) {
	if f.now != "" && !f.dryRun && !f.replay {
		return time.Time{}, usageError{text: "--now goes with --dry-run and --replay only: a real run happens now"}
	}
	return momentOf(f.now, w)
}

// span is which failures count, by --since and --until; zero: no bound.
func (f *flags) span(w World, now time.Time) (since, until time.Time, err error) {
	if (f.since != "" || f.until != "") && !f.dryRun && !f.replay && f.logfiles == "" {
		return since, until, usageError{text: "--since and --until go with --dry-run, --replay or --logfiles: a run reads what its sources gained"}
	}
	if since, err = boundOf("since", f.since, w, now); err != nil {
		return since, until, err
	}
	if until, err = boundOf("until", f.until, w, now); err != nil {
		return since, until, err
	}
	if !until.IsZero() && until.Before(since) {
		err = usageError{text: "--until is before --since: nothing is between them"}
	}
	return since, until, err
}

// boundOf reads an age before now, a time of RFC 3339, or a date, which is the
// beginning of that day.
func boundOf(option, text string, w World, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, w.Local); err == nil {
		return t, nil
	}
	age, err := config.ParseAge(text)
	if err != nil || strings.Trim(text, "0123456789") == "" {
		return time.Time{}, usageError{text: fmt.Sprintf("--%s %.60q is neither an age nor a time", option, text), hint: "write 2h, 7d, 2026-01-05 or 2026-01-05T01:31:41+01:00"}
	}
	return now.Add(-age), nil
}

// help prints the text of a command with its flags in groups, each with the
// value that it has now, configuration included.
func help(cmd *cobra.Command, f *flags, w World) {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s\n\nUsage:\n  %s\n", firstOf(cmd.Long, cmd.Short), cmd.UseLine())
	if subs := cmd.Commands(); len(subs) > 0 {
		fmt.Fprintln(out, "\nCommands:")
		for _, sub := range subs {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(out, "  %-10s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	showCurrent(cmd, f, w)
	for _, name := range groups {
		printGroup(cmd, name, name)
	}
	printGroup(cmd, "", "Also")
	if cmd.HasSubCommands() {
		fmt.Fprint(out, exitHelp)
	}
}

const exitHelp = `
Exit status: 0 done; 1 another run holds the lock; 2 bad usage or configuration,
or the blockfile lacks its markers: nothing was touched; 3 done in part, the
next run tries again; 70 a bug.
`

func printGroup(cmd *cobra.Command, group, title string) {
	set := pflag.NewFlagSet(title, pflag.ContinueOnError)
	set.SortFlags = false
	cmd.Flags().VisitAll(func(fl *pflag.Flag) {
		if strings.Join(fl.Annotations[groupKey], "") == group {
			set.AddFlag(fl)
		}
	})
	if set.HasAvailableFlags() {
		usage := strings.ReplaceAll(set.FlagUsagesWrapped(80), "(default", "(now")
		fmt.Fprintf(cmd.OutOrStdout(), "\n%s:\n%s", title, usage)
	}
}

// showCurrent makes the value of each flag's configuration its default, which
// is what the usage text shows.
func showCurrent(cmd *cobra.Command, f *flags, w World) {
	c, err := f.config(cmd, w)
	if err != nil {
		fmt.Fprintln(cmd.OutOrStdout(), "\n(the values shown are the defaults: the configuration has errors)")
		c = config.Default()
	}
	for name, value := range map[string]string{
		"blockfile": c.Blockfile, "lockfile": c.Lockfile, "logfiles": sourceNames(c), "enable-rules": c.EnableRules,
		"blockcount": fmt.Sprint(c.Limits.Blockcount), "discard": config.FormatAge(c.Limits.Discard),
		"allowlist": strings.Join(c.Allowlist, ","), "denylist": strings.Join(c.Denylist, ","),
		"mail": fmt.Sprint(c.Mail.Enabled), "notify-address": strings.Join(c.Mail.To, ","), "ipblock": blockerNames(c),
	} {
		if fl := cmd.Flags().Lookup(name); fl != nil {
			fl.DefValue = value
		}
	}
}

func sourceNames(c config.Config) string {
	var names []string
	for _, s := range c.Sources {
		if s.File != "" {
			names = append(names, s.File)
			continue
		}
		names = append(names, s.Kind)
	}
	if len(c.Sources) == 0 {
		return strings.Join(config.DefaultLogs, ",") + "; without them the journal"
	}
	return strings.Join(names, ",")
}

func blockerNames(c config.Config) string {
	var names []string
	for _, b := range c.Blockers {
		names = append(names, b.Name)
	}
	return strings.Join(names, ",")
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
