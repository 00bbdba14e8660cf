package chunk

import (
	"errors"
	"math"
	"math/bits"
)

var (
	errNumber = errors.New("number of more than 64 bits")
	errBlock  = errors.New("block of more values than there are")
)

// Values are packed in blocks of whole units, each with its own least value and
// width; only the last may end within a unit. Blocks are cut where that makes
// the sum shortest.
const (
	maxUnits   = 16 // of a block
	headerBits = 14 // what a block's header takes, about
)

// unitSize is how many values a unit has, of n in all.
func unitSize(n int) int {
	if n <= 128 {
		return 8
	}
	return 16
}

// A block's least value is rounded down by what its width lets go, so that the
// header is short: all but the highest refBits bits of what a width can hold.
const refBits = 4

// frame is the least value and the width of a block of values from lo to hi.
func frame(lo, hi int64) (ref int64, width uint) {
	width = uint(bits.Len64(uint64(hi - lo)))
	if width <= refBits {
		return lo, width
	}
	shift := width - refBits
	if ref = lo >> shift << shift; uint64(hi-ref)>>width == 0 {
		return ref, width
	}
	width++
	shift++
	return lo >> shift << shift, width
}

func refShift(width uint) uint { return max(width, refBits) - refBits }

// extent is the range of a unit's values.
type extent struct{ lo, hi int64 }

// extents finds the range of each unit, and about how many bits the values take. It
// stops when that is more than limit.
func extents(dst []extent, values []int64, limit uint) (_ []extent, cost uint) {
	dst = dst[:0]
	for unit := unitSize(len(values)); len(values) > 0 && cost <= limit; {
		n := min(unit, len(values))
		lo, hi := values[0], values[0]
		for _, v := range values[1:n] {
			lo, hi = min(lo, v), max(hi, v)
		}
		dst = append(dst, extent{lo, hi})
		cost += uint(n) * uint(bits.Len64(uint64(hi-lo)))
		values = values[n:]
	}
	return dst, cost
}

// A plan says how values are cut into blocks.
type plan struct {
	cost  []uint  // of the units before each
	start []uint8 // how many units the block has that ends before each
	cuts  []int   // where blocks end, in units, last to first
}

// cut finds the cheapest blocks for n values of the given extents, and what they
// take in bits.
func (p *plan) cut(units []extent, n int) uint {
	p.cost, p.start = grow(p.cost, len(units)+1), grow(p.start, len(units)+1)
	p.cost[0] = 0
	unit := unitSize(n)
	for end := 1; end <= len(units); end++ {
		length := uint(unit)
		if end == len(units) {
			length = uint(n - (end-1)*unit)
		}
		lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
		best, at := uint(math.MaxUint), 0
		for i := end - 1; i >= max(0, end-maxUnits); i-- {
			lo, hi = min(lo, units[i].lo), max(hi, units[i].hi)
			_, width := frame(lo, hi)
			if c := p.cost[i] + headerBits + length*width; c < best {
				best, at = c, i
			}
			length += uint(unit)
		}
		p.cost[end], p.start[end] = best, uint8(end-at)
	}
	p.cuts = p.cuts[:0]
	for end := len(units); end > 0; end -= int(p.start[end]) {
		p.cuts = append(p.cuts, end)
	}
	return p.cost[len(units)]
}

// putBlocks writes values as the plan cuts them.
func (w *bitWriter) putBlocks(values []int64, units []extent, p *plan) {
	unit := unitSize(len(values))
	var before int64
	var beforeWidth uint
	at := 0
	for i := len(p.cuts) - 1; i >= 0; i-- {
		end := p.cuts[i]
		lo, hi := units[at].lo, units[at].hi
		for _, e := range units[at+1 : end] {
			lo, hi = min(lo, e.lo), max(hi, e.hi)
		}
		ref, width := frame(lo, hi)
		shift := refShift(width)
		w.putUint(uint64(end - at - 1))
		w.putUint(zigzag(int64(width) - int64(beforeWidth)))
		w.putUint(zigzag(ref>>shift - before>>shift))
		w.pack(values[at*unit:min(end*unit, len(values))], ref, width)
		at, before, beforeWidth = end, ref, width
	}
}

// takeBlocks reads what putBlocks wrote.
func (r *bitReader) takeBlocks(dst []int64) {
	unit := unitSize(len(dst))
	var ref, width int64
	for len(dst) > 0 && r.err == nil {
		units := r.takeUint() + 1
		width += unzigzag(r.takeUint())
		if width < 0 || width > 64 || units-1 >= maxUnits || int(units-1)*unit >= len(dst) {
			r.fail(errBlock)
			return
		}
		shift := refShift(uint(width))
		ref = (ref>>shift + unzigzag(r.takeUint())) << shift
		n := min(int(units)*unit, len(dst))
		r.unpack(dst[:n], ref, uint(width))
		dst = dst[n:]
	}
}
