package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// TestCollectLate: after the first collection the program uses no more memory
// than others do, whatever small things were made and are kept meanwhile.
func TestCollectLate(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(collectAfter))
	percent := func() uint64 {
		now := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(now)
		return now[0].Value.Uint64()
	}
	kept := make([]*int, 64)
	late := func() {
		for i := range kept {
			if kept[i] = new(int); i == len(kept)/2 {
				collectLate()
			}
		}
	}
	if late(); percent() != collectFrom {
		t.Fatalf("%d percent at the start", percent())
	}
	for range 100 { // the runtime tells some time after a collection
		if runtime.GC(); percent() == collectAfter {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if got := percent(); got != collectAfter {
		t.Errorf("%d percent after collections, want %d", got, collectAfter)
	}
	runtime.KeepAlive(kept)
}
