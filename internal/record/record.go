// Package record holds the nouns that the rooms hand to each other: what a
// log line yields, what one run leaves for the next, and what was decided.
// It knows no file, no clock and no other package of blockhosts.
package record

import (
	"net/netip"
	"time"
)

// A Line is one complete log line, taken apart once by its structure. The
// byte slices point into the reader's buffer and are valid during Match only.
type Line struct {
	Raw     []byte // the whole line, without its newline
	Message []byte // what follows the prefix, from the first byte that is not its blank; Raw where there is no prefix
	Program []byte // "sshd"; empty where the prefix names none
	PID     []byte // "1643"; empty where the prefix names none
	Form    Form   // the structure of the prefix
	Repeat  int    // 1, or N where the message stood in "message repeated N times: [ … ]", which is taken off
}

// A Form is the structure that the prefix of a line was found to have.
type Form uint8

// The forms of a prefix. FormNone is a line in which none was recognised,
// such as an Apache error log's; FormMultilog names a time but no program.
const (
	FormNone     Form = iota
	FormSyslog        // RFC 3164, "Jan  5 01:31:41 www sshd[1643]: ", also with a year, without a host, or with Solaris' "[ID 800047 auth.info] "
	FormISO           // "2026-01-05T01:31:41.123456+01:00 www sshd[1643]: "
	FormRFC5424       // "<38>1 2026-01-05T01:31:41Z www sshd 1643 - - "
	FormMetalog       // "Jan  5 01:31:41 [sshd] "
	FormMultilog      // "@4000000052d7a9f51e0d5a3c "
	FormBusyBox       // "Jan  5 01:31:41 www auth.info sshd[1643]: ", also without a host
	FormBare          // "sshd[1643]: ", journalctl -o cat with an identifier: a program, no time
)

// A Match is what the rules made of one line.
type Match struct {
	Matched   bool       // a rule blames Addr
	Ambiguous bool       // a rule matched, but the address cannot be told for sure; counts for nobody
	Known     bool       // some rule reads this line's program
	Rule      string     // "sshd-Fail": the first by name where several match
	Service   string     // "sshd"
	Class     string     // auth, probe or abuse
	Addr      netip.Addr // canonical, see Canonical
	Host      string     // a host name where the line has one instead of an address; foreign text
	User      string     // the user tried, at most MaxUser bytes; foreign text
	TimedOut  []string   // names of the rules that took too long on this line
}

// MaxUser is the length in bytes at which a user name from a log is cut:
// longer than any that useradd(8) takes, short enough for a table.
const MaxUser = 64

// A Failure is one hostile act that a rule found in a line.
type Failure struct {
	*Blame
	Time   time.Time // the line's own, in UTC; the run's where it has none
	PID    string
	User   string // foreign text
	Repeat int    // attempts that the line stands for, 1 or more
	Text   string // the line as evidence, cut at MaxEvidence bytes, for the first few of an address; foreign text
}

// A Blame is what a rule says of the lines of one program about one address.
// A flood's failures, hundreds of thousands, share some thousands of these,
// which are never changed.
type Blame struct {
	Addr    netip.Addr // canonical, see Canonical
	Host    string     // a name that stands for Addr, which is not valid until it is looked up; foreign text
	Service string     // the rule's service
	Rule    string
	Program string // with PID and Addr it tells attempts from lines; "" where the line names none
}

// MaxEvidence is the length in bytes at which a line kept for the mail is cut.
const MaxEvidence = 300

// EvidenceLines is how many lines of one address a scan keeps for the mail, where
// there will be one.
const EvidenceLines = 10

// A State is what one run leaves for the next: the content of the section.
// Slices are sorted as their comments say; a reader may rely on it. All times
// are UTC and whole tenths of a second, the precision of the section, so that
// what is loaded equals what was saved.
type State struct {
	Hosts    []Host    // by Net
	Blocks   []Block   // by Net
	Past     []Past    // by Net
	Tallies  []Tally   // by Key, then Rule
	Offsets  []Offset  // in the order of the sources
	Names    []Name    // host names of the lists, by Name
	Used     []Used    // blockers that hold addresses of ours, by Name
	Unmailed []Event   // oldest first, at most MaxUnmailed
	Troubles []Trouble // by Text
	Saved    time.Time // when the section was written; zero: by blockhosts.py or never
}

// MaxUnmailed is the number of events kept for the next mail while mail
// cannot be sent; the oldest go first.
const MaxUnmailed = 1000

// A Counter is a number of attempts, with what the limiters need of their
// times.
type Counter struct {
	Count   int         // attempts since the last quiet spell of discard, weighted by user
	Last    time.Time   // the last attempt
	Stamps  []time.Time // limiter window: the newest attempts, oldest first, at most MaxStamps
	Average float64     // limiter ema: the moving average at Last
}

// MaxStamps is how many stamps of a counter are kept at most: blockcount is
// limited to 100 with the limiter window, and one more decides.
const MaxStamps = 101

// A Host is an address with failures on record, watched or blocked.
type Host struct {
	Net       netip.Prefix   // what is counted: one IPv4 address, or an IPv6 prefix of the configured length
	Counter                  // of all services together
	Services  []ServiceCount // by Service; empty where blockhosts.py wrote the entry
	Offenders []netip.Addr   // IPv6: the distinct addresses that attempted, sorted, at most MaxOffenders
}

// MaxOffenders is how many distinct addresses of an IPv6 prefix are kept by
// name. 32 of 39 bytes fit a line of the section, which libwrap limits to
// 2,046 bytes (hosts_access(5)).
const MaxOffenders = 32

// A ServiceCount is a host's attempts on one service.
type ServiceCount struct {
	Service string
	Counter
}

