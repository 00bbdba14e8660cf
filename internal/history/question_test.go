package history

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/rrdstore"
)

func TestQuestionReadsWords(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	w := Words{
		Keys: []string{"web"}, Reals: true, Top: "10", Start: "-1h", End: "now", Resolution: "5m",
		Functions: []string{"max,AVERAGE", "Last"}, Sources: []string{"in_bytes, out_bytes", "active"}, XFF: "0.25",
	}
	q, err := w.Question(now)
	if err != nil {
		t.Fatal(err)
	}
	if q.Top != 10 || q.By != "in_bytes" || q.Resolution != 5*time.Minute || *q.XFF != 0.25 || !q.Consolidated() ||
		len(q.Functions) != 3 || q.Functions[1] != rrdstore.Average || strings.Join(q.Sources, " ") != "in_bytes out_bytes active" {
		t.Errorf("%+v", q)
	}
	if q, err := (&Words{Start: "-1h", End: "now", Sources: []string{"active"}}).Question(now); err != nil || q.Consolidated() {
		t.Errorf("%+v, %v: want rows as stored", q, err)
	}
	for _, c := range []struct {
		change func(*Words)
		want   string
	}{
		{func(w *Words) { w.Start = "x" }, `start: time "x"`},
		{func(w *Words) { w.Resolution = "x" }, `resolution "x"`},
		{func(w *Words) { w.Functions = []string{"MEDIAN"} }, `cf: no consolidation function "MEDIAN"`},
		{func(w *Words) { w.Functions = []string{"MAX,"} }, `cf: no`},
		{func(w *Words) { w.Sources = []string{"In-Bytes"} }, `source "In-Bytes"`},
		{func(w *Words) { w.XFF = "1" }, `xff "1"`},
		{func(w *Words) { w.XFF = "NaN" }, `xff "NaN"`},
		{func(w *Words) { w.Top = "0" }, `top "0"`},
		{func(w *Words) { w.Top = ""; w.By = "active" }, `by "active": it goes with top`},
		{func(w *Words) { w.By = "a b" }, `by "a b"`},
	} {
		bad := w
		c.change(&bad)
		if _, err := bad.Question(now); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v, want one that begins %q", err, c.want)
		}
	}
}

// A fake answers queries: row r of series i is i*10+r/100, unknown for series 0.
type fake struct {
	series  []*rrdstore.Series
	step    time.Duration
	queries []rrdstore.Query
	err     error
}

func (f *fake) Series() []*rrdstore.Series { return f.series }

func (f *fake) Sources() []string { return []string{"in_bytes", "active"} }

func (f *fake) Fetch(_ context.Context, q rrdstore.Query) (*rrdstore.Result, error) {
	f.queries = append(f.queries, q)
	if f.err != nil {
		return nil, f.err
	}
	step := max(f.step, q.Resolution)
	res := &rrdstore.Result{Step: step, Start: q.Start.Truncate(step)}
	res.Rows = int(q.End.Truncate(step).Sub(res.Start)/step) + 1
	sources := q.Sources
	if sources == nil {
		sources = []string{"in_bytes", "active"}
	}
	functions := q.Functions
	if functions == nil {
		functions = []rrdstore.Function{rrdstore.Average}
	}
	for _, s := range q.Series {
		i := slices.Index(f.series, s)
		for _, source := range sources {
			for _, function := range functions {
				c := rrdstore.Column{Series: s, Source: rrdstore.Source{Name: source}, Function: function, Values: make([]float64, res.Rows)}
				for r := range c.Values {
					c.Values[r] = float64(i*10) + float64(res.Time(r).Unix())/1e12
					if i == 0 {
						c.Values[r] = math.NaN()
					}
				}
				res.Columns = append(res.Columns, c)
			}
		}
	}
	return res, nil
}

