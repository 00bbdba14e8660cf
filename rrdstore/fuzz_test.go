package rrdstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"lvs/dataplane"
)

// FuzzRecord: a payload, rightly sealed, parses to a record that is written back
// the same, or is refused.
func FuzzRecord(f *testing.F) {
	k := seriesKey{sidOf(3, 4), firstTick}
	seeds := []record{
		{firstSeen: noStamp, lastSeen: noStamp, lastReset: noStamp, lastChange: noStamp, epoch: "boot"},
		{id: identity{key: testKey(4)}, name: "web", firstSeen: 1, lastSeen: noStamp, lastReset: -5, lastChange: 7, follows: true,
			resets: dataplane.ResetCounts{1, 2, 3, 1<<32 - 1}, offset: dataplane.Counters{InBytes: 1<<64 - 1}},
		{id: identity{testKey(0), testRIP(6)}, until: 9, gone: true, held: true, status: dataplane.Overloaded,
			total: dataplane.Counters{Connections: 1 << 63}, firstSeen: noStamp, lastSeen: 3, lastReset: noStamp, lastChange: noStamp},
		{id: identity{key: testKey(1)}, firstSeen: 1, lastSeen: noStamp, lastReset: noStamp, lastChange: 7, follows: true,
			status: dataplane.Draining, changes: 1<<32 - 1, failures: 300, peak: 1<<64 - 1},
		{firstSeen: noStamp, lastSeen: noStamp, lastReset: noStamp, lastChange: noStamp, peak: 1},
		{firstSeen: noStamp, lastSeen: noStamp, lastReset: noStamp, lastChange: noStamp, failures: 1},
	}
	for _, r := range seeds {
		b := r.append(nil, k)
		f.Add(b[1 : len(b)-4])
		if got, err := parseRecord(k, b); err != nil || got != r {
			f.Errorf("%+v came back as %+v, %v", r, got, err)
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		v := seal(append([]byte{seriesVersion}, payload...), 0, bucketSeries, 0, k.bytes())
		r, err := parseRecord(k, v)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("refused with %v", err)
			}
			return
		}
		again, err := parseRecord(k, r.append(nil, k))
		if err != nil || again != r {
			t.Errorf("%+v came back as %+v, %v", r, again, err)
		}
	})
}

// FuzzPeaks: a payload, rightly sealed, parses to peaks by number or is refused as
// damaged.
func FuzzPeaks(f *testing.F) {
	f.Add([]byte{1, 2, 0, 9, 2, 0x80, 1})
	f.Add([]byte{1, 2, 1, 9})
	f.Fuzz(func(t *testing.T, payload []byte) {
		v := seal(append([]byte{recordVersion}, payload...), 0, bucketMeta, 0, []byte(keyPeaks))
		r, err := parsePeaks(v)
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("refused with %v", err)
		}
		if len(r.sids) != len(r.peaks) || len(r.sids) > len(payload) {
			t.Errorf("%d numbers and %d peaks of %d bytes", len(r.sids), len(r.peaks), len(payload))
		}
	})
}

// FuzzRow: headers and blocks that any bytes make never upset the reader of rows,
// nor do they make it hold more than they are long.
func FuzzRow(f *testing.F) {
	w := rowWriter{}
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range 3 {
		slots := w.begin(i == 0, []uint32{65536, 65537, 131072})
		for slot := range int32(3 - i) {
			v := w.set(slot)
			for j := range v {
				v[j] = rnd.Uint64()
			}
		}
		w.finish(1000, 1000+uint32(i), header{keyframe: i == 0, late: -4, slots: slots}, []uint64{uint64(i)})
		head, blk := w.records[0], w.records[1]
		f.Add(w.buf[head.start+1:head.end-4], w.buf[blk.start+1:blk.end-4])
		w.accept()
	}
	f.Fuzz(func(t *testing.T, head, blk []byte) {
		var r rowReader
		for tick := range uint32(3) {
			for i, payload := range [][]byte{head, blk, blk} {
				k := rowKey{1000 + tick, uint16(i)}
				v := seal(append([]byte{recordVersion}, payload...), 0, bucketRow, 1000, k.bytes())
				if err := r.feed(scanRecord{window: 1000, key: k, value: v}); err != nil {
					t.Errorf("feed: %v", err)
				}
			}
			if len(r.sids) > 3*len(head) {
				t.Errorf("%d slots of %d bytes", len(r.sids), len(head))
			}
			for slot := range r.sids {
				if r.usable && r.has(slot) {
					r.reset(slot)
				}
			}
		}
	})
}

