package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckMode(t *testing.T) {
	for _, c := range []struct {
		uid, gid uint32
		mode     fs.FileMode
		want     string
	}{
		{0, 0, 0o644, ""},
		{0, 0, 0o664, ""},
		{0, 50, 0o640, ""},
		{0, 50, 0o660, "group 50"},
		{0, 0, 0o602, "anybody"},
		{1000, 0, 0o600, "user 1000"},
	} {
		err := checkMode(c.uid, c.gid, c.mode)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// needRoot skips a test that gives files away; BLOCKHOSTS_REQUIRE=all makes
// that a failure.
func needRoot(t *testing.T) {
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("BLOCKHOSTS_REQUIRE") == "all" {
		t.Fatal("not root")
	}
	t.Skip("not root: run the tests as root to try foreign owners")
}

func TestCheckOwner(t *testing.T) {
	needRoot(t)
	main := write(t, "x.yaml", "mail: {smtp: {host: localhost, user: u, password_file: "+write(t, "pw", "secret\n")+"}}\n")
	dir := overlay(main)
	part := filepath.Join(dir, "a.yaml")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(part, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	c, err := Load(main, true, Options{CheckOwner: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{main, dir, part, c.Mail.SMTP.PasswordFile} {
		if err := os.Chown(path, 65534, -1); err != nil {
			t.Fatal(err)
		}
		_, err := Load(main, true, Options{CheckOwner: true})
		if err == nil || !strings.Contains(err.Error(), "belongs to user 65534") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := Load(main, true, Options{}); err != nil {
			t.Errorf("not asked to check: %v", err)
		}
		if err := os.Chown(path, 0, -1); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "l.yaml")
	if err := errors.Join(os.Symlink(part, link), os.Chmod(part, 0o666)); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(link, true, Options{CheckOwner: true}); err == nil || !strings.Contains(err.Error(), "anybody") {
		t.Errorf("through a link: %v", err)
	}
	if err := CheckOwner(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestReadPassword(t *testing.T) {
	if got, err := ReadPassword(write(t, "pw", "a b\r\nsecond\n"), false); err != nil || got != "a b" {
		t.Errorf("%q, %v", got, err)
	}
	for text, want := range map[string]string{"": "empty", "\nx": "empty", strings.Repeat("s3cret", 1000): "larger"} {
		got, err := ReadPassword(write(t, "pw", text), false)
		if err == nil || got != "" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%.20q: %q, %v", text, got, err)
		}
	}
	if _, err := ReadPassword("/nonexistent", false); err == nil || !strings.Contains(err.Error(), "/nonexistent") {
		t.Errorf("%v", err)
	}
}
