package chunk

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// A shaper makes values of many shapes, driven by bytes or, when those are used
// up, by a generator.
type shaper struct {
	b   []byte
	rnd *rand.Rand
}

func newShaper(b []byte) *shaper {
	var seed [8]byte
	copy(seed[:], b)
	return &shaper{b, rand.New(rand.NewPCG(binary.LittleEndian.Uint64(seed[:]), uint64(len(b))))}
}

func (s *shaper) intN(n int) int {
	if len(s.b) > 0 {
		v := int(s.b[0]) % n
		s.b = s.b[1:]
		return v
	}
	return s.rnd.IntN(n)
}

// set is a set of n of one of several shapes.
func (s *shaper) set(n int) Bits {
	b := NewBits(n)
	switch s.intN(6) {
	case 0:
		return nil
	case 1: // none
	case 2:
		b.setRange(0, n)
	case 3:
		from := s.rnd.IntN(n + 1)
		b.setRange(from, from+s.rnd.IntN(n-from+1))
	case 4:
		for range 1 + n/50 {
			if n > 0 {
				b.Set(s.rnd.IntN(n))
			}
		}
	default:
		for i := range b {
			b[i] = s.rnd.Uint64() // also beyond n
		}
	}
	return b
}

// uints are n values of one of several shapes.
func (s *shaper) uints(n int) []uint64 {
	v := make([]uint64, n)
	last, step := s.rnd.Uint64()>>s.intN(64), s.rnd.Uint64()>>s.intN(64)
	shape := s.intN(6)
	for i := range v {
		switch shape {
		case 0: // constant
		case 1:
			last += step
		case 2:
			last += s.rnd.Uint64N(step + 1)
		case 3:
			last = s.rnd.Uint64() >> s.rnd.IntN(64)
		case 4:
			last = []uint64{0, 1, 1 << 63, 1<<63 - 1, 1<<64 - 1, 1 << 62}[s.rnd.IntN(6)]
		case 5:
			if last += s.rnd.Uint64N(step/1000 + 1); s.rnd.IntN(40) == 0 {
				last = s.rnd.Uint64()
			}
		}
		v[i] = last
	}
	return v
}

// floats are n values of one of several shapes.
func (s *shaper) floats(n int) []float64 {
	v := make([]float64, n)
	shape := s.intN(9)
	scale := scales[s.intN(len(scales))]
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64,
		1 << 53, 1<<53 + 2, 1 << 61, 1 << 63, -1 << 63, -1 << 61, 0.1, 1e300, math.Float64frombits(0x7ff8000000000123)}
	size := math.Pow(2, float64(s.intN(50)))
	for i := range v {
		x := math.Floor(s.rnd.Float64() * size)
		switch shape {
		case 0: // whole
		case 1:
			x = math.Round(x*7) / scale
		case 2: // hardly any is whole, nor far from it
			x = math.Round(x) / scale * 3 / 3 * 1.1 / 1.1
		case 3:
			x = s.rnd.NormFloat64() * size
		case 4:
			if x = math.Floor(x); s.rnd.IntN(30) == 0 {
				x += float64(s.rnd.IntN(int(scale)+1)) / scale
			}
		case 5:
			if s.rnd.IntN(20) == 0 {
				x = odd[s.rnd.IntN(len(odd))]
			}
		case 6:
			x = odd[s.rnd.IntN(len(odd))]
		case 7:
			x = math.Float64frombits(s.rnd.Uint64())
		case 8:
			if x = 2.5; i > 0 && s.rnd.IntN(9) > 0 {
				x = v[i-1]
			}
		}
		v[i] = x
	}
	return v
}

// like are values that rise and fall nearly as others do.
func (s *shaper) like(v []uint64) []uint64 {
	like := make([]uint64, len(v))
	last, factor, noise := s.rnd.Uint64()>>8, 1+s.rnd.Uint64N(2000), 1+s.rnd.Uint64N(100)
	for i := range v {
		if like[i] = last; i > 0 {
			like[i] += (v[i]-v[i-1])*factor/16 + s.rnd.Uint64N(noise)
		}
		last = like[i]
	}
	return like
}
