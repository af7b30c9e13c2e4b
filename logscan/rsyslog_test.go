package logscan

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRsyslogd: a real rsyslogd writes, a real logrotate rotates and tells it
// so, and runs come at any moment between. Each line counts once.
func TestRsyslogd(t *testing.T) {
	rsyslogd, logrotate := tool(t, "rsyslogd", "rsyslog"), tool(t, "logrotate", "logrotate")
	for _, how := range []string{"create\n", "create\ncompress\n", "create\ndelaycompress\ncompress\n", "nocreate\n"} {
		t.Run(strings.Join(strings.Fields(how), " "), func(t *testing.T) {
			d := newDir(t, "auth.log")
			d.must(os.Chmod(d.path, 0o755))
			stop := d.startRsyslogd(rsyslogd)
			defer stop()
			reopen := "kill -HUP $(cat " + d.join("pid") + ")\n"
			if how == "create\ncompress\n" { // what rsyslogd writes into a file that gzip has read is nowhere, see delaycompress in logrotate(8)
				reopen += "for i in $(seq 3000); do ls -l /proc/$(cat " + d.join("pid") + ")/fd | grep -q 'auth.log.1$' || break; sleep 0.01; done\n"
			}
			conf := fmt.Sprintf("%s {\nrotate 30\nsize 1\nmissingok\n%spostrotate\n%sendscript\n}\n", d.join("auth.log"), how, reopen)
			d.must(os.WriteFile(d.join("conf"), []byte(conf), 0o600))

			const lines, perRun, perRotation = 3000, 130, 370
			conn, err := net.Dial("unixgram", d.join("socket"))
			d.must(err)
			defer conn.Close()
			until := func(n int) {
				for end := time.Now().Add(30 * time.Second); len(d.users) < n && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
					d.now()
				}
			}
			for n := range lines {
				_, err := fmt.Fprintf(conn, "<38>sshd[%d]: Failed password for u%d from 192.0.2.1 port 22 ssh2", n, n)
				d.must(err)
				if n == 0 { // a log that was rotated before any run saw it is nobody's
					until(1)
				}
				if n%perRun == 0 {
					d.now()
				}
				if n%perRotation == 0 {
					if out, err := exec.Command(logrotate, "-f", "-s", d.join("state"), d.join("conf")).CombinedOutput(); err != nil {
						t.Fatalf("logrotate: %v: %s", err, out)
					}
				}
			}
			until(lines)
			d.now()
			if got := slices.Compact(sorted(d.users)); len(d.users) != lines || len(got) != lines {
				t.Errorf("%d failures of %d users, want %d of each", len(d.users), len(got), lines)
			}
		})
	}
}

// now scans at the present moment.
func (d *dir) now() {
	d.options.Now = time.Now()
	d.scan()
}

func sorted(users []string) []string {
	all := slices.Clone(users)
	slices.Sort(all)
	return all
}

// startRsyslogd runs rsyslogd with a socket and a log of the test's own.
func (d *dir) startRsyslogd(program string) (stop func()) {
	conf := fmt.Sprintf(`module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket=%q RateLimit.Interval="0")
template(name="line" type="string" string="%%timegenerated:::date-rfc3339%% %%HOSTNAME%% %%syslogtag%%%%msg:::sp-if-no-1st-sp%%%%msg%%\n")
action(type="omfile" file=%q template="line")
`, d.join("socket"), d.join("auth.log"))
	d.must(os.WriteFile(d.join("rsyslog.conf"), []byte(conf), 0o600))
	var out bytes.Buffer
	cmd := exec.Command(program, "-n", "-f", d.join("rsyslog.conf"), "-i", d.join("pid"))
	cmd.Stdout, cmd.Stderr = &out, &out
	d.must(cmd.Start())
	for range 500 {
		if d.exists("socket") && d.exists("pid") {
			return func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	d.t.Fatalf("rsyslogd opens no socket: %s", out.String())
	return nil
}
