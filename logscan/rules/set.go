package rules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"blockhosts/internal/record"

	"github.com/dlclark/regexp2/v2"
)

// DefaultTimeout is how long one pattern may work on one reading of a line,
// give or take the 100 ms in which regexp2 looks at its clock: a thousand times
// what a good pattern takes.
const DefaultTimeout = 50 * time.Millisecond

// Options are the settings of a Set.
type Options struct {
	Timeout time.Duration // of one pattern on one reading; 0: DefaultTimeout
	Names   bool          // also find host names where an address is expected, see record.Match.Host
}

// A Set is the rules of one run, sorted by name. Nothing is compiled before a
// line needs it. A Set works for one goroutine at a time.
type Set struct {
	rules     []*rule
	whole     group               // those that see whole lines
	messages  group               // the others
	groups    map[string]*group   // of those, by which they are
	sieveWait int                 // of a group, when it is made
	readers   map[string]*readers // by program
	recent    [64]*readers        // some of them, where a look is enough
	multilog  readers             // of lines that name no program, and are messages
	unnamed   readers             // of lines without either
	programs  []*program
	opt       Options
	scratch   scratch
	chosen    []*rule // memory for candidates
	verdict   verdict // memory for try
}

// A rule is a Def made ready.
type rule struct {
	analysis
	name, class, service string
	order                int      // among the rules, by name
	program              *program // nil: it sees whole lines
	needle               []byte   // literal
	grams                []uint32 // of literal, where it sees whole lines
	loose                bool     // nothing vouches for the readings that were not tried
	unpinned             bool     // the administrator answers for it
	fast                 *fast    // nil: regexp2 has to do
	must                 must
	missed               bool // the text before
	prepared             bool // fast and must are made as far as they can be
	re                   *regexp2.Regexp
	wide                 string // of a local rule, see widen
	wideRe               *regexp2.Regexp
	wideHost             int // number of its group
	host, user           int // numbers of the groups; user -1: none
	broken               bool
}

// A program is one regular expression for programs, shared by its rules.
type program struct {
	pattern string
	re      *regexp.Regexp
}

// names reports whether p means a program. sshd works in processes of other
// names since OpenSSH 9.8 and 10.0 (sshd-session, sshd-auth).
func (p *program) names(name string) bool {
	if p.match(name) {
		return true
	}
	return (name == "sshd-session" || name == "sshd-auth") && p.match("sshd")
}

func (p *program) match(name string) bool {
	if p.pattern == name {
		return true
	}
	if p.re == nil {
		p.re = regexp.MustCompile("^(?:" + p.pattern + ")$") // cutPrefix tried it
	}
	return p.re.MatchString(name)
}

// Compile makes a set of the rules that enabled takes; nil takes all. A local
// rule that is broken or not pinned is left out, and named in the problems.
// The last of several rules of one name counts.
func Compile(defs []Def, enabled func(name, class string) bool, opt Options) (*Set, []record.Problem) {
	if opt.Timeout == 0 {
		opt.Timeout = DefaultTimeout
	}
	s := &Set{opt: opt, readers: map[string]*readers{}, groups: map[string]*group{}}
	var problems []record.Problem
	last := make(map[string]int, len(defs))
	for i, d := range defs {
		last[d.Name] = i
	}
	for i, d := range defs {
		if d.Class == "" {
			d.Class = "auth"
		}
		if last[d.Name] != i || enabled != nil && !enabled(d.Name, d.Class) {
			continue
		}
		if err := s.add(d); err != nil {
			problems = append(problems, record.Problem{Key: "rule " + d.Name, Text: d.where() + " is left out: " + err.Error(), Fails: true})
		}
	}
	slices.SortFunc(s.rules, func(a, b *rule) int { return strings.Compare(a.name, b.name) })
	s.arrange(sieveWait)
	return s, problems
}

// Clone returns a set of the same rules for another goroutine, which compiles
// what it needs for itself. The set may be at work meanwhile.
func (s *Set) Clone() *Set {
	c := &Set{opt: s.opt, readers: map[string]*readers{}, groups: map[string]*group{}}
	for _, r := range s.rules {
		n := &rule{analysis: r.analysis, name: r.name, class: r.class, service: r.service,
			needle: r.needle, loose: r.loose, unpinned: r.unpinned, wide: r.wide}
		if r.program != nil {
			n.program = c.programOf(r.program.pattern)
		}
		c.rules = append(c.rules, n)
	}
	c.arrange(s.sieveWait)
	return c
}

// arrange puts the rules, which are in order, where lines look for them.
func (s *Set) arrange(wait int) {
	s.sieveWait, s.whole.wait, s.messages.wait = wait, wait, wait
	for i, r := range s.rules {
		r.order = i
		if r.program == nil {
			s.whole.rules = append(s.whole.rules, r)
			r.grams = gramsOf(r.literal)
		} else {
			s.messages.rules = append(s.messages.rules, r)
		}
	}
	s.multilog = readers{group: &s.messages, known: len(s.messages.rules) > 0, lines: stretch{credit: firstCredit}}
	s.unnamed = readers{lines: stretch{credit: firstCredit}}
}

