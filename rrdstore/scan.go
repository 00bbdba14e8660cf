package rrdstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"go.etcd.io/bbolt"
)

// stepBytes is about how much one transaction of a scan reads: enough to make
// the transaction cheap, little enough to hold in memory for a reader.
const stepBytes = 1 << 20

func windowKey(first uint32) []byte { return binary.BigEndian.AppendUint32(nil, first) }

func parseWindowKey(b []byte) (uint32, error) {
	if len(b) != 4 {
		return 0, fmt.Errorf("%w: window key is %d bytes, want 4", ErrDamaged, len(b))
	}
	return binary.BigEndian.Uint32(b), nil
}

// A scanRecord is a record of a row; its value is valid during the transaction.
type scanRecord struct {
	window uint32
	key    rowKey
	value  []byte
	// header is of a header's record, where the scan had to read it.
	header *header
}

// A scan walks the records of the rows from start to end in order, from the last
// keyframe at or before start on, in as many transactions as the caller likes.
type scan struct {
	start, end uint32
	all        bool
	sids       []uint32 // of the wanted series unless all are, rising

	done   bool
	begun  bool
	window uint32
	next   rowKey // in window
	slots  int
	found  int    // of sids, in the layout under way
	need   []bool // by block of the layout under way
	// memory is where the slots of headers are, until the next step.
	memory []uint32
}

// step emits records until stepBytes were read or the scan is done.
func (s *scan) step(tx *bbolt.Tx, emit func(scanRecord) error) error {
	rows := tx.Bucket([]byte(bucketRow))
	if rows == nil {
		return fmt.Errorf("%w: bucket %q is missing", ErrDamaged, bucketRow)
	}
	s.memory = s.memory[:0]
	for budget := stepBytes; budget > 0 && !s.done; {
		w, err := s.enter(rows)
		if err != nil || s.done {
			return err
		}
		if budget, err = s.walk(w, budget, emit); err != nil {
			return err
		}
	}
	return nil
}

// errTaken says that a window went while it was being read: its rows are in the
// archive now, or were given up.
var errTaken = errors.New("rows were taken to the archive while they were read")

// enter finds the window to go on in.
func (s *scan) enter(rows *bbolt.Bucket) (*bbolt.Bucket, error) {
	if s.begun {
		if w := rows.Bucket(windowKey(s.window)); w != nil {
			return w, nil
		}
		if s.next != (rowKey{}) {
			return nil, errTaken
		}
		if c, _ := rows.Cursor().First(); c != nil && keyNumber(c) > s.window {
			return nil, errTaken // all that was to come next is gone, or nothing
		}
		return s.open(rows, s.window)
	}
	s.begun = true
	c := rows.Cursor()
	k, _ := c.Seek(windowKey(s.start))
	first, err := uint32(0), error(nil)
	if k != nil {
		if first, err = parseWindowKey(k); err != nil {
			return nil, err
		}
	}
	if k == nil || first > s.start {
		// The rows before that window may reach beyond start.
		if k == nil {
			k, _ = c.Last()
		} else if p, _ := c.Prev(); p != nil {
			k = p
		}
	}
	if k == nil {
		s.done = true
		return nil, nil
	}
	if first, err = parseWindowKey(k); err != nil {
		return nil, err
	}
	return s.open(rows, first)
}

// open makes the first window at or after first the one to walk.
func (s *scan) open(rows *bbolt.Bucket, first uint32) (*bbolt.Bucket, error) {
	k, _ := rows.Cursor().Seek(windowKey(first))
	if k == nil {
		s.done = true
		return nil, nil
	}
	var err error
	if s.window, err = parseWindowKey(k); err != nil {
		return nil, err
	}
	w := rows.Bucket(k)
	if w == nil {
		return nil, fmt.Errorf("%w: window %d is no bucket", ErrDamaged, s.window)
	}
	s.slots, s.found, s.need = 0, 0, s.need[:0]
	s.next, err = s.keyframe(w)
	return w, err
}

