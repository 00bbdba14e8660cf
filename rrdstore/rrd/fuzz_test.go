package rrd

import (
	"encoding/binary"
	"math"
	"math/big"
	"testing"
)

// Differences are exact, whatever wraps.
func FuzzGrowth(f *testing.F) {
	for _, v := range []uint64{0, 1, 300, 1<<32 - 1, 1 << 32, 1<<53 + 1, math.MaxUint64 - 115, math.MaxUint64} {
		f.Add(v, uint64(300))
		f.Add(uint64(1<<32+5), v)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		if got, want := growth(Counter, a, b), exactGrowth(a, b); got != want {
			t.Errorf("a counter from %d to %d grew by %v, want %v", a, b, got, want)
		}
		want, _ := new(big.Float).SetInt(difference(a, b)).Float64()
		if got := growth(Derive, a, b); got != want {
			t.Errorf("from %d to %d is %v, want %v", a, b, got, want)
		}
	})
}

func difference(a, b uint64) *big.Int {
	return new(big.Int).Sub(new(big.Int).SetUint64(b), new(big.Int).SetUint64(a))
}

// exactGrowth is RRDtool's rule for a COUNTER without its rounding.
func exactGrowth(a, b uint64) float64 {
	d := difference(a, b)
	for _, wrap := range []uint64{1<<32 - 1, math.MaxUint64 - (1<<32 - 1)} { // the second is 2^64-2^32
		if d.Sign() < 0 {
			d.Add(d, new(big.Int).SetUint64(wrap))
		}
	}
	v, _ := new(big.Float).SetInt(d).Float64()
	return v
}

// question is what a fuzzer's bytes ask of DataPoints: in order the step, the
// source, how the values are given, and updates of an interval, a mark and a value.
type question struct {
	pdp         []float64
	start, step uint32
	src         Source
	u           Updates
}

func parseQuestion(b []byte) (q question, ok bool) {
	if len(b) < 8 {
		return q, false
	}
	q.step = 1 + uint32(b[0])
	begin := binary.BigEndian.Uint32(b[4:])
	q.start = begin - begin%q.step + q.step*uint32(b[3]%4)
	q.src = Source{Type: Type(b[1] % 4), Heartbeat: q.step * uint32(b[2]%8) / 2, Min: math.NaN(), Max: math.NaN()}
	if b[1]&16 != 0 {
		q.src.Min = 0
	}
	if b[1]&32 != 0 {
		q.src.Max = float64(b[3])
	}
	at, v := int64(begin), uint64(b[3])<<56
	for b = b[8:]; len(b) >= 4; b = b[4:] {
		if b[0] >= 128 { // back on the grid, as most are
			at += int64(q.step) - at%int64(q.step)
		} else {
			at += int64(b[0]) - 2
		}
		if at < 0 || at > math.MaxUint32 {
			break
		}
		v += uint64(int64(int16(binary.BigEndian.Uint16(b[2:]))))
		q.u.Times = append(q.u.Times, uint32(at))
		q.u.Uints = append(q.u.Uints, v)
		q.u.Marks = append(q.u.Marks, Mark(b[1]>>6))
	}
	if b, floats := q.u.Uints, q.src.Min != 0 && q.step%2 == 0; floats {
		for _, v := range b {
			q.u.Floats = append(q.u.Floats, float64(int64(v))/4)
		}
		q.u.Uints = nil
	}
	q.pdp = make([]float64, 1+len(q.u.Times)*2)
	return q, true
}

// The two ways to data points lead to the same ones, and known ones are nothing
// but what the source grew by.
func FuzzDataPoints(f *testing.F) {
	f.Add([]byte("\x09\x12\x05\x00\x3b\x9a\xca\x00" + "\x02\x00\x00\x05" + "\x80\x00\x00\x06" + "\x80\x00\x00\x07" + "\x80\x40\x00\x08" + "\x80\x80\xff\xf0" + "\x0c\x00\x00\x63"))
	f.Add([]byte("\x3b\x01\x05\xff\xff\xff\xff\x00" + "\x02\x00\x00\x05" + "\x80\x00\x01\x06" + "\x80\x00\x02\x07" + "\x40\x00\x00\x08"))
	f.Add([]byte("\x04\x20\x07\x30\x00\x00\x00\x00" + "\x02\x00\x00\x05" + "\x80\x00\x01\x06" + "\x01\x00\x02\x07" + "\x70\x00\x00\x08"))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, ok := parseQuestion(b)
		if !ok {
			return
		}
		DataPoints(q.pdp, q.start, q.step, q.src, &q.u)
		general := make([]float64, len(q.pdp))
		p := newPoints(general, q.start, q.step, q.src, &q.u)
		for i := 1; i < len(q.u.Times); i++ {
			p.update(i)
		}
		if !sameBits(q.pdp, general) {
			t.Errorf("%+v\nat once  %v\none by one %v", q, q.pdp, general)
		}
		q.checkSum(t)
		q.checkResets(t)
	})
}

// checkSum: where the updates start and end on the grid and nothing is unknown,
// the points add up to the growth.
func (q question) checkSum(t *testing.T) {
	n := len(q.u.Times)
	if n < 2 || q.u.Uints == nil || q.src.Type != Derive {
		return
	}
	q.src = Source{Derive, math.MaxUint32, math.NaN(), math.NaN()}
	q.u.Marks = nil
	first, last := q.u.Times[0], q.u.Times[n-1]
	if first%q.step != 0 || last%q.step != 0 || last < first || (last-first)/q.step > 1e4 {
		return
	}
	points := make([]float64, (last-first)/q.step)
	DataPoints(points, first, q.step, q.src, &q.u)
	sum, size := 0.0, 0.0
	for _, v := range points {
		sum += v
		size += math.Abs(v)
	}
	want, rising := 0.0, 0 // of the updates that are taken
	for i := 1; i < n; i++ {
		if q.u.Times[i] > q.u.Times[rising] {
			want += growth(Derive, q.u.Uints[rising], q.u.Uints[i])
			size += math.Abs(want)
			rising = i
		}
	}
	if rising == n-1 && !(math.Abs(sum-want) <= 1e-9*size) {
		t.Errorf("%+v: the points add up to %v, and the counter grew by %v", q, sum, want)
	}
}

// checkResets: a reset that is marked is as one that shows in the values.
func (q question) checkResets(t *testing.T) {
	if q.u.Uints == nil || q.src.Type != Derive || q.src.Min != 0 {
		return
	}
	for i := 1; i < len(q.u.Times); i++ {
		if q.u.Times[i] <= q.u.Times[i-1] {
			return // what is marked at an update that is passed over is lost
		}
	}
	// Where every value before a reset is higher than all after it, it shows.
	shown := q.u
	shown.Uints, shown.Marks = make([]uint64, len(q.u.Uints)), make([]Mark, len(q.u.Marks))
	var above uint64
	for i := len(q.u.Uints) - 1; i >= 0; i-- {
		low := q.u.Uints[i] & (1<<32 - 1)
		q.u.Uints[i], shown.Uints[i], shown.Marks[i] = low, low+above, q.u.Marks[i]&Unknown
		if q.u.Marks[i]&Reset != 0 {
			above += 1 << 32
		}
	}
	marked := make([]float64, len(q.pdp))
	DataPoints(marked, q.start, q.step, q.src, &q.u)
	DataPoints(q.pdp, q.start, q.step, q.src, &shown)
	if !sameBits(q.pdp, marked) {
		t.Errorf("%+v: marked resets %v, shown ones %v", q, marked, q.pdp)
	}
}
