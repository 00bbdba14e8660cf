package rrdstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"lvs/dataplane"
)

// An Entry is a series in a row.
type Entry struct {
	Series *Series
	Total  dataplane.Counters
	// The gauges of a service are the sums over its real servers.
	Active, Inactive, Persistent, Weight uint64
	// Known has a bit for each of the standard sources, in their order: whether
	// there was a value, which is an integer. What the director does not have is
	// never known.
	Known uint16
	// Others are the values of other sources, and of standard ones that are no
	// integers or unknown, all of which only imports bring.
	Others []SourceValue
	// Reset says that the kernel's counters began anew since the row before.
	Reset bool

	sid uint32
}

// Has reports whether the standard source i is known.
func (e *Entry) Has(i int) bool { return e.Known&(1<<i) != 0 }

// A SourceValue is a source and its raw value.
type SourceValue struct {
	Source Source
	Value  Value
}

const (
	knownCounters = 1<<5 - 1
	knownAll      = 1<<len(standardSources) - 1
)

// A Row is one tick.
type Row struct {
	Tick, Time time.Time // Time is when it was read, as long as that is kept, and Tick later
	// Partial says that the counters of services and real servers were unknown:
	// totals are those of the row before.
	Partial bool
	// Total and Connections of the director, each known only where Has… says so.
	Total                    dataplane.Counters
	HasStats, HasConnections bool
	Connections              uint64
	// Others are what else imports brought of the director: of its counters, where
	// it was not all of them.
	Others []SourceValue
	// Entries are the wanted series that were present, by number.
	Entries []Entry
}

// Rows are the rows as they came from start to end, both included, with those
// series that want picks, in order; the director's values are in the row itself.
// A row and what it holds is valid until the next one. Ticks that were not stored
// are absent, as are entries whose record is damaged; an error ends the sequence.
// The catalog is read anew.
func (r *Reader) Rows(ctx context.Context, start, end time.Time, want func(*Series) bool) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		if err := r.Refresh(ctx); err != nil {
			yield(nil, err)
			return
		}
		next := clampTick(start)
		if !start.Before(time.Unix(1<<32, 0)) || end.Before(start) {
			return
		}
		resume := func(row *Row, err error) bool {
			if err == nil {
				next = uint32(row.Tick.Unix()) + 1
			}
			return yield(row, err)
		}
		for err := errTaken; errors.Is(err, errTaken); {
			var st *storeState
			if st, err = r.current(ctx); err == nil {
				err = r.rows(ctx, st, next, min(clampTick(end), st.newest), want, resume)
			}
			if err != nil && !errors.Is(err, errTaken) {
				yield(nil, fmt.Errorf("read rows: %w", err))
			}
		}
	}
}

// rows merges what the archive and the head have.
func (r *Reader) rows(ctx context.Context, st *storeState, from, to uint32, want func(*Series) bool, yield func(*Row, error) bool) error {
	if from > to {
		return nil
	}
	stopped := false
	emit := func(row *Row) error {
		if stopped = !yield(row, nil); stopped {
			return errStop
		}
		return nil
	}
	next, stop := iter.Pull2(r.archivedRows(ctx, st, from, to, want))
	defer stop()
	archived, err, ok := next()
	// before emits what the archive has before a tick, and merges what it has of it.
	before := func(tick int64, row *Row) error {
		for ; ok && err == nil && archived.Tick.Unix() <= tick; archived, err, ok = next() {
			if row != nil && archived.Tick.Unix() == tick {
				row.merge(archived)
			} else if err := emit(archived); err != nil {
				return err
			}
		}
		return err
	}
	err2 := r.headRows(ctx, max(from, st.frontier()), to, r.wanted(want), func(row *Row) error {
		if err := before(row.Tick.Unix(), row); err != nil {
			return err
		}
		return emit(row)
	})
	if err2 == nil {
		err2 = before(math.MaxInt64, nil)
	}
	if stopped {
		return nil
	}
	return err2
}

// merge takes over what row lacks: entries, and values of those it has.
func (row *Row) merge(o *Row) {
	if !row.HasStats && o.HasStats {
		row.Total, row.HasStats = o.Total, true
	}
	if !row.HasConnections && o.HasConnections {
		row.Connections, row.HasConnections = o.Connections, true
	}
	for _, v := range o.Others {
		if at := standardIndex(v.Source.Name); at < 0 || !row.tells(at) {
			row.Others = append(row.Others, v)
		}
	}
	have := make(map[*Series]int, len(row.Entries))
	for i := range row.Entries {
		have[row.Entries[i].Series] = i
	}
	for _, e := range o.Entries {
		if i, ok := have[e.Series]; ok {
			row.Entries[i].merge(&e)
		} else {
			row.Entries = append(row.Entries, e)
		}
	}
	slices.SortStableFunc(row.Entries, func(a, b Entry) int { return a.Series.compare(b.Series) })
}

