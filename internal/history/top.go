package history

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"lvs/rrdstore"
)

// A Fetcher is what answers queries: an [rrdstore.Reader].
type Fetcher interface {
	Series() []*rrdstore.Series
	Sources() []string
	Fetch(ctx context.Context, q rrdstore.Query) (*rrdstore.Result, error)
}

// Select picks the series that q asks for, and knows the sources.
func (q *Question) Select(ctx context.Context, r Fetcher) ([]*rrdstore.Series, error) {
	there := r.Sources()
	for _, name := range q.Sources {
		if !slices.Contains(there, name) {
			return nil, questionf("source %q: the store has none of that name; it has %s", name, strings.Join(there, " "))
		}
	}
	if q.Top > 0 && !slices.Contains(there, q.By) {
		return nil, questionf("by %q: the store has no source of that name; it has %s", q.By, strings.Join(there, " "))
	}
	series, err := Choose(r.Series(), q.Keys, q.Reals)
	if err != nil || q.Top == 0 {
		return series, err
	}
	averages, err := Averages(ctx, r, series, []string{q.By}, q.Start, q.End)
	if err != nil {
		return nil, fmt.Errorf("rank by %s: %w", q.By, err)
	}
	rank := make(map[*rrdstore.Series]float64, len(series))
	for i, s := range series {
		rank[s] = averages[i][0]
	}
	slices.SortStableFunc(series, func(a, b *rrdstore.Series) int { return cmp.Compare(rank[b], rank[a]) }) // NaN last
	return series[:min(q.Top, len(series))], nil
}

const (
	// averageBatch is how many series are averaged at once.
	averageBatch = 256
	// averageRows is how many rows an average is at least taken over, where the
	// time has so many.
	averageRows = 300
)

// averageSteps are the steps whose rows an average over long times is taken of.
var averageSteps = []time.Duration{time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour}

// Averages are those of each of the sources of each of the series over a time, of
// what is known of it; NaN where nothing is.
func Averages(ctx context.Context, r Fetcher, series []*rrdstore.Series, sources []string, start, end time.Time) ([][]float64, error) {
	xff := math.Nextafter(1, 0) // however little of an interval is known, it tells something
	query := rrdstore.Query{Sources: sources, Start: start, End: end, XFF: &xff}
	for _, step := range averageSteps {
		if end.Sub(start) >= averageRows*step {
			query.Resolution = step
		}
	}
	var averages [][]float64
	for batch := range slices.Chunk(series, averageBatch) {
		query.Series = batch
		res, err := r.Fetch(ctx, query)
		if err != nil {
			return nil, err
		}
		for columns := range slices.Chunk(res.Columns, len(sources)) {
			var of []float64
			for _, c := range columns {
				of = append(of, average(c.Values))
			}
			averages = append(averages, of)
		}
	}
	return averages, nil
}

func average(values []float64) float64 {
	sum, known := 0.0, 0
	for _, v := range values {
		if rrdstore.Known(v) {
			sum += v
			known++
		}
	}
	return sum / float64(known)
}
