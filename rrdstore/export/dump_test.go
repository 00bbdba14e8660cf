package export

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"lvs/rrdstore"
)

// dumpText is what a dump has, and how it ended.
func dumpText(r io.Reader) string {
	var b strings.Builder
	d, err := OpenDump(r, "in.xml")
	if err != nil {
		return err.Error() + "\n"
	}
	fmt.Fprintf(&b, "step %v, last update %s\n", d.Step, d.LastUpdate.Format(time.RFC3339))
	for _, s := range d.Sources {
		last := string(s.Last.Append(nil))
		if !s.Last.Known() {
			last = "unknown"
		}
		fmt.Fprintf(&b, "%s %s is a %v, heartbeat %v, last %s\n", s.Type, s.Name, s.Kind, s.Heartbeat, last)
	}
	for rows, err := range d.Rows() {
		if err != nil {
			fmt.Fprintln(&b, err)
			break
		}
		fmt.Fprintf(&b, "%s %v %v of %v from %s: %v\n", rows.Source.Kind, rows.Source.Name, rows.Function, rows.Step, rows.Start.Format(time.RFC3339), rows.Values)
	}
	for _, w := range d.Warnings() {
		fmt.Fprintln(&b, "warning:", w)
	}
	return b.String()
}

// TestReadDump runs testdata/dump/*.txtar: any number of files "in" and after each
// what is "read" of it. A file "in" may be changed from the one in "base" by lines
// "old => new".
func TestReadDump(t *testing.T) {
	base := ""
	cases(t, "dump", func(f txtar.File) (read string, ok bool) {
		text := string(f.Data)
		switch f.Name {
		case "base":
			base = text
			return "", false
		case "change":
			text = change(t, base, text)
		}
		return dumpText(iotest.OneByteReader(strings.NewReader(text))), true
	})
}

// change applies lines "old => new" to a text.
func change(t *testing.T, base, lines string) string {
	t.Helper()
	for line := range strings.Lines(lines) {
		from, to, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " => ")
		if !ok || !strings.Contains(base, from) {
			t.Fatalf("there is no %q to change", from)
		}
		base = strings.Replace(base, from, to, 1)
	}
	return base
}

// TestReadDumpEqualsFetch makes databases of every type of data source and kind of
// archive with rrdtool, and holds what is read of their dumps against rrdtool
// fetch.
func TestReadDumpEqualsFetch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.rrd")
	start := epoch.Unix()
	rrdtool(t, "create", path, "--start", fmt.Sprint(start), "--step", "300",
		"DS:c:COUNTER:600:0:U", "DS:d:DERIVE:600:U:U", "DS:a:ABSOLUTE:600:0:U", "DS:g:GAUGE:600:U:U", "DS:dc:DCOUNTER:600:0:U", "DS:dd:DDERIVE:600:U:U", "DS:sum:COMPUTE:g,2,*",
		"RRA:AVERAGE:0.5:1:50", "RRA:MIN:0.5:3:20", "RRA:MAX:0.5:3:20", "RRA:LAST:0.5:12:10", "RRA:MHWPREDICT:20:0.1:0.0035:10", "RRA:AVERAGE:0.5:12:10")
	args := []string{"update", path}
	for i := range int64(60) {
		g := fmt.Sprint(float64(i) * 0.25)
		if i%7 == 3 {
			g = "U"
		}
		args = append(args, fmt.Sprintf("%d:%d:%d:%d:%s:%d.5:%d.25", start+(i+1)*300+i%5*40, i*1e6, -i*i, i%9, g, i*10, 100-i))
	}
	rrdtool(t, args...)
	text := rrdtool(t, "dump", path)
	if !LooksLikeDump([]byte(text)[:20]) {
		t.Error("a dump does not look like one")
	}
	d := openDump(t, path)
	kinds := map[string]rrdstore.Kind{}
	for _, s := range d.Sources {
		kinds[s.Name] = s.Kind
	}
	want := map[string]rrdstore.Kind{"c": rrdstore.Counter, "d": rrdstore.Counter, "a": rrdstore.Counter, "g": rrdstore.Gauge, "dc": rrdstore.Counter, "dd": rrdstore.Counter, "sum": rrdstore.Gauge}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds (-want +got)\n%s", diff)
	}
	cells := 0
	for _, r := range resultsOf(t, d, &rrdstore.Series{}) {
		cells += compareFetch(t, path, r, r.Columns[0].Function, d.LastUpdate.Unix())
	}
	if cells != 7*(50+20+20+10+10) {
		t.Errorf("%d cells were compared", cells)
	}
	// The archives of aberrant behaviour detection: five, each with a warning.
	if w := d.Warnings(); len(w) != 5 || !slices.ContainsFunc(w, func(s string) bool { return strings.Contains(s, "MHWPREDICT") }) {
		t.Errorf("warnings %q", w)
	}
}