// merge takes over the values that e lacks.
func (e *Entry) merge(o *Entry) {
	for i := range standardSources {
		if o.Has(i) && !e.Has(i) {
			e.Known |= 1 << i
			*e.field(i) = *o.field(i)
		}
	}
	for _, v := range o.Others {
		if at := standardIndex(v.Source.Name); at < 0 || !e.Has(at) {
			e.Others = append(e.Others, v)
		}
	}
}

// standardIndex is the place of a standard source; -1 is none of that name.
func standardIndex(name string) int {
	return slices.IndexFunc(standardSources[:], func(s Source) bool { return s.Name == name })
}

// wanted are the series that want picks.
func (r *Reader) wanted(want func(*Series) bool) (picked []*Series) {
	for _, s := range r.series {
		if !s.IsDirector() && want(s) {
			picked = append(picked, s)
		}
	}
	return picked
}

// headRows emits the head's rows; what they hold of the director is there
// anyway.
func (r *Reader) headRows(ctx context.Context, from, to uint32, wanted []*Series, emit func(*Row) error) error {
	a := newAssembly(wanted, from)
	return r.scan(ctx, a, to, func() error { return emit(a.make()) })
}

// scan reads the head's rows up to a tick into a, and calls whole with each.
func (r *Reader) scan(ctx context.Context, a *assembly, to uint32, whole func() error) error {
	if a.start > to {
		return nil
	}
	q := query{start: a.start, end: to, sids: a.sids, all: len(a.sids) > 0 && len(a.bySID) == r.numbers}
	a.rows.state.values, r.slots = r.slots[:0], nil
	defer func() { r.slots = a.rows.state.values }()
	err := r.src.rows(ctx, q, func(rec scanRecord) error { return a.feed(rec, whole) })
	if err == nil {
		err = a.end(whole)
	}
	r.damaged += a.rows.damaged
	return err
}

var errStop = errors.New("reader stops")

// archivedRows are the rows that are in the archive.
func (r *Reader) archivedRows(ctx context.Context, st *storeState, from, to uint32, want func(*Series) bool) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		picked, blocks := r.pick(want)
		for _, w := range st.windowsIn(0, from, to) {
			var parts []*rawPart
			q := chunkQuery{0, []uint32{w}, blocks}
			err := r.src.chunks(ctx, q, func(k chunkKey, v []byte) error {
				if p := r.rawChunk(k, v, picked, nil); p != nil {
					parts = append(parts, p)
				}
				return nil
			})
			if err != nil {
				yield(nil, err)
				return
			}
			for row := range r.transpose(parts, from, to) {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// pick are the wanted entities of the archive, the director always among them,
// and the blocks that they are in.
func (r *Reader) pick(want func(*Series) bool) (picked map[uint32]*Series, blocks []uint32) {
	picked = make(map[uint32]*Series)
	for _, s := range r.series {
		if s.entity != nil && (s.IsDirector() || want(s)) {
			picked[s.entity.aid] = s
			block, _ := blockOf(s.entity.aid)
			blocks = append(blocks, block)
		}
	}
	slices.Sort(blocks)
	return picked, slices.Compact(blocks)
}

// windowsIn are the windows of a level that hold anything from from to to.
func (st *storeState) windowsIn(step, from, to uint32) (in []uint32) {
	for _, l := range st.levels {
		if l.step != step {
			continue
		}
		for _, w := range st.windows[step] {
			if w <= to && uint64(w)+uint64(l.span) > uint64(from) {
				in = append(in, w)
			}
		}
	}
	return in
}

// transpose makes rows of a window's columns.
func (r *Reader) transpose(parts []*rawPart, from, to uint32) iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		var ticks []uint32
		for _, p := range parts {
			ticks = append(ticks, p.ticks...)
		}
		slices.Sort(ticks)
		ticks = slices.Compact(ticks)
		at := make([]int, len(parts))
		row := &Row{}
		for _, t := range ticks {
			*row = Row{Tick: time.Unix(int64(t), 0).UTC(), Entries: row.Entries[:0]}
			row.Time = row.Tick
			for i, p := range parts {
				if at[i] < len(p.ticks) && p.ticks[at[i]] == t {
					p.entries(at[i], row, r.byID)
					at[i]++
				}
			}
			if t < from || t > to {
				continue
			}
			slices.SortFunc(row.Entries, func(a, b Entry) int { return a.Series.compare(b.Series) })
			if !yield(row) {
				return
			}
		}
	}
}

// clampTick is the tick at or after t.
func clampTick(t time.Time) uint32 {
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	return uint32(min(max(s, 0), math.MaxUint32))
}