// add makes one rule ready. A shipped one was judged when it was built.
func (s *Set) add(d Def) error {
	r := &rule{name: d.Name, class: d.Class, service: service(d.Name), loose: d.Between || d.Unpinned, unpinned: d.Unpinned}
	if d.ready != nil {
		r.analysis = *d.ready
	} else if err := r.judge(d, s.opt.Timeout); err != nil {
		return err
	}
	if r.needle = []byte(r.literal); r.prefixed {
		r.program = s.programOf(r.analysis.program)
	}
	s.rules = append(s.rules, r)
	return nil
}

// judge reads a local rule.
func (r *rule) judge(d Def, timeout time.Duration) error {
	if r.service == "" {
		return errors.New("its name is not of the form service-Word")
	}
	if !slices.Contains([]string{"auth", "probe", "abuse"}, d.Class) {
		return fmt.Errorf("its class is %.60q; want auth, probe or abuse", d.Class)
	}
	a, _, err := analyse(d.Pattern)
	if a.source == "" {
		return err
	}
	if !strings.Contains(a.source, hostGroup) {
		return errors.New("the pattern has no {HOST_IP}")
	}
	r.analysis = a
	if err := r.compile(timeout); err != nil {
		return err
	}
	if d.Unpinned {
		return nil
	}
	if err := Lint(d); err != nil {
		return fmt.Errorf("%w; pin it, or say unpinned: true and answer for it", err)
	}
	if !d.own && !firm(d) { // a word pins it, and whose word that is nobody has told
		r.loose = true
		r.wide, err = widen(d.Pattern)
	}
	return err
}

func (s *Set) programOf(pattern string) *program {
	i := slices.IndexFunc(s.programs, func(p *program) bool { return p.pattern == pattern })
	if i >= 0 {
		return s.programs[i]
	}
	p := &program{pattern: pattern}
	s.programs = append(s.programs, p)
	return p
}

// prepare makes the program on bytes, where the pattern is one for it.
func (r *rule) prepare() {
	r.prepared = true
	source := strings.ReplaceAll(r.source, hostGroup, keyHost)
	if tree, _, err := parse(source); err == nil {
		r.fast, r.must = compileFast(tree, source), mustOf(tree)
	}
}

// compile hands the pattern to regexp2.
func (r *rule) compile(timeout time.Duration) error {
	re, err := regexp2.Compile(r.source)
	if err != nil {
		r.broken = true
		return fmt.Errorf("the pattern does not compile: %s", brief(err))
	}
	re.MatchTimeout = timeout
	r.re, r.host, r.user = re, re.GroupNumberFromName("HOST_IP"), re.GroupNumberFromName("user")
	return nil
}

// widened returns the pattern that other readings are held against: the wide
// one of a local rule, else the rule's own.
func (r *rule) widened(timeout time.Duration) (*regexp2.Regexp, int) {
	if r.wide == "" {
		return r.re, r.host
	}
	if r.wideRe == nil {
		re, err := regexp2.Compile(r.wide)
		if err != nil {
			return r.re, r.host
		}
		re.MatchTimeout = timeout
		r.wideRe, r.wideHost = re, re.GroupNumberFromName("HOST_IP")
	}
	return r.wideRe, r.wideHost
}

// brief takes the pattern off regexp2's message, which repeats it as it was
// rewritten.
func brief(err error) string {
	text, _, _ := strings.Cut(err.Error(), " in `")
	return strings.TrimPrefix(text, "error parsing regexp: ")
}

// maxPrograms bounds the memory for programs seen, whose names local users
// choose.
const maxPrograms = 4096

// reading returns who reads the message of a line. Those of whole lines read
// every line.
func (s *Set) reading(l *record.Line) *readers {
	if l.Form == record.FormMultilog {
		return &s.multilog
	}
	if len(l.Program) == 0 {
		return &s.unnamed
	}
	name := l.Program
	at := &s.recent[(uint(name[0])*31+uint(name[len(name)-1])*37+uint(len(name))*7)%uint(len(s.recent))]
	if *at != nil && (*at).program == string(name) {
		return *at
	}
	found := s.readers[string(name)]
	if found == nil {
		found = s.findReaders(string(name))
		if len(s.readers) < maxPrograms {
			s.readers[found.program] = found
		}
	}
	*at = found
	return found
}

// readers are the rules that read the messages of one program.
type readers struct {
	program string
	group   *group
	known   bool    // one of them is about this program, and not about all
	lines   stretch // what whole lines of this program begin with
}

// nobody is the name of no program: a rule that reads its lines reads those of
// every program, as pam's do, and says nothing of what is known about one.
const nobody = "no-such-program"

// findReaders asks every program's expression. Programs that the same rules
// read share a group.
func (s *Set) findReaders(name string) *readers {
	found := &readers{program: name, lines: stretch{credit: firstCredit}}
	reads := make(map[*program]bool, len(s.programs))
	key := make([]byte, len(s.programs))
	for i, p := range s.programs {
		if reads[p] = p.names(name); reads[p] {
			key[i] = 1
			found.known = found.known || !p.match(nobody)
		}
	}
	g := s.groups[string(key)]
	if g == nil {
		g = &group{wait: s.sieveWait}
		for _, r := range s.messages.rules {
			if reads[r.program] {
				g.rules = append(g.rules, r)
			}
		}
		s.groups[string(key)] = g
	}
	if len(g.rules) > 0 {
		found.group = g
	}
	return found
}
