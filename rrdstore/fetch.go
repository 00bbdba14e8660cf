package rrdstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
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

	lvl        *level   // read from; nil is data points made of raw rows
	others     []*level // that may know what lvl does not
	start, end uint32   // of the result: the first interval's beginning, the last one's end
	step       uint32

	// heads is what was read of the head for groups, from headFrom to headTo.
	heads            map[*group]*rawPart
	headFrom, headTo uint32

	// Memory that is used again.
	merged  rrd.Cells
	unknown []float64
	columns [][]uint64 // of one source
}

func (f *fetcher) run(ctx context.Context, q *Query) (*Result, error) {
	if q.End.Before(q.Start) {
		return nil, fmt.Errorf("end %s is before start %s", q.End.Format(time.RFC3339), q.Start.Format(time.RFC3339))
	}
	f.resolve(clampTick(q.Start), clampTick(q.End), q.Resolution)
	f.others = f.beside()
	rows := int((f.end - f.start) / f.step)
	if cells := rows * len(q.Series) * len(f.sources) * len(f.functions); cells > maxCells {
		return nil, fmt.Errorf("%w: %d series by %d rows are %d values, more than %d; ask for fewer series, a shorter time or a coarser resolution",
			ErrTooMuch, len(q.Series), rows, cells, maxCells)
	}
	res := &Result{Start: time.Unix(int64(f.start), 0).UTC(), Step: time.Duration(f.step) * time.Second, Rows: rows}
	// Every value is set by fill: the memory is taken by those who do.
	values := make([]float64, rows*len(q.Series)*len(f.sources)*len(f.functions))
	place := make(map[*Series]int, len(q.Series))
	var series []*Series
	for _, s := range q.Series {
		if _, twice := place[s]; twice {
			continue
		}
		series = append(series, s)
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
	return res, f.fill(ctx, series, f.narrow(res.Columns), place)
}

// narrow restricts the fetcher to those of its rows that the store can know
// anything of, and returns columns of these. The others are made unknown.
func (f *fetcher) narrow(columns []Column) []Column {
	from := max(f.start, min(f.end, f.st.begin()))
	from -= (from - f.start) % f.step
	to := min(f.end, max(from, f.st.newest))
	to += (f.step - (to-f.start)%f.step) % f.step
	at, n := int((from-f.start)/f.step), int((to-from)/f.step)
	inner := slices.Clone(columns)
	for i := range inner {
		values := inner[i].Values
		setUnknown(values[:at])
		setUnknown(values[at+n:])
		inner[i].Values = values[at : at+n]
	}
	f.start, f.end = from, to
	return inner
}

// partsOf are what a function needs of stored rows.
var partsOf = [numFunctions]chunk.Parts{Average: chunk.Sum, Min: chunk.Min, Max: chunk.Max, Last: chunk.Last}

// setUnknown makes values unknown.
func setUnknown(values []float64) {
	for i := range values {
		values[i] = math.NaN()
	}
}

// cut makes those rows unknown that were not over at a series' last tick: RRDtool
// has no row before an update ends it.
func (f *fetcher) cut(columns []Column, last uint32) {
	over := int(max(last, f.start)-f.start) / int(f.step)
	for i := range columns {
		values := columns[i].Values
		setUnknown(values[min(over, len(values)):])
	}
}

// show makes values of cells: what the first block does not know the others may.
func (f *fetcher) show(blocks []*cellBlock, slot int, columns []Column) {
	for i, src := range f.sources {
		c := f.coarse(blocks, slot, i)
		own := columns[i*len(f.functions) : (i+1)*len(f.functions)]
		if c == nil {
			for j := range own {
				setUnknown(own[j].Values)
			}
			continue
		}
		for j, fn := range f.functions {
			values := own[j].Values
			c.Values(values, rrd.Function(fn), f.step/f.st.step, f.xff)
			if src.Kind == Counter {
				for k := range values {
					values[k] /= float64(f.st.step)
				}
			}
		}
	}
}

// coarse is what blocks know of a source in rows of the result's step, nil if
// nothing. Where imports brought rows of that very step, what is unknown in them is
// so: finer rows that came with them do not tell how much of each was known.
func (f *fetcher) coarse(blocks []*cellBlock, slot, source int) (all *rrd.Cells) {
	exact := false
	for _, b := range blocks {
		c := b.at(slot, source)
		if c == nil || b.imported && exact {
			continue
		}
		exact = exact || b.imported && b.step == f.step
		if n := int(f.step / b.step); n > 1 {
			merged := newCells(len(c.Known) / n)
			rrd.Merge(merged, c, n)
			c = merged
		}
		if all == nil {
			all = c
		} else {
			all.Overlay(c)
		}
	}
	return all
}
