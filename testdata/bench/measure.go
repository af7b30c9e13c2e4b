//go:build ignore

// Measure runs commands and remembers what the system says they took.
//
//	measure run [-instructions] FILE SCENARIO COMMAND-NAME ROUND COMMAND…
//	measure table FILE
//	measure ratio FILE SCENARIO NAME NAME
//
// The command inherits the standard streams; its end with another status than 0
// ends measure. Round 0 is the warm-up: it counts only for what was not run
// again. All figures are medians; "× grep" and ratios are of wall time.
package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("measure: ")
	if len(os.Args) < 3 {
		log.Fatal("usage: measure run|table|ratio FILE …")
	}
	file, args := os.Args[2], os.Args[3:]
	switch os.Args[1] {
	case "run":
		run(os.Args[2:])
	case "table":
		printTable(load(file))
	case "ratio":
		rows := load(file)
		a, b := find(rows, args[0], args[1]), find(rows, args[0], args[2])
		fmt.Printf("%.2f\n", a.wall/b.wall)
	default:
		log.Fatalf("no such command: %q", os.Args[1])
	}
}

func run(args []string) {
	flags := flag.NewFlagSet("run", flag.ExitOnError)
	count := flags.Bool("instructions", false, "count instructions under valgrind instead")
	_ = flags.Parse(args)
	args = flags.Args()
	if len(args) < 5 {
		log.Fatal("usage: measure run [-instructions] FILE SCENARIO NAME ROUND COMMAND…")
	}
	m := measurement{scenario: args[1], name: args[2]}
	command := args[4:]
	if *count {
		m.instructions = instructions(command)
	} else {
		m.wall, m.cpu, m.mb = times(command)
	}
	f, err := os.OpenFile(args[0], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintf(f, "%s\t%s\t%s\t%g\t%g\t%g\t%g\n", m.scenario, m.name, args[3], m.wall, m.cpu, m.mb, m.instructions)
		err = cmp.Or(err, f.Close())
	}
	if err != nil {
		log.Fatal(err)
	}
}

// A measurement is of one process, or the medians of several.
type measurement struct {
	scenario, name string
	wall, cpu      float64 // milliseconds; cpu is user and system
	mb             float64 // the peak of resident memory, 1e6 bytes
	instructions   float64
	once           bool // in the warm-up alone
}

// times runs a command. Linux and the BSDs count memory in KiB, macOS in bytes
// (getrusage(2)).
func times(command []string) (wall, cpu, mb float64) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	start := time.Now()
	err := cmd.Run()
	wall = milliseconds(time.Since(start))
	if err != nil {
		log.Fatalf("%s: %v", strings.Join(command, " "), err)
	}
	unit := 1024.0
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		mb = float64(usage.Maxrss) * unit / 1e6
	}
	return wall, milliseconds(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()), mb
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

var refs = regexp.MustCompile(`I +refs: +([\d,]+)`)

// instructions runs a command under valgrind, whose figure hardly depends on
// what else the machine does.
func instructions(command []string) float64 {
	said, err := os.CreateTemp(".", "valgrind")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(said.Name())
	defer said.Close()
	args := []string{"--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", "--log-file=" + said.Name()}
	cmd := exec.Command("valgrind", append(args, command...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		log.Fatalf("valgrind %s: %v", strings.Join(command, " "), err)
	}
	text, err := io.ReadAll(said)
	if err != nil {
		log.Fatal(err)
	}
	var sum float64 // a line for each process
	for _, m := range refs.FindAllSubmatch(text, -1) {
		n, _ := strconv.ParseFloat(string(bytes.ReplaceAll(m[1], []byte(","), nil)), 64)
		sum += n
	}
	if sum == 0 {
		log.Fatalf("valgrind says nothing of instructions: %.500q", text)
	}
	return sum
}

// load reads what was measured: a row for each command, in the order of the
// first round.
func load(file string) []measurement {
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	var rows []measurement
	rounds := map[string][][4]float64{} // by scenario and name; the first is the warm-up
	counted := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 7 {
			log.Fatalf("%s: a line of %d fields", file, len(f))
		}
		key := f[0] + "\t" + f[1]
		var v [4]float64
		for i := range v {
			if v[i], err = strconv.ParseFloat(f[3+i], 64); err != nil {
				log.Fatalf("%s: %v", file, err)
			}
		}
		if v[3] != 0 {
			counted[key] = v[3]
			continue
		}
		if rounds[key] == nil {
			rows = append(rows, measurement{scenario: f[0], name: f[1]})
		}
		rounds[key] = append(rounds[key], v)
	}
	for i, r := range rows {
		key := r.scenario + "\t" + r.name
		all := rounds[key]
		if len(all) > 1 {
			all = all[1:]
		}
		column := func(c int) []float64 {
			var values []float64
			for _, v := range all {
				values = append(values, v[c])
			}
			return values
		}
		rows[i] = measurement{r.scenario, r.name, median(column(0)), median(column(1)), median(column(2)), counted[key], len(rounds[key]) == 1}
	}
	return rows
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

func find(rows []measurement, scenario, name string) measurement {
	i := slices.IndexFunc(rows, func(m measurement) bool { return m.scenario == scenario && m.name == name })
	if i < 0 {
		log.Fatalf("nothing was measured of %s in %s", name, scenario)
	}
	return rows[i]
}

// printTable prints Markdown. The first row of a scenario is grep's.
func printTable(rows []measurement) {
	counted := slices.ContainsFunc(rows, func(m measurement) bool { return m.instructions > 0 })
	head, rule := "| scenario | command | wall ms | CPU ms | MB | × grep |", "| --- | --- | ---: | ---: | ---: | ---: |"
	if counted {
		head, rule = head+" M instructions |", rule+" ---: |"
	}
	fmt.Println(head)
	fmt.Println(rule)
	var grep measurement
	for _, m := range rows {
		scenario := ""
		if m.scenario != grep.scenario {
			grep, scenario = m, m.scenario
		}
		name := m.name
		if m.once {
			name += " (once)"
		}
		fmt.Printf("| %s | %s | %s | %s | %s | %s |", scenario, name, digits(m.wall), digits(m.cpu), digits(m.mb), digits(m.wall/grep.wall))
		if counted {
			fmt.Printf(" %s |", digits(m.instructions/1e6))
		}
		fmt.Println()
	}
}

// digits are no more than what was measured: two behind the point below 10, one
// below 100.
func digits(v float64) string {
	switch {
	case v < 10:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}
