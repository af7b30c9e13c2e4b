package logscan

import (
	"context"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"blockhosts/internal/record"
)

// mixed is a log of about size bytes in which much is odd: lines cut by others,
// NULs, lines over MaxLine, lines without a prefix, some programs.
func mixed(size int) string {
	var b strings.Builder
	for n := 0; b.Len() < size; n++ {
		switch {
		case n%5000 == 4999:
			b.WriteString(strings.Repeat("long ", MaxLine/4) + "\n")
		case n%700 == 699:
			b.WriteString("\x00\x00" + failure(n%3000))
		case n%300 == 299:
			b.WriteString("\n\r\n \xff no prefix\n")
		case n%7 == 6:
			b.WriteString(strings.Replace(failure(n%3000), "sshd", fmt.Sprintf("prog%d", n%50), 1))
		case n%11 == 10:
			b.WriteString(strings.Replace(failure(n%3000), "192.0.2.", "192.0.2.x", 1)) // ambiguous
		default:
			b.WriteString(failure(n % 3000))
		}
	}
	return b.String()
}

// TestManyWorkersAreOne: however many cores share a log, the failures come in
// the order of its lines, and every count is the same.
func TestManyWorkersAreOne(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	d := newDir(t, "auth.log")
	d.write("auth.log", mixed(2*aloneUpTo)+"no end")
	scan := func(another func() Matcher) Result {
		return Scan(context.Background(), d.sources, nil, failedRule{}, Options{Now: noon, Evidence: 3, Another: another})
	}
	one, many := scan(nil), scan(func() Matcher { return failedRule{} })
	if one.Failures.Len() < 10_000 || one.Ambiguous == 0 || one.Files[0].Skipped == 0 || one.Files[0].Waiting == 0 {
		t.Fatalf("%d failures, %+v", one.Failures.Len(), one.Files[0])
	}
	if !reflect.DeepEqual(one, many) {
		one.Failures, many.Failures = nil, nil
		t.Errorf("one worker: %+v\nmany: %+v", one, many)
	}
}

// panicky panics on the lines of one program.
type panicky struct{ failedRule }

func (p panicky) MatchInto(l *record.Line, m *record.Match) {
	if string(l.Program) == "prog6" {
		panic(fmt.Sprintf("index out of range [%s]", l.PID))
	}
	p.failedRule.MatchInto(l, m)
}

// TestPanicIsPassedOver: a line on which a rule panics costs that line alone,
// in this run and for the next ones, and is told; the matcher is made anew.
func TestPanicIsPassedOver(t *testing.T) {
	for _, size := range []int{100_000, 2 * aloneUpTo} {
		d := newDir(t, "auth.log")
		text := mixed(size)
		d.write("auth.log", text)
		made := 0
		fresh := func() Matcher { made++; return panicky{} }
		want := Scan(context.Background(), d.sources, nil, failedRule{}, Options{Now: noon})
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // made is counted without a lock
		got := Scan(context.Background(), d.sources, nil, fresh(), Options{Now: noon, Another: fresh})
		if !reflect.DeepEqual(got.Failures, want.Failures) || got.Files[0].Offset != int64(len(text)) || got.Lines != want.Lines {
			t.Errorf("%d of %d failures, %+v", got.Failures.Len(), want.Failures.Len(), got.Files[0])
		}
		bugs := slices.DeleteFunc(slices.Clone(got.Problems), func(p record.Problem) bool { return !strings.HasSuffix(p.Key, ": a bug") })
		if len(bugs) != 1 || !bugs[0].Fails || !strings.Contains(bugs[0].Text, "index out of range") {
			t.Errorf("%+v", got.Problems)
		}
		if broken := strings.Count(text, " prog6["); made < broken || broken == 0 {
			t.Errorf("%d matchers made for %d panics", made, broken)
		}
		if r := Scan(context.Background(), d.sources, got.Offsets, fresh(), Options{Now: noon}); r.Lines != 0 {
			t.Errorf("%d lines once more", r.Lines)
		}
	}
}

// odd is a reader that panics after some blocks.
type odd struct {
	io.Reader
	left int
}

func (r *odd) Read(b []byte) (int, error) {
	if r.left--; r.left < 0 {
		panic("odd")
	}
	return r.Reader.Read(b)
}

// TestPanicInReading: what is wrong with the reading itself is told as if one core
// had done it all.
func TestPanicInReading(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	text := mixed(2 * aloneUpTo)
	s := &scan{ctx: context.Background(), opt: Options{Now: noon, Another: func() Matcher { return failedRule{} }}, workers: []*worker{newWorker(failedRule{}, nil)}}
	l := &log{path: "auth.log", zone: time.UTC}
	defer func() {
		if p := recover(); p != "odd" || l.report.Lines == 0 {
			t.Errorf("%v, %d lines", p, l.report.Lines)
		}
	}()
	s.hand(l, &stretch{bare: -1, file: &logFile{size: int64(len(text))}}, newBlockReader(&odd{strings.NewReader(text), 9}, nil))
	t.Error("the panic is lost")
}

// BenchmarkScanCores: what a second core adds where lines cost something.
func BenchmarkScanCores(b *testing.B) {
	path, size := syslogFile(b, 64<<20, 4)
	for _, cores := range []int{1, 2} {
		b.Run(fmt.Sprint(cores), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			b.SetBytes(size)
			for b.Loop() {
				Scan(context.Background(), []Source{{File: path}}, nil, failedRule{}, Options{Now: noon, Another: func() Matcher { return failedRule{} }})
			}
		})
	}
	os.Remove(path)
}
