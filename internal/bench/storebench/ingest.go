package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lvs/dataplane"
	"lvs/internal/bench/load"
	"lvs/internal/bench/usage"
	"lvs/rrdstore"
)

// An ingested is what the store used for all ticks, upkeep included, and what
// reading them takes then.
type ingested struct {
	usage.Usage
	Ticks, Entities int
	Raw             perSample // of the archive's raw rows
	Reads           reads
}

func ingest(ctx context.Context, dir string, c load.Config, ticks int) (r ingested, err error) {
	r.Ticks, r.Entities = ticks, c.Entities()
	l := load.New(c)
	m, err := usage.Start()
	if err != nil {
		return r, err
	}
	s, err := rrdstore.Open(dir, rrdstore.Options{Step: c.Step})
	if err != nil {
		return r, err
	}
	defer func() {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for range ticks {
		var snap *dataplane.Snapshot
		m.Outside(func() { snap = l.Next() })
		if err := store(ctx, s, snap, func() { m.Outside(func() {}) }); err != nil {
			return r, err
		}
	}
	if r.Usage, err = m.Stop(); err != nil {
		return r, err
	}
	if r.Reads, err = measureReads(ctx, s, c, c.Start.Add(time.Duration(ticks)*c.Step)); err != nil {
		return r, err
	}
	err = s.Close()
	s = nil
	if err != nil {
		return r, err
	}
	levels, err := archived(dir)
	if err != nil {
		return r, err
	}
	raw := levels.of(0)
	if len(raw.windows) == 0 {
		return r, fmt.Errorf("the archive has no raw rows after %d ticks", ticks)
	}
	r.Raw = raw.perSample(c)
	return r, nil
}

// store commits a tick and does what upkeep is due, as the agent does. It calls
// between after each unit of it.
func store(ctx context.Context, s *rrdstore.Store, snap *dataplane.Snapshot, between func()) error {
	if err := s.Commit(ctx, snap); err != nil {
		return err
	}
	for more := true; more; {
		var err error
		if more, err = s.Maintain(ctx); err != nil {
			return err
		}
		between()
	}
	return nil
}
