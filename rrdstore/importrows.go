package rrdstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"lvs/rrdstore/chunk"
)

// ImportRows takes consolidated values from elsewhere into the archive: into the
// tier of their step, or where there is none into one of its own, whose rows are
// kept for as long as there is room. What the archive knows already stays.
func (s *Store) ImportRows(ctx context.Context, r *Rows) (Imported, error) {
	im, err := s.beginImport()
	if err != nil {
		return Imported{}, fmt.Errorf("import: %w", err)
	}
	step := seconds(r.Step)
	err = im.rows(ctx, r, step)
	err = errors.Join(err, im.finish())
	done := im.result()
	s.dropJob()
	s.chore.Unlock()
	if err != nil {
		return done, fmt.Errorf("import: %w", err)
	}
	return done, nil
}

// rows stores r window by window.
func (im *importer) rows(ctx context.Context, r *Rows, step uint32) error {
	start := r.Start.Unix()
	end := start + int64(len(r.Values))*int64(step)
	switch {
	case r.Step < time.Second || r.Step%time.Second != 0 || r.Step > 364*day:
		return fmt.Errorf("rows of %s: a step is whole seconds, up to 364 days", r.Step)
	case start < 0 || end > math.MaxUint32 || start%int64(step) != 0:
		return fmt.Errorf("rows of %s from %s: they begin at a multiple of the step since 1970", r.Step, r.Start)
	case r.Function >= numFunctions:
		return fmt.Errorf("rows of %s", r.Function)
	}
	if len(r.Values) == 0 {
		return nil
	}
	l, err := im.level(step, uint32(start))
	if err != nil {
		return err
	}
	e, err := im.entity(identity{r.Key, r.RIP}, uint32(start)+step, uint32(end))
	if err != nil {
		return err
	}
	src, err := im.source(r.Source)
	if err != nil {
		return err
	}
	block, _ := blockOf(e.aid)
	changed := &change{from: uint32(start), to: uint32(end), aids: map[uint32]bool{e.aid: true}}
	if err := im.retract(ctx, step, map[uint32]*change{block: changed}); err != nil {
		return err
	}
	if l.fed {
		if r, err = im.unknown(ctx, r); err != nil {
			return err
		}
	}
	for w := l.floor(uint32(start)); int64(w) < end; w += l.span {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := im.window(l, w, e, src, r); err != nil {
			return err
		}
	}
	im.from, im.to = uint32(start), uint32(end)
	im.done.Points += len(r.Values)
	return nil
}

// unknown is those of r's rows that the store does not know: also from finer rows,
// which are to be consolidated one day.
func (im *importer) unknown(ctx context.Context, r *Rows) (*Rows, error) {
	reader, err := im.s.Reader(ctx)
	if err != nil {
		return nil, err
	}
	s := reader.known[identity{r.Key, r.RIP}]
	if s == nil {
		return r, nil
	}
	rest := *r
	rest.Values = slices.Clone(r.Values)
	end := r.Start.Add(time.Duration(len(r.Values)) * r.Step)
	none := 1 - 1e-9 // of an interval need not be unknown for it to be known
	res, err := reader.fetch(ctx, Query{
		Series: []*Series{s}, Sources: []string{r.Source.Name}, Start: r.Start, End: end, Resolution: r.Step, XFF: &none,
		Functions: []Function{r.Function},
	})
	if err != nil || res.Step != r.Step {
		return &rest, err
	}
	for i, v := range res.Columns[0].Values {
		at := int(res.Start.Sub(r.Start)/r.Step) + i
		if Known(v) && at >= 0 && at < len(rest.Values) {
			rest.Values[at] = math.NaN()
		}
	}
	return &rest, nil
}