// FuzzBlock: what a block writes is what it reads, for any values, presence and
// resets.
func FuzzBlock(f *testing.F) {
	f.Add([]byte{}, uint64(1), uint64(0), uint64(0))
	f.Add(bytes.Repeat([]byte{255}, 600), uint64(7), uint64(5), uint64(4))
	f.Add(bytes.Repeat([]byte{1, 0, 128}, 3000), ^uint64(0), ^uint64(0), uint64(1<<63))
	f.Fuzz(func(t *testing.T, b []byte, before, now, resets uint64) {
		take := func(n int) []values {
			all := make([]values, n)
			for i := range all {
				for j := range all[i] {
					if len(b) >= 8 {
						all[i][j] = binary.LittleEndian.Uint64(b)
						b = b[3:]
					}
				}
			}
			return all
		}
		n := 1 + len(b)%blockSlots
		prev := block{values: take(n / 2)}
		prev.present = before & prev.full()
		cur := block{values: take(n)}
		cur.present, cur.resets = now&cur.full(), resets&cur.full()
		for i := range prev.values {
			if cur.present&(1<<i) == 0 {
				cur.values[i] = prev.values[i] // absent slots keep theirs
			}
		}
		for i := len(prev.values); i < n; i++ {
			if cur.present&(1<<i) == 0 {
				cur.values[i] = values{}
			}
		}
		payload := cur.append(nil, prev)
		// All slots, and some: now and resets stand for any sets.
		for _, need := range []uint64{^uint64(0), now, resets, now & resets, 0} {
			got := block{present: prev.present, values: append(append([]values(nil), prev.values...), make([]values, n-n/2)...)}
			if err := got.parse(payload, need); err != nil {
				t.Fatal(err)
			}
			if got.present != cur.present || got.resets != cur.resets {
				t.Errorf("presence %x and resets %x came back as %x and %x", cur.present, cur.resets, got.present, got.resets)
			}
			for i := range cur.values {
				if need>>i&1 != 0 && got.values[i] != cur.values[i] {
					t.Errorf("of slots %x slot %d: %v came back as %v", need, i, cur.values[i], got.values[i])
				}
			}
		}
	})
}

// FuzzQuery: a request of rows that parses is written back the same.
func FuzzQuery(f *testing.F) {
	for _, q := range []query{{}, {start: 1, end: 1<<32 - 1, all: true}, {sids: []uint32{1, 65536, 1<<32 - 1}}} {
		f.Add(q.append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := parseQuery(b)
		if err != nil {
			return
		}
		again, err := parseQuery(q.append(nil))
		if err != nil || again.start != q.start || again.end != q.end || again.all != q.all || len(again.sids) != len(q.sids) {
			t.Errorf("%v came back as %v, %v", q, again, err)
		}
	})
}

// FuzzVerify puts bytes anywhere into a file: Verify refuses it, or bbolt can
// open it and read all of it.
func FuzzVerify(f *testing.F) {
	good, err := os.ReadFile(filepath.Join(filled(f, 2, 20, 40), headName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte{})
	f.Add(uint32(5*pageSize+8), []byte{1})
	f.Add(uint32(pageSize+16), []byte{0xed, 0xda, 0x0c, 0xed})
	f.Add(uint32(9*pageSize+10), []byte{255, 0, 1})
	f.Fuzz(func(t *testing.T, at uint32, b []byte) {
		spoilt := bytes.Clone(good)
		copy(spoilt[int(at)%len(spoilt):], b)
		dir := t.TempDir()
		path := filepath.Join(dir, headName)
		if err := os.WriteFile(path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(path); err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
				t.Errorf("refused with %v", err)
			}
			return
		}
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatalf("verified, but: %v", err)
		}
		if err := s.Commit(t.Context(), table(2, 20, firstTick+100_000, 1)); err != nil && !errors.Is(err, ErrTick) {
			t.Errorf("verified, but: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		readAll(t, dir)
	})
}
