package chunk

import (
	"encoding/binary"
	"errors"
	"math"
)

var (
	errShort  = errors.New("ends early")
	errLeft   = errors.New("bytes left over")
	errBitmap = errors.New("bitmap of another length")
)

// A parser takes fields off bytes and keeps the first error, after which every
// field is zero.
type parser struct {
	b   []byte
	err error
}

func (p *parser) fail(err error) {
	if p.err == nil {
		p.b, p.err = nil, err
	}
}

func (p *parser) uvarint() uint64 {
	if len(p.b) > 0 && p.b[0] < 0x80 { // most are one byte
		v := p.b[0]
		p.b = p.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(p.b)
	if n <= 0 {
		p.fail(errShort)
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *parser) uint32() uint32 {
	v := p.uvarint()
	if v > math.MaxUint32 {
		p.fail(errNumber)
		return 0
	}
	return uint32(v)
}

func (p *parser) bytes(n uint64) []byte {
	if n > uint64(len(p.b)) {
		p.fail(errShort)
		return nil
	}
	v := p.b[:n]
	p.b = p.b[n:]
	return v
}

// end is the first error; bytes left over are one.
func (p *parser) end() error {
	if p.err == nil && len(p.b) > 0 {
		return errLeft
	}
	return p.err
}

// zigzag maps small differences of either sign to small numbers.
func zigzag(v int64) uint64 { return uint64(v)<<1 ^ uint64(v>>63) }

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// grow makes s n long, in its memory if that is large enough. What it holds is
// undefined.
func grow[S ~[]E, E any](s S, n int) S {
	if n <= cap(s) {
		return s[:n]
	}
	return make(S, n)
}
