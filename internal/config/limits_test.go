package config

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	got := load(t, "limits:\n  limiter: window\n  blockcount: 100\n  window: 1h30m\n  half_life: 1s\n  block_for: 10m\n  block_factor: 1.5\n"+
		"  block_max: 0s\n  block_per_hundred: 5m\n  permanent_after: 3\n  permanent_failures: 1000\n  count_by: service\n"+
		"  users: {root: block, 1234: 0, 're:adm.*': 3, 'block': 2, ~: 4}\n").Limits
	want := Default().Limits
	want.Limiter, want.Blockcount, want.Window, want.HalfLife = LimiterWindow, 100, 90*time.Minute, time.Second
	want.BlockFor, want.BlockFactor, want.BlockMax, want.BlockPerHundred = 10*time.Minute, 1.5, 0, 5*time.Minute
	want.PermanentAfter, want.PermanentFailures, want.CountBy = 3, 1000, CountByService
	want.Users = map[string]int{"root": UserBlock, "1234": 0, "re:adm.*": 3, "block": 2, "~": 4}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestLimitsRefused(t *testing.T) {
	for _, c := range []struct {
		text string
		line int
		want string
	}{
		{"limits: {limiter: windows}", 1, `limits.limiter: want one of count, window, ema, found "windows"; did you mean "window"?`},
		{"limits: {count_by: user}", 1, "want one of address, service"},
		{"limits: {window: 0s}", 1, "limits.window: want a duration of 1s or more"},
		{"limits: {half_life: 0h}", 1, "limits.half_life: want a duration of 1s or more"},
		{"limits: {window: 10}", 1, "for hours write 10h"},
		{"limits: {block_for: -1h}", 1, "want a duration"},
		{"limits: {block_factor: 0.5}", 1, "limits.block_factor: want a number from 1 to 1000, found the number 0.5"},
		{"limits: {block_factor: 0}", 1, "from 1 to 1000"},
		{"limits: {block_factor: -2}", 1, "from 1 to 1000"},
		{"limits: {block_factor: 1001}", 1, "from 1 to 1000"},
		{"limits: {block_factor: .inf}", 1, "from 1 to 1000"},
		{"limits: {block_factor: .nan}", 1, "from 1 to 1000"},
		{"limits: {block_factor: 1e2}", 1, "from 1 to 1000"},
		{"limits: {block_factor: 010}", 1, "from 1 to 1000"},
		{"limits: {block_factor: '2'}", 1, `found "2"`},
		{"limits: {block_factor: 2x}", 1, `found "2x"`},
		{"limits: {block_factor: [2]}", 1, "found a list"},
		{"limits: {permanent_after: -1}", 1, "from 0 to 1000000"},
		{"limits: {permanent_failures: never}", 1, "from 0 to 1000000"},
		{"limits:\n  blockcount: 101\n  limiter: window", 2, "with limiter window a blockcount of at most 100 can be held, found 101"},
		// Users.
		{"limits: {users: [root]}", 1, "limits.users: want users with weights, found a list"},
		{"limits: {users: {root: -1}}", 1, "limits.users.root: want a whole number from 0 to 1000000 or the word block, found the number -1"},
		{"limits: {users: {root: blok}}", 1, `or the word block, found "blok"`},
		{"limits: {users: {root: 1.5}}", 1, "found the number 1.5"},
		{"limits: {users: {root: }}", 1, "found nothing"},
		{"limits: {users: {root: [block]}}", 1, "found a list"},
		{"limits: {users: {'': 1}}", 1, "limits.users: an empty name"},
		{"limits: {users: {'re:': 1}}", 1, "is an empty pattern"},
		{"limits: {users: {'re:(': 1}}", 1, "missing closing )"},
		{"limits: {users: {root: 1, root: 2}}", 1, `duplicate key "root"`},
		// Services.
		{"services: [sshd]", 1, "services: want services by name, found a list"},
		{"services: {sshd: 22}", 1, "services.sshd: want keys with values, found the number 22"},
		{"services: {blockcount: 5}", 1, "the name of a service stands first"},
		{"services: {'a b': {}}", 1, `"a b" is not the name of a service`},
		{"services: {sshd: {count_by: service}}", 1, `unknown key "count_by"; did you mean "count_by" under "limits"?`},
		{"services: {sshd: {ipv6_prefix: 64}}", 1, `under "limits"?`},
		{"services: {sshd: {prefix_min: 2}}", 1, `under "limits"?`},
		{"services: {sshd: {remember: 1d}}", 1, `under "limits"?`},
		{"services: {sshd: {port: 22}}", 1, `unknown key "port"; did you mean "ports"?`},
		{"services: {sshd: {maxretry: 3}}", 1, `did you mean "blockcount"?`},
		{"services: {sshd: {bantime: 3}}", 1, `did you mean "block_for"?`},
		{"services: {sshd: {blockcount: -1}}", 1, "services.sshd.blockcount: want a whole number"},
		{"services: {sshd: {users: {root: x}}}", 1, "services.sshd.users.root: want"},
		{"services: {sshd: {ports: 22}}", 1, "write ports: [22]"},
		{"services: {sshd: {ports: [ssh]}}", 1, `services.sshd.ports: want a whole number from 1 to 65535, found "ssh"`},
		{"services: {sshd: {ports: [0]}}", 1, "from 1 to 65535"},
		{"services: {sshd: {ports: [22, 65536]}}", 1, "from 1 to 65535"},
		{"services:\n  a: {}\n  a: {}", 3, `services: duplicate key "a"; line 2 has it`},
		{"services:\n  a: {limiter: window}\n  b: {blockcount: 200}\nlimits: {blockcount: 200}", 2, "services.a.limiter: with limiter window"},
		{"limits: {limiter: window}\nservices:\n  a: {ports: [1]}\n  b: {blockcount: 200}", 4, "services.b.blockcount: with limiter window"},
		// The rest.
		{"max_tracked: 99", 1, "max_tracked: want a whole number from 100 to 10000000"},
		{"spare: no", 1, `spare: want true or false, found "no"`},
		{"resolve: 1", 1, "resolve: want true or false"},
	} {
		errs := refused(t, c.text)
		if e := errs[0]; len(errs) != 1 || e.Line != c.line || !strings.Contains(e.Msg+" | "+e.Hint, c.want) {
			t.Errorf("%q:\n  %+v\n  want line %d, %s", c.text, errs, c.line, c.want)
		}
	}
}

