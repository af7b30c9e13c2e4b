// Package config makes one checked value of blockhosts.yaml, the files of its
// .d directory and the command line. It knows no other room of blockhosts and
// evaluates nothing: a configuration is data. What it accepts, a run can rely
// on; what it refuses, it names with file, line and what to write instead.
package config

import (
	"os"
	"time"
)

// DefaultPath is the configuration that is read where none is named.
const DefaultPath = "/etc/blockhosts.yaml"

// DefaultLogs are the files that are read where Sources is empty and they
// exist: Debian's name and Red Hat's for syslog's auth and authpriv.
var DefaultLogs = []string{"/var/log/auth.log", "/var/log/secure"}

// A Config is everything an administrator can say, with the defaults filled in.
type Config struct {
	Blockfile        string    // the file with the marked section
	Blockline        Blockline // templates of the deny lines
	Reload           []string  // argument vector, run after the deny lines changed; empty: none
	Lockfile         string
	Verbose          string // error, warning, notice, info or debug
	Log              Log
	Sources          []Source // empty: those of DefaultLogs that exist, else the journal
	EnableRules      string   // pattern for the start of a rule's name
	EnableClasses    []string // auth, probe, abuse
	IgnoreDuplicates bool     // attempts are counted, not lines
	Resolve          bool     // host names in log lines are looked up
	Clock            string   // log: a failure happens when its line says; run: when the run finds it
	Limits           Limits   // for every service
	Services         map[string]Service
	MaxTracked       int      // addresses on record
	Allowlist        []string // addresses, prefixes, patterns with or without "re:", "file:" with an absolute path, host names
	Denylist         []string // the same
	Spare            bool     // leave this host's own addresses, gateway, resolvers and open sessions alone
	Blockers         []Blocker
	Mail             Mail
	Rules            []Rule   // by Name
	Files            []string // what was read, in order; for people
}

// A Blockline has the templates of a deny line. {ip} is the address, and of an
// IPv4 prefix address/len; {len} is the length of the prefix.
type Blockline struct{ IPv4, IPv6 string }

// A Log is the record of actions that is kept besides syslog.
type Log struct {
	File       string // empty: none
	TimeFormat string // layout of package time
}

// Limits decide who is blocked and for how long.
type Limits struct {
	Limiter           string         // count, window or ema
	Blockcount        int            // blocked when the count, or the average, is over this; with window at most 100
	Window            time.Duration  // for window; at least a second
	HalfLife          time.Duration  // for ema; at least a second
	Discard           time.Duration  // an address is forgotten this long after its last failure; 0: at once
	BlockFor          time.Duration  // how long a block lasts; 0: until the last failure + Discard
	BlockFactor       float64        // from 1: how much longer a block lasts at every repetition
	BlockMax          time.Duration  // what BlockFor and BlockFactor give at most; 0: no bound
	BlockPerHundred   time.Duration  // added to a block for every hundred failures of the run
	PermanentAfter    int            // the block of this number stays; 0: none
	PermanentFailures int            // so many failures make a block stay; 0: none
	Users             map[string]int // weight of a failure by the user, or "re:" and a pattern; UserBlock blocks; nil: 1 each

	// For all services together; a Service has them, too, without a meaning.
	CountBy    string        // address, or service: each held against its limits alone
	IPv6Prefix int           // bits by which IPv6 is counted
	PrefixMin  int           // offenders in a prefix from which on it is blocked whole
	Remember   time.Duration // how long the number of blocks of an unblocked address is kept
}

// A Service is what holds for one service, by the part of a rule's name before
// its last dash.
type Service struct {
	Limits    Limits // complete: what the service does not set is as in Config.Limits
	Ports     []int  // TCP, each once; for blockers with "scope: service"
	HasLimits bool   // a limit is set here, so that the service is held against limits of its own
}

// A Blocker is a back end that enforces blocks.
type Blocker struct {
	Name string // see BlockerAuto and those after it
	Path string // of iptables, ip6tables or ip, from --ipblock; empty: looked for

	// Options are unchecked but for "scope" (all or service): string, bool,
	// int, float64, and []any and map[string]any of these. nil: none.
	Options map[string]any
}

// A Mail says who is told, and how.
type Mail struct {
	Enabled  bool
	To       []string
	From     string // empty: the run's choice
	SMTP     SMTP   // used where its Host is set, else Sendmail
	Sendmail string // path of a program that takes "-t -oi"
}

// An SMTP is a mail server.
type SMTP struct {
	Host         string
	Port         int    // 25; 465 where TLS is tls, 587 where there is a User
	TLS          string // auto (STARTTLS where offered, required with a User), none, starttls or tls
	User         string // empty: no log-in
	PasswordFile string // see ReadPassword
}

// A Rule is a local rule, as it was written. Its pattern is in the rules'
// own language and checked only for balance.
type Rule struct {
	Name     string // service-Word
	Class    string // auth, probe or abuse
	Pattern  string
	Samples  []Sample
	Ignores  []string
	Unpinned bool
	File     string // where it stands
	Line     int    // from 1
}

// A Sample is a line that a rule must match, and what it must find there.
type Sample struct{ Line, Address, User string }

// Default returns the configuration of a host without any file. The sample
// blockhosts.yaml says the same, and a test holds the two together; here it
// costs no parsing. It looks whether /run exists.
func Default() Config {
	c := base()
	c.resolve()
	return c
}

// base is Default before what depends on other keys is filled in.
func base() Config {
	return Config{
		Blockfile:        "/etc/hosts.allow",
		Blockline:        Blockline{IPv4: "ALL: {ip} : deny", IPv6: "ALL: [{ip}]/{len} : deny"},
		Verbose:          LevelWarning,
		Log:              Log{TimeFormat: "2006-01-02 15:04:05"},
		EnableRules:      "(?i)(sshd|.*ftpd).*",
		EnableClasses:    []string{ClassAuth},
		IgnoreDuplicates: true,
		Clock:            ClockLog,
		Limits: Limits{
			Limiter:     LimiterCount,
			Blockcount:  7,
			Window:      10 * time.Minute,
			HalfLife:    10 * time.Minute,
			Discard:     12 * time.Hour,
			BlockFactor: 1,
			BlockMax:    30 * day,
			CountBy:     CountByAddress,
			IPv6Prefix:  64,
			PrefixMin:   2,
			Remember:    30 * day,
		},
		MaxTracked: 200_000,
		Allowlist:  []string{"127.0.0.0/8", "::1"},
		Spare:      true,
		Mail: Mail{
			To:       []string{"root"},
			SMTP:     SMTP{TLS: TLSAuto},
			Sendmail: "/usr/sbin/sendmail",
		},
	}
}

// resolve fills in the defaults that hang on the host or on other keys.
func (c *Config) resolve() {
	if c.Lockfile == "" {
		c.Lockfile = "/run/blockhosts.lock"
		if _, err := os.Stat("/run"); err != nil { // BSD and macOS
			c.Lockfile = "/var/run/blockhosts.lock"
		}
	}
	if s := &c.Mail.SMTP; s.Port == 0 {
		switch {
		case s.TLS == TLSAlways:
			s.Port = 465 // RFC 8314, 3.3
		case s.User != "":
			s.Port = 587 // RFC 6409, 3.1
		default:
			s.Port = 25
		}
	}
}
