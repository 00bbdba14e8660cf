package rrdstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
)

// recordVersion is the first byte of every value written; see also seriesVersion.
const recordVersion = 1

const sealSize = 1 + crc32.Size // version and checksum

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errShort = errors.New("record ends early")

// checksum covers where a record is kept, so that one found under another's key
// does not pass for it.
func checksum(bucket string, window uint32, key, body []byte) uint32 {
	crc := ^uint32(0)
	for i := range len(bucket) {
		crc = crcByte(crc, bucket[i])
	}
	for shift := 24; shift >= 0; shift -= 8 {
		crc = crcByte(crc, byte(window>>shift))
	}
	for _, b := range key {
		crc = crcByte(crc, b)
	}
	return crc32.Update(^crc, castagnoli, body)
}

// crcByte is one step of CRC-32C. The few bytes of a place are taken so: given to
// [crc32.Update] they would have to be in allocated memory.
func crcByte(crc uint32, b byte) uint32 { return castagnoli[byte(crc)^b] ^ crc>>8 }

// seal ends the record that starts with its version at b[start].
func seal(b []byte, start int, bucket string, window uint32, key []byte) []byte {
	return binary.BigEndian.AppendUint32(b, checksum(bucket, window, key, b[start:]))
}

// unseal checks a record and returns its payload, which is part of v. The
// checksum comes first: only a record that is whole can be called newer.
func unseal(v []byte, bucket string, window uint32, key []byte) ([]byte, error) {
	if len(v) < sealSize {
		return nil, fmt.Errorf("%w: %s record %x: %w", ErrDamaged, bucket, key, errShort)
	}
	body, sum := v[:len(v)-crc32.Size], binary.BigEndian.Uint32(v[len(v)-crc32.Size:])
	if checksum(bucket, window, key, body) != sum {
		return nil, fmt.Errorf("%w: %s record %x: checksum differs", ErrDamaged, bucket, key)
	}
	if v := body[0]; v != recordVersion && (bucket != bucketSeries || v != seriesVersion) {
		return nil, fmt.Errorf("%s record %x: version %d: %w", bucket, key, body[0], ErrNewer)
	}
	return body[1:], nil
}

// A parser takes fields off a payload and keeps the first error, after which
// every field is zero.
type parser struct {
	b []byte
	// at is how much of b was taken. Moving b itself would be a pointer written for
	// each field, which the garbage collector wants to know of.
	at  int
	err error
}

func (p *parser) fail(err error) {
	if p.err == nil {
		p.b, p.at, p.err = nil, 0, err
	}
}

// rest is what is left, in the same memory.
func (p *parser) rest() []byte { return p.b[p.at:] }

func (p *parser) uvarint() uint64 {
	if p.at < len(p.b) && p.b[p.at] < 0x80 { // most are one byte
		v := p.b[p.at]
		p.at++
		return uint64(v)
	}
	v, n := binary.Uvarint(p.rest())
	if n <= 0 {
		p.fail(errShort)
		return 0
	}
	p.at += n
	return v
}

func (p *parser) varint() int64 {
	v := p.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// skip leaves n varints out, whose last bytes are those below 0x80.
func (p *parser) skip(n int) {
	const high = 0x8080808080808080 // the uppermost bit of each byte
	for n > 0 && len(p.b)-p.at >= 8 {
		last := ^binary.LittleEndian.Uint64(p.b[p.at:]) & high
		if count := bits.OnesCount64(last); count < n {
			n -= count
			p.at += 8
			continue
		}
		for ; n > 1; n-- {
			last &= last - 1
		}
		p.at += bits.TrailingZeros64(last)/8 + 1
		return
	}
	for ; n > 0; n-- {
		p.uvarint()
	}
}

func (p *parser) byte() byte {
	if p.at == len(p.b) {
		p.fail(errShort)
		return 0
	}
	v := p.b[p.at]
	p.at++
	return v
}

// take is the next n bytes, in the same memory.
func (p *parser) take(n int) []byte {
	if len(p.b)-p.at < n {
		p.fail(errShort)
		return nil
	}
	b := p.b[p.at : p.at+n]
	p.at += n
	return b
}

func (p *parser) uint64() uint64 {
	if len(p.b)-p.at < 8 {
		p.fail(errShort)
		return 0
	}
	v := binary.LittleEndian.Uint64(p.b[p.at:])
	p.at += 8
	return v
}

func (p *parser) string() string {
	n := p.uvarint()
	if n > uint64(len(p.b)-p.at) {
		p.fail(errShort)
		return ""
	}
	return string(p.take(int(n)))
}

// end is the first error; bytes left over are one.
func (p *parser) end() error {
	if left := len(p.b) - p.at; p.err == nil && left > 0 {
		return fmt.Errorf("%d bytes left over", left)
	}
	return p.err
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
