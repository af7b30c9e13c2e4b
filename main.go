// Blockhosts reads what the system logs gained since its last run, counts
// failed log-ins per address, writes the offenders into a marked section of
// hosts.allow, brings the packet filters in line, and mails a summary. Then it
// ends.
package main

import (
	_ "embed"
	"os"
	"runtime/debug"
	"time"

	"blockhosts/internal/cli"
)

//go:embed blockhosts.yaml
var sample []byte

// garbage is how many percent of what is in use may wait to be collected. Most
// runs end before anything does; a flood's failures are not gone through six
// times while they are gathered, which costs a tenth of such a run.
const garbage = 400

func main() {
	debug.SetGCPercent(garbage)
	os.Exit(cli.Execute(os.Args[1:], cli.World{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Now: time.Now, Getenv: os.Getenv, Local: time.Local,
		Syslog: true, Sample: sample,
	}))
}
