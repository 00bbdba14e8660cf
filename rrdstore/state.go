package rrdstore

import (
	"fmt"
	"math"
	"time"

	"go.etcd.io/bbolt"

	"lvs/dataplane"
)

// A series is a current holder of a number, as it is in the file.
type series struct {
	seriesKey
	record
	seen  uint32 // the last tick at which it was in a snapshot of this process
	moved bool   // its identity had another number before
	index int    // of its values in state.last; -1: it was not in the last row
	// covered is the peak that records, of which told are not its own, and the
	// rows since the last keyframe tell.
	covered, told uint64
}

// A window is a nested bucket of rows, named after its first tick.
type window struct {
	first, last uint32
	rows        uint64
}

// state is what a Store knows of its file.
type state struct {
	byID    map[identity]*series
	bySID   map[uint32]*series
	retired map[seriesKey]uint32 // superseded series, and until when they counted
	windows []window

	tick uint32 // of the last row; zero: there is none
	time stamp  // Snapshot.Time of the last row
	// last holds the totals of the last row, roster its series in the order of
	// the snapshot they came in.
	last   []dataplane.Counters
	roster []*series

	writer      rowWriter
	windowBytes int64 // written to the window under way
	fresh       bool  // the next row begins a window

	// What a plan fills, kept for the next one to use again.
	spare  []*series
	totals []dataplane.Counters
	peaks  []uint64
	// peakRecord is meta/"peaks" to be written; empty: it stays as it is.
	peakRecord []byte
	resetNow   []bool // by place in the roster
	resets     []uint64
	sids       []uint32
	puts       []seriesPut
	drops      []seriesKey
}

// load reads the state from the file: the series, the windows and the last row.
// The caller holds mu and guards against faults.
func (s *Store) load() error {
	fresh := state{
		byID: make(map[identity]*series), bySID: make(map[uint32]*series), retired: make(map[seriesKey]uint32),
		time: noStamp, fresh: true,
	}
	damaged := 0
	err := s.db.View(func(tx *bbolt.Tx) error {
		n, err := fresh.loadSeries(tx.Bucket([]byte(bucketSeries)))
		if err != nil {
			return err
		}
		l, err := fresh.loadPeaks(tx.Bucket([]byte(bucketMeta)))
		if err != nil {
			return err
		}
		m, err := fresh.loadRows(tx)
		damaged = n + l + m
		return err
	})
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	damaged += fresh.forgetUnknown()
	if damaged > 0 && s.stats.Damaged == 0 {
		s.opts.Logger.Error("store has damaged records, which are left out", "records", damaged)
	}
	s.stats.Damaged = max(s.stats.Damaged, damaged)
	s.state, s.stale = fresh, false
	return nil
}

func (st *state) loadSeries(b *bbolt.Bucket) (damaged int, err error) {
	err = b.ForEach(func(k, v []byte) error {
		key, err := parseSeriesKey(k)
		var r record
		if err == nil {
			r, err = parseRecord(key, v)
		}
		switch {
		case isNewer(err):
			return err
		case err != nil:
			damaged++
		case r.until != 0:
			st.retired[key] = r.until
		default:
			se := &series{seriesKey: key, record: r, index: -1}
			st.byID[r.id], st.bySID[key.sid] = se, se
		}
		return nil
	})
	return damaged, err
}

// loadRows lists the windows and decodes the last row.
func (st *state) loadRows(tx *bbolt.Tx) (damaged int, err error) {
	rows := tx.Bucket([]byte(bucketRow))
	err = rows.ForEachBucket(func(k []byte) error {
		first, err := parseWindowKey(k)
		if err != nil {
			return err
		}
		w := rows.Bucket(k)
		key, _ := w.Cursor().Last()
		last, err := parseRowKey(key)
		if err == nil {
			st.windows = append(st.windows, window{first, last.tick, w.Sequence()})
		}
		return err
	})
	if err != nil || len(st.windows) == 0 {
		return 0, err
	}
	var r rowReader
	sc := scan{start: math.MaxUint32, end: math.MaxUint32, all: true} // the last window, from its last keyframe
	for !sc.done {
		err := sc.step(tx, func(rec scanRecord) error {
			if rec.key.block == 0 {
				st.raiseBy(&r)
			}
			return r.feed(rec)
		})
		if err != nil {
			return 0, err
		}
	}
	st.raiseBy(&r)
	st.tick = r.tick
	if !r.usable {
		return r.damaged, nil
	}
	st.time = stamp(int64(r.tick)*int64(time.Second) + r.header.late)
	st.adopt(identity{}, r.state.director.total())
	for slot, sid := range r.sids {
		if se := st.bySID[sid]; se != nil && r.has(slot) {
			st.adopt(se.id, r.state.values[slot].total())
		}
	}
	return r.damaged, nil
}

func (st *state) adopt(id identity, total dataplane.Counters) {
	if se := st.byID[id]; se != nil {
		se.index = len(st.last)
		st.last = append(st.last, total)
		st.roster = append(st.roster, se)
	}
}

// forgetUnknown drops accounts whose total should be in the last row and is not,
// which takes a damaged record.
func (st *state) forgetUnknown() (n int) {
	for id, se := range st.byID {
		if !se.held && se.index < 0 {
			delete(st.byID, id)
			delete(st.bySID, se.sid)
			st.retired[se.seriesKey] = max(st.tick, 1)
			n++
		}
	}
	return n
}
