package run

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"blockhosts/internal/config"
)

// TestNothingNewAsksNothing: a run that finds nothing new asks neither the kernel
// nor the resolver who is spared, keeps no lines for a mail, and writes nothing.
func TestNothingNewAsksNothing(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	file("auth.log", "Jan  5 07:31:41 www sshd[1643]: Failed password for root from 192.0.2.77 port 56502 ssh2\n")
	blockfile := file("hosts.allow", "#---- BlockHosts Additions\n#---- BlockHosts Additions\n")
	c, err := config.Load(file("blockhosts.yaml", "blockfile: "+blockfile+"\nlockfile: "+filepath.Join(dir, "lock")+"\nsources: ["+filepath.Join(dir, "auth.log")+"]\n"), true, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	once := func(at time.Time) *job {
		var out bytes.Buffer
		j, err := prepare(c, Options{Sync: true, Mail: true}, World{Stdout: &out, Stderr: &out, Now: at, Local: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		defer j.log.Close()
		if err := j.once(context.Background()); err != nil || out.Len() > 0 {
			t.Fatalf("%v, %s", err, &out)
		}
		return j
	}
	if j := once(now); j.scan.Matched != 1 || !j.saved || j.scan.Failures.Text(0) != "" {
		t.Fatalf("the first run: %+v", j.scan)
	}
	if j := once(now.Add(time.Minute)); j.scan.Matched != 0 || j.sparedAsked || j.saved || len(j.names) > 0 {
		t.Errorf("with nothing new: spared asked %v, saved %v, names %v", j.sparedAsked, j.saved, j.names)
	}
}
