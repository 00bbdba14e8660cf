package export

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/rrdstore"
)

// A cell is where a value belongs in a result.
type cell struct {
	time             int64
	series, source   string
	function         rrdstore.Function
	withoutFunctions bool
}

// cells are all values of r.
func cells(r *rrdstore.Result) map[cell]float64 {
	one := len(layoutOf(r).functions) == 1
	all := map[cell]float64{}
	for _, c := range r.Columns {
		for i, v := range c.Values {
			at := cell{time: r.Time(i).Unix(), series: SeriesKey(c.Series.Key, c.Series.RIP), source: c.Source.Name, function: c.Function}
			if one {
				at.function, at.withoutFunctions = 0, true
			}
			all[at] = readable(v)
		}
	}
	return all
}

// compareCells reports what is lost, wrong or too much.
func compareCells(t *testing.T, what fmt.Stringer, want, got map[cell]float64) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(cell{}), cmp.Comparer(same)); diff != "" {
		t.Errorf("%v (-want +got)\n%s", what, diff)
	}
}

// results are of one function, and of several.
func results(t *testing.T) []*rrdstore.Result {
	director, service, real, other := series(t)
	all := []*rrdstore.Series{director, service, real, other}
	sources := []rrdstore.Source{heat, active, inBytes}
	return []*rrdstore.Result{
		result(t, 40, all, sources, rrdstore.Max),
		result(t, 40, all, sources, rrdstore.Average, rrdstore.Min, rrdstore.Max, rrdstore.Last),
	}
}

func unix(t *testing.T, s string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.Unix()
}

// number reads what csv and json have for a value.
func parseNumber(t *testing.T, s string) float64 {
	t.Helper()
	if s == "" {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// column splits the name of a column.
func column(t *testing.T, name string) (source string, f rrdstore.Function, without bool) {
	t.Helper()
	i := strings.LastIndex(name, "_")
	if i >= 0 && strings.ToUpper(name[i:]) == name[i:] {
		f, err := rrdstore.ParseFunction(name[i+1:])
		if err != nil {
			t.Fatal(err)
		}
		return name[:i], f, false
	}
	return name, 0, true
}

func key(service, real string) string {
	if real != "" {
		return service + "," + real
	}
	return service
}

func TestCSVReadsBack(t *testing.T) {
	for _, r := range results(t) {
		for _, f := range []Format{CSV, CSVLong} {
			records, err := csv.NewReader(strings.NewReader(write(t, f, r))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			got := map[cell]float64{}
			for _, rec := range records[1:] {
				if f == CSVLong {
					c := cell{time: unix(t, rec[0]), series: rec[1], source: rec[2], withoutFunctions: len(rec) == 4}
					if len(rec) == 5 {
						if c.function, err = rrdstore.ParseFunction(rec[4]); err != nil {
							t.Fatal(err)
						}
					}
					got[c] = parseNumber(t, rec[3])
					continue
				}
				for i, v := range rec[3:] {
					source, fn, without := column(t, records[0][i+3])
					got[cell{unix(t, rec[0]), key(rec[1], rec[2]), source, fn, without}] = parseNumber(t, v)
				}
			}
			compareCells(t, f, cells(r), got)
		}
	}
}

func TestNDJSONReadsBack(t *testing.T) {
	for _, r := range results(t) {
		got := map[cell]float64{}
		for line := range strings.Lines(write(t, NDJSON, r)) {
			var object map[string]any
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			for name, v := range object {
				if name == "time" || name == "service" || name == "real" {
					continue
				}
				x := math.NaN()
				if v != nil {
					x = v.(float64)
				}
				source, fn, without := column(t, name)
				got[cell{unix(t, object["time"].(string)), key(object["service"].(string), object["real"].(string)), source, fn, without}] = x
			}
		}
		compareCells(t, NDJSON, cells(r), got)
	}
}

// An xportFile is what rrdtool xport --json prints.
type xportFile struct {
	About string
	Meta  struct {
		Start, End, Step int64
		Legend           []string
	}
	Data [][]*float64
}

func parseXport(t *testing.T, text string) (x xportFile) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&x); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return x
}

func TestJSONReadsBack(t *testing.T) {
	for _, r := range results(t) {
		x := parseXport(t, write(t, JSON, r))
		got := map[cell]float64{}
		for i, row := range x.Data {
			for j, v := range row {
				words := strings.Fields(x.Meta.Legend[j])
				c := cell{time: x.Meta.Start + int64(i)*x.Meta.Step, series: words[0], source: words[1], withoutFunctions: len(words) == 2}
				if len(words) == 3 {
					var err error
					if c.function, err = rrdstore.ParseFunction(words[2]); err != nil {
						t.Fatal(err)
					}
				}
				got[c] = math.NaN()
				if v != nil {
					got[c] = *v
				}
			}
		}
		compareCells(t, JSON, cells(r), got)
		if x.Meta.End != r.End().Unix() {
			t.Errorf("the end is told as %d, want %d", x.Meta.End, r.End().Unix())
		}
	}
}

var jsonNumber = regexp.MustCompile(`-?[0-9.]+(e[+-][0-9]+)?`)

// TestJSONIsXports holds JSON against what rrdtool itself prints of the same data,
// to the letter but for the digits of values.
func TestJSONIsXports(t *testing.T) {
	_, service, _, _ := series(t)
	r := result(t, 7, []*rrdstore.Series{service}, []rrdstore.Source{inBytes, active}, rrdstore.Average)
	for _, c := range r.Columns {
		for i := range c.Values {
			if v := math.Abs(c.Values[i]); v > 1e300 || v > 0 && v < 1e-300 || i == 5 {
				c.Values[i] = math.NaN()
			}
		}
	}
	d, err := NewRRD(r.Step, 2*r.Step, r.End(), 0.5, r)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.rrd")
	restore(t, d, path)
	theirs := rrdtool(t, "xport", "--json", "--start", fmt.Sprint(r.Start.Unix()), "--end", fmt.Sprint(r.End().Unix()), "--step", fmt.Sprint(seconds(r.Step)),
		"DEF:a="+path+":in_bytes:AVERAGE", "DEF:b="+path+":active:AVERAGE",
		`XPORT:a:tcp/192.0.2.10\:443 in_bytes`, `XPORT:b:tcp/192.0.2.10\:443 active`)
	ours := write(t, JSON, r)

	// The whole shape: white space, null, the order of members, the legend.
	_, theirData, _ := strings.Cut(theirs, `"data"`)
	_, ourData, _ := strings.Cut(ours, `"data"`)
	if diff := cmp.Diff(strings.TrimSuffix(theirs, theirData), strings.TrimSuffix(ours, ourData)); diff != "" {
		t.Errorf("before the data (-rrdtool +ours)\n%s", diff)
	}
	if diff := cmp.Diff(jsonNumber.ReplaceAllString(theirData, "N"), jsonNumber.ReplaceAllString(ourData, "N")); diff != "" {
		t.Errorf("data (-rrdtool +ours)\n%s", diff)
	}
	// The values, in the ten digits that rrdtool prints.
	if diff := cmp.Diff(parseXport(t, theirs), parseXport(t, ours), cmp.Comparer(close10)); diff != "" {
		t.Errorf("(-rrdtool +ours)\n%s", diff)
	}
}
