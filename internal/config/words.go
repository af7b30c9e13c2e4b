package config

// The words that some keys take, as they stand in the file.
const (
	LevelError   = "error" // of Config.Verbose, from the gravest
	LevelWarning = "warning"
	LevelNotice  = "notice"
	LevelInfo    = "info"
	LevelDebug   = "debug"

	ClockLog = "log" // of Config.Clock
	ClockRun = "run"

	SourceFile    = "file" // of Source.Kind
	SourceJournal = "journal"
	SourceFIFO    = "fifo"
	SourceUDP     = "udp"

	ClassAuth  = "auth" // of Config.EnableClasses and Rule.Class
	ClassProbe = "probe"
	ClassAbuse = "abuse"

	LimiterCount  = "count" // of Limits.Limiter
	LimiterWindow = "window"
	LimiterEMA    = "ema"

	CountByAddress = "address" // of Limits.CountBy
	CountByService = "service"

	ScopeAll     = "all" // of a blocker's option "scope"
	ScopeService = "service"

	TLSAuto     = "auto" // of SMTP.TLS
	TLSNone     = "none"
	TLSStartTLS = "starttls"
	TLSAlways   = "tls"

	BlockerAuto      = "auto" // of Blocker.Name
	BlockerNftables  = "nftables"
	BlockerIpset     = "ipset"
	BlockerIptables  = "iptables" // each of the two manages both families
	BlockerIp6tables = "ip6tables"
	BlockerIproute   = "iproute"
	BlockerNullroute = "nullroute"
	BlockerPf        = "pf"
	BlockerCommand   = "command"
	BlockerNone      = "none"
)

// UserBlock is the weight, in Limits.Users, of a user whose first failure
// blocks: the word "block" in the file.
const UserBlock = -1

const userBlock = "block"

var (
	levels   = []string{LevelError, LevelWarning, LevelNotice, LevelInfo, LevelDebug}
	clocks   = []string{ClockLog, ClockRun}
	classes  = []string{ClassAuth, ClassProbe, ClassAbuse}
	limiters = []string{LimiterCount, LimiterWindow, LimiterEMA}
	countBys = []string{CountByAddress, CountByService}
	scopes   = []string{ScopeAll, ScopeService}
	tlsModes = []string{TLSAuto, TLSNone, TLSStartTLS, TLSAlways}
	blockers = []string{BlockerAuto, BlockerNftables, BlockerIpset, BlockerIptables, BlockerIp6tables, BlockerIproute,
		BlockerNullroute, BlockerPf, BlockerCommand, BlockerNone}
)
