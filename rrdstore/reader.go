package rrdstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"lvs/dataplane"
	"lvs/rrdstore/rrd"
)

// startGrace is how long OpenReader and Backup wait for an owner that has the
// file but does not serve yet.
const startGrace = 2 * time.Second

// A Series is what is kept of one service or real server, or of the director,
// under whatever numbers it had.
type Series struct {
	Key  dataplane.ServiceKey // zero: the director
	RIP  netip.AddrPort       // zero: the service itself
	Name string               // the configured one; empty: none
	// RepliesBypass says that answers reach clients past the director (direct
	// routing, tunnels), of a service those of all its real servers: its outgoing
	// counters are not available rather than zero.
	RepliesBypass bool
	// Number is the service's row number; RealNumber the real server's in it, 0
	// of a service. Both are 0 of what has none any more, and of the director.
	Number, RealNumber uint32
	// First is its first tick. Last is when it was last there, the zero Time while
	// it is.
	First, Last time.Time

	holdings []*holding // in the order of time
	entity   *entity    // nil: not in the archive
}

// IsDirector reports whether s is the director itself.
func (s *Series) IsDirector() bool { return s.Key == dataplane.ServiceKey{} }

// A holding is a number that a series had during a time.
type holding struct {
	*Series
	sid, from, until uint32
}

// A Reader reads a store, its own process's or another's, or a copied directory.
// It may be used by one goroutine at a time.
type Reader struct {
	dir     string // empty: this process's own store
	path    string // of the directory
	src     source
	series  []*Series
	catalog // of the archive
	known   map[identity]*Series
	shared  bool   // catalog is the owner's, which keeps it in step itself
	numbers int    // that the head's catalog has
	asOf    uint32 // the catalogs are those of this frontier or of a later one
	damaged int
	memory
	second memory // of a second goroutine, see fetcher.each
	// earliest is the first tick of all series, zero if there is none.
	earliest uint32
}

// memory is what one reading after the other uses.
type memory struct {
	spare []*rawPart   // to decode superchunks into
	heads []*rawPart   // to gather rows of the head in
	slots []values     // of those rows
	cells []*rrd.Cells // given back, see giveBack
}

