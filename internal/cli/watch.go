package cli

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"blockhosts/internal/config"
	"blockhosts/internal/run"

	"github.com/spf13/cobra"
)

// newWatch makes the command that stays and runs when something happens.
func newWatch(f *flags, w World) *cobra.Command {
	return &cobra.Command{
		Use:   "watch",
		Short: "stay, and run whenever the sources gain something",
		Long:  watchHelp,
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			load := func() (config.Config, error) { return f.config(cmd, w) }
			c, err := load()
			if err != nil {
				return err
			}
			reload := make(chan os.Signal, 1)
			signal.Notify(reload, syscall.SIGHUP)
			defer signal.Stop(reload)
			return run.Watch(cmd.Context(), c, run.WatchOptions{
				Load: load, Reload: reload, Now: w.Now,
				World: func(now time.Time) run.World { return f.world(w, now) },
			})
		},
	}
}

const watchHelp = `Watch stays, and does a run whenever the sources gain something, in place of
cron or beside it: each is the same run, under the same lock, with the same
state in the blockfile.

  - Log files, globs and rotation are seen through the kernel, the journal
    through "journalctl -f". A burst of lines becomes one run, a few hundredths
    of a second after its first line; a flood at most one run a second.
  - A FIFO is read at once, and so is a UDP socket for syslog, which only watch
    can have. In the configuration:

      sources:
        - /var/log/auth.log
        - {udp: 127.0.0.1:5514, allow: [127.0.0.0/8, 192.0.2.0/24]}

    RFC 3164, RFC 5424, and lines without a priority are taken from the senders
    that "allow" names, else from this host alone. UDP senders can be forged:
    listen where only your own hosts can send. At most 10,000 lines wait; what
    is more is dropped, counted and said.
  - Every minute a run happens in any case: blocks end, names of the lists are
    looked up, blockers are compared with the section, mail is sent.

SIGTERM and SIGINT end it when the run at hand is done and what was received is
dealt with. SIGHUP reads the configuration again; one with mistakes is told, and
the one before stays in force. While nothing happens it takes no time.

Under systemd: packaging/blockhosts-watch.service; elsewhere packaging/rc.d/blockhosts.
See what it does: "blockhosts watch -v".`
