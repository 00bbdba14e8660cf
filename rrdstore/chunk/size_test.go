package chunk

import (
	"encoding/binary"
	"math/bits"
	"testing"
)

// An archive is one of a full store's: how many data points a row has, how many
// rows a window, and how many windows are kept.
type archive struct {
	name               string
	per, rows, windows int
}

var archives = []archive{{"10s", 1, 360, 24}, {"1m", 6, 60, 168}, {"5m", 30, 288, 31}, {"1h", 360, 168, 104}}

// plainSize is how many bytes a column takes in what this codec is measured
// against: differences, in blocks of 40 with a least value and a width each.
func plainSize(values []int64) int {
	var buf [binary.MaxVarintLen64]byte
	d := make([]int64, len(values)-1)
	delta(d, values)
	n := binary.PutVarint(buf[:], values[0])
	for len(d) > 0 {
		block := d[:min(40, len(d))]
		d = d[len(block):]
		lo, hi := block[0], block[0]
		for _, v := range block {
			lo, hi = min(lo, v), max(hi, v)
		}
		n += 1 + binary.PutVarint(buf[:], lo) + (bits.Len64(uint64(hi-lo))*len(block)+7)/8
	}
	return n
}

// sizes is what a window of a load takes: here, with checksum and length, and
// plainly, of a tier without the last values.
func (a archive) sizes(l *load, from int, totals *[numSources]uint64) (size, plain int) {
	x := make([]int64, a.rows)
	if a.per == 1 {
		r := l.raw(from, a.rows, totals)
		for _, col := range r.Columns {
			for i, u := range col.Uints {
				x[i] = int64(u)
			}
			plain += plainSize(x)
		}
		return len(r.Append(nil, a.rows)) + 6, plain
	}
	t := l.tier(from, a.rows, a.per)
	for _, col := range t.Columns {
		for _, part := range [][]float64{col.Sum, col.Min, col.Max} {
			for i, v := range part {
				x[i] = int64(v)
			}
			plain += plainSize(x)
		}
	}
	return len(t.Append(nil, a.rows, uint32(a.per))) + 6, plain
}

// TestSize holds what a full store takes against the same data packed plainly,
// whose tiers lack the last values.
func TestSize(t *testing.T) {
	const entities = 24
	var all, plainAll float64
	for _, a := range archives {
		size, plain, windows := 0, 0, 0
		for e := range entities {
			l := newLoad(uint64(e))
			var totals [numSources]uint64
			at := perDay / 4
			for range max(1, 10*360/(a.rows*a.per)) {
				s, p := a.sizes(l, at, &totals)
				size, plain, windows = size+s, plain+p, windows+1
				at += a.rows * a.per
			}
		}
		rows := float64(windows * a.rows)
		t.Logf("%s: %.2f bytes a row, plainly %.2f", a.name, float64(size)/rows, float64(plain)/rows)
		all += float64(size) / float64(windows) * float64(a.windows)
		plainAll += float64(plain) / float64(windows) * float64(a.windows)
		if a.per == 1 && float64(size) > 0.85*float64(plain) {
			t.Errorf("raw rows take %d bytes, more than 0.85 of %d", size, plain)
		}
	}
	t.Logf("a full store: %.0f bytes an entity, plainly %.0f", all, plainAll)
	if all > plainAll {
		t.Errorf("a full store takes %.0f bytes an entity, more than %.0f", all, plainAll)
	}
}
