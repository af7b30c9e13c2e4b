package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// maxOutput is how many bytes of a sendmail's own words are kept.
const maxOutput = 4 << 10

// linger is how long a sendmail that was told to end may hold our pipes.
const linger = 2 * time.Second

// runSendmail gives text to a sendmail(8) on its standard input. There is no
// shell, and -oi keeps a line with a single dot from ending the message.
func runSendmail(ctx context.Context, program string, limit time.Duration, e envelope, text []byte) error {
	if !filepath.IsAbs(program) {
		return fmt.Errorf("mail: sendmail %q is not an absolute path; correct mail.sendmail, or set mail.smtp.host", cut(program, maxSaid))
	}
	args := []string{"-t", "-oi"}
	if e.from.path != "" {
		args = append(args, "-f", e.from.path)
	}
	var out tail
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin", "LC_ALL=C"}
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(text)
	cmd.Stdout, cmd.Stderr = &out, &out
	// Its own process group, so that helpers that it started end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = linger
	err := cmd.Run()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Success() {
		return nil // a helper that goes on in the background may keep our pipes
	}
	f := failer{ctx: ctx, who: "mail program " + program, limit: limit}
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case errors.Is(err, syscall.ENOENT):
		return f.fail("start", err, "install a mail transport agent such as postfix or msmtp-mta, or set mail.smtp.host")
	case ctx.Err() == nil && ended:
		return fmt.Errorf("mail program %s: %s: it said %s; %s", program, exit.ProcessState, f.quote(out.String()), exitHint(exit.ExitCode()))
	}
	return f.fail("run", err, "see mail.sendmail and the mail log")
}

// exitHint tells what to do about an exit code of sysexits(3).
func exitHint(code int) string {
	switch code {
	case 67, 68: // EX_NOUSER, EX_NOHOST
		return "see mail.to"
	case 77: // EX_NOPERM
		return "see mail.from and the program's rights"
	case 78: // EX_CONFIG
		return "correct the program's own configuration"
	}
	return "see the mail log"
}

// A tail keeps the last maxOutput bytes written: what a program says last is
// why it gave up.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - maxOutput; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

// String returns the last words, as much as an error has room for.
func (t *tail) String() string {
	s := bytes.TrimSpace(t.b)
	if over := len(s) - maxSaid; over > 0 {
		s = s[over:]
	}
	return string(s)
}
