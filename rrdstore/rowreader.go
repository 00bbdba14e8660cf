package rrdstore

import "slices"

// A rowReader puts rows together again from their records, in order. What is
// missing or does not decode costs its block, or after a lost header all of
// them, until the next keyframe.
type rowReader struct {
	tick    uint32
	header  header // of the current row
	usable  bool   // there is a current row and its header fits the one before
	sids    []uint32
	state   rowState
	resets  []uint64
	good    []bool   // by block: it holds the row before or the current one
	fed     []uint32 // by block: the last tick that decoded
	stale   []bool   // by block: its values are of before the keyframe
	need    []uint64 // by block: the slots that are wanted, if partly
	partly  bool     // some slots are not wanted: their values are undefined
	damaged int      // records that were refused
}

// feed takes one record. A damaged one is counted; what is returned is ErrNewer.
func (r *rowReader) feed(rec scanRecord) error {
	k := rec.key
	if rec.header != nil {
		r.row(k.tick, *rec.header, true)
		return nil
	}
	payload, err := unseal(rec.value, bucketRow, rec.window, k.bytes())
	if isNewer(err) {
		return err
	}
	if k.block == 0 {
		var h header
		if err == nil {
			h, err = parseHeader(payload, new([]uint32))
		}
		r.row(k.tick, h, err == nil)
		if err != nil {
			r.damaged++
		}
		return nil
	}
	i := int(k.block) - 1
	if !r.usable || k.tick != r.tick {
		return nil // its header was lost, and counted
	}
	if i >= len(r.good) {
		r.damaged++
		return nil
	}
	if !r.good[i] {
		return nil
	}
	blk := r.state.block(i)
	if r.stale[i] {
		r.stale[i] = false
		clear(blk.values)
		blk.present = 0
	}
	if err == nil {
		need := ^uint64(0)
		if r.partly {
			need = r.need[i]
		}
		err = blk.parse(payload, need)
	}
	if err != nil {
		r.good[i] = false
		r.damaged++
		return nil
	}
	r.state.present[i], r.resets[i], r.fed[i] = blk.present, blk.resets, k.tick
	return nil
}

// row begins the row of a header.
func (r *rowReader) row(tick uint32, h header, ok bool) {
	fits := ok && (h.keyframe || r.usable && h.since == r.header.since+1)
	prev := r.tick
	r.tick, r.usable = tick, fits
	if !fits {
		return
	}
	if h.keyframe {
		r.sids = r.sids[:0]
		r.state = rowState{values: r.state.values[:0], present: r.state.present[:0]}
		r.resets, r.good, r.fed, r.stale, r.need = r.resets[:0], r.good[:0], r.fed[:0], r.stale[:0], r.need[:0]
	}
	for i := range r.good { // a block that missed the row before is lost
		if r.fed[i] != prev {
			r.good[i] = false
		}
	}
	for i := range h.director {
		r.state.director[i] += h.director[i]
	}
	r.header = h
	r.extend(h.slots)
}

func (r *rowReader) extend(sids []uint32) {
	before := len(r.sids)
	r.sids = append(r.sids, sids...)
	r.state.values = slices.Grow(r.state.values, len(sids))[:len(r.sids)]
	if i := before / blockSlots; i < len(r.stale) && !r.stale[i] { // in use: what it grows by is new
		clear(r.state.values[before:min(len(r.sids), (i+1)*blockSlots)])
	}
	for len(r.good)*blockSlots < len(r.sids) {
		r.state.present = append(r.state.present, 0)
		r.resets = append(r.resets, 0)
		r.good = append(r.good, true)
		r.fed = append(r.fed, 0)
		r.stale = append(r.stale, true)
		r.need = append(r.need, 0)
	}
}

// want makes a slot one whose values are wanted, before the first row it is in.
func (r *rowReader) want(slot int) { r.need[slot/blockSlots] |= 1 << (slot % blockSlots) }

// has reports whether slot was present in the current row and is known.
func (r *rowReader) has(slot int) bool {
	i := slot / blockSlots
	return r.good[i] && r.fed[i] == r.tick && r.state.present[i]&(1<<(slot%blockSlots)) != 0
}

// reset reports whether the kernel's counters of a present slot began anew.
func (r *rowReader) reset(slot int) bool {
	return r.resets[slot/blockSlots]&(1<<(slot%blockSlots)) != 0
}
