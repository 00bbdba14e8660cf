package rrdstore

import (
	"context"
	"slices"

	"go.etcd.io/bbolt"

	"lvs/rrdstore/chunk"
)

// A job closes one window of a level, some blocks at a time. It may be begun
// anew at any time: what is there already is merged with.
type job struct {
	level  *level
	window uint32
	reader *Reader
	blocks []uint32 // left to do
	puts   []*entity
	series map[uint32][]*Series // by block
	// damaged is how many records the reader had to leave out, as far as said.
	damaged int
}

func (j *job) end() uint32 { return j.window + j.level.span }

func (s *Store) newJob(ctx context.Context, a *archive, l *level) (*job, error) {
	r := &Reader{src: storeSource(s), path: s.dir, catalog: a.catalog, shared: true}
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	j := &job{level: l, window: l.frontier, reader: r, damaged: r.damaged}
	if l.step == 0 {
		j.enrol(a)
	} else if err := j.list(a); err != nil {
		return nil, err
	}
	j.group()
	return j, nil
}

// enrol gives everything that may be in a window of rows its place in the
// archive.
func (j *job) enrol(a *archive) {
	for _, s := range j.reader.series {
		in := s.IsDirector()
		for _, h := range s.holdings {
			in = in || h.from < j.end() && h.until > j.window && (s.Last.IsZero() || s.Last.Unix() >= int64(j.window))
		}
		if !in {
			continue
		}
		old := a.entities[identity{s.Key, s.RIP}]
		e := entity{id: identity{s.Key, s.RIP}, name: s.Name, bypass: s.RepliesBypass}
		if !s.Last.IsZero() {
			e.last = uint32(s.Last.Unix())
		}
		if old != nil {
			e.aid, e.first = old.aid, old.first
		} else {
			e.aid, e.first = a.nextAID, uint32(max(s.First.Unix(), int64(j.window)))
		}
		if old == nil || *old != e {
			old = &e
			a.add(old)
			j.puts = append(j.puts, old)
		}
		s.entity = old
		block, _ := blockOf(e.aid)
		j.blocks = append(j.blocks, block)
	}
	slices.Sort(j.blocks)
	j.blocks = slices.Compact(j.blocks)
}

// list finds the blocks that the level below has for the window.
func (j *job) list(a *archive) error {
	below := a.below(slices.Index(a.levels, j.level))
	err := a.view(func(tx *bbolt.Tx) error {
		all := levelBucket(tx, below.step)
		for _, w := range a.windows[below.step] {
			if all == nil || w >= j.end() || uint64(w)+uint64(below.span) <= uint64(j.window) {
				continue
			}
			if b := all.Bucket(windowKey(w)); b != nil {
				c := b.Cursor()
				for k, _ := c.First(); k != nil; k, _ = c.Next() {
					j.blocks = append(j.blocks, keyNumber(k))
				}
			}
		}
		return nil
	})
	slices.Sort(j.blocks)
	j.blocks = slices.Compact(j.blocks)
	return err
}

