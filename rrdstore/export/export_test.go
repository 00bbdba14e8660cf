package export

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"math"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"lvs/dataplane"
	"lvs/rrdstore"
)

var update = flag.Bool("update", false, "rewrite the wanted output in testdata")

// epoch is a multiple of every step in these tests.
var epoch = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

// series are the director, a service with a name that wants escaping, a real
// server of it, and a service of IPv6.
func series(t testing.TB) (director, service, real, other *rrdstore.Series) {
	t.Helper()
	of := func(key, name string) *rrdstore.Series {
		k, rip, err := ParseSeriesKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return &rrdstore.Series{Key: k, RIP: rip, Name: name}
	}
	return of("director", ""), of("tcp/192.0.2.10:443", "we\"b\\\n"), of("tcp/192.0.2.10:443,10.0.0.1:80", "r1"), of("udp/[2001:db8::1]:53", "")
}

var (
	inBytes = rrdstore.Source{Name: "in_bytes", Kind: rrdstore.Counter}
	active  = rrdstore.Source{Name: "active", Kind: rrdstore.Gauge}
	heat    = rrdstore.Source{Name: "heat", Kind: rrdstore.Gauge}
)

// numbers are values that are hard to write.
var numbers = []float64{0, math.Copysign(0, -1), 1, 1.0 / 3, 123456789012345680, 1e20, 1e21, 1e-6, 1e-7, math.NaN(), 5e-324, math.MaxFloat64, -2.5, math.Inf(1), 100}

// result has rows of a minute of every series, source and function, in other
// orders than a layout's. No two columns are alike.
func result(t testing.TB, rows int, series []*rrdstore.Series, sources []rrdstore.Source, functions ...rrdstore.Function) *rrdstore.Result {
	t.Helper()
	r := &rrdstore.Result{Start: epoch, Step: time.Minute, Rows: rows}
	for _, s := range series {
		for _, src := range sources {
			for _, f := range functions {
				c := rrdstore.Column{Series: s, Source: src, Function: f}
				for i := range rows {
					c.Values = append(c.Values, numbers[(i+len(r.Columns)*4)%len(numbers)])
				}
				r.Columns = append(r.Columns, c)
			}
		}
	}
	return r
}

// namesOf are the names of those services among series that have one.
func namesOf(series []*rrdstore.Series) map[dataplane.ServiceKey]string {
	names := map[dataplane.ServiceKey]string{}
	for _, s := range series {
		if scopeOf(s) == scopeService && s.Name != "" {
			names[s.Key] = s.Name
		}
	}
	return names
}

// readable is v as formats have it: what is no number is unknown.
func readable(v float64) float64 {
	if !isNumber(v) {
		return math.NaN()
	}
	return v + 0
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func write(t *testing.T, f Format, r *rrdstore.Result) string {
	t.Helper()
	var b bytes.Buffer
	var all []*rrdstore.Series
	for _, c := range r.Columns {
		all = append(all, c.Series)
	}
	if err := Write(&b, f, r, Options{Names: namesOf(all)}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// golden holds got against a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", path, diff)
	}
}

// cases runs testdata/dir/*.txtar: the files in them, and after each a file "read"
// with what read makes of it, where it is ok.
func cases(t *testing.T, dir string, read func(txtar.File) (text string, ok bool)) {
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range paths {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got := &txtar.Archive{Comment: ar.Comment}
		for _, f := range ar.Files {
			if f.Name == "read" {
				continue
			}
			got.Files = append(got.Files, f)
			if text, ok := read(f); ok {
				got.Files = append(got.Files, txtar.File{Name: "read", Data: []byte(text)})
			}
		}
		golden(t, filepath.Join(dir, filepath.Base(path)), string(txtar.Format(got)))
	}
}

// tool is a program of others that a test needs.
func tool(t *testing.T, name, debian string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%v: install Debian's package %s", err, debian)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, &stderr)
	}
	return stdout.String()
}

func TestFormats(t *testing.T) {
	director, service, real, other := series(t)
	all := []*rrdstore.Series{director, service, real, other}
	for _, f := range Formats() {
		t.Run(f.String(), func(t *testing.T) {
			golden(t, f.String()+".golden", write(t, f, result(t, 4, all, []rrdstore.Source{heat, active, inBytes}, rrdstore.Average)))
			golden(t, f.String()+"-functions.golden", write(t, f, result(t, 3, all[1:3], []rrdstore.Source{inBytes, active}, rrdstore.Average, rrdstore.Min, rrdstore.Max, rrdstore.Last)))
		})
	}
}

func TestFormatNames(t *testing.T) {
	for _, f := range Formats() {
		got, err := ParseFormat(f.String())
		if got != f || err != nil || f.ContentType() == "" {
			t.Errorf("%v is parsed as %v, %v; type %q", f, got, err, f.ContentType())
		}
	}
	if _, err := ParseFormat("xml"); err == nil || !strings.Contains(err.Error(), "csv, csv-long, json, ndjson, openmetrics") {
		t.Errorf("error %v", err)
	}
}

