package rrdstore

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"lvs/rrdstore/chunk"
	"lvs/rrdstore/rrd"
)

// gatherRows is about how many rows of series the head is read for at once: the
// more, the fewer times it is read, and the more memory is taken.
const gatherRows = 1 << 19

// fill reads the series: those of a block together, and the head for several
// blocks at once.
func (f *fetcher) fill(ctx context.Context, series []*Series, all []Column, place map[*Series]int) error {
	if f.start == f.end {
		return nil
	}
	groups := groupsOf(series)
	rows := int(subTick(f.end, max(f.start, f.st.frontier()))/f.st.step) + 1
	n := max(1, min(gatherRows/rows/chunk.Slots, (len(groups)+1)/2))
	batches := slices.Collect(slices.Chunk(groups, n))
	width := len(f.sources) * len(f.functions)
	columns := func(s *Series) []Column { return all[place[s] : place[s]+width] }
	return f.each(batches, func(f *fetcher, batch []*group) error {
		if err := f.prepare(ctx, batch); err != nil {
			return err
		}
		for _, g := range batch {
			if f.lvl == nil && f.step == f.st.step && len(f.others) == 0 {
				if err := f.showPoints(ctx, g, columns); err != nil {
					return err
				}
				continue
			}
			var blocks []*cellBlock
			for _, l := range append([]*level{f.lvl}, f.others...) {
				b, err := f.cells(ctx, l, g, f.start, f.end, f.step)
				if err != nil {
					return err
				}
				b.imported = l != nil && !l.fed
				blocks = append(blocks, b)
			}
			for slot, s := range g.series {
				f.show(blocks, slot, columns(s))
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
	other.r, reader.memory, reader.damaged = &reader, f.r.second, 0
	other.merged, other.unknown, other.columns = rrd.Cells{}, nil, nil
	var wg sync.WaitGroup
	var otherErr error
	wg.Go(func() { otherErr = work(&other) })
	err := work(f)
	wg.Wait()
	f.r.second = reader.memory
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
	for len(f.r.heads) < len(batch) {
		f.r.heads = append(f.r.heads, new(rawPart))
	}
	parts := f.r.heads[:len(batch)]
	f.heads = make(map[*group]*rawPart, len(batch))
	for i, g := range batch {
		parts[i].clear() // of the batch before, of which everything is shown
		f.heads[g] = parts[i]
	}
	f.headFrom, f.headTo = subTick(start, f.st.beat+f.st.step), addTick(f.end, f.st.beat)
	return f.gather(ctx, batch, parts, f.headFrom, f.headTo)
}
