package rrdstore

import (
	"math"

	"fmt"

	"go.etcd.io/bbolt"
)

// A storeState is the extent of a store at one time.
type storeState struct {
	newest  uint32 // the last tick; zero: there is none
	oldest  uint32 // the first one in the head
	step    uint32 // of primary data points
	beat    uint32 // the longest interval between ticks that is known
	levels  []*level
	windows map[uint32][]uint32 // of the archive, by the level's step
}

// frontier is the tick before which raw rows are all in the archive.
func (st *storeState) frontier() uint32 {
	if len(st.levels) > 0 && st.levels[0].step == 0 {
		return st.levels[0].frontier
	}
	return 0
}

// begin is a time before which nothing is known; the end of time if the store is
// empty.
func (st *storeState) begin() uint32 {
	first := uint32(math.MaxUint32)
	if st.oldest != 0 {
		first = st.oldest
	}
	for _, w := range st.windows {
		if len(w) > 0 {
			first = min(first, w[0])
		}
	}
	return first
}

// last is the last tick at which a series was there.
func (st *storeState) last(s *Series) uint32 {
	if s.Last.IsZero() {
		return st.newest
	}
	return uint32(s.Last.Unix())
}

func newState() *storeState {
	return &storeState{step: 10, beat: 20, windows: make(map[uint32][]uint32)}
}

// archive adds what arch.db tells.
func (st *storeState) archive(tx *bbolt.Tx) error {
	var records []archiveRecord
	for _, name := range []string{bucketMeta, bucketTier} {
		b := tx.Bucket([]byte(name))
		if b == nil {
			return nil // made, and not written to yet
		}
		err := b.ForEach(func(k, v []byte) error {
			records = append(records, archiveRecord{name, k, v})
			return nil
		})
		if err != nil {
			return err
		}
	}
	c, err := parseCatalog(records)
	if err != nil {
		return err
	}
	st.levels, st.newest = c.levels, c.newest
	switch {
	case c.step != 0:
		st.step, st.beat = c.step, c.beat
	case len(c.levels) > 0 || c.damaged > 0: // what it holds would be taken for something else
		return fmt.Errorf("%w: %s does not tell the step of its data points", ErrDamaged, archName)
	}
	for _, l := range st.levels {
		st.windows[l.step] = windowsOf(tx, l.step)
	}
	return nil
}

// tickRange are the first and the last row's ticks; zero if there is none.
func tickRange(tx *bbolt.Tx) (oldest, newest uint32) {
	rows := tx.Bucket([]byte(bucketRow))
	if rows == nil {
		return 0, 0
	}
	c := rows.Cursor()
	first, _ := c.First()
	last, _ := c.Last()
	w := rows.Bucket(last)
	if w == nil || len(first) != 4 {
		return 0, 0
	}
	k, _ := w.Cursor().Last()
	key, err := parseRowKey(k)
	if err != nil {
		return 0, 0
	}
	return keyNumber(first), key.tick
}