// TestWritersTellTheFirstError breaks off after every number of bytes.
func TestWritersTellTheFirstError(t *testing.T) {
	_, service, real, _ := series(t)
	r := result(t, 2000, []*rrdstore.Series{service, real}, []rrdstore.Source{inBytes, active}, rrdstore.Average)
	for _, f := range Formats() {
		for _, n := range []int{0, 1, 70_000, len(write(t, f, r)) - 1} {
			if err := Write(&shortWriter{n}, f, r, Options{}); !errors.Is(err, errShort) || !strings.HasPrefix(err.Error(), "write "+f.String()) {
				t.Errorf("%v after %d bytes: %v", f, n, err)
			}
		}
		if err := Write(io.Discard, f, r, Options{}); err != nil {
			t.Error(err)
		}
	}
}

// A shortWriter takes some bytes and then fails.
type shortWriter struct{ left int }

var errShort = errors.New("short")

func (w *shortWriter) Write(b []byte) (int, error) {
	if len(b) > w.left {
		n := w.left
		w.left = 0
		return n, errShort
	}
	w.left -= len(b)
	return len(b), nil
}

// slice cuts rows from to to out of r.
func slice(r *rrdstore.Result, from, to int) *rrdstore.Result {
	cut := &rrdstore.Result{Start: r.Start.Add(time.Duration(from) * r.Step), Step: r.Step, Rows: to - from}
	for _, c := range r.Columns {
		c.Values = c.Values[from:to]
		cut.Columns = append(cut.Columns, c)
	}
	return cut
}

func TestSlicesOfTimeMakeTheSameStream(t *testing.T) {
	_, service, real, _ := series(t)
	r := result(t, 50, []*rrdstore.Series{service, real}, []rrdstore.Source{inBytes, active}, rrdstore.Average, rrdstore.Max)
	for _, f := range []Format{CSV, CSVLong, JSON, NDJSON} {
		var b bytes.Buffer
		w, err := NewWriter(&b, f, slice(r, 0, 50), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range [][2]int{{0, 1}, {1, 20}, {20, 20}, {20, 50}} {
			if err := w.Write(slice(r, at[0], at[1])); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(write(t, f, r), b.String()); diff != "" {
			t.Errorf("%v (-whole +sliced)\n%s", f, diff)
		}
	}
}

func TestWhatWasNotAnnouncedIsRefused(t *testing.T) {
	_, service, real, _ := series(t)
	r := result(t, 5, []*rrdstore.Series{service}, []rrdstore.Source{inBytes}, rrdstore.Average)
	for name, bad := range map[string]*rrdstore.Result{
		"source":   result(t, 5, []*rrdstore.Series{service}, []rrdstore.Source{active}, rrdstore.Average),
		"function": result(t, 5, []*rrdstore.Series{service}, []rrdstore.Source{inBytes}, rrdstore.Max),
		"values":   {Start: r.Start, Step: r.Step, Rows: 4, Columns: r.Columns},
	} {
		for _, f := range []Format{CSV, CSVLong, JSON, NDJSON} {
			w, err := NewWriter(io.Discard, f, r, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(bad); !errors.Is(err, errShape) {
				t.Errorf("%v took another %s: %v", f, name, err)
			}
		}
	}
	// JSON tells beforehand which rows there will be.
	for name, bad := range map[string]*rrdstore.Result{
		"series": result(t, 5, []*rrdstore.Series{real}, []rrdstore.Source{inBytes}, rrdstore.Average),
		"rows":   result(t, 6, []*rrdstore.Series{service}, []rrdstore.Source{inBytes}, rrdstore.Average),
		"start":  slice(r, 1, 3),
		"end":    slice(r, 0, 3),
	} {
		if err := errors.Join(writeAs(JSON, r, bad)); !errors.Is(err, errShape) {
			t.Errorf("JSON took another %s: %v", name, err)
		}
	}
}

func writeAs(f Format, whole, r *rrdstore.Result) error {
	w, err := NewWriter(io.Discard, f, whole, Options{})
	if err != nil {
		return err
	}
	return errors.Join(w.Write(r), w.End())
}

func TestSourcesNamedAsColumnsAreRefused(t *testing.T) {
	_, service, _, _ := series(t)
	r := result(t, 1, []*rrdstore.Series{service}, []rrdstore.Source{{Name: "real"}}, rrdstore.Average)
	for _, f := range []Format{CSV, NDJSON} {
		if err := Write(io.Discard, f, r, Options{}); err == nil || !strings.Contains(err.Error(), "csv-long") {
			t.Errorf("%v: %v", f, err)
		}
	}
	if err := Write(io.Discard, CSVLong, r, Options{}); err != nil {
		t.Error(err)
	}
}

func TestSeriesKeys(t *testing.T) {
	for _, text := range []string{"director", "tcp/192.0.2.10:443", "fwm6/257", "udp/[2001:db8::1]:53,[2001:db8::2]:0"} {
		key, rip, err := ParseSeriesKey(text)
		if got := SeriesKey(key, rip); err != nil || got != text {
			t.Errorf("%s became %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "Director", "tcp/192.0.2.10", "tcp/192.0.2.10:443,", "director,10.0.0.1:80", "tcp/192.0.2.10:443,10.0.0.1:80,x"} {
		if key, rip, err := ParseSeriesKey(text); err == nil || key.IsValid() && rip != (netip.AddrPort{}) {
			t.Errorf("%q is taken for %v, %v", text, key, rip)
		}
	}
}
