package chunk

import (
	"encoding/binary"
	"math/bits"
)

// Bits is a set of rows or ticks: number i is bit i%64 of word i/64.
type Bits []uint64

// NewBits is an empty set with room for n.
func NewBits(n int) Bits { return make(Bits, (n+63)/64) }

// Has reports whether i is in the set. Beyond the end nothing is.
func (b Bits) Has(i int) bool { return i>>6 < len(b) && b[i>>6]>>(i&63)&1 != 0 }

// Set puts i into the set, which must have room for it.
func (b Bits) Set(i int) { b[i>>6] |= 1 << (i & 63) }

// Count is how many of the first n are in the set.
func (b Bits) Count(n int) int {
	count := 0
	for i, w := range b {
		if i*64 >= n {
			break
		}
		if left := n - i*64; left < 64 {
			w &= 1<<left - 1
		}
		count += bits.OnesCount64(w)
	}
	return count
}

// next is the first i of at least from and below n that is in the set, or not in
// it; n when there is none.
func (b Bits) next(from, n int, in bool) int {
	for i := from; i < n; {
		var w uint64
		if i>>6 < len(b) {
			w = b[i>>6]
		}
		if !in {
			w = ^w
		}
		if w >>= i & 63; w != 0 {
			return min(n, i+bits.TrailingZeros64(w))
		}
		i = (i | 63) + 1
	}
	return n
}

// setRange puts from, …, to-1 into the set.
func (b Bits) setRange(from, to int) {
	for from < to {
		end := min(to, (from|63)+1)
		b[from>>6] |= ^uint64(0) >> (64 - (end - from)) << (from & 63)
		from = end
	}
}

// equal reports whether two sets have the same of the first n.
func (b Bits) equal(o Bits, n int) bool {
	for i := 0; i < n; i += 64 {
		var x, y uint64
		if i>>6 < len(b) {
			x = b[i>>6]
		}
		if i>>6 < len(o) {
			y = o[i>>6]
		}
		if x ^= y; n-i < 64 {
			x &= 1<<(n-i) - 1
		}
		if x != 0 {
			return false
		}
	}
	return true
}

// bitmapPlain stands where otherwise twice the number of runs does.
const bitmapPlain = 1

// appendBits writes the first n of a set as the lengths of runs, or as they are
// where that is shorter.
func appendBits(b []byte, set Bits, n int) []byte {
	start, runs := len(b), uint64(0)
	for i, in := 0, false; i < n; in = !in { // counted first, as their number precedes them
		if i = set.next(i, n, !in); i < n {
			runs++
		}
	}
	b = binary.AppendUvarint(b, 2*runs)
	for i, in := 0, false; i < n; in = !in {
		end := set.next(i, n, !in)
		if end < n {
			b = binary.AppendUvarint(b, uint64(end-i))
		}
		i = end
	}
	if plain := (n + 7) / 8; len(b)-start > 1+plain {
		b = append(b[:start], bitmapPlain)
		for i := range plain {
			var w byte
			if i>>3 < len(set) {
				w = byte(set[i>>3] >> (i & 7 * 8))
			}
			if left := n - i*8; left < 8 {
				w &= 1<<left - 1
			}
			b = append(b, w)
		}
	}
	return b
}

// bits takes a set of n off what appendBits wrote, into dst's memory.
func (p *parser) bits(dst Bits, n int) Bits {
	words := (n + 63) / 64
	dst = grow(dst, words)
	clear(dst)
	runs := p.uvarint()
	if runs == bitmapPlain {
		for i, w := range p.bytes(uint64(n+7) / 8) {
			dst[i>>3] |= uint64(w) << (i & 7 * 8)
		}
		if n&63 != 0 && dst[words-1]>>(n&63) != 0 {
			p.fail(errBitmap)
		}
		return dst
	}
	if runs&1 != 0 || runs/2 > uint64(len(p.b)) { // each takes a byte or more
		p.fail(errBitmap)
		return dst
	}
	at, in := 0, false
	for range runs / 2 {
		length := p.uvarint()
		if length > uint64(n-at) {
			p.fail(errBitmap)
			return dst
		}
		if in {
			dst.setRange(at, at+int(length))
		}
		at, in = at+int(length), !in
	}
	if in {
		dst.setRange(at, n)
	}
	return dst
}
