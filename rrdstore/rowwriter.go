package rrdstore

import "slices"

// keyframeEvery bounds how many rows must be read to decode one, and thereby
// how long a restart takes. A keyframe costs about three rows.
const keyframeEvery = 64

// A rowWriter turns a tick's values into records. It holds the row before, and
// the one under way until accept makes it the row before.
type rowWriter struct {
	sids []uint32         // by slot
	slot map[uint32]int32 // by series
	// order is the series of the row under way as they came, and places their slots:
	// most rows have the same as the one before.
	order  []uint32
	places []int32

	since     uint64 // of the row under way
	started   bool   // a keyframe was accepted
	prev, cur rowState
	here      int // series present in the row under way

	buf     []byte
	records []rowRecord
}

// A rowState is the values of every slot and the director.
type rowState struct {
	values   []values
	present  []uint64 // a bit per slot
	director values
}

// A rowRecord is one sealed record, at its place in rowWriter.buf.
type rowRecord struct {
	key        rowKey
	start, end int
}

// needsKeyframe reports whether the next row should stand by itself: too many
// rows hang on one another, or too many slots are of series long gone.
func (w *rowWriter) needsKeyframe() bool {
	return !w.started || w.since+1 >= keyframeEvery || len(w.sids) > 2*w.here+64*blockSlots
}

// begin starts a row of the series in sids, in any order, whose slots then are in
// places. It returns the header's slots: those of the series that have none yet, or
// of all in a keyframe.
func (w *rowWriter) begin(keyframe bool, sids []uint32) []uint32 {
	w.here = len(sids)
	if keyframe {
		w.since = 0
		w.sids = append(w.sids[:0], sids...)
		slices.Sort(w.sids)
		w.slot = make(map[uint32]int32, len(sids))
		for i, sid := range w.sids {
			w.slot[sid] = int32(i)
		}
		w.prev = rowState{values: w.prev.values[:0], present: w.prev.present[:0]}
	} else {
		w.since++
	}
	known := len(w.sids)
	if keyframe {
		known, w.order = 0, w.order[:0]
	}
	w.place(sids)
	// Absent slots keep their last values: a series that comes back is written
	// as a difference from them.
	w.cur.values = append(w.cur.values[:0], w.prev.values...)
	w.cur.values = append(w.cur.values, make([]values, len(w.sids)-len(w.cur.values))...)
	w.cur.present = append(w.cur.present[:0], make([]uint64, w.blocks())...)
	return w.sids[known:]
}

// place finds the slots of series, and gives some to those that have none.
func (w *rowWriter) place(sids []uint32) {
	w.places = slices.Grow(w.places, max(0, len(sids)-len(w.places)))[:len(sids)]
	same := 0
	for same < min(len(sids), len(w.order)) && sids[same] == w.order[same] {
		same++
	}
	for i, sid := range sids[same:] {
		slot, ok := w.slot[sid]
		if !ok {
			slot = int32(len(w.sids))
			w.slot[sid] = slot
			w.sids = append(w.sids, sid)
		}
		w.places[same+i] = slot
	}
	w.order = append(w.order[:same], sids[same:]...)
}

func (w *rowWriter) blocks() int { return (len(w.sids) + blockSlots - 1) / blockSlots }

// set marks a slot present and returns its values for filling.
func (w *rowWriter) set(slot int32) *values {
	w.cur.present[slot/blockSlots] |= 1 << (slot % blockSlots)
	return &w.cur.values[slot]
}

// finish encodes the row under way; resets holds a bit per slot.
func (w *rowWriter) finish(window, tick uint32, h header, resets []uint64) {
	w.buf, w.records = w.buf[:0], w.records[:0]
	h.since = w.since
	w.cur.director = h.director
	w.record(window, rowKey{tick, 0}, func(b []byte) []byte { return h.append(b, &w.prev.director) })
	for i := range w.blocks() {
		blk, prev := w.cur.block(i), w.prev.block(i)
		blk.resets = resets[i]
		w.record(window, rowKey{tick, uint16(i + 1)}, func(b []byte) []byte { return blk.append(b, prev) })
	}
}

func (w *rowWriter) record(window uint32, k rowKey, payload func([]byte) []byte) {
	start := len(w.buf)
	w.buf = payload(append(w.buf, recordVersion))
	var key [6]byte
	w.buf = seal(w.buf, start, bucketRow, window, k.append(key[:0]))
	w.records = append(w.records, rowRecord{k, start, len(w.buf)})
}

// block is the view of block i, short or empty where the state has fewer slots.
func (s *rowState) block(i int) block {
	from, to := min(i*blockSlots, len(s.values)), min((i+1)*blockSlots, len(s.values))
	b := block{values: s.values[from:to]}
	if i < len(s.present) {
		b.present = s.present[i]
	}
	return b
}

// accept makes the row under way, which is durable now, the row before.
func (w *rowWriter) accept() {
	w.prev, w.cur = w.cur, w.prev
	w.started = true
}
