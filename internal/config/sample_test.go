package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sample reads the blockhosts.yaml of the repository.
func sample(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("../../blockhosts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// write makes a file in a new directory and returns its name.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load reads text as a configuration that must be right.
func load(t testing.TB, text string) Config {
	t.Helper()
	c, err := Load(write(t, "blockhosts.yaml", text), true, Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	c.Files = nil
	return c
}

func TestSampleIsDefault(t *testing.T) {
	if got, want := load(t, sample(t)), Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("blockhosts.yaml says\n%+v\nDefault is\n%+v", got, want)
	}
	if got, want := load(t, ""), Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("an empty file says\n%+v\nDefault is\n%+v", got, want)
	}
}

// setting is a commented-out line of the sample that is no prose: "#key", or
// "#" and two blanks or more within a commented-out section.
var setting = regexp.MustCompile(`^( *)#((?:  +)?(?:- |[a-z_0-9]+:(?: |$)|[a-z]+-[A-Z]\w*:$).*)$`)

// uncomment turns every commented-out setting of the sample on, one by one in
// the place of a setting of the same name.
func uncomment(text string) string {
	var out []string
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		if m := setting.FindStringSubmatch(l); m != nil {
			l = m[1] + m[2]
		}
		if !slices.Contains([]string{"denylist: []", "blockers: []", "services: {}", "  users: {}", `allowlist: [127.0.0.0/8, "::1"]`}, l) {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

func TestSampleUncommented(t *testing.T) {
	text := uncomment(sample(t))
	c := load(t, text)
	d := Default()
	for _, differs := range []bool{
		c.Reload != nil, c.Lockfile != d.Lockfile, c.Log.File != "", len(c.Sources) == 6, len(c.Denylist) == 3,
		len(c.Allowlist) == len(d.Allowlist)+2, len(c.Limits.Users) == 4, len(c.Services) == 2 && c.Services["sshd"].HasLimits,
		len(c.Blockers) == 2 && len(c.Blockers[0].Options) == 2, c.Mail.From != "", c.Mail.SMTP.Host != "", c.Mail.SMTP.Port == 2525, c.Mail.SMTP.User != "",
		c.Mail.SMTP.PasswordFile != "", len(c.Rules) == 1 && len(c.Rules[0].Samples) == 1 && len(c.Rules[0].Ignores) == 1,
	} {
		if !differs {
			t.Errorf("an example of the sample sets nothing: %+v", c)
		}
	}
	all := Config{}
	d2 := newDecoder(&all)
	if errs := d2.read("blockhosts.yaml", []byte(text)); errs != nil {
		t.Fatal(errs)
	}
	for _, key := range names("", fields(&all)) {
		// Keys within a rule, a sample or a service are marked with its name,
		// and services have the keys of limits.
		if _, ok := d2.at[key]; !ok && !marked(d2.at, key) {
			t.Errorf("blockhosts.yaml lacks %s", key)
		}
	}
}

func marked(at map[string]mark, key string) bool {
	for _, r := range [][2]string{{"rules.", "rules.door-Fail."}, {"services.", "services.sshd."}, {"services.", "limits."}} {
		if _, ok := at[strings.Replace(key, r[0], r[1], 1)]; ok {
			return true
		}
	}
	return false
}

func BenchmarkLoadSample(b *testing.B) {
	path := write(b, "blockhosts.yaml", sample(b))
	for b.Loop() {
		if _, err := Load(path, true, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
