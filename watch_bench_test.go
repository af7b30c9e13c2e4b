package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkWatch measures the whole way under "blockhosts watch": from the
// moment in which a log line is written to that in which the kernel says that
// the address is in the nft set. Each line stands alone: the watch makes a
// pause of a second between runs. -benchtime=50x is half a minute.
func BenchmarkWatch(b *testing.B) {
	needs(b, map[string]string{"ip": "iproute2", "nft": "nftables"})
	ns := fmt.Sprintf("bhwatch%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
		b.Fatalf("ip netns add: %v\n%s", err, out)
	}
	b.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	w := newWatching(b, "[DIR/auth.log]", "blockers: [nftables]", "limits: {blockcount: 0}")
	w.args = []string{"ip", "netns", "exec", ns}
	w.start()
	added := w.monitor(ns)

	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		time.Sleep(1100 * time.Millisecond)
		addr := fmt.Sprintf("192.0.2.%d", i%250+1)
		if i >= 250 {
			addr = fmt.Sprintf("198.51.100.%d", i%250+1)
		}
		line := w.failures(addr, 1)
		b.StartTimer()
		begin := time.Now()
		w.append("auth.log", line)
		for at := range added {
			if strings.Contains(at.text, addr+" ") || strings.Contains(at.text, addr+",") {
				took = append(took, at.time.Sub(begin))
				break
			}
		}
	}
	b.StopTimer()
	w.stop()
	slices.Sort(took)
	b.ReportMetric(milliseconds(took[len(took)/2]), "median-ms")
	b.ReportMetric(milliseconds(took[len(took)*9/10]), "p90-ms")
	b.ReportMetric(0, "ns/op") // the mean says less
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// A said is a line of nft's monitor, and when it came.
type said struct {
	text string
	time time.Time
}

// monitor shows what is added to the sets of a namespace, from now on.
func (w *watching) monitor(ns string) <-chan said {
	cmd := exec.Command("ip", "netns", "exec", ns, "nft", "monitor", "new", "elements")
	out, err := cmd.StdoutPipe()
	w.check(err)
	w.check(cmd.Start())
	w.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := make(chan said, 100)
	go func() {
		for scan := bufio.NewScanner(out); scan.Scan(); {
			lines <- said{scan.Text(), time.Now()}
		}
		close(lines)
	}()
	time.Sleep(200 * time.Millisecond) // it says nothing when it is ready
	return lines
}
