package rrdstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lvs/rrdstore/chunk"
	"lvs/rrdstore/rrd"
)

// maxCells bounds a Result: 64 million values are 512 MiB.
const maxCells = 64 << 20

// ErrTooMuch is returned by Fetch for more than fits into memory.
var ErrTooMuch = errors.New("too much at once")

// Fetch reads consolidated history.
func (r *Reader) Fetch(ctx context.Context, q Query) (*Result, error) {
	res, err := r.fetch(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	return res, nil
}

func (r *Reader) fetch(ctx context.Context, q Query) (*Result, error) {
	sources, err := r.columns(&q)
	if err != nil {
		return nil, err
	}
	if len(q.Functions) == 0 {
		q.Functions = []Function{Average}
	}
	xff := DefaultXFF
	if q.XFF != nil {
		xff = *q.XFF
	}
	if !(xff >= 0 && xff < 1) {
		return nil, fmt.Errorf("xff %v is not from 0 to below 1", xff)
	}
	for tries := 0; ; tries++ {
		st, err := r.current(ctx)
		if err != nil {
			return nil, err
		}
		f := &fetcher{r: r, st: st, sources: sources, functions: q.Functions, xff: xff}
		res, err := f.run(ctx, &q)
		if errors.Is(err, errTaken) && tries < 3 {
			continue
		}
		if err != nil {
			return nil, err
		}
		// Rows that were taken to the archive meanwhile may have been missed.
		after, err := r.src.state(ctx)
		if err != nil {
			return nil, err
		}
		if after.frontier() == st.frontier() || tries == 3 {
			return res, nil
		}
	}
}

// columns finds the sources of a query.
func (r *Reader) columns(q *Query) ([]sourceEntry, error) {
	if q.Sources == nil {
		var all []sourceEntry
		for i, s := range standardSources {
			all = append(all, sourceEntry{uint16(i), s})
		}
		for _, id := range slices.Sorted(maps.Keys(r.byID)) {
			if id >= importedID {
				all = append(all, sourceEntry{id, r.byID[id]})
			}
		}
		return all, nil
	}
	var picked []sourceEntry
	for _, name := range q.Sources {
		s, ok := r.sources[name]
		if !ok {
			return nil, fmt.Errorf("no source %q; there are %v", name, r.Sources())
		}
		picked = append(picked, s)
	}
	return picked, nil
}

// Sources are the names of all sources of the store, the standard ones first.
func (r *Reader) Sources() (names []string) {
	for _, id := range slices.Sorted(maps.Keys(r.byID)) {
		names = append(names, r.byID[id].Name)
	}
	return names
}

// A fetcher answers one query from one state of the store.
type fetcher struct {
	r         *Reader
	st        *storeState
	sources   []sourceEntry // in the order of columns
	functions []Function
	xff       float64
	parts     chunk.Parts

	lvl        *level // read from; nil is data points made of raw rows
	start, end uint32 // of the result: the first interval's beginning, the last one's end
	step       uint32

	// heads is what was read of the head for groups, from headFrom to headTo.
	heads            map[*group]*rawPart
	headFrom, headTo uint32

	// Memory that is used again.
	merged  rrd.Cells
	unknown []float64
}

func (f *fetcher) run(ctx context.Context, q *Query) (*Result, error) {
	if q.End.Before(q.Start) {
		return nil, fmt.Errorf("end %s is before start %s", q.End.Format(time.RFC3339), q.Start.Format(time.RFC3339))
	}
	f.resolve(clampTick(q.Start), clampTick(q.End), q.Resolution)
	rows := int((f.end - f.start) / f.step)
	if cells := rows * len(q.Series) * len(f.sources) * len(f.functions); cells > maxCells {
		return nil, fmt.Errorf("%w: %d series by %d rows are %d values, more than %d; ask for fewer series, a shorter time or a coarser resolution",
			ErrTooMuch, len(q.Series), rows, cells, maxCells)
	}
	res := &Result{Start: time.Unix(int64(f.start), 0).UTC(), Step: time.Duration(f.step) * time.Second, Rows: rows}
	values := make([]float64, rows*len(q.Series)*len(f.sources)*len(f.functions))
	for i := range values {
		values[i] = math.NaN()
	}
	place := make(map[*Series]int, len(q.Series))
	for _, s := range q.Series {
		place[s] = len(res.Columns)
		for _, src := range f.sources {
			for _, fn := range f.functions {
				res.Columns = append(res.Columns, Column{Series: s, Source: src.Source, Function: fn, Values: values[:rows:rows]})
				values = values[rows:]
			}
		}
	}
	for _, fn := range f.functions {
		f.parts |= partsOf[fn]
	}
	return res, f.fill(ctx, q.Series, res, place)
}

// partsOf are what a function needs of stored rows.
var partsOf = [numFunctions]chunk.Parts{Average: chunk.Sum, Min: chunk.Min, Max: chunk.Max, Last: chunk.Last}

// resolve picks the level to read and the grid of rows, as rrdtool does.
func (f *fetcher) resolve(start, end uint32, resolution time.Duration) {
	want := uint32(min(max(resolution/time.Second, 0), math.MaxInt32))
	archives := []rrd.Archive{{Step: f.st.step, First: f.oldest(nil)}}
	levels := []*level{nil}
	for _, l := range f.st.levels {
		if l.step != 0 {
			archives = append(archives, rrd.Archive{Step: l.step, First: f.oldest(l)})
			levels = append(levels, l)
		}
	}
	best := -1
	for i, a := range archives {
		if want != 0 && want%a.Step == 0 && a.First <= start && (levels[i] == nil || levels[i].fed) && (best < 0 || a.Step > archives[best].Step) {
			best = i
		}
	}
	f.step = want
	if best < 0 {
		best = rrd.Choose(archives, start, want)
		f.step = archives[best].Step
	}
	f.lvl = levels[best]
	first, rows := rrd.Grid(start, end, f.step)
	f.start, f.end = first, first+uint32(rows)*f.step
}

// oldest is where a level's rows begin, or may begin: a level that is fed covers
// all the time that it would have kept.
func (f *fetcher) oldest(l *level) uint32 {
	first := f.st.newest
	see := func(step, keep uint32, fed bool) {
		if w := f.st.windows[step]; len(w) > 0 {
			first = min(first, w[0])
		}
		if fed && keep != 0 {
			first = min(first, subTick(f.st.newest, keep))
		}
	}
	if l != nil && !l.fed {
		see(l.step, 0, false)
		return first
	}
	if f.st.oldest != 0 {
		first = min(first, f.st.oldest)
	}
	for _, m := range f.st.levels {
		if m.fed && (m.step == 0 || l != nil && m.step <= l.step) {
			see(m.step, m.keep, true)
		}
	}
	return first
}

// gatherRows is about how many rows of series the head is read for at once: the
// more, the fewer times it is read, and the more memory is taken.
const gatherRows = 1 << 18

// fill reads the series: those of a block together, and the head for several
// blocks at once.
func (f *fetcher) fill(ctx context.Context, series []*Series, res *Result, place map[*Series]int) error {
	groups := groupsOf(series)
	rows := int(subTick(f.end, max(f.start, f.st.frontier()))/f.st.step) + 1
	n := max(1, min(gatherRows/rows/chunk.Slots, (len(groups)+1)/2))
	batches := slices.Collect(slices.Chunk(groups, n))
	width := len(f.sources) * len(f.functions)
	columns := func(s *Series) []Column { return res.Columns[place[s] : place[s]+width] }
	return f.each(batches, func(f *fetcher, batch []*group) error {
		if err := f.prepare(ctx, batch); err != nil {
			return err
		}
		for _, g := range batch {
			if f.lvl == nil && f.step == f.st.step {
				if err := f.show1(ctx, g, columns); err != nil {
					return err
				}
				continue
			}
			cells, err := f.cells(ctx, f.lvl, g, f.start, f.end, f.step)
			if err != nil {
				return err
			}
			for slot, s := range g.series {
				f.show(cells, slot, columns(s))
				f.cut(columns(s), f.st.last(s))
			}
		}
		return nil
	})
}

// each calls do with each batch, on two processors where there are as many.
func (f *fetcher) each(batches [][]*group, do func(*fetcher, []*group) error) error {
	var next atomic.Int64
	work := func(f *fetcher) error {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(batches) {
				return nil
			}
			if err := do(f, batches[i]); err != nil {
				return err
			}
		}
	}
	if len(batches) < 2 || runtime.GOMAXPROCS(0) < 2 {
		return work(f)
	}
	other, reader := *f, *f.r
	other.r, reader.spare, reader.damaged = &reader, nil, 0
	other.merged, other.unknown = rrd.Cells{}, nil
	var wg sync.WaitGroup
	var otherErr error
	wg.Go(func() { otherErr = work(&other) })
	err := work(f)
	wg.Wait()
	f.r.damaged += reader.damaged
	return errors.Join(err, otherErr)
}

