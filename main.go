// Blockhosts reads what the system logs gained since its last run, counts
// failed log-ins per address, writes the offenders into a marked section of
// hosts.allow, brings the packet filters in line, and mails a summary. Then it
// ends.
package main

import (
	_ "embed"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"blockhosts/internal/cli"
)

//go:embed blockhosts.yaml
var sample []byte

// collectFrom is how much memory is in use before garbage is collected for the
// first time, in percent of 4 MiB (runtime/debug, SetGCPercent). Nearly every
// run ends before that, a flood's too, whose failures would be gone through
// again and again while they are gathered: a third of such a run.
const collectFrom = 3200

// collectAfter is the same from then on, in percent of what is in use.
const collectAfter = 100

// collectLate has garbage collected late for the first time. What goes then and
// tells of it is a pointer: the runtime packs small things without one together
// (runtime.AddCleanup), and among those it would stay as long as any of them.
func collectLate() {
	debug.SetGCPercent(collectFrom)
	runtime.AddCleanup(new(*int), func(percent int) { debug.SetGCPercent(percent) }, collectAfter)
}

func main() {
	collectLate()
	os.Exit(cli.Execute(os.Args[1:], cli.World{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Now: time.Now, Getenv: os.Getenv, Local: time.Local,
		Syslog: true, Sample: sample,
	}))
}
