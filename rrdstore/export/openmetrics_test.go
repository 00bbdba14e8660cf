package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/collector/prom"
	"lvs/rrdstore"
)

// dumped writes blocks from OpenMetrics and reads them back, with promtool: values
// by series and milliseconds.
func dumped(t *testing.T, text string) map[string]float64 {
	t.Helper()
	dir := t.TempDir()
	file, blocks := filepath.Join(dir, "in.om"), filepath.Join(dir, "blocks")
	// promtool tsdb dump wants a write-ahead log, if an empty one.
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o644), os.MkdirAll(filepath.Join(blocks, "wal"), 0o755)); err != nil {
		t.Fatal(err)
	}
	tool(t, "promtool", "prometheus", "tsdb", "create-blocks-from", "openmetrics", file, blocks)
	got := map[string]float64{}
	for line := range strings.Lines(tool(t, "promtool", "prometheus", "tsdb", "dump", blocks)) {
		labels, rest, ok := strings.Cut(line, "} ")
		if !ok {
			t.Fatalf("promtool dumped %q", line)
		}
		value, ms, _ := strings.Cut(strings.TrimSpace(rest), " ")
		got[labels+"} "+ms] = parseNumber(t, value)
	}
	return got
}

// sampleKey is a sample as promtool dumps it, without its value.
func sampleKey(name string, s *rrdstore.Series, service string, at time.Time) string {
	labels := ""
	switch scopeOf(s) {
	case scopeService:
		labels = fmt.Sprintf(", service=%q", service)
	case scopeReal:
		labels = fmt.Sprintf(", real=%q, service=%q", s.RIP.String(), service)
	}
	return fmt.Sprintf("{__name__=%q%s} %d", name, labels, at.UnixMilli())
}

func TestPromtoolMakesTheSameSeries(t *testing.T) {
	for _, r := range results(t) {
		want := map[string]float64{}
		for _, c := range r.Columns {
			service := c.Series.Key.String()
			if service == "tcp/192.0.2.10:443" {
				service = "we\"b\\\n"
			}
			name := consolidatedFamily(scopeOf(c.Series), c.Source, c.Function, r.Step).name
			for i, v := range c.Values {
				if isNumber(v) {
					want[sampleKey(name, c.Series, service, r.Time(i))] = v
				}
			}
		}
		if diff := cmp.Diff(want, dumped(t, write(t, OpenMetrics, r))); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// TestPartsKeepFamiliesTogether streams a result part by part.
func TestPartsKeepFamiliesTogether(t *testing.T) {
	r := results(t)[1]
	director, service, real, other := r.Columns[0].Series, r.Columns[12].Series, r.Columns[24].Series, r.Columns[36].Series
	all := []*rrdstore.Series{real, other, director, service}
	functions := layoutOf(r).functions
	for _, f := range Formats() {
		for _, limit := range []int{0, 1, 3} {
			parts := Parts(f, all, []string{"heat", "in_bytes", "active"}, functions, limit)
			var b bytes.Buffer
			w, err := NewWriter(&b, f, r, Options{})
			if err != nil {
				t.Fatal(err)
			}
			cells := 0
			for _, p := range parts {
				if limit > 0 && len(p.Series) > limit && f != JSON {
					t.Errorf("%v: a part of %d series, want at most %d", f, len(p.Series), limit)
				}
				part := *r
				part.Columns = nil
				for _, c := range r.Columns {
					if slices.Contains(p.Series, c.Series) && slices.Contains(p.Sources, c.Source.Name) && slices.Contains(p.Functions, c.Function) {
						part.Columns = append(part.Columns, c)
						cells += r.Rows
					}
				}
				if f == JSON {
					continue // there is one part, and TestJSONReadsBack has its order
				}
				if err := w.Write(&part); err != nil {
					t.Fatal(err)
				}
			}
			if want := len(r.Columns) * r.Rows; cells != want {
				t.Errorf("%v: parts of %d have %d cells, want %d", f, limit, cells, want)
			}
			if f != OpenMetrics {
				continue
			}
			if err := w.End(); err != nil {
				t.Fatal(err)
			}
			checkFamilies(t, b.String())
			var whole bytes.Buffer
			if err := Write(&whole, f, r, Options{}); err != nil {
				t.Fatal(err)
			}
			sorted := func(s string) []string { l := strings.Split(s, "\n"); slices.Sort(l); return l }
			if diff := cmp.Diff(sorted(whole.String()), sorted(b.String())); diff != "" {
				t.Errorf("parts of %d (-whole +parts)\n%s", limit, diff)
			}
		}
	}
}

var sampleName = regexp.MustCompile(`^[a-z0-9_:]+`)

// checkFamilies checks the order that OpenMetrics asks for.
func checkFamilies(t *testing.T, text string) {
	t.Helper()
	if !strings.HasSuffix(text, "\n# EOF\n") || strings.Contains(text, "\r") || strings.Contains(text, "\n\n") {
		t.Error("the text does not end well, or has empty lines or carriage returns")
	}
	seen := map[string]bool{}
	family := ""
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "# HELP "); ok {
			if family = sampleName.FindString(name); seen[family] {
				t.Errorf("family %s comes twice", family)
			}
			seen[family] = true
		} else if !strings.HasPrefix(line, "#") && strings.TrimSuffix(sampleName.FindString(line), "_total") != family {
			t.Errorf("%q is in family %s", line, family)
		}
	}
}

