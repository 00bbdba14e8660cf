package rrdstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// A source is where a Reader gets records from: the file, or its owner.
type source interface {
	// catalog is every series, and the last tick that they account for.
	catalog(ctx context.Context) ([]catalogRecord, uint32, error)
	// rows calls emit with the records of a scan; its values live until emit
	// returns.
	rows(ctx context.Context, q query, emit func(scanRecord) error) error
}

// A catalogRecord is a series as it is in the file.
type catalogRecord struct {
	key   seriesKey
	value []byte
}

// A query says which rows of which series; no sids and not all is headers only.
type query struct {
	start, end uint32
	all        bool
	sids       []uint32
}

func (q query) scan() *scan {
	s := &scan{start: q.start, end: q.end}
	if !q.all {
		set := make(map[uint32]bool, len(q.sids))
		for _, sid := range q.sids {
			set[sid] = true
		}
		s.want = func(sid uint32) bool { return set[sid] }
	}
	return s
}

// A viewer runs one read transaction.
type viewer func(func(*bbolt.Tx) error) error

func (view viewer) catalog(ctx context.Context) (all []catalogRecord, newest uint32, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	err = view(func(tx *bbolt.Tx) error {
		all = nil
		b := tx.Bucket([]byte(bucketSeries))
		if b == nil && tx.Bucket([]byte(bucketRow)) == nil {
			return nil // its owner ended before writing anything
		}
		if b == nil {
			return fmt.Errorf("%w: bucket %q is missing", ErrDamaged, bucketSeries)
		}
		newest = newestTick(tx)
		return b.ForEach(func(k, v []byte) error {
			key, err := parseSeriesKey(k)
			if err == nil {
				all = append(all, catalogRecord{key, append([]byte(nil), v...)})
			}
			return err
		})
	})
	return all, newest, err
}

// newestTick is the tick of the last row; zero if there is none.
func newestTick(tx *bbolt.Tx) uint32 {
	rows := tx.Bucket([]byte(bucketRow))
	if rows == nil {
		return 0
	}
	first, _ := rows.Cursor().Last()
	w := rows.Bucket(first)
	if w == nil {
		return 0
	}
	k, _ := w.Cursor().Last()
	key, err := parseRowKey(k)
	if err != nil {
		return 0
	}
	return key.tick
}

func (view viewer) rows(ctx context.Context, q query, emit func(scanRecord) error) error {
	sc := q.scan()
	for !sc.done {
		batch, err := view.step(ctx, sc)
		if err != nil {
			return err
		}
		for _, rec := range batch {
			if err := emit(rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// step copies what one transaction of a scan reads, so that no transaction is
// open while somebody takes the time to use it.
func (view viewer) step(ctx context.Context, sc *scan) (batch []scanRecord, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = view(func(tx *bbolt.Tx) error {
		var buf []byte
		return sc.step(tx, func(rec scanRecord) error {
			if cap(buf)-len(buf) < len(rec.value) {
				buf = make([]byte, 0, max(64<<10, len(rec.value)))
			}
			at := len(buf)
			buf = append(buf, rec.value...)
			rec.value = buf[at:len(buf):len(buf)]
			batch = append(batch, rec)
			return nil
		})
	})
	return batch, err
}

// fileViewer opens the file anew for every transaction, so that an agent may
// start while it is being read.
func fileViewer(dir string) viewer {
	return func(fn func(*bbolt.Tx) error) error {
		return guard(func() (err error) {
			db, err := bbolt.Open(filepath.Join(dir, headName), 0, &bbolt.Options{ReadOnly: true, Timeout: 100 * time.Millisecond, NoStatistics: true})
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
}

// view is the owner's viewer. It does not keep commits waiting.
func (s *Store) view(fn func(*bbolt.Tx) error) error {
	err := guard(func() error { return s.shared.Load().View(fn) })
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// locked is the LockedError of a file that has an owner, nil otherwise.
func (view viewer) locked() error {
	err := view(func(*bbolt.Tx) error { return nil })
	if errors.Is(err, ErrLocked) {
		return err
	}
	return nil
}
