package main

import (
	"context"
	"errors"
	"io"
	"time"

	"lvs/rrdstore"
	"lvs/rrdstore/graph"
)

// measurePictures draws the traffic of one real server's last 24 hours, every row
// of them, reading the store included.
func measurePictures(ctx context.Context, reader *rrdstore.Reader, reals []*rrdstore.Series, end time.Time, step time.Duration) (png, svg time.Duration, err error) {
	sources, functions := graph.Traffic.Query()
	q := rrdstore.Query{Sources: sources, Functions: functions, Start: end.Add(-24 * time.Hour), End: end.Add(-step), Resolution: step}
	if q.Series, err = busy(ctx, reader, reals, q); err != nil {
		return 0, 0, err
	}
	draw := func(write func(*graph.Graph, io.Writer) error) (least time.Duration, err error) {
		for i := range rounds {
			began := time.Now()
			result, err := reader.Fetch(ctx, q)
			if err != nil {
				return 0, err
			}
			g, err := graph.Traffic.Graph(result, nil)
			if err != nil {
				return 0, err
			}
			if err := write(g, io.Discard); err != nil {
				return 0, err
			}
			if took := time.Since(began); i == 0 || took < least {
				least = took
			}
		}
		return least, nil
	}
	if png, err = draw((*graph.Graph).PNG); err != nil {
		return 0, 0, err
	}
	svg, err = draw((*graph.Graph).SVG)
	return png, svg, err
}

// busy is the first real server with traffic both ways.
func busy(ctx context.Context, reader *rrdstore.Reader, reals []*rrdstore.Series, q rrdstore.Query) ([]*rrdstore.Series, error) {
	for i := range reals {
		q.Series, q.Sources, q.Functions = reals[i:i+1], []string{"out_bytes"}, nil
		result, err := reader.Fetch(ctx, q)
		if err != nil {
			return nil, err
		}
		if !reals[i].RepliesBypass && result.Columns[0].Values[result.Rows-1] > 0 {
			return q.Series, nil
		}
	}
	return nil, errors.New("no real server has traffic both ways")
}
