package rrdstore

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

func TestShortUvarint(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	for range 100_000 {
		b := binary.AppendUvarint(nil, rnd.Uint64()>>rnd.IntN(64))
		size := len(b)
		for len(b) < 16 { // what follows does not matter
			b = append(b, byte(rnd.Uint32()))
		}
		want, _ := binary.Uvarint(b)
		v, n := shortUvarint(binary.LittleEndian.Uint64(b))
		if size > 8 {
			want, size = 0, 0
		}
		if v != want || n != size {
			t.Fatalf("% x: %d in %d bytes, want %d in %d", b, v, n, want, size)
		}
	}
}

func TestWriterFindsSlotsWhereSeriesCameAndWent(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	var w rowWriter
	for row := range 500 {
		var sids []uint32
		for sid := range uint32(40) {
			if rnd.IntN(60) > 0 {
				sids = append(sids, sid+1)
			}
		}
		if rnd.IntN(9) == 0 {
			rnd.Shuffle(len(sids), func(i, j int) { sids[i], sids[j] = sids[j], sids[i] })
		}
		w.begin(w.needsKeyframe(), sids)
		for i, sid := range sids {
			if slot := w.places[i]; w.sids[slot] != sid {
				t.Fatalf("row %d: series %d has slot %d, which is of %d", row, sid, slot, w.sids[slot])
			}
		}
		w.accept()
	}
}
