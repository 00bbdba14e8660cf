package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"lvs/rrdstore"
	"lvs/rrdstore/export"
)

// Info tells of the rows of a day.
func (f *fake) Info(context.Context) (rrdstore.Info, error) {
	end := time.Unix(1_800_000_100, 0)
	return rrdstore.Info{Step: f.step, Newest: end, Levels: []rrdstore.LevelInfo{{First: end.Add(-24 * time.Hour)}}}, nil
}

// Rows are three, and then what fails if it is to.
func (f *fake) Rows(_ context.Context, start, _ time.Time, want func(*rrdstore.Series) bool) iter.Seq2[*rrdstore.Row, error] {
	return func(yield func(*rrdstore.Row, error) bool) {
		for i := range 3 {
			row := &rrdstore.Row{Tick: start.Add(time.Duration(i) * f.step)}
			for _, s := range f.series {
				if want(s) {
					row.Entries = append(row.Entries, rrdstore.Entry{Series: s, Known: 1 << 3})
					row.Entries[len(row.Entries)-1].Total.InBytes = 1<<53 + 1
				}
			}
			if !yield(row, nil) {
				return
			}
		}
		if f.err != nil {
			yield(nil, f.err)
		}
	}
}

// TestAnswerInSlicesIsWhole holds that every format says the same of an answer made
// in slices and parts as of one in memory.
func TestAnswerInSlicesIsWhole(t *testing.T) {
	var keys []string
	for i := range 5 {
		keys = append(keys, fmt.Sprintf("fwm4/%d", i+1), fmt.Sprintf("fwm4/%d,10.0.0.1:80", i+1))
	}
	f := &fake{step: 10 * time.Second, series: series(t, append(keys, DirectorKey)...)}
	end := time.Unix(1_800_000_003, 0)
	q := &Question{
		Keys: []string{"*", DirectorKey}, Reals: true, Start: end.Add(-3 * time.Hour), End: end, slice: 30_000,
		Functions: []rrdstore.Function{rrdstore.Average, rrdstore.Max}, Sources: []string{"in_bytes", "active"},
	}
	for _, format := range []export.Format{export.CSV, export.JSON, export.OpenMetrics} {
		query := q.query(f.series)
		whole, err := f.Fetch(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		var want, got bytes.Buffer
		if err := export.Write(&want, format, whole, export.Options{}); err != nil {
			t.Fatal(err)
		}
		f.queries = nil
		told := 0
		a := &Answer{Question: q, Format: format, Progress: func(done, total int) { told = done * 1000 / total }}
		if err := a.Write(t.Context(), f, &got); err != nil {
			t.Fatal(err)
		}
		if told != 1000 || len(f.queries) < 4 {
			t.Errorf("%v: %d queries, told of %d ‰", format, len(f.queries), told)
		}
		if !bytes.Equal(want.Bytes(), got.Bytes()) {
			t.Errorf("%v: %d bytes in slices, %d at once", format, got.Len(), want.Len())
		}
	}
}

func TestAnswerHasALimit(t *testing.T) {
	f := &fake{step: 10 * time.Second, series: series(t, "fwm4/1", "fwm4/2")}
	q := &Question{End: time.Unix(86400, 0), Start: time.Unix(0, 0), Resolution: 10 * time.Second}
	a := &Answer{Question: q, Format: export.CSV, Limit: 30000}
	err := a.Write(t.Context(), f, io.Discard)
	var limit *LimitError
	if !errors.As(err, &limit) || limit.Cells != 8641*2*2 || limit.Enough != time.Minute {
		t.Fatalf("%v: %+v", err, limit)
	}
	q.Resolution = limit.Enough
	if err := a.Write(t.Context(), f, io.Discard); err != nil {
		t.Errorf("with the resolution that it asks for: %v", err)
	}
}

func TestAnswerOfRowsAsStored(t *testing.T) {
	f := &fake{step: 10 * time.Second, series: series(t, "fwm4/1=one", "fwm4/2")}
	q := &Question{Keys: []string{"one"}, Start: time.Unix(1_800_000_000, 0), End: time.Unix(1_800_000_100, 0), Sources: []string{"in_bytes"}}
	var out bytes.Buffer
	if err := (&Answer{Question: q, Format: export.CSVLong}).Write(t.Context(), f, &out); err != nil {
		t.Fatal(err)
	}
	want := "time,key,source,value\n2027-01-15T08:00:00Z,fwm4/1,in_bytes,9007199254740993\n"
	if !strings.HasPrefix(out.String(), want) || strings.Count(out.String(), "\n") != 4 {
		t.Errorf("printed\n%s", &out)
	}
	var limit *LimitError
	if err := (&Answer{Question: q, Format: export.CSV, Limit: 10}).Write(t.Context(), f, io.Discard); !errors.As(err, &limit) || limit.Cells != 11 {
		t.Errorf("%v: %+v", err, limit)
	}
	out.Reset()
	f.err = errors.New("broken")
	err := (&Answer{Question: q, Format: export.CSV}).Write(t.Context(), f, &out)
	if !errors.Is(err, f.err) || strings.Count(out.String(), "\n") != 4 {
		t.Errorf("%v after\n%s", err, &out)
	}
}

func TestAnswerOfNothing(t *testing.T) {
	for _, format := range export.Formats() {
		for _, functions := range [][]rrdstore.Function{nil, {rrdstore.Max}} {
			a := &Answer{Question: &Question{Functions: functions}, Format: format}
			if err := a.Write(t.Context(), &fake{step: time.Second}, io.Discard); err != nil {
				t.Errorf("%v of %v: %v", format, functions, err)
			}
		}
	}
}
