package rrdstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"lvs/rrdstore/chunk"
)

// importAtOnce is how many points are held in memory before they are stored.
const importAtOnce = 1 << 20

// ErrNoArchive is returned by an import into a store whose archive could not be
// opened; the log says why.
var ErrNoArchive = errors.New("the store's archive cannot be used")

// A staged point waits to be stored.
type staged struct {
	tick, aid uint32
	source    uint16
	value     Value
}

// An importer gathers points and puts them into superchunks of raw rows.
type importer struct {
	s        *Store
	a        *archive
	points   []staged
	entities map[*entity]bool
	sources  []sourceEntry // made, and not in the file yet
	done     Imported
	from, to uint32 // of what was stored
}

// ImportPoints takes raw values from elsewhere into the archive: what they tell of
// times that it knows nothing of, for what it has already stays. They may come in
// any order; those of one source count as if they had come in time's. Tiers are
// made of them at once, and what is older than the store keeps goes again. An
// error ends the import; what came before it is stored.
func (s *Store) ImportPoints(ctx context.Context, points iter.Seq2[Point, error]) (Imported, error) {
	im, err := s.beginImport()
	if err != nil {
		return Imported{}, fmt.Errorf("import: %w", err)
	}
	err = im.takeAll(ctx, points)
	err = errors.Join(err, im.flush(ctx), im.finish())
	done := im.result()
	s.dropJob() // an error may have kept some of the catalog from being stored
	s.chore.Unlock()
	if err == nil {
		err = s.settle(ctx)
	}
	if err != nil {
		return done, fmt.Errorf("import: %w", err)
	}
	return done, nil
}

// beginImport keeps Maintain away until finish.
func (s *Store) beginImport() (*importer, error) {
	s.chore.Lock()
	a := s.arch.Load()
	if a == nil {
		s.chore.Unlock()
		return nil, ErrNoArchive
	}
	s.dropJob()
	if err := a.fresh(&s.opts); err != nil {
		s.chore.Unlock()
		return nil, err
	}
	return &importer{s: s, a: a, entities: make(map[*entity]bool), from: math.MaxUint32}, nil
}

// settle does all that Maintain has to do.
func (s *Store) settle(ctx context.Context) error {
	for more, err := true, error(nil); more; {
		if more, err = s.Maintain(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) takeAll(ctx context.Context, points iter.Seq2[Point, error]) error {
	for p, err := range points {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = im.take(&p)
		}
		if err == nil && len(im.points) == importAtOnce {
			err = im.flush(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) take(p *Point) error {
	tick := p.Time.Unix()
	if tick <= 0 || tick > math.MaxUint32 {
		return &TickError{Tick: p.Time}
	}
	e, err := im.entity(identity{p.Key, p.RIP}, uint32(tick), uint32(tick))
	if err != nil {
		return err
	}
	src, err := im.source(p.Source)
	if err != nil {
		return err
	}
	im.points = append(im.points, staged{uint32(tick), e.aid, src.id, p.Value})
	im.done.Points++
	return nil
}

// entity is the entity of an identity, which was there from first to last.
func (im *importer) entity(id identity, first, last uint32) (*entity, error) {
	e := im.a.entities[id]
	if e == nil {
		if err := id.check(); err != nil {
			return nil, err
		}
		e = &entity{aid: im.a.nextAID, id: id, first: first, last: last}
		im.a.add(e)
	}
	e.first = min(e.first, first)
	if e.last != 0 {
		e.last = max(e.last, last)
	}
	im.entities[e] = true
	return e, nil
}

// source is the source of that name, made if there is none. A kind that differs
// from a known one's is an error: values of both would be mixed up.
func (im *importer) source(s Source) (sourceEntry, error) {
	src, isNew, err := im.a.known(s)
	if isNew {
		im.sources = append(im.sources, src)
	}
	if int(src.id) >= importedID && src.Kind != s.Kind {
		err = fmt.Errorf("source %q is a %s here and a %s in the store", s.Name, s.Kind, src.Kind)
	}
	return src, err
}

// flush stores the points gathered.
func (im *importer) flush(ctx context.Context) error {
	l := im.a.levels[0]
	slices.SortStableFunc(im.points, func(p, o staged) int {
		return cmp.Or(cmp.Compare(l.floor(p.tick), l.floor(o.tick)), cmp.Compare(p.aid/chunk.Slots, o.aid/chunk.Slots))
	})
	if err := im.retract(ctx, 0, changesOf(im.points)); err != nil {
		return err
	}
	for rest := im.points; len(rest) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		k := chunkKey{0, l.floor(rest[0].tick), rest[0].aid / chunk.Slots}
		n := 0
		for n < len(rest) && l.floor(rest[n].tick) == k.window && rest[n].aid/chunk.Slots == k.block {
			n++
		}
		if err := im.put(k, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	im.points = im.points[:0]
	return nil
}

// put merges points with a superchunk.
func (im *importer) put(k chunkKey, points []staged) error {
	p := newPart(points)
	counting := &Reader{}
	err := im.update(func(tx *bbolt.Tx) error {
		before := 0
		if v := getChunk(tx, k); v != nil {
			if old := counting.rawChunk(k, v, nil, nil); old != nil {
				before = old.count()
				p = mergeParts(old, p)
			}
		}
		im.done.Known += p.count() - before
		return putChunk(tx, k, new(encoding).part(p, k.window, k.place(), im.a.beat))
	})
	if err != nil {
		return err
	}
	im.a.note(0, k.window)
	for _, pt := range points {
		im.from, im.to = min(im.from, pt.tick), max(im.to, pt.tick)
	}
	return nil
}

// update is a transaction that stores what the catalog has new as well.
func (im *importer) update(fn func(*bbolt.Tx) error) error {
	err := guard(func() error {
		return im.a.update(func(tx *bbolt.Tx) error {
			for _, s := range im.sources {
				if err := s.put(tx); err != nil {
					return err
				}
			}
			for e := range im.entities {
				if err := e.put(tx); err != nil {
					return err
				}
			}
			return fn(tx)
		})
	})
	if err == nil {
		im.done.Series = max(im.done.Series, len(im.entities))
		im.sources = nil
	}
	return err
}

// finish says up to when there is something.
func (im *importer) finish() error {
	if im.from > im.to || im.to <= im.a.newest {
		return nil
	}
	return im.update(func(tx *bbolt.Tx) error {
		im.a.newest = im.to
		return putMeta(tx, keyNewest, im.to)
	})
}

func (im *importer) result() Imported {
	if im.from <= im.to {
		im.done.Start, im.done.End = time.Unix(int64(im.from), 0).UTC(), time.Unix(int64(im.to), 0).UTC()
	}
	return im.done
}
