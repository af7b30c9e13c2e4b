package blockfile

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"blockhosts/internal/record"
)

func TestMarkers(t *testing.T) {
	for _, c := range []struct {
		name, text string
		count      int // -1: two, all is well
	}{
		{"empty file", "", 0},
		{"none", "ALL : ALL\n", 0},
		{"in the middle of a line", "x " + Marker + "\n# " + Marker + "\n", 0},
		{"one", "a\n" + Marker + "\nb\n", 1},
		{"two", Marker + "\n" + Marker + "\n", -1},
		{"no newline at the end", Marker + "\n" + Marker, -1},
		{"CRLF, indented, with more text", "\r\n \t" + Marker + " x\r\n" + Marker + "y\r\n", -1},
		{"three", Marker + "\n" + Marker + "\n" + Marker, 3},
		{"twice on one line", Marker + Marker + "\n", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.text)
			f, err := Load(path, options())
			if c.count < 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var wrong *MarkerError
			if !errors.As(err, &wrong) || wrong.Count != c.count || !strings.Contains(err.Error(), path) {
				t.Fatalf("got %v, want a MarkerError with %d", err, c.count)
			}
			// --dry-run needs no marker.
			if got := string(f.Section(example())); !strings.HasPrefix(got, Marker+"\nALL: 198.51.100.0/24 : deny\n") {
				t.Errorf("section:\n%s", got)
			}
			if err := f.Save(context.Background(), example()); err == nil || read(t, path) != c.text {
				t.Errorf("Save: %v, want it refused and nothing changed", err)
			}
		})
	}
	if got, want := (&MarkerError{Path: "/etc/hosts.allow"}).Error(), `read /etc/hosts.allow: no "#---- BlockHosts Additions" line; run "blockhosts init"`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	fifo, loop, gone := filepath.Join(dir, "fifo"), filepath.Join(dir, "loop"), filepath.Join(dir, "gone")
	if err := errors.Join(unix.Mkfifo(fifo, 0o600), os.Symlink(loop, loop), os.Symlink("/nonexistent", gone)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                              "not a regular file",
		fifo:                             "not a regular file",
		"/dev/null":                      "not a regular file",
		loop:                             "too many links",
		gone:                             `blockhosts init`,
		filepath.Join(dir, "none"):       `blockhosts init`,
		filepath.Join(dir, "none/where"): `blockhosts init`,
	} {
		f, err := Load(path, options())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "read "+path+": ") || strings.Count(err.Error(), path) != 1 {
			t.Errorf("Load(%s) = %v, want an error with %q", path, err, want)
			continue
		}
		if errors.Is(err, fs.ErrNotExist) != strings.Contains(want, "init") {
			t.Errorf("%s: %v: is it missing?", path, err)
		}
		if len(f.Section(record.State{})) == 0 {
			t.Errorf("%s: no section to show", path)
		}
	}
}

// TestOutside: what libwrap would ignore in the administrator's own lines.
func TestOutside(t *testing.T) {
	long := "sshd : " + strings.Repeat("192.0.2.1 ", 300) + ": allow\n"
	joined := "sshd : " + strings.Repeat(strings.Repeat("192.0.2.1 ", 20)+"\\\n", 12) + ": allow\n"
	for _, c := range []struct {
		name, text, want string
		fails            bool
	}{
		{"fine", "sshd : 192.0.2.1\n" + inSection() + "ALL : ALL\n", "", false},
		{"our marker without its newline", Marker + "\n" + Marker, "", false},
		{"no newline at the end", inSection() + "ALL : ALL", "last line has no newline", false},
		{"an escaped one", inSection() + "ALL : ALL \\\n", "last line has no newline", false},
		{"too long above", "# x\n" + long + inSection(), "line 2 is longer than 2046", true},
		{"too long when joined", joined + inSection(), "line 1 is longer than 2046", true},
		{"too long below", "# x\n" + inSection("x") + long, "line 5 is longer than 2046", false},
		{"just not too long", "#" + strings.Repeat("x", 2045) + "\n" + inSection(), "", false},
		{"just too long", "#" + strings.Repeat("x", 2046) + "\n" + inSection(), "line 1", true},
		{"continued into the section", "sshd : 192.0.2.1 \\\n" + inSection(), "ends in \\", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := load(t, write(t, strings.Replace(c.text, "\nx\n", "\n\n", 1)))
			switch {
			case c.want == "" && len(f.Problems) > 0:
				t.Errorf("problems: %+v", f.Problems)
			case c.want != "" && (len(f.Problems) != 1 || !strings.Contains(f.Problems[0].Text, c.want) || f.Problems[0].Fails != c.fails):
				t.Errorf("problems: %+v, want one with %q, failing: %v", f.Problems, c.want, c.fails)
			}
			o := options()
			o.Template = Template{"Require not ip {ip}", "Require not ip {ip}"}
			if f, err := Load(f.Path, o); err != nil || len(f.Problems) > 0 {
				t.Errorf("in an Apache file: %v %+v", err, f.Problems)
			}
		})
	}
}

// outside is the second definition of what must stay: the whole lines before
// the first, and after the second line that, trimmed, begins with the marker.
func outside(data []byte) (before, after []byte, markers int) {
	for line := range bytes.Lines(data) {
		if bytes.HasPrefix(bytes.TrimLeft(line, " \t\r\v\f"), []byte("#---- BlockHosts Additions")) {
			markers++
			continue
		}
		switch markers {
		case 0:
			before = append(before, line...)
		case 2:
			after = append(after, line...)
		}
	}
	return before, after, markers
}