// work does some blocks of a job, and closes the window with the last.
func (s *Store) work(ctx context.Context, a *archive, j *job) error {
	n, build := min(tierBlocksAtOnce, len(j.blocks)), s.tierChunks
	if j.level.step == 0 {
		n, build = min(rowBlocksAtOnce, len(j.blocks)), s.rowChunks
	}
	chunks, err := build(ctx, a, j, j.blocks[:n])
	if err != nil {
		return err
	}
	if lost := j.reader.damaged - j.damaged; lost > 0 {
		j.damaged = j.reader.damaged
		s.opts.Logger.Error("archive is made without damaged records", "step", j.level.step, "window", tickTime(j.window), "records", lost)
	}
	done := *j.level
	done.frontier = j.end()
	last := n == len(j.blocks)
	err = guard(func() error {
		return a.update(func(tx *bbolt.Tx) error {
			for _, e := range j.puts {
				if err := e.put(tx); err != nil {
					return err
				}
			}
			for i, v := range chunks {
				if v == nil {
					continue
				}
				if err := putChunk(tx, chunkKey{j.level.step, j.window, j.blocks[i]}, v); err != nil {
					return err
				}
			}
			if last {
				return done.put(tx)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	j.puts, j.blocks = nil, j.blocks[n:]
	a.note(j.level.step, j.window)
	if last {
		// Megabytes, not needed for an hour.
		clear(s.parts[:])
		s.columns, s.encoded = nil, encoding{}
		*j.level = done
		s.noteFrontiers(a)
	}
	return a.view(func(tx *bbolt.Tx) error { a.measure(tx); return nil })
}

// note remembers that there is a window.
func (a *archive) note(step, window uint32) {
	if at, ok := slices.BinarySearch(a.windows[step], window); !ok {
		a.windows[step] = slices.Insert(a.windows[step], at, window)
	}
}

// group puts the series of each block together.
func (j *job) group() {
	j.series = make(map[uint32][]*Series)
	for _, s := range j.reader.series {
		if s.entity != nil {
			block, _ := blockOf(s.entity.aid)
			j.series[block] = append(j.series[block], s)
		}
	}
}

// blockSeries are the series of a block, by slot.
func (j *job) blockSeries(block uint32) *group {
	g := newGroup(block)
	for _, s := range j.series[block] {
		_, slot := blockOf(s.entity.aid)
		g.add(slot, s)
	}
	return g
}

// place is where a chunk of the job goes.
func (j *job) place(block uint32) []byte {
	return chunkKey{j.level.step, j.window, block}.place()
}

// tierChunks are blocks of a tier's window.
func (s *Store) tierChunks(ctx context.Context, _ *archive, j *job, blocks []uint32) (chunks [][]byte, err error) {
	for _, block := range blocks {
		v, err := s.tierChunk(ctx, j, block)
		if err != nil {
			return nil, err
		}
		chunks = append(chunks, v)
	}
	return chunks, nil
}

// tierChunk is a block's rows of a tier's window, made of the level below and of
// what there is already.
func (s *Store) tierChunk(ctx context.Context, j *job, block uint32) ([]byte, error) {
	f, err := j.reader.tierFetcher(ctx)
	if err != nil {
		return nil, err
	}
	l := *j.level // not closed yet, whatever the catalog says of later windows
	l.frontier = min(l.frontier, j.window)

	rows := int(l.span / l.step)
	h := &chunk.Header{Step: l.step, PDP: f.st.step, Start: j.window, Rows: rows}
	s.encoded.clear()
	t := &s.tier
	t.Season = int(86400 / l.step)
	for _, g := range j.blockSeries(block).split(tierSlotsAtOnce) {
		b, err := f.cells(ctx, &l, g, j.window, j.end(), l.step)
		if err != nil {
			return nil, err
		}
		for slot := range g.series {
			t.Columns = t.Columns[:0]
			for i, src := range f.sources {
				if c := b.at(slot, i); c != nil && anyKnown(c.Known) {
					t.Columns = append(t.Columns, chunk.TierColumn{Source: src.id, Cells: *c})
				}
			}
			if len(t.Columns) > 0 {
				s.encoded.add(slot, func(v []byte) []byte { return t.Append(v, rows, l.step/f.st.step) })
			}
		}
		f.r.giveBack(b)
	}
	clear(t.Columns[:cap(t.Columns)])
	return chunk.Append(nil, j.place(block), h, &s.encoded.slots), nil
}

// tierFetcher is a fetcher of all that tiers have of everything.
func (r *Reader) tierFetcher(ctx context.Context) (*fetcher, error) {
	st, err := r.src.state(ctx)
	if err != nil {
		return nil, err
	}
	f := &fetcher{r: r, st: st, parts: chunk.AllParts}
	if f.sources, err = r.columns(&Query{}); err != nil {
		return nil, err
	}
	f.sources = append(f.sources, r.sources[ResetSource])
	slices.SortFunc(f.sources, func(a, b sourceEntry) int { return int(a.id) - int(b.id) })
	return f, nil
}

func anyKnown(known []uint32) bool {
	return slices.ContainsFunc(known, func(n uint32) bool { return n > 0 })
}

// split makes groups of no more than n series.
func (g *group) split(n int) (all []*group) {
	var part *group
	for slot, s := range g.series {
		if part == nil || len(part.series) == n {
			part = newGroup(g.block)
			all = append(all, part)
		}
		part.add(slot, s)
	}
	return all
}
