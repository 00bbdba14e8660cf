package history

import (
	"context"
	"fmt"
	"time"

	"lvs/rrdstore"
)

// sliceCells is about how many values are in memory at once: 16 MB of them.
const sliceCells = 2 << 20

// Outline tells what the answer to q is going to be: its rows and columns, which
// have no values yet.
func (q *Question) Outline(ctx context.Context, r Fetcher, series []*rrdstore.Series) (*rrdstore.Result, error) {
	if len(series) == 0 {
		return &rrdstore.Result{Start: q.Start, Step: time.Second}, nil
	}
	grid, err := r.Fetch(ctx, q.query(nil)) // which is the same for all series
	if err != nil {
		return nil, err
	}
	// Columns are the same in all rows.
	last := q.query(series)
	last.Start, last.End, last.Resolution = grid.End().Add(-grid.Step), grid.End().Add(-grid.Step), grid.Step
	row, err := r.Fetch(ctx, last)
	if err != nil {
		return nil, err
	}
	for i := range row.Columns {
		row.Columns[i].Values = nil
	}
	return &rrdstore.Result{Start: grid.Start, Step: grid.Step, Rows: grid.Rows, Columns: row.Columns}, nil
}

// Stream answers q about these series, a slice of time after the other, and hands
// each to write. The slices have the step and columns of the outline and join
// without a gap. progress is told how many of all rows are done; it may be nil.
func (q *Question) Stream(ctx context.Context, r Fetcher, series []*rrdstore.Series, outline *rrdstore.Result, write func(*rrdstore.Result) error, progress func(done, total int)) error {
	if len(series) == 0 {
		return nil
	}
	perSlice := q.sliceRows(len(outline.Columns), outline.Step)
	for done := 0; done < outline.Rows; {
		n := min(perSlice, outline.Rows-done)
		query := q.query(series)
		query.Start = outline.Start.Add(time.Duration(done) * outline.Step)
		query.End = query.Start.Add(time.Duration(n-1) * outline.Step)
		query.Resolution = outline.Step
		res, err := r.Fetch(ctx, query)
		if err != nil {
			return err
		}
		if res.Step != outline.Step || !res.Start.Equal(query.Start) || res.Rows != n || len(res.Columns) != len(outline.Columns) {
			return fmt.Errorf("the store's tiers changed while it was read (%d rows of %v from %v; wanted %d of %v from %v): try again",
				res.Rows, res.Step, res.Start, n, outline.Step, query.Start)
		}
		if err := write(res); err != nil {
			return err
		}
		done += n
		if progress != nil {
			progress(done, outline.Rows)
		}
	}
	return nil
}

// sliceRows is how many rows a slice has: as far as it can, as many as whole hours
// have, because the store keeps rows by the hour.
func (q *Question) sliceRows(columns int, step time.Duration) int {
	n := max(1, q.cells()/max(1, columns))
	if hour := int(time.Hour / step); hour > 1 && n >= hour {
		n -= n % hour
	}
	return n
}

// cells is how many values a slice has at most, but for one row.
func (q *Question) cells() int {
	if q.slice != 0 {
		return q.slice
	}
	return sliceCells
}
