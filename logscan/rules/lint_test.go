package rules

import (
	"strings"
	"testing"
)

func TestLint(t *testing.T) {
	for pattern, hole := range map[string]string{ // "" is pinned
		`{LOG_PREFIX{x}} from {HOST_IP}`:                         "",
		`{LOG_PREFIX{x}} from {HOST_IP} .*`:                      "",
		`(?i){LOG_PREFIX{x}} from {HOST_IP}`:                     "",
		`^{LOG_PREFIX{x}}\s+from {HOST_IP}`:                      "",
		`{LOG_PREFIX{x}} .* from {HOST_IP}$`:                     "",
		`{LOG_PREFIX{x}} .* from {HOST_IP} port \d+(?: ssh2)?\z`: "",
		`{LOG_PREFIX{x}} .* (?P<user>\S+)\[{HOST_IP}\]$`:         "",
		`{LOG_PREFIX{x}} (?:a|b \d+) [\w.-]+\[{HOST_IP}\]: .*`:   "",
		`{LOG_PREFIX{x}} (?:from {HOST_IP}|.* by {HOST_IP})$`:    "",
		`^{HOST_IP} - .*`:                                        "",
		`^\[\w{3} \d+\] {HOST_IP} .*`:                            "",
		`a {HOST_IP}$`:                                           "",
		`{LOG_PREFIX{x}} [^"]*"{HOST_IP}"$`:                      "",
		`{LOG_PREFIX{x}} (?=.*failed)from {HOST_IP}`:             "",
		`{LOG_PREFIX{x}} a\s*{HOST_IP}`:                          "",
		`{LOG_PREFIX{x}} .* from {HOST_IP}`:                      `".*" at byte 17 may be text of a client's; on its right, nothing holds the end (no $)`,
		`{LOG_PREFIX{x}} user (?<user>\w+) from {HOST_IP}`:       `"(?<user>\\w+)" at byte 22 is text`,
		`{LOG_PREFIX{x}} user \S+ from {HOST_IP}`:                `"\\S+"`,
		`{LOG_PREFIX{x}} .* from {HOST_IP}.*$`:                   `".*" at byte 34`,
		`{LOG_PREFIX{x}} .* from {HOST_IP} [\w ]+$`:              `"[\\w ]+"`,
		`{LOG_PREFIX{x}} .* from {HOST_IP}(?: \w+)*$`:            `"(?: \\w+)*"`,
		`{LOG_PREFIX{x}} [^"]* {HOST_IP} [^"]*$`:                 `"[^\"]*"`,
		`{LOG_PREFIX{x}} .{9} {HOST_IP}`:                         `".{9}"`,
		`{LOG_PREFIX{x}} (?:a|\S*) {HOST_IP}`:                    `"\\S*"`,
		`{LOG_PREFIX{x}} [\w.,]+ {HOST_IP}`:                      `"[\\w.,]+"`,
		`{LOG_PREFIX{x}} (?:from {HOST_IP}|.* by {HOST_IP}) .*`:  `".*"`,
		`from {HOST_IP} .*`:                                      "no ^",
		`(?:^|x)from {HOST_IP} .*`:                               "no ^",
		`{HOST_IP}`:                                              "no ^",
		`{LOG_PREFIX{x}} from`:                                   "no {HOST_IP}",
		`{LOG_PREFIX{x}} from (?:{HOST_IP})?`:                    "without its {HOST_IP}",
		`{LOG_PREFIX{x}} from (?:{HOST_IP}|name)$`:               "without its {HOST_IP}",
		`{LOG_PREFIX{x}} from (?={HOST_IP})`:                     "without its {HOST_IP}",
		`{LOG_PREFIX{x}} {HOST_IP} {HOST_IP}`:                    "twice",
		`a {LOG_PREFIX{x}} from {HOST_IP}`:                       "must be the first",
		`{LOG_PREFIX{x} from {HOST_IP}`:                          "not closed",
		`{LOG_PREFIX{}} from {HOST_IP}`:                          "not a regular expression",
		`{LOG_PREFIX{(}} from {HOST_IP}`:                         "not a regular expression",
		`{LOG_PREFIX{x}} (?x) from {HOST_IP}`:                    "not known",
		`{LOG_PREFIX{x}} (?m)from {HOST_IP}`:                     "not known",
		`{LOG_PREFIX{x}} (?(a)b|c){HOST_IP}`:                     "not known",
		`{LOG_PREFIX{x}} \p{L}{HOST_IP}`:                         "not known",
		`{LOG_PREFIX{x}} (a)\1{HOST_IP}`:                         "not known",
		`{LOG_PREFIX{x}} [a-z-[b]]{HOST_IP}`:                     "not known",
		`{LOG_PREFIX{x}} (from {HOST_IP}`:                        "not closed",
		`{LOG_PREFIX{x}} from {HOST_IP})`:                        "unmatched",
		`{LOG_PREFIX{x}} [from {HOST_IP}`:                        "not closed",
		`{LOG_PREFIX{x}} *{HOST_IP}+`:                            "without its {HOST_IP}",
		`{LOG_PREFIX{x}} ` + strings.Repeat("(", 200):            "nested",
		`{LOG_PREFIX{x}} from (?<HOST_IP>\S+)`:                   "own",
		`{LOG_PREFIX{x}} from \x{HOST_IP}`:                       "hexadecimal",
		"{LOG_PREFIX{x}} from \ue000":                            "cannot stand",
		`{LOG_PREFIX{x}} from ` + `\` + `ue000`:                  "cannot stand",
		`{LOG_PREFIX{x}} {HOST_IP} [z-a]`:                        "wrong way round",
	} {
		err := Lint(Def{Name: "x-Y", Pattern: pattern})
		switch {
		case hole == "" && err != nil:
			t.Errorf("%s: %v", pattern, err)
		case hole != "" && (err == nil || !strings.Contains(err.Error(), hole)):
			t.Errorf("%s: %v, want %s", pattern, err, hole)
		}
	}
}

func TestLintBetween(t *testing.T) {
	for pattern, hole := range map[string]string{
		`{LOG_PREFIX{x}} .* from {HOST_IP} .*$`:                            "",
		`{LOG_PREFIX{x}} (?=.*a)(?!b)\w+ (?<u>.*) from {HOST_IP}(?: .*)?$`: "",
		`^.*{HOST_IP}.*$`:                                "",
		`{LOG_PREFIX{x}} .* from {HOST_IP} .*`:           "both ends",
		`.* from {HOST_IP} .*$`:                          "both ends",
		`{LOG_PREFIX{x}} \S+ from {HOST_IP} .*$`:         `"\\S+"`,
		`{LOG_PREFIX{x}} .+ from {HOST_IP} .*$`:          `".+"`,
		`{LOG_PREFIX{x}} .* from {HOST_IP} [^"]*$`:       `"[^\"]*"`,
		`{LOG_PREFIX{x}} .* (?!a)from {HOST_IP} .*$`:     `"(?!a)"`,
		`{LOG_PREFIX{x}} .* from {HOST_IP} (?=.*b).*$`:   `"(?=.*b)"`,
		`{LOG_PREFIX{x}} (?>.*) from {HOST_IP} .*$`:      "atomic",
		`{LOG_PREFIX{x}} .*+ from {HOST_IP} .*$`:         "atomic",
		`{LOG_PREFIX{x}} .* \bfrom {HOST_IP} .*$`:        `"\\b"`,
		`{LOG_PREFIX{x}} (?:.{0,9}) from {HOST_IP} .*$`:  `".{0,9}"`,
		`{LOG_PREFIX{x}} (?<=a).* from {HOST_IP} .*$`:    `"(?<=a)"`,
		`{LOG_PREFIX{x}} (?:a|[^b]+) from {HOST_IP} .*$`: `"[^b]+"`,
	} {
		err := Lint(Def{Name: "x-Y", Pattern: pattern, Between: true})
		switch {
		case hole == "" && err != nil:
			t.Errorf("%s: %v", pattern, err)
		case hole != "" && (err == nil || !strings.Contains(err.Error(), hole)):
			t.Errorf("%s: %v, want %s", pattern, err, hole)
		}
	}
}

func TestHeads(t *testing.T) {
	for body, want := range map[string]string{
		`Failed \S+ for`:                      "Failed ",
		`(?:error: )?PAM: .*`:                 "PAM: |error: PAM: ",
		`(?:Invalid|Illegal) user .*`:         "Illegal user |Invalid user ",
		`(?=.*x)[Ii]n\d`:                      "In|in",
		`.*a`:                                 "",
		`a?`:                                  "",
		`a?b?c`:                               "abc|ac|bc|c",
		`(?:a|.)b`:                            "",
		`(?i)ab`:                              "AB|Ab|aB|ab",
		`(?i)abcdefgh`:                        "ABCD|ABCd|ABcD|ABcd|AbCD|AbCd|AbcD|Abcd|aBCD|aBCd|aBcD|aBcd|abCD|abCd|abcD|abcd",
		`\[{HOST_IP}`:                         "[",
		`a+b`:                                 "a",
		`(?:ab|abc)d\Z`:                       "abcd|abd",
		`(?:a|b)(?:c|d)(?:e|f)(?:g|h)(?:i|j)`: "aceg|aceh|acfg|acfh|adeg|adeh|adfg|adfh|bceg|bceh|bcfg|bcfh|bdeg|bdeh|bdfg|bdfh",
	} {
		tree, _, err := parse(body)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(heads(tree, true), "|"); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}
