package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"lvs/dataplane"
	"lvs/internal/bench/load"
	"lvs/internal/bench/usage"
)

// A result is what the database used. CPU and bytes written are those of all
// ticks and of the compaction into a block that follows.
type result struct {
	usage.Usage
	Ticks, Samples int
	Append         time.Duration // the part of CPU before the compaction
	Block          int64         // bytes of the block: chunks, index and all
	AllHour        time.Duration // reading the last hour of all real servers and services
}

// measure appends all ticks and writes them as one block, as the database does by
// itself every two hours.
func measure(ctx context.Context, dir string, c load.Config, ticks int) (r result, err error) {
	l := load.New(c)
	a := &appender{refs: make([]storage.SeriesRef, c.Entities()*len(load.Sources))}
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = (15 * 24 * time.Hour).Milliseconds()
	m, err := usage.Start()
	if err != nil {
		return r, err
	}
	db, err := tsdb.Open(dir, slog.New(slog.DiscardHandler), nil, opts, nil)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.DisableCompactions() // one at the end, whatever the clock says
	for range ticks {
		var snap *dataplane.Snapshot
		m.Outside(func() { snap = l.Next() })
		if err := a.append(ctx, db, snap); err != nil {
			return r, err
		}
	}
	r.Append = m.CPU()
	head := db.Head()
	if err := db.CompactHead(tsdb.NewRangeHead(head, head.MinTime(), head.MaxTime())); err != nil {
		return r, err
	}
	if r.Usage, err = m.Stop(); err != nil {
		return r, err
	}
	r.Ticks = ticks
	for _, b := range db.Blocks() {
		r.Block += b.Size()
		r.Samples += int(b.Meta().Stats.NumSamples)
	}
	if want := ticks * len(a.refs); r.Samples != want {
		return r, fmt.Errorf("the block has %d samples of %d", r.Samples, want)
	}
	r.AllHour, err = readAll(ctx, db, l.Start.Add(time.Duration(ticks)*l.Step))
	return r, err
}

// readAll is the least wall time of three that reading the last hour takes.
func readAll(ctx context.Context, db *tsdb.DB, end time.Time) (least time.Duration, err error) {
	for i := range 3 {
		began := time.Now()
		samples, err := count(ctx, db, end.Add(-time.Hour), end)
		if err != nil {
			return 0, err
		}
		if samples == 0 {
			return 0, errors.New("the last hour has no samples")
		}
		if took := time.Since(began); i == 0 || took < least {
			least = took
		}
	}
	return least, nil
}

// count decodes all samples of a time.
func count(ctx context.Context, db *tsdb.DB, from, to time.Time) (samples int, err error) {
	q, err := db.Querier(from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	set := q.Select(ctx, false, nil, labels.MustNewMatcher(labels.MatchEqual, "job", "lvs"))
	var it chunkenc.Iterator
	for set.Next() {
		it = set.At().Iterator(it)
		for it.Next() != chunkenc.ValNone {
			samples++
		}
		if err := it.Err(); err != nil {
			return 0, err
		}
	}
	return samples, set.Err()
}

// An appender remembers the database's references, as Prometheus's scraper does.
type appender struct{ refs []storage.SeriesRef }

// append stores a snapshot, all of it or nothing.
func (a *appender) append(ctx context.Context, db *tsdb.DB, s *dataplane.Snapshot) error {
	app, when := db.Appender(ctx), s.Tick.UnixMilli()
	var err error
	load.Each(s, func(i int, v load.Values) {
		for j, u := range v {
			ref := &a.refs[i*len(v)+j]
			of := labels.EmptyLabels()
			if *ref == 0 {
				of = series(i, j)
			}
			var e error
			if *ref, e = app.Append(*ref, of, when, float64(u)); e != nil && err == nil {
				err = e
			}
		}
	})
	if err != nil {
		return errors.Join(err, app.Rollback())
	}
	return app.Commit()
}

// series names the source of an entity as a scrape of the agent would, with the
// labels that tell it from others.
func series(entity, source int) labels.Labels {
	return labels.FromStrings("__name__", "lvs_"+load.Sources[source], "instance", "director:10587", "job", "lvs",
		"service", "tcp/10.1."+strconv.Itoa(entity>>16)+"."+strconv.Itoa(entity>>8&255)+":443", "real", "10.16.0."+strconv.Itoa(entity&255)+":8080")
}
