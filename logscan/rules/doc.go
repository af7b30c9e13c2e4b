// Package rules tells which log lines are hostile acts, and whom they blame.
// It reads lines that logscan has taken apart and knows no file, no clock and
// no configuration but the rules that it is given.
//
// A rule is a name service-Word, a class, one regexp2 pattern and its samples.
// A pattern is written in regexp2's dialect with two keywords:
//
//	{LOG_PREFIX{prog}}  at the start: the rule reads the lines of the programs
//	                    that the regular expression prog matches whole, and the
//	                    pattern is held against the message alone, from its first
//	                    byte. The blank behind the keyword belongs to it. sshd also
//	                    means sshd-session and sshd-auth.
//	{HOST_IP}           the address to blame.
//
// A pattern without {LOG_PREFIX{…}} sees the whole line and is anchored where
// it says so. The group (?<user>…) is the user tried. Blanks at the end of a
// line are not there for a pattern, and neither are line breaks, so that $ is
// the end of the message and nothing else.
//
// # How the address is found
//
// Not by the pattern. The addresses of a line are found first, by their own
// grammar; then each in turn is put before the pattern as the only thing that
// {HOST_IP} can stand for. So every reading of the line is seen, whatever the
// pattern's greed. A rule that can read two different addresses, or two rules
// that do, make the line ambiguous: it counts for nobody.
//
// # What a line costs
//
// Nearly nothing, where it is no failure. The rules that read the same lines are
// one automaton, which drops a line at the byte where no pattern can match any
// more (sieve.go). What is left is held against the patterns by a small matcher
// on bytes (fast.go); regexp2 has the last word on what that does not know: text
// beyond ASCII, and the few patterns that it cannot take.
//
// # How a rule is pinned
//
// That alone is no protection where the true address is not among the readings.
// So every rule is linted, see Lint: between one end of the message and
// {HOST_IP} may stand only what a client cannot choose, which is literal text
// and repeated classes without blanks, quotes, brackets, comma and semicolon
// (\d+, [\w.-]+). On the other side anything may stand.
//
// A class of letters is only as good as the daemon's own check: [\w.-]+ for a
// host name that it verified, for a method, a queue's name; never for a user
// name. The author of a shipped rule has to know. A local rule that such a class
// pins is held against a wider form of itself, see widen, and the line is
// ambiguous where that one reads another address as well.
//
// Where daemons write clients' text on both sides, a shipped rule may say
// "between: true". It must then match every line that the daemon can write in
// that form, so that the true reading is always among them: anchored at both
// ends, .* for every text of a client's, no \S+, no [^"]*, no look-around but
// at its very start, where it holds for all readings alike. And it must refuse a
// line in which the daemon has put something else in the place of the address, a
// name, UNKNOWN, a UNIX socket: else the only reading may be a client's.
//
// # Lines that were cut
//
// Syslog daemons cut long lines, at 1024 bytes the strictest. A client that has
// written enough makes its own text the end of the line, and what pins an address
// there pins nothing. So a line of 1000 bytes or more is ambiguous for a rule with
// {LOG_PREFIX{…}} whose address is not pinned to the beginning, unless a local one
// says unpinned. So is a line of BusyBox' syslogd, "www auth.info sshd[1643]: ", that
// has 234 to 236 bytes from the program's name on. A pattern for whole lines has to know where its daemon cuts.
//
// # To add a family
//
// A family is one YAML file in this directory; no Go code is touched.
//
//  1. Collect what the daemon prints: its source, its manual, old and new
//     versions. For every form ask which parts a client chooses (user, host name
//     from a PTR record, HELO, URL, agent, certificate), and on which side of the
//     address they stand.
//  2. Choose the class: auth, a failed log-in; probe, asking for what is not
//     there, or gone before it logged in; abuse, relaying and floods.
//  3. Write the pattern from the form, not from one line of it, and pin it to the
//     side without clients' text. Begin it with literal text, or with a choice of
//     literal texts: a line that does not begin so never reaches the pattern, and
//     no other form of the daemon can be taken for this one. What the daemon itself
//     writes is spelled out, not .*: the tests take every .* for a client's.
//     Of several .* in a row only the last is cheap; [^()]* or (?>…) bound others.
//  4. Write samples in your own words after the form, with addresses of RFC 5737
//     and RFC 3849; hostile ones among them, where the right address must come
//     out. 192.0.2.66 is kept for the forged address: no sample may yield it.
//  5. Write ignores: the daemon's harmless lines, and other forms of the same
//     daemon that end or begin in clients' text, with this rule's form in that text.
//  6. go generate ./logscan/rules && go test ./logscan/rules
//
// The tests put hostile text into every free part of every sample and ignore,
// try each rule alone and all together, and fail when the forged address comes
// out or a pattern explodes. With BLOCKHOSTS_CORPUS set, TestCorpus -v prints recall and false alarms
// of every service.
package rules

//go:generate go test -count=1 -tags notable -run ^TestTable$ . -args -write
