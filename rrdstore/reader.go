package rrdstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"lvs/dataplane"
)

// startGrace is how long OpenReader waits for an owner that has the file but does
// not serve yet.
const startGrace = 2 * time.Second

// A Series is what one number of the catalog stood for during a time.
type Series struct {
	Key  dataplane.ServiceKey // zero: the director
	RIP  netip.AddrPort       // zero: the service itself
	Name string               // the configured one; empty: none
	// RepliesBypass says that answers reach clients past the director (direct
	// routing, tunnels), of a service those of all its real servers: its outgoing
	// counters are not available rather than zero.
	RepliesBypass bool
	// Number is the service's row number; RealNumber the real server's in it, 0
	// of a service.
	Number, RealNumber uint32
	// First is its first tick under that number. Last is when it was last there,
	// the zero Time while it is.
	First, Last time.Time

	sid, from, until uint32
}

// An Entry is a series in a row.
type Entry struct {
	Series *Series
	Total  dataplane.Counters
	// The gauges of a service are the sums over its real servers.
	Active, Inactive, Persistent, Weight uint64
	// Reset says that the kernel's counters began anew since the row before.
	Reset bool
}

// A Row is one tick.
type Row struct {
	Tick, Time time.Time // Time is when it was read
	// Partial says that the counters of services and real servers were unknown:
	// totals are those of the row before.
	Partial bool
	// Total and Connections of the director, each known only where Has… says so.
	Total                    dataplane.Counters
	HasStats, HasConnections bool
	Connections              uint64
	// Entries are the wanted series that were present, by number.
	Entries []Entry
}

// A Reader reads a store, its own process's or another's, or a copied directory.
// It may be used by one goroutine at a time.
type Reader struct {
	dir     string
	src     source
	series  []*Series
	newest  uint32
	damaged int
}

// OpenReader opens the store in dir for reading: through its owner's socket where
// it has an owner that serves, otherwise from the file, which then is free for an
// owner to take at any time. Errors: [ErrNotExist], [ErrLocked] where an owner
// does not serve, [ErrNewer], [ErrDamaged].
func OpenReader(ctx context.Context, dir string) (*Reader, error) {
	info, err := os.Stat(filepath.Join(dir, headName))
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil, fmt.Errorf("open store: %w in %s", ErrNotExist, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	r := &Reader{dir: dir}
	deadline := time.Now().Add(startGrace)
	for {
		err := r.open(ctx)
		if err == nil || !errors.Is(err, ErrLocked) || ctx.Err() != nil || time.Now().After(deadline) {
			if err != nil {
				return nil, fmt.Errorf("open store: %w", err)
			}
			return r, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (r *Reader) open(ctx context.Context) error {
	remote, err := dialable(ctx, r.dir)
	if err != nil {
		return err
	}
	if remote {
		r.src = remoteSource(r.dir)
		return r.refresh(ctx)
	}
	r.src = fileViewer(r.dir)
	if err := inspectForReading(r.dir); err != nil {
		return err
	}
	return r.refresh(ctx)
}

// inspectForReading is the owner's inspection without its lock: what looks like
// damage may be an owner that started to write meanwhile.
func inspectForReading(dir string) error {
	err := inspect(dir)
	if errors.Is(err, ErrDamaged) {
		if lock := fileViewer(dir).locked(); lock != nil {
			return lock
		}
	}
	return err
}

// refresh reads the catalog.
func (r *Reader) refresh(ctx context.Context) error {
	all, newest, err := r.src.catalog(ctx)
	if err != nil {
		return err
	}
	r.series, r.newest, r.damaged = r.series[:0], newest, 0
	for _, c := range all {
		rec, err := parseRecord(c.key, c.value)
		if isNewer(err) {
			return err
		}
		if err != nil {
			r.damaged++
			continue
		}
		r.series = append(r.series, newSeries(c.key, &rec))
	}
	slices.SortFunc(r.series, func(a, b *Series) int {
		return cmp.Or(cmp.Compare(a.sid, b.sid), cmp.Compare(a.from, b.from))
	})
	return nil
}

func newSeries(k seriesKey, rec *record) *Series {
	s := &Series{
		Key: rec.id.key, RIP: rec.id.rip, Name: rec.name, Number: k.sid >> 16, RealNumber: k.sid & 0xffff,
		First: time.Unix(int64(k.from), 0).UTC(), sid: k.sid, from: k.from, until: rec.until,
	}
	if rec.gone {
		s.Last = rec.lastSeen.time()
	}
	if s.until == 0 {
		s.until = math.MaxUint32
	}
	return s
}

// Series is the catalog, without the director, as of the opening or the last
// call of Rows; in the order of numbers and, for one number, of time.
func (r *Reader) Series() []*Series {
	all := make([]*Series, 0, len(r.series))
	for _, s := range r.series {
		if s.sid != 0 {
			all = append(all, s)
		}
	}
	return all
}

// Damaged is how many records the last call of Rows, and of the catalog, had to
// leave out.
func (r *Reader) Damaged() int { return r.damaged }

// Rows are the rows from start to end, both included, with those series that want
// picks, in order. A row and what it holds is valid until the next one. Ticks that
// were not stored are absent, as are entries whose record is damaged; an error
// ends the sequence.
func (r *Reader) Rows(ctx context.Context, start, end time.Time, want func(*Series) bool) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		err := r.refresh(ctx)
		if err != nil { // an owner came or went
			err = r.open(ctx)
		}
		if err != nil {
			yield(nil, fmt.Errorf("read catalog: %w", err))
			return
		}
		q := query{start: clampTick(start), end: min(clampTick(end), r.newest)}
		if !start.Before(time.Unix(1<<32, 0)) || end.Before(start) || q.start > q.end {
			return
		}
		a := newAssembly(r.series, q.start, want)
		q.sids, q.all = a.sids()
		var stop bool
		err = r.src.rows(ctx, q, func(rec scanRecord) error {
			return a.feed(rec, func(row *Row) error {
				if stop = !yield(row, nil); stop {
					return errStop
				}
				return nil
			})
		})
		if err == nil {
			if row := a.flush(); row != nil {
				stop = !yield(row, nil)
			}
		}
		r.damaged += a.rows.damaged
		if err != nil && !stop {
			yield(nil, fmt.Errorf("read rows: %w", err))
		}
	}
}

var errStop = errors.New("reader stops")

// clampTick is the tick at or after t.
func clampTick(t time.Time) uint32 {
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	return uint32(min(max(s, 0), math.MaxUint32))
}
