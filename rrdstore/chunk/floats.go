package chunk

import (
	"errors"
	"math"
)

// scales are what floating-point numbers are multiplied by to be integers. A
// data point that two or three ticks share is a half or a third.
var scales = [...]float64{1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 60, 100, 300, 1000}

const (
	scaleBits = 4
	// exact integers of a sequence are below it, so that sums do not overflow.
	exactLimit = 1 << 61
	// scaled ones are below it: larger would save nothing.
	scaledLimit = 1 << 46
	// maxUlps is by how many of its last digit's units a value may differ from
	// an integer divided by a scale: what a few roundings leave.
	maxUlps = 32
	// patchShare is one of how many values may be patched at most.
	patchShare = 8
)

var errPatch = errors.New("patch out of place")

// A patch is a value that its sequence's integer does not give.
type patch struct {
	at    int
	value float64
}

// A sequence is values on their way to or from integers: value i is x[i] divided
// by a scale, moved by ulps[i] in its last digit, unless it is patched.
type sequence struct {
	f       []float64
	x       []int64
	ulps    []int64 // none: all zero
	patches []patch
	missing bool // there are NaN, which are noted elsewhere and have no value
}

// integers takes f as integers. Those that are none are rounded down and
// counted.
func (s *sequence) integers() (bad int) {
	s.ulps, s.patches = s.ulps[:0], s.patches[:0]
	s.x = grow(s.x, len(s.f))
	for i, v := range s.f {
		k := int64(v)
		if float64(k) != v || k == 0 && math.Float64bits(v) != 0 || uint64(k+exactLimit) > 2*exactLimit {
			bad++
			if k = 0; math.Abs(v) < exactLimit {
				k = int64(math.Floor(v))
			}
		}
		s.x[i] = k
	}
	return bad
}

// absent reports whether value i is noted as missing elsewhere.
func (s *sequence) absent(i int) bool { return s.missing && s.f[i] != s.f[i] }

// patch keeps apart what integers counted.
func (s *sequence) patch() {
	for i, v := range s.f {
		if math.Float64bits(float64(s.x[i])) != math.Float64bits(v) && !s.absent(i) {
			s.patches = append(s.patches, patch{i, v})
		}
	}
}

// scaled takes f as integers divided by scale, and reports whether all are, and
// whether none needs its last digit moved.
func (s *sequence) scaled(scale float64) (ok, exact bool) {
	s.ulps, s.patches = grow(s.ulps, len(s.f)), s.patches[:0]
	exact = true
	for i, v := range s.f {
		s.x[i], s.ulps[i] = 0, 0
		if s.absent(i) {
			continue
		}
		if !(math.Abs(v) < scaledLimit/scale) {
			return false, false
		}
		k := int64(math.Round(v * scale))
		off := int64(math.Float64bits(v) - math.Float64bits(float64(k)/scale))
		if off < -maxUlps || off > maxUlps {
			return false, false
		}
		if off != 0 {
			exact = false
		}
		s.x[i], s.ulps[i] = k, off
	}
	if exact {
		s.ulps = s.ulps[:0]
	}
	return true, exact
}

// bestScale takes all sequences as integers of one scale, one that gives them
// exactly if there is such. It is 0 if there is none.
func bestScale(all []sequence) (index int) {
	fits := func(scale float64) (ok, exact bool) {
		ok, exact = true, true
		for i := range all {
			o, e := all[i].scaled(scale)
			if exact = exact && e; !o {
				return false, false
			}
		}
		return ok, exact
	}
	for i, scale := range scales[1:] {
		ok, exact := fits(scale)
		if exact {
			return i + 1
		}
		if ok && index == 0 {
			index = i + 1
		}
	}
	if index > 0 {
		fits(scales[index])
	}
	return index
}

// putSequence writes a sequence of at least one value.
func (p *packer) putSequence(s *sequence, with *beside) mode {
	if len(s.patches) == 0 && len(s.ulps) == 0 {
		p.put(0, 1)
		return p.putInts(s.x, with)
	}
	p.put(1, 1)
	m := p.putInts(s.x, with)
	p.putUint(uint64(len(s.patches)))
	next := 0
	for _, patch := range s.patches {
		p.putUint(uint64(patch.at - next))
		next = patch.at + 1
		p.putPatch(s.x[patch.at], patch.value)
	}
	if len(s.ulps) == 0 {
		p.put(0, 1)
		return m
	}
	p.put(1, 1)
	p.putInts(s.ulps, &beside{})
	return m
}

// takeSequence reads what putSequence wrote into x, ulps and patches.
func (r *bitReader) takeSequence(s *sequence, n int, with *beside) {
	s.ulps, s.patches, s.x = s.ulps[:0], s.patches[:0], grow(s.x, n)
	extras := r.take(1) == 1
	if r.takeInts(s.x, with); !extras {
		return
	}
	patches := r.takeUint()
	next := 0
	for range patches {
		gap := r.takeUint()
		if r.err != nil || gap >= uint64(n-next) {
			r.fail(errPatch)
			return
		}
		next += int(gap)
		s.patches = append(s.patches, patch{next, r.takePatch(s.x[next])})
		next++
	}
	if r.take(1) == 1 {
		s.ulps = grow(s.ulps, n)
		r.takeInts(s.ulps, &beside{})
	}
}

// floats makes dst the values of a sequence that takeSequence read.
func (s *sequence) floats(dst []float64, scale float64) {
	if scale == 1 {
		for i, x := range s.x {
			dst[i] = float64(x)
		}
	} else {
		for i, x := range s.x {
			dst[i] = float64(x) / scale
		}
	}
	for i, u := range s.ulps {
		dst[i] = math.Float64frombits(math.Float64bits(dst[i]) + uint64(u))
	}
	for _, p := range s.patches {
		dst[p.at] = p.value
	}
}

// putPatch writes a value as a fraction above the integer that stands for it,
// or else all its bits.
func (w *bitWriter) putPatch(x int64, value float64) {
	for i, scale := range scales {
		k := math.Round((value - float64(x)) * scale)
		if i > 0 && k >= 0 && k < scale && math.Float64bits(fraction(x, uint64(k), scale)) == math.Float64bits(value) {
			w.put(uint64(i), scaleBits)
			w.putUint(uint64(k))
			return
		}
	}
	w.put(0, scaleBits)
	w.put(floatBits(value), 64)
}

func (r *bitReader) takePatch(x int64) float64 {
	if i := r.take(scaleBits); i > 0 {
		return fraction(x, r.takeUint(), scales[i])
	}
	return math.Float64frombits(r.take(64))
}

// fraction is x + k/scale, rounded once.
func fraction(x int64, k uint64, scale float64) float64 {
	return float64(x*int64(scale)+int64(k)) / scale
}
