package chunk

import "encoding/binary"

// A bitWriter appends numbers of any width to bytes, lowest bits first.
type bitWriter struct {
	b   []byte
	acc uint64 // bits that do not fill a word yet
	n   uint   // how many, below 64
}

// put writes the low n bits of v, the others of which are zero; n is at most 64.
func (w *bitWriter) put(v uint64, n uint) {
	w.acc |= v << w.n
	if w.n += n; w.n >= 64 {
		w.b = binary.LittleEndian.AppendUint64(w.b, w.acc)
		w.n -= 64
		w.acc = v >> (n - w.n)
	}
}

// putUint writes a number of unknown size, three bits at a time, lowest first,
// each with a bit that tells whether more follow: below 8 it takes 4 bits.
func (w *bitWriter) putUint(v uint64) {
	for ; v > 7; v >>= 3 {
		w.put(v&7|8, 4)
	}
	w.put(v, 4)
}

// pack writes the differences of all values from ref, n bits each.
func (w *bitWriter) pack(values []int64, ref int64, n uint) {
	b, acc, have := w.b, w.acc, w.n
	for _, v := range values {
		d := uint64(v - ref)
		acc |= d << have
		if have += n; have >= 64 {
			b = binary.LittleEndian.AppendUint64(b, acc)
			have -= 64
			acc = d >> (n - have)
		}
	}
	w.b, w.acc, w.n = b, acc, have
}

// end fills the last byte with zeros and returns all bytes.
func (w *bitWriter) end() []byte {
	for ; w.n > 0; w.n -= min(w.n, 8) {
		w.b = append(w.b, byte(w.acc))
		w.acc >>= 8
	}
	return w.b
}

// A bitReader takes off what a bitWriter wrote. Past the end it reads zeros and
// keeps an error.
type bitReader struct {
	b   []byte
	pos uint // bits taken
	err error
}

// window is the 57 bits or more from pos on, in the low bits.
func (r *bitReader) window(pos uint) uint64 {
	i := pos >> 3
	if i+8 <= uint(len(r.b)) {
		return binary.LittleEndian.Uint64(r.b[i:]) >> (pos & 7)
	}
	var tail [8]byte
	if i < uint(len(r.b)) {
		copy(tail[:], r.b[i:])
	}
	return binary.LittleEndian.Uint64(tail[:]) >> (pos & 7)
}

// at is the n bits from pos on.
func (r *bitReader) at(pos, n uint) uint64 {
	if n <= 56 {
		return r.window(pos) & (1<<n - 1)
	}
	return r.window(pos)&(1<<32-1) | r.window(pos+32)&(1<<(n-32)-1)<<32
}

// take is the next n bits, at most 64.
func (r *bitReader) take(n uint) uint64 {
	if !r.has(n) {
		return 0
	}
	v := r.at(r.pos, n)
	r.pos += n
	return v
}

// has reports whether n more bits are there, which is an error if not.
func (r *bitReader) has(n uint) bool {
	if r.err == nil && n > uint(len(r.b))*8-r.pos {
		r.fail(errShort)
	}
	return r.err == nil
}

func (r *bitReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// takeUint reads what putUint wrote.
func (r *bitReader) takeUint() uint64 {
	var v uint64
	for shift := uint(0); shift < 66; shift += 3 {
		group := r.take(4)
		v |= group & 7 << shift
		if group < 8 {
			return v
		}
	}
	r.fail(errNumber)
	return 0
}

// unpack reads what pack wrote.
func (r *bitReader) unpack(dst []int64, ref int64, n uint) {
	if n == 0 {
		for i := range dst {
			dst[i] = ref
		}
		return
	}
	if !r.has(n * uint(len(dst))) {
		return
	}
	pos, b := r.pos, r.b
	r.pos += n * uint(len(dst))
	if n > 56 {
		for i := range dst {
			dst[i] = ref + int64(r.at(pos, n))
			pos += n
		}
		return
	}
	mask := uint64(1)<<n - 1
	for i := range dst {
		at := pos >> 3
		if at+8 > uint(len(b)) {
			for ; i < len(dst); i++ { // the last bytes
				dst[i] = ref + int64(r.window(pos)&mask)
				pos += n
			}
			return
		}
		dst[i] = ref + int64(binary.LittleEndian.Uint64(b[at:])>>(pos&7)&mask)
		pos += n
	}
}

// end is the first error; what is left over beyond the last byte's zeros is one.
func (r *bitReader) end() error {
	if left := uint(len(r.b))*8 - r.pos; r.err == nil && (left > 7 || r.at(r.pos, left) != 0) {
		return errLeft
	}
	return r.err
}
