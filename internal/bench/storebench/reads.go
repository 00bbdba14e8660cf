package main

import (
	"context"
	"fmt"
	"time"

	"lvs/internal/bench/load"
	"lvs/rrdstore"
)

// reads are wall times, the least of several rounds.
type reads struct {
	OneDay  time.Duration // one real server's last 24 hours: the mean of several real servers
	AllHour time.Duration // the last hour of all of them
	// Pictures of one real server's last 24 hours, read and drawn.
	PNG, SVG time.Duration
}

const (
	rounds = 5
	// sampled is how many real servers OneDay is the mean of.
	sampled = 50
	// batch is how many series are asked for at once where all are wanted, as an
	// export does: an answer is a number for every source and row.
	batch = 1024
)

// measureReads reads a store that is open and whose last tick is end, every row
// of every source.
func measureReads(ctx context.Context, s *rrdstore.Store, c load.Config, end time.Time) (r reads, err error) {
	reader, err := s.Reader(ctx)
	if err != nil {
		return r, err
	}
	var reals []*rrdstore.Series
	for _, se := range reader.Series() {
		if se.RIP.IsValid() {
			reals = append(reals, se)
		}
	}
	if want := c.Services * c.Reals; len(reals) != want {
		return r, fmt.Errorf("the store has %d real servers, want %d", len(reals), want)
	}
	timed := func(series []*rrdstore.Series, span time.Duration) (least time.Duration, err error) {
		for i := range rounds {
			began := time.Now()
			if err := fetch(ctx, reader, series, end, span, c.Step); err != nil {
				return 0, err
			}
			if took := time.Since(began); i == 0 || took < least {
				least = took
			}
		}
		return least, nil
	}
	for i := range sampled {
		took, err := timed(reals[i*len(reals)/sampled:][:1], 24*time.Hour)
		if err != nil {
			return r, err
		}
		r.OneDay += took / sampled
	}
	if r.AllHour, err = timed(reals, time.Hour); err != nil {
		return r, err
	}
	r.PNG, r.SVG, err = measurePictures(ctx, reader, reals, end, c.Step)
	return r, err
}

// fetch reads the last of some series as they were sampled.
func fetch(ctx context.Context, reader *rrdstore.Reader, all []*rrdstore.Series, end time.Time, span, step time.Duration) error {
	for len(all) > 0 {
		n := min(batch, len(all))
		result, err := reader.Fetch(ctx, rrdstore.Query{Series: all[:n], Start: end.Add(-span), End: end.Add(-step), Resolution: step})
		if err != nil {
			return err
		}
		if err := complete(result, n, int(span/step), step); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// complete says what an answer lacks.
func complete(r *rrdstore.Result, series, rows int, step time.Duration) error {
	if r.Rows != rows || r.Step != step || len(r.Columns) != series*len(rrdstore.StandardSources()) {
		return fmt.Errorf("read %d columns of %d rows of %v, want %d series and %d rows of %v", len(r.Columns), r.Rows, r.Step, series, rows, step)
	}
	for i := range r.Columns {
		if c := &r.Columns[i]; !rrdstore.Known(c.Values[0]) || !rrdstore.Known(c.Values[rows-1]) {
			return fmt.Errorf("the first or last %s of %v %v is unknown", c.Source.Name, c.Series.Key, c.Series.RIP)
		}
	}
	return nil
}
