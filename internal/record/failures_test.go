package record

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"
)

// TestFailures: what is packed comes out again, in its order.
func TestFailures(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	word := func(n int) string {
		if n = r.IntN(n); n == 0 {
			return ""
		}
		return fmt.Sprint("w", n)
	}
	var blames []*Blame
	for i := range 50 {
		blames = append(blames, &Blame{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), Rule: "sshd-Fail", Service: "sshd", Program: "sshd"})
	}
	for _, n := range []int{0, 1, 7, 20_000} {
		var want []Failure
		for range n {
			f := Failure{Blame: blames[r.IntN(len(blames))], PID: word(5000), User: word(300), Repeat: 1 + r.IntN(3), Text: word(4)}
			f.Time = time.UnixMicro(r.Int64N(4e15) - 2e15).UTC()
			want = append(want, f)
		}
		fs := Pack(want)
		if got := slices.Collect(fs.All()); !reflect.DeepEqual(got, want) || fs.Len() != n {
			t.Fatalf("%d failures: %d came out, or others", n, len(got))
		}
		for i := range want {
			if fs.Blames()[fs.BlameAt(i)] != want[i].Blame || fs.Micros(i) != want[i].Time.UnixMicro() {
				t.Fatalf("failure %d of %d is another's", i, n)
			}
		}
		slices.SortStableFunc(want, func(a, b Failure) int { return a.Time.Compare(b.Time) })
		if ordered := Pack(want); !ordered.InOrder() || n > 10 && fs.InOrder() {
			t.Errorf("%d failures: in order %v, sorted %v", n, fs.InOrder(), ordered.InOrder())
		}
	}
	var none *Failures
	if none.Len() != 0 || !none.InOrder() || none.Blames() != nil || len(slices.Collect(none.All())) != 0 {
		t.Error("no failures are some")
	}
}