// OpenReader opens the store in dir for reading: through its owner's socket where
// it has an owner that serves, otherwise from the files, which then are free for
// an owner to take at any time. Errors: [ErrNotExist], [ErrLocked] where an owner
// does not serve, [ErrNewer], [ErrDamaged].
func OpenReader(ctx context.Context, dir string) (*Reader, error) {
	info, err := os.Stat(filepath.Join(dir, headName))
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil, fmt.Errorf("open store: %w in %s", ErrNotExist, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	r := &Reader{dir: dir, path: dir}
	if err := awaitOwner(ctx, func() error { return r.open(ctx) }); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return r, nil
}

// awaitOwner calls fn again while the store has an owner that does not serve yet.
func awaitOwner(ctx context.Context, fn func() error) error {
	deadline := time.Now().Add(startGrace)
	for {
		err := fn()
		if !errors.Is(err, ErrLocked) || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Reader reads the store within its owner.
func (s *Store) Reader(ctx context.Context) (*Reader, error) {
	r := &Reader{src: storeSource(s), path: s.dir}
	if err := r.refresh(ctx); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return r, nil
}

func (r *Reader) open(ctx context.Context) error {
	if r.dir == "" {
		return r.refresh(ctx)
	}
	remote, err := dialable(ctx, r.dir)
	if err != nil {
		return err
	}
	if remote {
		r.src = remoteSource(r.dir)
		return r.refresh(ctx)
	}
	r.src = fileSource(r.dir)
	if err := inspectForReading(r.dir); err != nil {
		return err
	}
	return r.refresh(ctx)
}

// inspectForReading is the owner's inspection without its lock: what looks like
// damage may be an owner that started to write meanwhile.
func inspectForReading(dir string) error {
	for _, name := range []string{headName, archName} {
		err := inspect(dir, name, false)
		if errors.Is(err, ErrDamaged) {
			if lock := lockedFile(filepath.Join(dir, name), dir); lock != nil {
				return lock
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// refresh reads the catalogs. A Series that was there before stays the same.
func (r *Reader) refresh(ctx context.Context) error {
	st, err := r.src.state(ctx)
	if err != nil {
		return err
	}
	records, err := r.src.catalog(ctx, !r.shared)
	if err != nil {
		return err
	}
	r.asOf = st.frontier()
	if !r.shared {
		if r.catalog, err = parseCatalog(records); err != nil {
			return err
		}
	}
	r.damaged = r.catalog.damaged
	old := r.known
	r.known = make(map[identity]*Series, len(records))
	series := func(id identity) *Series {
		s := r.known[id]
		if s == nil {
			if s = old[id]; s == nil {
				s = new(Series)
			}
			*s = Series{Key: id.key, RIP: id.rip}
			r.known[id] = s
		}
		return s
	}
	sids := make(map[uint32]bool, len(records))
	for _, e := range r.entities {
		e.describe(series(e.id))
	}
	for _, rec := range records {
		if rec.bucket == bucketSeries {
			if err := r.hold(rec, series); err != nil {
				return err
			}
			sids[keyNumber(rec.key[:min(4, len(rec.key))])] = true
		}
	}
	delete(sids, 0) // the director's
	r.numbers = len(sids)
	r.series, r.earliest = r.series[:0], 0
	for _, s := range r.known {
		slices.SortFunc(s.holdings, func(a, b *holding) int { return cmp.Compare(a.from, b.from) })
		r.series = append(r.series, s)
		if first := uint32(s.First.Unix()); r.earliest == 0 || first < r.earliest {
			r.earliest = first
		}
	}
	slices.SortFunc(r.series, (*Series).compare)
	return nil
}

// hold takes a record of the head's catalog in.
func (r *Reader) hold(rec archiveRecord, series func(identity) *Series) error {
	key, err := parseSeriesKey(rec.key)
	if err != nil {
		return err
	}
	have, err := parseRecord(key, rec.value)
	if isNewer(err) {
		return err
	}
	if err != nil {
		r.damaged++
		return nil
	}
	s := series(have.id)
	h := &holding{Series: s, sid: key.sid, from: key.from, until: have.until}
	if h.until == 0 {
		h.until = math.MaxUint32
		s.Name, s.RepliesBypass = have.name, have.bypass
		s.Number, s.RealNumber = key.sid>>16, key.sid&0xffff
		if s.Last = (time.Time{}); have.gone {
			s.Last = have.lastSeen.time()
		}
	}
	if first := time.Unix(int64(h.from), 0).UTC(); s.First.IsZero() || first.Before(s.First) {
		s.First = first
	}
	s.holdings = append(s.holdings, h)
	return nil
}

// describe says in s what the archive tells of an entity.
func (e *entity) describe(s *Series) {
	s.Name, s.RepliesBypass, s.entity, s.First = e.name, e.bypass, e, tickTime(e.first)
	if e.last != 0 {
		s.Last = tickTime(e.last)
	}
}

// compare orders a catalog: by number, and what has none last, by identity; the
// director comes first.
func (s *Series) compare(o *Series) int {
	id := func(s *Series) dataplane.Remembered { return dataplane.Remembered{Key: s.Key, RIP: s.RIP} }
	if s.IsDirector() || o.IsDirector() {
		return cmp.Compare(btoi(o.IsDirector()), btoi(s.IsDirector()))
	}
	return cmp.Or(
		cmp.Compare(s.Number-1, o.Number-1), // 0 becomes the greatest
		cmp.Compare(s.RealNumber, o.RealNumber),
		id(s).Compare(id(o)),
	)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Series is the catalog as of the opening or the last call of Refresh: the
// director first, then services and their real servers by number, then what has
// none any more.
func (r *Reader) Series() []*Series { return slices.Clone(r.series) }

// Refresh reads the catalog again. A Series of before stays valid, and says what
// is known of it now.
func (r *Reader) Refresh(ctx context.Context) error {
	err := r.refresh(ctx)
	if err != nil { // an owner came or went
		err = r.open(ctx)
	}
	if err != nil {
		return fmt.Errorf("read catalog: %w", err)
	}
	return nil
}

// current is the state of the store, with catalogs as new.
func (r *Reader) current(ctx context.Context) (*storeState, error) {
	for {
		st, err := r.src.state(ctx)
		if err != nil || st.frontier() <= r.asOf {
			return st, err
		}
		if err := r.refresh(ctx); err != nil {
			return nil, err
		}
	}
}

// Damaged is how many records the last reading had to leave out, those of the
// catalog included.
func (r *Reader) Damaged() int { return r.damaged }