// FuzzLoad: whatever stands in the file, Load does not fall over, and Save
// changes nothing outside the markers.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		"", "a\r\nb\xfc\x00\n" + inSection("#bh: ip: 203.0.113.9 : 8 : 1308341273.0", "#bh: more:", "#bh: more: x") + "ALL : ALL",
		Marker + "\n" + Marker, Marker + "\n#bh: first line:\x00\\\n" + Marker + "\n\\\n",
		"\n x" + Marker + "\n\t" + Marker + "\r\nALL: [::1]/128 : deny\n#bh: ip: ::1 : 1 : 2007-02-22-14-20\n" + Marker + "xx\n\xff",
		inSection(`#bh: block: net=2001:db8::/64 by="a,b",c`, `#bh: blocker: "x`, "#bh: ip: 1::/0 : 1 : - # UTC net=::/0 from=,::", "#bh: tally: key=zz"),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := write(t, string(data))
		before, after, markers := outside(data)
		x, err := Load(path, options())
		if (err == nil) != (markers == 2) {
			t.Fatalf("Load: %v with %d markers", err, markers)
		}
		if err != nil {
			return
		}
		if err := x.Save(context.Background(), x.State); err != nil {
			t.Fatal(err)
		}
		now := []byte(read(t, path))
		b, a, m := outside(now)
		if m != 2 || !bytes.Equal(b, before) || !bytes.Equal(a, after) {
			t.Fatalf("outside changed: %q\nnow %q", data, now)
		}
		y, err := Load(path, options())
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.State.Offsets {
			x.State.Offsets[i].FirstLine = ""
		}
		if d := differ(y.State, x.State); d != "" {
			t.Fatalf("%s\nfrom %q\nvia %q", d, data, now)
		}
	})
}

// FuzzRead is the same without files, and so some hundred times as fast: what
// was understood of any section is understood again from ours.
func FuzzRead(f *testing.F) {
	for _, st := range []record.State{{}, example()} {
		x := File{template: DefaultTemplate.compile()}
		f.Add(string(x.Section(st)))
	}
	f.Add("#bh: ip: 1::/0 : 1 : - # UTC net=::/0 from=,:: by=a:1,a:2:-")
	f.Add("#bh: logfile: \"\\x\n#bh: offset: 1\n#bh: more:1\n#bh: first line: bh1 head=\"\\x5c\"")
	f.Add("#bh: ip: 2001:db8:7::0 : 0 : # UTC net=2001:db8:7::/10 from=::,:: by=b:1,a:2,a:3")
	f.Add("ALL: [::ffff:192.0.2.1/120] : deny\n#bh: ip: 64:ff9b::192.0.2.1 : 1 : 1\n#bh: ip: ::1.2.3.4:7:2\nALL: 192.0.2.1/:deny")
	f.Fuzz(func(t *testing.T, section string) {
		if _, n := findMarkers(section); n > 0 {
			return
		}
		x := File{template: DefaultTemplate.compile()}
		o := options()
		r := newReader(o, x.template)
		r.readAll(section)
		st, _ := r.result("x")
		for i := range st.Offsets {
			st.Offsets[i].FirstLine = ""
		}
		text := string(x.Section(st))
		inner, ok := strings.CutPrefix(text, Marker+"\n")
		inner, ok2 := strings.CutSuffix(inner, Marker+"\n")
		if _, n := findMarkers(text); !ok || !ok2 || n != 2 {
			t.Fatalf("%d markers in %q", n, text)
		}
		for line := range strings.SplitSeq(inner, "\n") {
			if len(line) > maxLine || strings.HasSuffix(line, `\`) {
				t.Fatalf("a line that libwrap reads otherwise: %q", line)
			}
		}
		r = newReader(o, x.template)
		r.readAll(inner)
		again, problems := r.result("x")
		if d := differ(again, st); d != "" || len(problems) > 0 {
			t.Fatalf("%s\n%v\nfrom %q\nvia %q", d, problems, section, text)
		}
	})
}

// TestCounts: a count that somebody wrote by hand is none that a run's own
// failures could turn negative.
func TestCounts(t *testing.T) {
	for text, want := range map[string]int{
		"0": 0, "7": 7, "999999999": 999999999, "1000000001": maxCount,
		"9223372036854775807": maxCount, "9223372036854775808": maxCount, "99999999999999999999999": maxCount,
		"-1": -1, "-9223372036854775808": -1, "-9223372036854775809": -1, "1e3": -1, "": -1,
	} {
		f := load(t, write(t, inSection(
			"#bh: ip: 192.0.2.1 : "+text+" : 1795247555.3 # 2026-11-21 07:52:35 UTC",
			"#bh: ip: 192.0.2.2 : 4 : 1795247555.3 # 2026-11-21 07:52:35 UTC by=sshd:"+text,
			"#bh: past: net=192.0.2.3 blocks="+text+" last=1795247555.3",
		)))
		if want < 0 {
			if len(f.State.Hosts) != 1 || f.State.Hosts[0].Services != nil || len(f.State.Past) != 0 || len(f.Problems) == 0 {
				t.Errorf("count %q: %+v, problems %+v", text, f.State, f.Problems)
			}
			continue
		}
		if got := []int{f.State.Hosts[0].Count, f.State.Hosts[1].Services[0].Count, f.State.Past[0].Blocks}; !slices.Equal(got, []int{want, want, want}) {
			t.Errorf("counts %q: %d, want %d", text, got, want)
		}
	}
}
