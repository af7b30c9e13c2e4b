package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// maxSize is the size in bytes from which on the program has caught something
// that it does not need: a package that calls reflect's Method or MethodByName
// with a name that is made up (text/template does, behind cobra's templates)
// has the linker keep every exported method, 2.3 MB.
//
// What weighs what, measured as a program of ten lines that uses it, over one
// that prints, which has 1.6 MB and starts in 1.3 ms (linux/amd64, stripped,
// Go 1.26; what they share, as reflect and the tables of unicode, is counted
// with each). Start: what of its own runs before main, GODEBUG=inittrace=1.
//
//	                       bytes      start   for
//	crypto/tls, x509   2,400,000    0.15 ms   mail by SMTP
//	regexp2            1,020,000    0.13 ms   rules; tables of characters, made at start
//	cobra, pflag         940,000    0.01 ms   the command line; its flags are made in main, 0.05 ms
//	yaml.v3              770,000    0.09 ms   configuration; 300,000 of it is package regexp
//	net                  600,000    0.03 ms   resolver, syslog, UDP
//	encoding/json        380,000    0.01 ms   journalctl, nft, --json
//	os/exec              300,000          0   tools
//	fsnotify             220,000    0.01 ms   watch
//	bart                 190,000          0   lists
//	compress             190,000    0.02 ms   rotated logs
//	rules, their table   300,000    0.02 ms   and the YAML files, packed, for "check"
//
// A type of struct that slices.SortFunc sorts is 10 to 20 kB, sort.Slice is
// there once. A regexp in a variable of the package is compiled at every start:
// 0.01 ms, and 0.2 ms where it counts repetitions, as [a-z]{0,60} does.
const maxSize = 10 << 20

// TestSize builds the program as INSTALL.md has it.
func TestSize(t *testing.T) {
	name := filepath.Join(t.TempDir(), "blockhosts")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", name, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	if info.Size() > maxSize {
		t.Errorf("the program has %d bytes: what has come in, and is it needed? \"go tool nm -size -sort size\" on a build that is not stripped tells", info.Size())
	}
}
