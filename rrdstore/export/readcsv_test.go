package export

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/tools/txtar"

	"lvs/rrdstore"
)

var kinds = map[string]rrdstore.Kind{"fan_turns": rrdstore.Counter, "in_bytes": rrdstore.Gauge}

// pointsText is what a file has, a line for each point, and how it ended.
func pointsText(r io.Reader) string {
	var b strings.Builder
	for p, err := range ReadCSV(r, "in.csv", kinds) {
		if err != nil {
			fmt.Fprintln(&b, err)
			break
		}
		value := string(p.Value.Append(nil))
		if !p.Value.Known() {
			value = "unknown"
		}
		fmt.Fprintln(&b, p.Time.Format(time.RFC3339Nano), SeriesKey(p.Key, p.RIP), p.Source.Kind, p.Source.Name, value)
	}
	return b.String()
}

// TestReadCSV runs testdata/readcsv/*.txtar: any number of files "in" and after
// each what is "read" of it.
func TestReadCSV(t *testing.T) {
	cases(t, "readcsv", func(f txtar.File) (read string, ok bool) {
		return pointsText(strings.NewReader(string(f.Data))), true
	})
}

// What no text file can show: line ends, byte order marks, and reading byte by
// byte.
func TestReadCSVOfOtherSystems(t *testing.T) {
	want := "2026-11-20T08:00:00Z director counter connections 7\n"
	for _, text := range []string{
		"time,key,source,value\n2026-11-20T08:00:00Z,director,connections,7\n",
		"\uFEFFtime,key,source,value\r\n2026-11-20T08:00:00Z,director,connections,7\r\n",
		"\uFEFF2026-11-20T08:00:00Z,director,connections,7",
		"\n\ntime,key,source,value\n\n2026-11-20T08:00:00Z,director,connections,7",
	} {
		if got := pointsText(iotest.OneByteReader(strings.NewReader(text))); got != want {
			t.Errorf("%q\nread as %s", text, got)
		}
	}
}

func TestReadCSVTellsReadErrors(t *testing.T) {
	errDisk := errors.New("disk is gone")
	text := "time,key,source,value\n1,director,connections,7\n"
	got := pointsText(io.MultiReader(strings.NewReader(text), iotest.ErrReader(errDisk)))
	if want := "1970-01-01T00:00:01Z director counter connections 7\nin.csv:2: disk is gone\n"; got != want {
		t.Errorf("got %s", got)
	}
}

// TestReadCSVIsBounded reads endless files of which none has an end of line.
func TestReadCSVIsBounded(t *testing.T) {
	for _, text := range []string{"x", `"`, ",", "\"\n"} {
		for _, head := range []string{"", "time,key,source,value\n1,director,active,1\n"} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := pointsText(io.MultiReader(strings.NewReader(head), &endless{text: text}))
			runtime.ReadMemStats(&after)
			if !strings.Contains(got, "in.csv:") {
				t.Errorf("endless %q: %.200s", text, got)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
				t.Errorf("endless %q took %d bytes of memory", text, n)
			}
		}
	}
}

// An endless reader repeats a text for ever.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = e.text[e.at%len(e.text)]
		e.at++
	}
	return len(b), nil
}

// TestReadCSVStops ends the sequence early.
func TestReadCSVStops(t *testing.T) {
	for _, text := range []string{"1,director,active,1\n2,director,active,2\n", "time,service,real,active,weight\n1,director,,1,2\nbad\n"} {
		n := 0
		for _, err := range ReadCSV(strings.NewReader(text), "x", nil) {
			if err != nil {
				t.Error(err)
			}
			n++
			break
		}
		if n != 1 {
			t.Errorf("%d points", n)
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	cases, err := filepath.Glob("testdata/readcsv/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range cases {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range ar.Files {
			f.Add(string(file.Data))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		var points []rrdstore.Point
		for p, err := range ReadCSV(strings.NewReader(text), "x", nil) {
			if err != nil {
				if !strings.HasPrefix(err.Error(), "x:") {
					t.Errorf("error without a line: %v", err)
				}
				break
			}
			if u := p.Time.Unix(); u <= 0 || u > math.MaxUint32 || p.Time.Nanosecond() != 0 || checkSource(p.Source.Name) != nil {
				t.Errorf("point %+v", p)
			}
			points = append(points, p)
		}
		// What was read is read again from our own text.
		var b strings.Builder
		for _, p := range points {
			key := SeriesKey(p.Key, p.RIP)
			fmt.Fprintf(&b, "%d,\"%s\",%s,%s\n", p.Time.Unix(), key, p.Source.Name, p.Value.Append(nil))
		}
		i := 0
		for p, err := range ReadCSV(strings.NewReader(b.String()), "again", nil) {
			if len(points) == 0 {
				break
			}
			want := points[i]
			if err != nil || want.Value.Known() != p.Value.Known() || !same(want.Value.Float(), p.Value.Float()) {
				t.Fatalf("%+v became %+v, %v", want, p, err)
			}
			if want.Value, p.Value = (rrdstore.Value{}), (rrdstore.Value{}); p != want {
				t.Fatalf("%+v became %+v", want, p)
			}
			i++
		}
		if i != len(points) {
			t.Errorf("%d points became %d", len(points), i)
		}
	})
}