// prepare reads from the head what a batch of groups will need of it.
func (f *fetcher) prepare(ctx context.Context, batch []*group) error {
	start := f.start
	if f.lvl != nil {
		l := f.lvl
		for finer := f.below(l); finer != nil; finer = f.below(l) {
			l = finer
		}
		start = max(start, l.frontier)
	}
	f.heads = nil
	if len(batch) == 1 || start >= f.end || f.lvl != nil && !f.lvl.fed {
		return nil
	}
	parts := make([]*rawPart, len(batch))
	f.heads = make(map[*group]*rawPart, len(batch))
	for i, g := range batch {
		parts[i] = new(rawPart)
		f.heads[g] = parts[i]
	}
	f.headFrom, f.headTo = subTick(start, f.st.beat+f.st.step), addTick(f.end, f.st.beat)
	return f.gather(ctx, batch, parts, f.headFrom, f.headTo)
}

// cut makes those rows unknown that were not over at a series' last tick: RRDtool
// has no row before an update ends it.
func (f *fetcher) cut(columns []Column, last uint32) {
	over := int(max(last, f.start)-f.start) / int(f.step)
	for i := range columns {
		values := columns[i].Values
		for k := over; k < len(values); k++ {
			values[k] = math.NaN()
		}
	}
}

// show makes values of cells.
func (f *fetcher) show(b *cellBlock, slot int, columns []Column) {
	n := f.step / b.step
	var coarse rrd.Cells
	for i, src := range f.sources {
		c := b.at(slot, i)
		if c == nil {
			continue
		}
		if n > 1 {
			coarse.Resize(len(c.Known) / int(n))
			rrd.Merge(&coarse, c, int(n))
			c = &coarse
		}
		for j, fn := range f.functions {
			values := columns[i*len(f.functions)+j].Values
			c.Values(values, rrd.Function(fn), f.step/f.st.step, f.xff)
			if src.Kind == Counter {
				for k := range values {
					values[k] /= float64(f.st.step)
				}
			}
		}
	}
}
