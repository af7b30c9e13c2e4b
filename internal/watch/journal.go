package watch

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// A Journal follows the journal with a child, as a doorbell only: what the
// child prints is dropped, and the run reads by its cursor.
type Journal struct {
	argv  []string
	bell  Bell
	stop  context.CancelFunc
	ended chan struct{}

	mu  sync.Mutex
	err error
}

// How long a child that ended is waited for until it is started again.
const (
	firstPause = time.Second
	lastPause  = time.Minute
)

// FollowJournal rings when the command argv, a journalctl(1) with -f, prints
// something. A child that ends is started again, after a pause.
func FollowJournal(argv []string, bell Bell) *Journal {
	ctx, stop := context.WithCancel(context.Background())
	j := &Journal{argv: argv, bell: bell, stop: stop, ended: make(chan struct{})}
	go j.follow(ctx)
	return j
}

// Err returns why the child last ended; nil while it runs.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// Close ends the child.
func (j *Journal) Close() {
	j.stop()
	<-j.ended
}

func (j *Journal) set(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.err = err
}

func (j *Journal) follow(ctx context.Context) {
	defer close(j.ended)
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, lastPause) {
		j.set(nil)
		rang, err := j.child(ctx)
		if ctx.Err() != nil {
			return
		}
		if rang {
			pause = firstPause
		}
		j.set(fmt.Errorf("%s -f ended: %w", j.argv[0], err))
		j.bell.Ring() // what came meanwhile, and to tell that it ended
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// child runs one child to its end.
func (j *Journal) child(ctx context.Context) (rang bool, err error) {
	cmd := exec.CommandContext(ctx, j.argv[0], j.argv[1:]...)
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return false, err
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	buf := make([]byte, 4<<10)
	for {
		n, err := out.Read(buf)
		if n > 0 {
			rang = true
			j.bell.Ring()
		}
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		return rang, err
	}
	return rang, io.EOF
}