func TestOpenMetricsRefusesAnotherOrder(t *testing.T) {
	_, service, real, other := series(t)
	one := func(s *rrdstore.Series, src rrdstore.Source) *rrdstore.Result {
		return result(t, 3, []*rrdstore.Series{s}, []rrdstore.Source{src}, rrdstore.Average)
	}
	later := one(service, inBytes)
	later.Start = later.End()
	for name, c := range map[string]struct {
		ok     bool
		writes []*rrdstore.Result
	}{
		"series and families":       {true, []*rrdstore.Result{one(service, inBytes), one(other, inBytes), one(service, active), one(real, active)}},
		"slices of one series":      {true, []*rrdstore.Result{one(service, inBytes), later}},
		"a family again":            {false, []*rrdstore.Result{one(service, inBytes), one(service, active), one(other, inBytes)}},
		"a series again":            {false, []*rrdstore.Result{one(service, inBytes), one(other, inBytes), later}},
		"the same time again":       {false, []*rrdstore.Result{one(service, inBytes), one(service, inBytes)}},
		"an earlier time":           {false, []*rrdstore.Result{later, one(service, inBytes)}},
		"another scope in between":  {false, []*rrdstore.Result{one(service, inBytes), one(real, inBytes), one(other, inBytes)}},
		"nothing known, twice over": {true, []*rrdstore.Result{unknown(one(service, inBytes)), one(service, active), one(service, inBytes)}},
	} {
		w, err := NewWriter(io.Discard, OpenMetrics, nil, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range c.writes {
			err = errors.Join(err, w.Write(r))
		}
		if (err == nil) != c.ok || err != nil && !errors.Is(err, errOrder) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func unknown(r *rrdstore.Result) *rrdstore.Result {
	for _, c := range r.Columns {
		for i := range c.Values {
			c.Values[i] = math.NaN()
		}
	}
	return r
}

// TestNamesAreTheAgents holds names, types and labels against what the agent
// itself shows to Prometheus.
func TestNamesAreTheAgents(t *testing.T) {
	docs := map[string]prom.MetricDoc{}
	for _, d := range prom.Descriptions() {
		docs[d.Name] = d
	}
	director, service, real, _ := series(t)
	for _, s := range []*rrdstore.Series{director, service, real} {
		for _, src := range rrdstore.StandardSources() {
			if gauge := src.Kind == rrdstore.Gauge && src.Name != "active"; gauge && s == director {
				continue // it has none
			}
			f := rawFamily(scopeOf(s), src)
			d, ok := docs[f.name+f.suffix]
			if !ok || d.Type != f.kind {
				t.Errorf("%s %s: the agent has %+v", f.kind, f.name+f.suffix, d)
			}
			var names []string
			for _, m := range regexp.MustCompile(`([a-z]+)="`).FindAllStringSubmatch(labels(s, nil), -1) {
				names = append(names, m[1])
			}
			if !slices.Equal(names, d.Labels) {
				t.Errorf("%s: labels %q, the agent has %q", f.name, names, d.Labels)
			}
		}
	}
	for _, d := range docs {
		if strings.Contains(d.Name, "_imported_") {
			t.Errorf("the agent's %s could be taken for an imported one", d.Name)
		}
	}
}

func TestSpans(t *testing.T) {
	for d, want := range map[time.Duration]string{10 * time.Second: "10s", 90 * time.Second: "90s", 5 * time.Minute: "5m", time.Hour: "1h", 36 * time.Hour: "36h", 24 * time.Hour: "1d", 14 * 24 * time.Hour: "2w"} {
		if got := spanText(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
