package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// maxSize is the size in bytes, the 10 MB that readers are promised, from which
// on the program has caught something that it does not need. Most of all: a
// package that calls reflect's Method or MethodByName with a name that is made
// up (text/template does, behind cobra's templates) has the linker keep every
// exported method, 2.3 MB.
//
// What weighs what, measured as a program of ten lines that uses it, over one
// that prints, which has 1.6 MB and starts in 1.3 ms (linux/amd64, stripped,
// Go 1.26; what they share, as reflect and the tables of unicode, is counted
// with each). Start: what of its own runs before main, GODEBUG=inittrace=1.
//
//	                       bytes      start   for
//	crypto/tls, x509   2,650,000    0.15 ms   mail by SMTP
//	regexp2            1,020,000    0.13 ms   rules; tables of characters, made at start
//	cobra, pflag         940,000    0.01 ms   the command line; its flags are made in main, 0.05 ms
//	yaml.v3              770,000    0.09 ms   configuration; 300,000 of it is package regexp
//	net                  590,000    0.03 ms   resolver, syslog, UDP
//	encoding/json        380,000    0.01 ms   journalctl, nft, --json
//	net/mail, mime       380,000          0   addresses; 70,000 of it nothing else has
//	os/exec              310,000          0   tools
//	fsnotify             220,000    0.01 ms   watch
//	compress             230,000    0.02 ms   rotated logs
//	rules, their table   230,000    0.02 ms   and their samples, packed, for "check"
//	bart                 180,000          0   lists
//
// A type of struct that slices.SortFunc sorts is 10 to 25 kB, sort.Slice is
// there once, and for structs of 100 bytes as fast. errors.As, where
// errors.AsType would do, was 16 kB, and unix.Recvfrom, which knows every kind
// of address, 28. What is short in Go and not in machine code, as an append of a
// struct, is inlined at every place: 9 kB for a method that notes mistakes, and
// as much for a function that returns one. A regexp in a variable of the package
// is compiled at every start: 0.01 ms, and 0.2 ms where it counts repetitions, as
// [a-z]{0,60} does.
const maxSize = 10_000_000

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
