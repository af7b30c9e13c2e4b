package blockfile

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"blockhosts/internal/record"
)

// verdict asks tcpdmatch(8) what libwrap does about a client; it reads the
// hosts.allow and hosts.deny of dir.
func verdict(t *testing.T, dir, client string) string {
	t.Helper()
	cmd := exec.Command("tcpdmatch", "-d", "sshd", client)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	for line := range strings.SplitSeq(string(out), "\n") {
		if answer, ok := strings.CutPrefix(line, "access:"); ok {
			return strings.TrimSpace(answer)
		}
	}
	t.Fatalf("tcpdmatch %s: %v\n%s", client, err, out)
	return ""
}

// allowFile makes a directory with a hosts.allow and an empty hosts.deny.
func allowFile(t *testing.T, text string) (dir, path string) {
	t.Helper()
	needTool(t, "tcpdmatch", "tcpd")
	path = write(t, text)
	dir = filepath.Dir(path)
	if err := os.WriteFile(filepath.Join(dir, "hosts.deny"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, path
}

// TestLibwrap: real libwrap denies who is blocked, and nobody else.
func TestLibwrap(t *testing.T) {
	dir, path := allowFile(t, "# \xfc\nsshd : 192.0.2.77 : allow\n"+inSection()+"sshd : 198.51.100.99 : deny\nALL : ALL : allow\n")
	st := example()
	st.Blocks = append(st.Blocks, record.Block{Net: netip.MustParsePrefix("2001:db8:9::1/128"), Reason: record.ReasonCount})
	// Whatever stands in the comments must not cut the rules below short.
	st.Troubles = []record.Trouble{{Unmailed: true, Text: strings.Repeat(`\`, 900) + "\nALL : ALL : allow"}}
	st.Offsets = append(st.Offsets, record.Offset{Path: "/a\nALL : ALL : deny\n" + strings.Repeat("x", 5000) + `\`})
	if err := load(t, path).Save(context.Background(), st); err != nil {
		t.Fatal(err)
	}
	for client, want := range map[string]string{
		"203.0.113.9":                      "denied",
		"203.0.113.8":                      "granted",
		"203.0.113.90":                     "granted",
		"198.51.100.0":                     "denied",
		"198.51.100.255":                   "denied",
		"198.51.101.1":                     "granted",
		"2001:db8:1:2::1":                  "denied",
		"2001:db8:1:2:ffff:ffff:ffff:ffff": "denied",
		"2001:db8:1:3::1":                  "granted",
		"2001:db8:9::1":                    "denied",
		"2001:db8:9::2":                    "granted",
		"192.0.2.77":                       "granted",
		"192.0.2.1":                        "granted",
	} {
		if got := verdict(t, dir, client); got != want {
			t.Errorf("%s: %s, want %s", client, got, want)
		}
	}
	if err := load(t, path).Save(context.Background(), record.State{}); err != nil {
		t.Fatal(err)
	}
	for client, want := range map[string]string{"203.0.113.9": "granted", "198.51.100.99": "denied"} {
		if got := verdict(t, dir, client); got != want {
			t.Errorf("afterwards, %s: %s, want %s", client, got, want)
		}
	}
}

// TestLibwrapMeanwhile: while the file is replaced without a pause, whoever
// stands at its very end is denied at every look.
func TestLibwrapMeanwhile(t *testing.T) {
	dir, path := allowFile(t, inSection()+"ALL : 192.0.2.200 : deny\n")
	stop := make(chan struct{})
	var writer sync.WaitGroup
	saves := 0
	writer.Go(func() {
		states := []record.State{plainState(1000), plainState(10), {}}
		for ; ; saves++ {
			select {
			case <-stop:
				return
			default:
			}
			f, err := Load(path, options())
			if err == nil {
				err = f.Save(context.Background(), states[saves%3])
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 500 {
		if got := verdict(t, dir, "192.0.2.200"); got != "denied" {
			t.Errorf("192.0.2.200: %s", got)
		}
	}
	close(stop)
	writer.Wait()
	if saves < 10 {
		t.Errorf("only %d saves", saves)
	}
	t.Logf("500 looks, %d saves", saves)
}

// TestLibwrapInit: with the markers where Init puts them, a block counts even
// though the file grants to all.
func TestLibwrapInit(t *testing.T) {
	for _, text := range []string{
		"ALL : ALL : allow\n",
		"sshd : LOCAL \\\n",
		"sshd : 192.0.2.1",
		"sshd : \\\n ALL\n",
	} {
		dir, path := allowFile(t, text)
		p, err := PlanInit(path, noon)
		if err == nil {
			err = p.Do(context.Background())
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := load(t, path).Save(context.Background(), example()); err != nil {
			t.Fatal(err)
		}
		for client, want := range map[string]string{"203.0.113.9": "denied", "192.0.2.1": "granted"} {
			if got := verdict(t, dir, client); got != want {
				t.Errorf("%q: %s: %s, want %s", text, client, got, want)
			}
		}
	}
}