func TestSelectRanksByAverage(t *testing.T) {
	f := &fake{step: 10 * time.Second, series: series(t, "tcp/192.0.2.1:1", "tcp/192.0.2.2:1", "tcp/192.0.2.3:1", "tcp/192.0.2.4:1")}
	end := time.Unix(1_800_000_000, 0)
	q := &Question{Top: 3, By: "active", Start: end.Add(-24 * time.Hour), End: end}
	got, err := q.Select(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, s := range got {
		labels = append(labels, Label(s))
	}
	if text := strings.Join(labels, " "); text != "tcp/192.0.2.4:1 tcp/192.0.2.3:1 tcp/192.0.2.2:1" {
		t.Errorf("chose %s", text)
	}
	if asked := f.queries[0]; asked.Resolution != time.Minute || asked.Sources[0] != "active" {
		t.Errorf("asked for %v of %v", asked.Resolution, asked.Sources)
	}
	for _, bad := range []*Question{{Top: 1, By: "nosuch"}, {Sources: []string{"in_bytes", "nosuch"}}} {
		if _, err := bad.Select(t.Context(), f); !errors.Is(err, ErrQuestion) || !strings.Contains(err.Error(), "it has in_bytes active") {
			t.Errorf("got %v", err)
		}
	}
	f.err = errors.New("broken")
	if _, err := q.Select(t.Context(), f); !errors.Is(err, f.err) {
		t.Errorf("got %v", err)
	}
}

// TestStreamIsWholeAnswer holds that slices make up what one query returns.
func TestStreamIsWholeAnswer(t *testing.T) {
	var keys []string
	for i := range 200 {
		keys = append(keys, fmt.Sprintf("fwm4/%d", i+1))
	}
	f := &fake{step: 10 * time.Second, series: series(t, keys...)}
	end := time.Unix(1_800_000_003, 0)
	q := &Question{Start: end.Add(-3 * time.Hour), End: end, slice: 150_000}
	outline, err := q.Outline(t.Context(), f, f.series)
	if err != nil {
		t.Fatal(err)
	}
	for _, asked := range f.queries {
		if rows := asked.End.Sub(asked.Start) / f.step; len(asked.Series) > 0 && rows > 1 {
			t.Errorf("the outline reads %d rows of %d series", rows, len(asked.Series))
		}
	}
	whole, _ := f.Fetch(t.Context(), q.query(f.series))
	if outline.Rows != whole.Rows || !outline.Start.Equal(whole.Start) || outline.Step != whole.Step || len(outline.Columns) != len(whole.Columns) {
		t.Fatalf("outline %d x %d from %v, want %d x %d from %v", outline.Rows, len(outline.Columns), outline.Start, whole.Rows, len(whole.Columns), whole.Start)
	}
	count, row := 0, 0
	var told []int
	err = q.Stream(t.Context(), f, f.series, outline, func(res *rrdstore.Result) error {
		count++
		for r := range res.Rows {
			if !res.Time(r).Equal(whole.Time(row)) {
				t.Fatalf("row %d is of %v, want %v", row, res.Time(r), whole.Time(row))
			}
			for i, c := range res.Columns {
				if want := whole.Columns[i].Values[row]; c.Values[r] != want && !math.IsNaN(want) {
					t.Fatalf("row %d column %d is %v, want %v", row, i, c.Values[r], want)
				}
			}
			row++
		}
		return nil
	}, func(done, total int) { told = append(told, done, total) })
	if err != nil || row != whole.Rows || count < 2 || told[len(told)-2] != whole.Rows || told[len(told)-1] != whole.Rows {
		t.Errorf("%d rows of %d in %d slices, %v; told %v", row, whole.Rows, count, err, told)
	}
}

func TestStreamOfNothing(t *testing.T) {
	q := &Question{}
	outline, err := q.Outline(t.Context(), nil, nil)
	if err != nil || outline.Rows != 0 {
		t.Fatalf("%+v, %v", outline, err)
	}
	if err := q.Stream(t.Context(), nil, nil, outline, nil, nil); err != nil {
		t.Error(err)
	}
}

func TestStreamNoticesOtherTiers(t *testing.T) {
	f := &fake{step: 10 * time.Second, series: series(t, "fwm4/1")}
	q := &Question{Start: time.Unix(0, 0), End: time.Unix(3600, 0)}
	outline, err := q.Outline(t.Context(), f, f.series)
	if err != nil {
		t.Fatal(err)
	}
	f.step = time.Minute
	err = q.Stream(t.Context(), f, f.series, outline, func(*rrdstore.Result) error { return nil }, nil)
	if err == nil || !strings.Contains(err.Error(), "tiers changed") {
		t.Errorf("got %v", err)
	}
}