// keyframe is the key of the last keyframe at or before start, or else of the
// window's first row.
func (s *scan) keyframe(w *bbolt.Bucket) (rowKey, error) {
	at := s.start
	c := w.Cursor()
	for {
		k, _ := c.Seek(rowKey{at, maxBlocks}.bytes())
		if k == nil {
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
		if k == nil { // all of the window is after start
			return rowKey{}, nil
		}
		key, err := parseRowKey(k)
		if err != nil {
			return rowKey{}, err
		}
		head := rowKey{key.tick, 0}
		if v := w.Get(head.bytes()); v != nil {
			if payload, err := unseal(v, bucketRow, s.window, head.bytes()); err == nil && len(payload) > 0 && payload[0]&headerKeyframe != 0 {
				return head, nil
			}
		}
		if key.tick == 0 {
			return rowKey{}, nil
		}
		at = key.tick - 1
	}
}

// walk emits records of w from next on, and leaves the window at its end.
func (s *scan) walk(w *bbolt.Bucket, budget int, emit func(scanRecord) error) (int, error) {
	c := w.Cursor()
	k, v := c.Seek(s.next.bytes())
	for k != nil {
		key, err := parseRowKey(k)
		if err != nil {
			return 0, err
		}
		if key.tick > s.end {
			s.done = true
			return budget, nil
		}
		if s.next = key; budget <= 0 {
			return budget, nil
		}
		var h *header
		if key.block == 0 {
			h = s.layout(key, v)
		}
		if key.block == 0 || s.needs(int(key.block)-1) {
			if err := emit(scanRecord{s.window, key, v, h}); err != nil {
				return 0, err
			}
			budget -= len(v)
			k, v = c.Next()
			continue
		}
		k, v = c.Seek(s.skip(key).bytes())
	}
	if s.window == math.MaxUint32 {
		s.done = true
		return budget, nil
	}
	s.window++ // the bucket of that name, or the next after it
	s.next = rowKey{}
	return budget, nil
}

// needs reports whether block i is of interest. One with slots left to give is
// while there are wanted series without: they may come into it, and decode only
// from the keyframe on.
func (s *scan) needs(i int) bool {
	return s.all || i < len(s.need) && s.need[i] || i == s.slots/blockSlots && s.found < len(s.sids)
}

// skip is the next key of interest after one that is not.
func (s *scan) skip(k rowKey) rowKey {
	for i := int(k.block); i < len(s.need); i++ {
		if s.needs(i) {
			return rowKey{k.tick, uint16(i + 1)}
		}
	}
	return rowKey{k.tick + 1, 0}
}

// layout learns from a header which blocks hold wanted series, and returns it, but
// nil where all are wanted. A damaged header teaches nothing: what it would have
// said is lost until the next keyframe.
func (s *scan) layout(k rowKey, v []byte) *header {
	if s.all {
		return nil
	}
	payload, err := unseal(v, bucketRow, s.window, k.bytes())
	if err != nil {
		return nil
	}
	h, err := parseHeader(payload, &s.memory)
	if err != nil {
		return nil
	}
	if h.keyframe {
		s.slots, s.found, s.need = 0, 0, s.need[:0]
	}
	s.slots += len(h.slots)
	for len(s.need)*blockSlots < s.slots {
		s.need = append(s.need, false)
	}
	first := s.slots - len(h.slots)
	for i := range common(h.slots, s.sids, h.rising) {
		s.need[(first+i)/blockSlots] = true
		s.found++
	}
	return &h
}

// common are the places in slots of those that are in sids, which rise. A
// keyframe's slots do as well, and there are many of them.
func common(slots, sids []uint32, rising bool) iter.Seq[int] {
	return func(yield func(int) bool) {
		if rising && len(slots) > 2*len(sids) {
			from := 0
			for _, sid := range sids {
				at, ok := slices.BinarySearch(slots[from:], sid)
				if from += at; ok && !yield(from) {
					return
				}
			}
			return
		}
		for i, sid := range slots {
			if _, ok := slices.BinarySearch(sids, sid); ok && !yield(i) {
				return
			}
		}
	}
}
