package export

import (
	"bytes"
	"errors"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lvs/rrdstore"
)

// TestRRDKeepsEveryDigit holds values that are hard to write against rrdtool.
func TestRRDKeepsEveryDigit(t *testing.T) {
	_, _, real, _ := series(t)
	sources := []rrdstore.Source{inBytes, {Name: strings.Repeat("x", 30)}, {Name: strings.Repeat("x", 31)}}
	r := result(t, 60, []*rrdstore.Series{real}, sources, rrdstore.Average, rrdstore.Max)
	for i := range r.Columns {
		for j, v := range r.Columns[i].Values {
			// rrdtool's own reader makes infinity of the greatest float64 and zero of
			// the least.
			if v = readable(v); v > 1e300 || v > 0 && v < 1e-300 {
				v = 1e-300
			}
			r.Columns[i].Values[j] = v
		}
	}
	d, err := NewRRD(20*time.Second, time.Minute, r.End().Add(20*time.Second), 0.5, r)
	if err != nil {
		t.Fatal(err)
	}
	d.Archives[0].Rows = 80
	path := filepath.Join(t.TempDir(), "x.rrd")
	restore(t, d, path)
	for _, f := range []rrdstore.Function{rrdstore.Average, rrdstore.Max} {
		if n := compareFetch(t, path, r, f, r.End().Unix()); n != 180 {
			t.Errorf("%d cells were compared", n)
		}
	}
	for at, row := range fetched(t, path, rrdstore.Average, r.Step, r.Start.Add(-20*r.Step).Unix(), r.Start.Unix()-1) {
		for _, v := range row {
			if rrdstore.Known(v) {
				t.Errorf("before the first row, at %d, there is %v", at, v)
			}
		}
	}
	info := rrdtool(t, "info", path)
	for _, want := range []string{"ds[in_bytes].type = \"DERIVE\"", "ds[xxxxxxxxxxxxxxxxx_1].type = \"GAUGE\"", "ds[xxxxxxxxxxxxxxxxx_2].type = \"GAUGE\"", "rra[0].rows = 80", "rra[0].pdp_per_row = 3", "rra[1].cf = \"MAX\""} {
		if !strings.Contains(info, want) {
			t.Errorf("rrdtool info does not tell %s:\n%s", want, info)
		}
	}
}

func TestRRDGolden(t *testing.T) {
	_, service, _, _ := series(t)
	r := result(t, 4, []*rrdstore.Series{service}, []rrdstore.Source{inBytes, active}, rrdstore.Average)
	coarse := result(t, 1, []*rrdstore.Series{service}, []rrdstore.Source{inBytes, active}, rrdstore.Max)
	coarse.Step = 3 * time.Minute
	coarse.Start = epoch
	d, err := NewRRD(time.Minute, 2*time.Minute, epoch.Add(4*time.Minute+5*time.Second), 0.25, r, coarse)
	if err != nil {
		t.Fatal(err)
	}
	d.Sources[0].Last, d.Sources[0].Pending, d.Sources[1].Pending = rrdstore.UintValue(math.MaxUint64), 12.5, math.NaN()
	var b bytes.Buffer
	if err := WriteRRD(&b, d); err != nil {
		t.Fatal(err)
	}
	golden(t, "rrd.golden", b.String())
	for _, n := range []int{0, 100, b.Len() - 1} {
		if err := WriteRRD(&shortWriter{n}, d); !errors.Is(err, errShort) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

func TestRRDRefusesWhatRRDToolWould(t *testing.T) {
	_, service, real, _ := series(t)
	make := func() *RRD {
		d, err := NewRRD(time.Minute, 2*time.Minute, epoch.Add(time.Hour), 0.5, result(t, 3, []*rrdstore.Series{service}, []rrdstore.Source{inBytes, active}, rrdstore.Average))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for name, change := range map[string]func(*RRD){
		"step":           func(d *RRD) { d.Step = 90 * time.Millisecond },
		"multiple":       func(d *RRD) { d.Step = 7 * time.Second },
		"last update":    func(d *RRD) { d.LastUpdate = time.Time{} },
		"data source":    func(d *RRD) { d.Sources[0].DS = "in-bytes" },
		"only once":      func(d *RRD) { d.Sources[0].DS = "active" },
		"heartbeat":      func(d *RRD) { d.Sources[1].Heartbeat = 0 },
		"xff":            func(d *RRD) { d.Archives[0].XFF = 1 },
		"no rows":        func(d *RRD) { d.Archives[0].Result = &rrdstore.Result{Start: epoch, Step: time.Minute} },
		"start":          func(d *RRD) { d.Archives[0].Result.Start = epoch.Add(time.Second) },
		"points":         func(d *RRD) { d.Points = &rrdstore.Result{Step: time.Hour} },
		"needs a source": func(d *RRD) { d.Sources = nil },
		"announced":      func(d *RRD) { d.Archives[0].Result.Rows = 4 },
	} {
		d := make()
		change(d)
		if err := WriteRRD(io.Discard, d); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if err := WriteRRD(io.Discard, make()); err != nil {
		t.Error(err)
	}
	if _, err := NewRRD(time.Minute, time.Minute, epoch, 0.5, result(t, 3, []*rrdstore.Series{service, real}, []rrdstore.Source{inBytes}, rrdstore.Average)); err == nil {
		t.Error("two series became one database")
	}
	if _, err := NewRRD(time.Minute, time.Minute, epoch, 0.5); err == nil {
		t.Error("nothing became a database")
	}
}