// level is the one with rows of a step, which now reach back to first.
func (im *importer) level(step, first uint32) (*level, error) {
	first = max(first, 1)
	l := im.a.level(step)
	if l != nil && l.first != 0 && l.first <= first {
		return l, nil
	}
	if l == nil {
		l = &level{step: step, span: spanOf(step)}
		if l.span%step != 0 {
			l.span = step * 168
		}
		im.a.levels = append(im.a.levels, l)
		sortLevels(im.a.levels)
	}
	l.first = first
	return l, im.update(l.put)
}

// window stores what r has within a window.
func (im *importer) window(l *level, window uint32, e *entity, src sourceEntry, r *Rows) error {
	block, slot := blockOf(e.aid)
	k := chunkKey{l.step, window, block}
	h := &chunk.Header{Step: l.step, PDP: l.step, Start: window, Rows: int(l.span / l.step)}
	if l.step%im.a.step == 0 {
		h.PDP = im.a.step
	}
	var tier chunk.Tier
	stored := false
	err := im.update(func(tx *bbolt.Tx) error {
		var slots [chunk.Slots][]byte
		if v := getChunk(tx, k); v != nil {
			b, err := chunk.Parse(k.place(), v)
			if err != nil || b.Rows != h.Rows || b.Step != h.Step {
				return fmt.Errorf("window %d: %w", window, errors.Join(ErrDamaged, err))
			}
			h.PDP = b.PDP
			for i := range slots {
				if slots[i], err = b.Slot(i); err != nil {
					slots[i] = nil // lost already
				}
			}
		}
		per := h.Step / h.PDP
		if slots[slot] != nil {
			if err := tier.Parse(slots[slot], h.Rows, per, chunk.AllParts, nil); err != nil {
				return err
			}
		}
		columns := len(tier.Columns)
		col := tierColumn(&tier, src.id, h.Rows)
		n := overlayRows(col, h, src.Kind, r)
		// That nothing is known is worth keeping: no finer rows are to be taken for it.
		if n == 0 && (l.fed || len(tier.Columns) == columns) {
			return nil
		}
		im.done.Known += n
		slots[slot], stored = tier.Append(nil, h.Rows, per), true
		return putChunk(tx, k, chunk.Append(nil, k.place(), h, &slots))
	})
	if err == nil && stored {
		im.a.note(l.step, window)
	}
	return err
}

// tierColumn is the column of a source, made if there is none.
func tierColumn(t *chunk.Tier, source uint16, rows int) *chunk.TierColumn {
	at := 0
	for ; at < len(t.Columns) && t.Columns[at].Source <= source; at++ {
		if t.Columns[at].Source == source {
			return &t.Columns[at]
		}
	}
	t.Columns = append(t.Columns, chunk.TierColumn{})
	copy(t.Columns[at+1:], t.Columns[at:])
	t.Columns[at] = chunk.TierColumn{Source: source}
	t.Columns[at].Resize(rows)
	return &t.Columns[at]
}

// overlayRows fills in what r knows and the column does not, and counts it. What
// contradicts the column, a maximum below its minimum, is left out.
func overlayRows(col *chunk.TierColumn, h *chunk.Header, kind Kind, r *Rows) (n int) {
	per := h.Step / h.PDP
	part := [numFunctions][]float64{Average: col.Sum, Min: col.Min, Max: col.Max, Last: col.Last}[r.Function]
	first := (int64(h.Start) - r.Start.Unix()) / int64(h.Step)
	for i := range h.Rows {
		at := first + int64(i)
		if at < 0 || at >= int64(len(r.Values)) || !Known(r.Values[at]) || col.Known[i] > 0 && Known(part[i]) {
			continue
		}
		v := r.Values[at]
		if kind == Counter {
			v *= float64(h.PDP)
		}
		if col.Known[i] == 0 {
			col.Known[i] = per
		}
		if r.Function == Average {
			v *= float64(col.Known[i])
		}
		if part[i] = v; implausible(col.Known[i], col.Sum[i], col.Min[i], col.Max[i], col.Last[i]) != nil {
			part[i] = math.NaN()
			continue
		}
		n++
	}
	return n
}