// TestReadDumpTellsWhereItWasCutOff breaks a dump off after every byte.
func TestReadDumpTellsWhereItWasCutOff(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/dump/errors.txtar")
	if err != nil {
		t.Fatal(err)
	}
	whole := strings.TrimSpace(string(ar.Files[0].Data))
	errDisk := errors.New("disk is gone")
	for n := range len(whole) {
		if got := dumpText(strings.NewReader(whole[:n])); !strings.Contains(got, "in.xml:") || strings.Contains(got, "warning") {
			t.Errorf("after %d bytes: %s", n, got)
		}
		if got := dumpText(io.MultiReader(strings.NewReader(whole[:n]), iotest.ErrReader(errDisk))); !strings.Contains(got, errDisk.Error()) {
			t.Errorf("disk gone after %d bytes: %s", n, got)
		}
	}
	if got := dumpText(strings.NewReader(whole)); strings.Contains(got, "in.xml:") {
		t.Errorf("the whole: %s", got)
	}
}

// TestReadDumpIsBounded reads endless elements.
func TestReadDumpIsBounded(t *testing.T) {
	for _, text := range []string{" ", "x", "<a>", "<!-- ", "<rrd>", "<rrd a='", "<![CDATA[", "<!DOCTYPE rrd [ "} {
		for _, head := range []string{"", "<rrd>", "<rrd><version>0003</version><step>"} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := dumpText(io.MultiReader(strings.NewReader(head), &endless{text: text}))
			runtime.ReadMemStats(&after)
			if !strings.Contains(got, "in.xml:") {
				t.Errorf("endless %q: %.200s", text, got)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
				t.Errorf("endless %q after %q took %d bytes of memory", text, head, n)
			}
		}
	}
}

func TestLooksLikeDump(t *testing.T) {
	for text, want := range map[string]bool{"": false, " \n<?xml": true, "\uFEFF<rrd>": true, "time,key": false, "1795161600,": false} {
		if LooksLikeDump([]byte(text)) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}

func FuzzReadDump(f *testing.F) {
	cases, err := filepath.Glob("testdata/dump/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range cases {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range ar.Files {
			if file.Name == "in" || file.Name == "base" {
				f.Add(string(file.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := OpenDump(strings.NewReader(text), "x")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x:") {
				t.Errorf("error without a line: %v", err)
			}
			return
		}
		n := 0
		for r, err := range d.Rows() {
			if err != nil {
				break
			}
			step := seconds(r.Step)
			end := r.Start.Unix() + int64(len(r.Values))*step
			if r.Step < d.Step || r.Start.Unix() < 0 || mod(r.Start.Unix(), step) != 0 || len(r.Values) > 0 && (end > d.LastUpdate.Unix() || end > math.MaxUint32) {
				t.Errorf("rows of %v from %v with the last update at %v", r.Step, r.Start, d.LastUpdate)
			}
			if r.Source != d.Sources[n%len(d.Sources)].Source {
				t.Errorf("rows of %v, want %v", r.Source, d.Sources[n%len(d.Sources)])
			}
			n++
		}
	})
}