// A Reason is why an address is blocked. The words are those of
// "blockhosts status --json".
type Reason string

// The reasons for a block.
const (
	ReasonCount     Reason = "count"     // over blockcount since the last quiet spell
	ReasonWindow    Reason = "window"    // over blockcount within the window
	ReasonEma       Reason = "ema"       // the moving average is over blockcount
	ReasonPrefix    Reason = "prefix"    // an IPv6 prefix over its limit, with enough distinct offenders in it
	ReasonPermanent Reason = "permanent" // so many blocks or attempts that it stays
	ReasonDenylist  Reason = "denylist"  // the administrator's denylist
	ReasonManual    Reason = "manual"    // the administrator's "blockhosts block"
)

// A Block is one deny line: an address or prefix that is kept out.
type Block struct {
	Net      netip.Prefix
	Host     netip.Prefix // the Host whose attempts brought it, invalid where none did
	Reason   Reason
	Since    time.Time
	Until    time.Time // when it ends; zero: with the last attempt + discard of its host, or never where Host is invalid
	Count    int       // attempts when it began
	By       string    // the service whose limit was crossed; "": the limit for all together
	Services []string  // sorted; what was attacked
	Note     string    // why, in the administrator's words, at most MaxNote bytes; "" where he gave none
}

// MaxNote is the length in bytes at which the reason given by hand is cut.
const MaxNote = 200

// Past is what is remembered of an address that was blocked before.
type Past struct {
	Net    netip.Prefix
	Blocks int       // how often it was blocked so far, the present block included
	Last   time.Time // when the latest block began or, once it is over, when it ended
}

// A Tally counts the lines of one rule about one attempt: the lines of one
// program, pid and address. Attempts are the largest tally of the key.
type Tally struct {
	Key   uint64 // hash of program, pid and address
	Rule  string
	Lines int
	Last  time.Time // of the latest line of the key
}

// An Offset is how far a source has been read, and what tells that the file
// of that name is still the one that was read.
type Offset struct {
	Path      string    // absolute, as the source names it
	Pos       int64     // bytes; always just past a newline
	Device    uint64    // st_dev; 0 where unknown
	Inode     uint64    // st_ino; 0 where unknown
	Head      string    // hash of the first line, "" where unknown
	Tail      string    // hash of the last 256 bytes before Pos, "" where unknown
	Read      time.Time // when it was read last; zero where unknown
	FirstLine string    // as blockhosts.py wrote it; read, never written
	Cursor    string    // of a source that counts no bytes: the last entry read, in its own words; else ""
	Lost      int64     // bytes that were there and were not read, in all runs
	Gap       time.Time // when a run last found that others may be lost, nobody knows how many; zero: never
}

// A Name is a host name of the allowlist or denylist, with the addresses that
// it had last.
type Name struct {
	Name  string
	Addrs []netip.Addr // sorted
}

// Used is a blocker that holds addresses of ours, with the names under which
// it holds them (chain, table, tag), so that they can be found again when the
// configuration no longer asks for it.
type Used struct {
	Name  string            // "iptables"
	Names map[string]string // "chain": "blockhosts"
}

// An Event is a decision that a mail has still to tell. It holds no foreign
// text: it is kept in an access-control file.
type Event struct {
	At       time.Time
	Action   Action
	Net      netip.Prefix
	Reason   Reason
	Count    int
	Before   int // blocks before this one
	Services []string
}

// A Trouble is a condition that lasts, such as a missing tool: told when it
// begins, when it ends, and once a day between.
type Trouble struct {
	Text  string // the problem's Key: the same text as long as it lasts
	Since time.Time
	Told  time.Time
	// Unmailed: the mail that was to tell of it could not be sent.
	Unmailed bool
}

// An Action is what was decided about an address.
type Action string

// The actions.
const (
	ActionBlock   Action = "block"
	ActionRelease Action = "release" // its block has ended
	ActionForget  Action = "forget"  // it was watched, and is no more
	ActionAllowed Action = "allowed" // it offended, and stands on the allowlist: not counted
	ActionSpared  Action = "spared"  // it is over the limit, and would lock out the administrator or the host: not blocked
	ActionDropped Action = "dropped" // Count addresses were forgotten early, for max_tracked
)

// A Decision is one thing that expire decided, with the reason, for every
// kind of output alike.
type Decision struct {
	Event
	Detail string    // the arithmetic: "8 failures (sshd 8), limit 7"; no foreign text
	Last   time.Time // the last attempt
	Users  []string  // for the mail: names tried in this run, sorted, at most ten; foreign text
	Lines  []string  // for the mail: lines of this run that did it, at most EvidenceLines; foreign text
	Prior  time.Time // when the block before this one ended; zero where there was none
}

// A Problem is something that did not work and that did not stop the rest.
type Problem struct {
	Key   string // short and the same from run to run: "source /var/log/auth.log: permission denied"
	Text  string // for people: what failed, on what, what to do
	Fails bool   // the run ends with exit code 3
	Warns bool   // where it does not fail: a warning, else a notice
}

// An Explanation is what is known of one address, and what follows from it.
type Explanation struct {
	Addr    netip.Addr
	Verdict string   // in one line
	Allowed string   // the entry of the allowlist that has it; "" for none
	Denied  string   // the entry of the denylist that has it; "" for none
	Spared  string   // why automatic blocks leave it alone; "" where they do not
	Blocks  []Held   // that hold it
	Host    *Host    // under which it is counted; nil where it is not
	Counts  []string // each counter held against its limit, in words
	Past    *Past    // nil where nothing is remembered
}

// A Held is a block, and when it ends as things stand.
type Held struct {
	Block
	Ends time.Time // zero: never
}