// What a service does not set is as in limits, whichever file says so and
// wherever it stands there.
func TestServices(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"c.yaml": "services:\n  sshd: {ports: [22, 2222, 22], blockcount: 3, users: {root: block}}\n  vsftpd: {ports: [21]}\n  dovecot:\n  exim: {users: }\n" +
			"limits: {users: {admin: 3, root: 2}, window: 5m}\n",
		"c.d/1.yaml": "services: {sshd: {limiter: window, users: {bob: 0}}, proftpd: {block_for: 1h}}\nlimits: {discard: 1d, limiter: ema}\n",
		"c.d/2.yaml": "services: {sshd: {ports: [22]}}\nlimits: {window: 7m}\n",
	} {
		if err := os.MkdirAll(filepath.Join(dir, "c.d"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(filepath.Join(dir, "c.yaml"), true, Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := Default().Limits
	all.Users, all.Window, all.Discard, all.Limiter = map[string]int{"admin": 3, "root": 2}, 7*time.Minute, day, LimiterEMA
	ssh, ftp := all, all
	ssh.Blockcount, ssh.Limiter, ssh.Users = 3, LimiterWindow, map[string]int{"admin": 3, "root": UserBlock, "bob": 0}
	ftp.BlockFor = time.Hour
	want := map[string]Service{
		"sshd":    {Limits: ssh, Ports: []int{22}, HasLimits: true},
		"vsftpd":  {Limits: all, Ports: []int{21}},
		"dovecot": {Limits: all},
		"exim":    {Limits: all},
		"proftpd": {Limits: ftp, HasLimits: true},
	}
	if !reflect.DeepEqual(c.Limits, all) || !reflect.DeepEqual(c.Services, want) {
		t.Errorf("got %+v\n%+v\nwant %+v\n%+v", c.Limits, c.Services, all, want)
	}

	// The command line goes before services, and leaves c as it is.
	before := maps.Clone(c.Services)
	over, err := c.With(Flags{Blockcount: ptr(1), Discard: ptr(time.Hour)})
	if err != nil || !reflect.DeepEqual(c.Services, before) {
		t.Fatalf("%v\n%+v", err, c.Services)
	}
	for name, s := range want {
		s.Limits.Blockcount, s.Limits.Discard = 1, time.Hour
		want[name] = s
	}
	if !reflect.DeepEqual(over.Services, want) || over.Limits.Blockcount != 1 || over.Limits.Discard != time.Hour {
		t.Errorf("got %+v\nwant %+v", over.Services, want)
	}
	var errs Errors
	if _, err := c.With(Flags{Blockcount: ptr(101)}); !errors.As(err, &errs) || len(errs) != 1 || !strings.HasPrefix(err.Error(), "--blockcount: with limiter window") {
		t.Errorf("%v", err)
	}
}

// Mistakes that show only when all is read are told file by file, as the
// others are.
func TestTogetherInOrder(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "c.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"c.yaml":     "mail:\n  smtp: {user: u}\nservices:\n  b: {blockcount: 200}\n",
		"c.d/1.yaml": "services:\n  a: {blockcount: 300}\nlimits: {limiter: window}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Load(filepath.Join(dir, "c.yaml"), true, Options{})
	var errs Errors
	errors.As(err, &errs)
	var got []string
	for _, e := range errs {
		key, _, _ := strings.Cut(e.Msg, ":")
		got = append(got, filepath.Base(e.File)+" "+key)
	}
	if want := []string{"c.yaml mail.smtp.user", "c.yaml services.b.blockcount", "1.yaml services.a.blockcount"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
