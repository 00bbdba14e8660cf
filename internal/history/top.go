package history

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"lvs/rrdstore"
)

// A Fetcher is what answers queries: an [rrdstore.Reader].
type Fetcher interface {
	Series() []*rrdstore.Series
	Fetch(ctx context.Context, q rrdstore.Query) (*rrdstore.Result, error)
}

const (
	// topBatch is how many series are averaged at once.
	topBatch = 256
	// topRows is about how many rows an average is taken over.
	topRows = 300
)

// rankingSteps are the steps whose rows an average over long times is taken of.
var rankingSteps = []time.Duration{time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour}

// Select picks the series that q asks for.
func (q *Question) Select(ctx context.Context, r Fetcher) ([]*rrdstore.Series, error) {
	series, err := Choose(r.Series(), q.Keys, q.Reals)
	if err != nil || q.Top == 0 {
		return series, err
	}
	average := make(map[*rrdstore.Series]float64, len(series))
	for batch := range slices.Chunk(series, topBatch) {
		if err := q.average(ctx, r, batch, average); err != nil {
			return nil, fmt.Errorf("rank by %s: %w", q.By, err)
		}
	}
	slices.SortStableFunc(series, func(a, b *rrdstore.Series) int { return cmp.Compare(average[b], average[a]) })
	return series[:min(q.Top, len(series))], nil
}

// average notes the averages of a batch's source over the question's time: of
// what is known of it, minus one where nothing is.
func (q *Question) average(ctx context.Context, r Fetcher, batch []*rrdstore.Series, average map[*rrdstore.Series]float64) error {
	// However little of an interval is known, it tells something.
	xff := math.Nextafter(1, 0)
	query := rrdstore.Query{Series: batch, Sources: []string{q.By}, Start: q.Start, End: q.End, XFF: &xff}
	for _, step := range rankingSteps {
		if q.End.Sub(q.Start) >= topRows*step {
			query.Resolution = step
		}
	}
	res, err := r.Fetch(ctx, query)
	if err != nil {
		return err
	}
	for _, s := range batch {
		average[s] = -1
	}
	for _, c := range res.Columns {
		sum, known := 0.0, 0
		for _, v := range c.Values {
			if rrdstore.Known(v) {
				sum += v
				known++
			}
		}
		if known > 0 {
			average[c.Series] = sum / float64(known)
		}
	}
	return nil
}
