package rules

import (
	"reflect"
	"slices"
	"testing"

	"blockhosts/logscan"
)

func TestMust(t *testing.T) {
	for pattern, want := range map[string]must{
		`client {HOST_IP}: (?:.*denied|bad zone .*)$`: {[]byte("denied"), []byte("bad zone ")},
		`from {HOST_IP} (?:.* )?auth=0/\d+`:           {[]byte("auth=0/")},
		`from {HOST_IP}(?:: .*)?$`:                    {[]byte("from ")},
		`{HOST_IP} ab`:                                {[]byte(" ab")},
		`{HOST_IP} a?b`:                               nil,
		`abc {HOST_IP}(?:def|x)`:                      {[]byte("abc ")},
		`abc {HOST_IP}(?!def)(?=.*ghi)`:               {[]byte("ghi")},
		`abc {HOST_IP}(?:def)*(?i:xyz)`:               {[]byte("abc ")},
		`abcé {HOST_IP}`:                              {[]byte("abc")},
		`{HOST_IP} (?:aaa|bbb|ccc|ddd|eee)`:           nil,
	} {
		tree, _, err := parse(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustOf(tree); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}
}

// TestMustChangesNothing: no rule is kept from a line that it matches, whatever
// lines came before.
func TestMustChangesNothing(t *testing.T) {
	documented, err := Documented()
	if err != nil {
		t.Fatal(err)
	}
	with, _ := Compile(documented, nil, Options{})
	without, _ := Compile(documented, nil, Options{})
	some := 0
	for i, r := range without.rules {
		r.prepare()
		if r.must != nil {
			some++
		}
		r.must, with.rules[i].missed = nil, true
	}
	if some < len(without.rules)/2 {
		t.Fatalf("%d of %d rules must have anything", some, len(without.rules))
	}
	for range 2 {
		for _, d := range documented {
			lines := slices.Clone(d.Ignores)
			for _, s := range d.Samples {
				lines = append(lines, s.Line, s.Line+" x", "x "+s.Line)
			}
			for _, line := range lines {
				l := logscan.ParseLine([]byte(line))
				if got, want := with.Match(&l), without.Match(&l); !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %+v, want %+v", line, got, want)
				}
			}
		}
	}
}
