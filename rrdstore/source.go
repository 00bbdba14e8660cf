package rrdstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// A source is where a Reader gets records from: the files, or their owner.
type source interface {
	// catalog is every series of the head and, if it is wanted, the archive's
	// catalog.
	catalog(ctx context.Context, archive bool) ([]archiveRecord, error)
	// state is what changes while time goes by.
	state(ctx context.Context) (*storeState, error)
	// rows calls emit with the records of a scan of the head; their values live
	// until emit returns.
	rows(ctx context.Context, q query, emit func(scanRecord) error) error
	// chunks calls emit with superchunks of the archive, by window and block;
	// their values live until emit returns, which must not take long.
	chunks(ctx context.Context, q chunkQuery, emit func(chunkKey, []byte) error) error
}

// A query says which rows of which series; no sids and not all is headers only.
type query struct {
	start, end uint32
	all        bool
	sids       []uint32 // rising
}

func (q query) scan() *scan {
	return &scan{start: q.start, end: q.end, all: q.all, sids: q.sids}
}

// A chunkQuery says which superchunks of a level; blocks nil is all there are.
type chunkQuery struct {
	step    uint32
	windows []uint32
	blocks  []uint32
}

// A viewer runs one read transaction.
type viewer func(func(*bbolt.Tx) error) error

// files are the two files of a store, each with its viewer.
type files struct{ head, arch viewer }

func (f files) catalog(ctx context.Context, archive bool) (all []archiveRecord, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if archive {
		err = f.arch(func(tx *bbolt.Tx) error {
			all, err = archiveRecords(tx)
			return err
		})
	}
	if err != nil && !errors.Is(err, errNoArchive) {
		return nil, err
	}
	err = f.head(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucketSeries))
		if b == nil && tx.Bucket([]byte(bucketRow)) == nil {
			return nil // its owner ended before writing anything
		}
		if b == nil {
			return fmt.Errorf("%w: bucket %q is missing", ErrDamaged, bucketSeries)
		}
		return b.ForEach(func(k, v []byte) error {
			all = append(all, archiveRecord{bucketSeries, slices.Clone(k), slices.Clone(v)})
			return nil
		})
	})
	return all, err
}

func (f files) state(ctx context.Context) (*storeState, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	st := newState()
	err := f.arch(func(tx *bbolt.Tx) error { return st.archive(tx) })
	if err != nil && !errors.Is(err, errNoArchive) {
		return nil, err
	}
	err = f.head(func(tx *bbolt.Tx) error {
		oldest, newest := tickRange(tx)
		st.oldest, st.newest = oldest, max(st.newest, newest)
		return nil
	})
	return st, err
}

func (f files) rows(ctx context.Context, q query, emit func(scanRecord) error) error {
	sc := q.scan()
	b := batches.Get().(*batch)
	defer batches.Put(b)
	for !sc.done {
		if err := f.head.step(ctx, sc, b); err != nil {
			return err
		}
		for _, rec := range b.records {
			if err := emit(rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// A batch is what one step of a scan read, in memory that the next one uses
// again.
type batch struct {
	records []scanRecord
	values  [][]byte // of the records, in pieces
	used    int      // pieces
	slots   []uint32 // of headers
}

var batches = sync.Pool{New: func() any { return new(batch) }}

func (b *batch) clear() {
	clear(b.records)
	b.records, b.used = b.records[:0], 0
}

// keep is a copy of v.
func (b *batch) keep(v []byte) []byte {
	const size = 64 << 10
	for {
		if b.used > 0 {
			piece := &b.values[b.used-1]
			if at := len(*piece); cap(*piece)-at >= len(v) {
				*piece = append(*piece, v...)
				return (*piece)[at:len(*piece):len(*piece)]
			}
		}
		if b.used == len(b.values) {
			b.values = append(b.values, make([]byte, 0, max(size, len(v))))
		}
		b.values[b.used] = b.values[b.used][:0]
		b.used++
	}
}

// step copies what one transaction of a scan reads, so that no transaction is
// open while somebody takes the time to use it.
func (view viewer) step(ctx context.Context, sc *scan, b *batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.clear()
	sc.memory = b.slots
	defer func() { b.slots, sc.memory = sc.memory, nil }()
	return view(func(tx *bbolt.Tx) error {
		return sc.step(tx, func(rec scanRecord) error {
			rec.value = b.keep(rec.value)
			b.records = append(b.records, rec)
			return nil
		})
	})
}

// chunks reads a window in one transaction: superchunks are too large to be
// copied, and what is done with them too little to be worth it.
func (f files) chunks(ctx context.Context, q chunkQuery, emit func(chunkKey, []byte) error) error {
	for _, w := range q.windows {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := f.arch(func(tx *bbolt.Tx) error { return q.window(tx, w, emit) })
		if err != nil && !errors.Is(err, errNoArchive) {
			return err
		}
	}
	return nil
}

// window emits a window's superchunks.
func (q chunkQuery) window(tx *bbolt.Tx, window uint32, emit func(chunkKey, []byte) error) error {
	level := levelBucket(tx, q.step)
	if level == nil {
		return nil
	}
	w := level.Bucket(windowKey(window))
	if w == nil {
		return nil // expired
	}
	if q.blocks == nil {
		return w.ForEach(func(k, v []byte) error { return emit(chunkKey{q.step, window, keyNumber(k)}, v) })
	}
	for _, b := range q.blocks {
		if v := w.Get(windowKey(b)); v != nil {
			if err := emit(chunkKey{q.step, window, b}, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// errNoArchive says that there is no arch.db, which is as good as an empty one.
var errNoArchive = errors.New("there is no archive")

// fileSource opens a file anew for every transaction, so that an agent may start
// while it is being read.
func fileSource(dir string) files {
	return files{
		head: func(fn func(*bbolt.Tx) error) error { return viewFile(filepath.Join(dir, headName), dir, fn) },
		arch: func(fn func(*bbolt.Tx) error) error {
			path := filepath.Join(dir, archName)
			if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
				return errNoArchive
			}
			return viewFile(path, dir, fn)
		},
	}
}

func viewFile(path, dir string, fn func(*bbolt.Tx) error) error {
	return guard(func() (err error) {
		db, err := bbolt.Open(path, 0, &bbolt.Options{ReadOnly: true, Timeout: 100 * time.Millisecond, NoStatistics: true})
		if errors.Is(err, berrors.ErrTimeout) {
			return &LockedError{Dir: dir, PID: ownerOfDir(dir)}
		}
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }() // after a panic as well
		return db.View(fn)
	})
}

// lockedFile is the LockedError of a file that has an owner, nil otherwise.
func lockedFile(path, dir string) error {
	err := viewFile(path, dir, func(*bbolt.Tx) error { return nil })
	if errors.Is(err, ErrLocked) {
		return err
	}
	return nil
}

// storeSource reads within the owner. It does not keep commits waiting.
func storeSource(s *Store) files {
	return files{head: s.view, arch: func(fn func(*bbolt.Tx) error) error {
		if a := s.arch.Load(); a != nil {
			return a.view(fn)
		}
		return errNoArchive
	}}
}

// view is the owner's viewer of the head.
func (s *Store) view(fn func(*bbolt.Tx) error) error {
	db := s.shared.Load()
	err := guard(func() error { return db.View(fn) })
	switch {
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return ErrClosed
	case errors.Is(err, errFault):
		err = fmt.Errorf("%w: %w", errHead, err)
		if s.shared.Load() == db {
			s.suspect.Store(&err)
		}
	}
	return err
}

// errHead tells a fault of head.db from one of the archive.
var errHead = errors.New(headName)
