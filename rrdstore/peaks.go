package rrdstore

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"go.etcd.io/bbolt"
)

// An account's peak is told by three things together: its record, meta/"peaks",
// and the rows since the last keyframe. A row holds the connections of its tick,
// so that while more and more come nothing else need be written; with a keyframe,
// from which on rows are read again, one record takes down what all rows before it
// told. What no row can tell, for the sample was not stored, goes into the
// account's record at once. So every peak that was ever committed is there after a
// crash, and hardly anything is written for it.

// coveredWith is what is told of the series' peak once this tick's row, which has
// so many connections, is there. Of an account that began anew nothing older is.
func (se *series) coveredWith(r *record, connections uint64) uint64 {
	if r.firstSeen != se.firstSeen {
		return connections
	}
	return max(se.covered, connections)
}

// planPeaks makes the record that goes with a keyframe: the peaks of all rows
// before it, or none if nothing new is to be told.
func (s *Store) planPeaks(p *plan) {
	s.peakRecord = s.peakRecord[:0]
	if !p.keyframe {
		return
	}
	news := false
	for _, se := range p.roster {
		news = news || se.covered > max(se.peak, se.told)
	}
	if !news {
		return
	}
	b := append(s.peakRecord, recordVersion)
	b = binary.AppendUvarint(b, uint64(s.tick))
	b = binary.AppendVarint(b, int64(s.time))
	last := uint32(0)
	for _, se := range p.roster {
		if se.covered > se.peak {
			b = binary.AppendVarint(b, int64(se.sid)-int64(last))
			b = binary.AppendUvarint(b, se.covered)
			last = se.sid
		}
	}
	s.peakRecord = seal(b, 0, bucketMeta, 0, []byte(keyPeaks))
}

// acceptPeaks takes what was stored for the state.
func (s *Store) acceptPeaks(p *plan) {
	for i, se := range p.roster {
		if p.keyframe {
			se.told = max(se.told, se.covered)
		}
		se.covered = p.peaks[i]
	}
}

// A peakRecord tells the peaks of rows up to a tick, by number.
type peakRecord struct {
	tick  uint32
	time  stamp
	sids  []uint32
	peaks []uint64
}

func parsePeaks(v []byte) (r peakRecord, err error) {
	payload, err := unseal(v, bucketMeta, 0, []byte(keyPeaks))
	if err != nil {
		return r, err
	}
	p := &parser{b: payload}
	r.tick, r.time = uint32(p.uvarint()), stamp(p.varint())
	last := int64(0)
	for p.err == nil && len(p.rest()) > 0 {
		last += p.varint()
		peak := p.uvarint()
		if last < 0 || last > math.MaxUint32 {
			p.fail(fmt.Errorf("number %d", last))
		}
		r.sids, r.peaks = append(r.sids, uint32(last)), append(r.peaks, peak)
	}
	if p.err != nil {
		return r, fmt.Errorf("%w: peaks: %w", ErrDamaged, p.err)
	}
	return r, nil
}

// loadPeaks reads what records tell of the peaks.
func (st *state) loadPeaks(meta *bbolt.Bucket) (damaged int, err error) {
	for _, se := range st.byID {
		se.covered = se.peak
	}
	v := meta.Get([]byte(keyPeaks))
	if v == nil {
		return 0, nil
	}
	r, err := parsePeaks(v)
	if isNewer(err) {
		return 0, err
	}
	if err != nil {
		return 1, nil
	}
	for i, sid := range r.sids {
		se := st.bySID[sid]
		if sid == 0 {
			se = st.byID[identity{}]
		}
		se.raise(r.tick, r.time, r.peaks[i])
	}
	for _, se := range st.byID {
		se.told = se.covered
	}
	return 0, nil
}

// raise takes what a row of that tick and time tells, or several up to it, if it
// is of this holder of the number and of this account.
func (se *series) raise(tick uint32, now stamp, connections uint64) {
	if se != nil && se.from <= tick && se.firstSeen <= now {
		se.covered = max(se.covered, connections)
	}
}

// raiseBy takes the row that r has read.
func (st *state) raiseBy(r *rowReader) {
	if !r.usable {
		return
	}
	now := stamp(int64(r.tick)*int64(time.Second) + r.header.late)
	if r.header.hasConnections {
		st.byID[identity{}].raise(r.tick, now, r.state.director[valueActive])
	}
	for slot, sid := range r.sids {
		if r.has(slot) {
			v := &r.state.values[slot]
			st.bySID[sid].raise(r.tick, now, v[valueActive]+v[valueInactive])
		}
	}
}
