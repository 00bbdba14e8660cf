package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lvs/internal/bench/load"
	"lvs/rrdstore"
)

// A kept is how large a store is when nothing more is added to it without
// something old going.
type kept struct {
	Entities int
	Bytes    float64            // of both files, for an entity
	Parts    map[string]float64 // of which each step's rows take, by step; and free pages
}

// keep runs a store until windows of every span have closed, and reckons from
// their sizes.
func keep(ctx context.Context, dir string, c load.Config, ticks int) (k kept, err error) {
	head, err := fill(ctx, dir, c, ticks)
	if err != nil {
		return k, err
	}
	all, err := archived(dir)
	if err != nil {
		return k, err
	}
	file, err := archiveSize(dir)
	if err != nil {
		return k, err
	}
	return reckon(all, head, file, c, ticks)
}

// reckon is what all windows that are kept at a time take, after those of a load,
// which are alike but for the noise. What the archive's file has free or for
// itself counts in proportion; head is that of the open windows.
func reckon(all levels, head, file int64, c load.Config, ticks int) (kept, error) {
	k := kept{Entities: c.Entities(), Parts: map[string]float64{}}
	var data int64
	for _, l := range all {
		for _, w := range l.windows {
			data += w.bytes
		}
	}
	end := c.Start.Add(time.Duration(ticks) * c.Step)
	share := float64(file) / float64(data) / float64(c.Entities())
	for _, t := range append([]rrdstore.Tier{{Step: 0, Keep: 24 * time.Hour}}, rrdstore.DefaultTiers()...) {
		l := all.of(t.Step)
		whole, err := l.whole(c.Start, end)
		if err != nil {
			return k, err
		}
		// A window goes when all of it is too old: one more is partly so.
		windows := float64(t.Keep)/float64(l.span()) + 1
		k.Parts[t.Step.String()] = whole * windows * share
	}
	k.Parts["open windows"] = float64(head) / float64(c.Entities())
	for _, bytes := range k.Parts {
		k.Bytes += bytes
	}
	return k, nil
}

// fill commits all ticks; head is what the file of the open windows then takes.
func fill(ctx context.Context, dir string, c load.Config, ticks int) (head int64, err error) {
	s, err := rrdstore.Open(dir, rrdstore.Options{Step: c.Step})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	l := load.New(c)
	for range ticks {
		if err := store(ctx, s, l.Next(), func() {}); err != nil {
			return 0, err
		}
	}
	return s.Stats().Used, nil
}

// whole is the mean size of the windows that lie in a load's time from end to end.
func (l level) whole(start, end time.Time) (bytes float64, err error) {
	n := 0
	for _, w := range l.windows {
		if !w.start.Before(start) && !w.start.Add(l.span()).After(end) {
			bytes += float64(w.bytes)
			n++
		}
	}
	if n == 0 {
		return 0, fmt.Errorf("none of %v is whole", l)
	}
	return bytes / float64(n), nil
}
