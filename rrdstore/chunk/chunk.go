package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
)

// Slots is how many entities a superchunk has room for.
const Slots = 64

// version is the first byte of every superchunk written.
const version = 1

var (
	errSum   = errors.New("checksum differs")
	errRows  = errors.New("rows of no whole number of data points")
	errTicks = errors.New("ticks do not rise")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A Header says what rows a superchunk has.
type Header struct {
	// Step is the seconds of a row of a tier; 0: the rows are raw, at Ticks.
	Step uint32
	// PDP is the seconds of a primary data point: Step/PDP is how many of them a
	// row has at most.
	PDP uint32
	// Start is, of a tier, when the first row's interval begins, in seconds since
	// 1970; of raw rows, when the window does, at or before the first tick.
	Start uint32
	// Rows is how many rows there are, at most MaxRows; of raw rows len(Ticks).
	Rows int
	// Ticks are when raw rows were read, strictly rising.
	Ticks []uint32
}

// A Block is a parsed superchunk. It refers to the bytes it was parsed from and
// may be used by several goroutines at a time.
type Block struct {
	Header
	v       []byte // without the header
	present uint64
	seal    uint32 // the header's checksum
	ends    [Slots]uint32
}

// Append writes a superchunk to b: the header and what is kept of each entity,
// made by [Raw.Append] or [Tier.Append]; nil is an absent one. The place is
// where it will be kept, such as bucket and key. Every checksum covers it, so
// that a value that turns up elsewhere does not pass.
//
// It panics if Ticks do not rise strictly from Start or later, if there are more
// rows than MaxRows, or if Step is no multiple of PDP.
func Append(b, place []byte, h *Header, slots *[Slots][]byte) []byte {
	head := appendHeader(nil, h, slots)
	start, size := len(b), 1+binary.MaxVarintLen64+len(head)+crc32.Size
	for _, s := range slots {
		size += len(s) + crc32.Size
	}
	b = slices.Grow(b, size)
	b = append(b, version)
	b = binary.AppendUvarint(b, uint64(len(head)))
	b = append(b, head...)
	seal := headerSum(place, b[start:])
	b = binary.BigEndian.AppendUint32(b, seal)
	for i, s := range slots {
		if s != nil {
			b = append(b, s...)
			b = binary.BigEndian.AppendUint32(b, slotSum(seal, i, s))
		}
	}
	return b
}

func headerSum(place, head []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, place), castagnoli, head)
}

// slotSum covers the place, and what a slot's bytes mean, by the header's
// checksum.
func slotSum(seal uint32, slot int, s []byte) uint32 {
	crc := ^uint32(0)
	for shift := 24; shift >= 0; shift -= 8 {
		crc = crcByte(crc, byte(seal>>shift))
	}
	return crc32.Update(^crcByte(crc, byte(slot)), castagnoli, s)
}

// crcByte is one step of CRC-32C, for bytes that [crc32.Update] would have put into
// allocated memory.
func crcByte(crc uint32, b byte) uint32 { return castagnoli[byte(crc)^b] ^ crc>>8 }

func appendHeader(b []byte, h *Header, slots *[Slots][]byte) []byte {
	if !h.valid() || h.Step == 0 && h.Rows != len(h.Ticks) {
		panic(fmt.Sprintf("chunk: %d rows of %d s from %d on, %d ticks, of %d s", h.Rows, h.Step, h.Start, len(h.Ticks), h.PDP))
	}
	for _, v := range []uint64{uint64(h.Step), uint64(h.PDP), uint64(h.Start), uint64(h.Rows)} {
		b = binary.AppendUvarint(b, v)
	}
	var present uint64
	for i, s := range slots {
		if s != nil {
			present |= 1 << i
		}
	}
	b = binary.LittleEndian.AppendUint64(b, present)
	for _, s := range slots {
		if s != nil {
			b = binary.AppendUvarint(b, uint64(len(s)))
		}
	}
	if h.Step == 0 && h.Rows > 0 {
		b = appendTicks(b, h.Ticks, h.Start)
	}
	return b
}

// valid reports whether there are not too many rows, and of a tier whole data
// points.
func (h *Header) valid() bool {
	return h.Rows >= 0 && h.Rows <= MaxRows && (h.Step == 0 || h.PDP > 0 && h.Step%h.PDP == 0)
}

func appendTicks(b []byte, ticks []uint32, start uint32) []byte {
	c := coders.Get().(*coder)
	defer coders.Put(c)
	c.like = grow(c.like, len(ticks))
	for i, t := range ticks {
		if t < start || i > 0 && t <= ticks[i-1] {
			panic(fmt.Sprintf("chunk: tick %d of a window of %d is out of order", t, start))
		}
		c.like[i] = int64(t - start)
	}
	c.start()
	c.putInts(c.like, &beside{})
	return append(b, c.end()...)
}

// Parse checks a superchunk's version, header and length, but not the slots. An
// error matches [ErrDamaged] or [ErrNewer].
func Parse(place, v []byte) (*Block, error) {
	p := &parser{b: v}
	number := p.bytes(1)
	head := p.bytes(p.uvarint())
	sealed := v[:len(v)-len(p.b)]
	sum := p.bytes(crc32.Size)
	if p.err != nil {
		return nil, damaged("header", p.err)
	}
	block := &Block{seal: binary.BigEndian.Uint32(sum), v: p.b}
	if headerSum(place, sealed) != block.seal {
		return nil, damaged("header", errSum)
	}
	if number[0] != version {
		return nil, fmt.Errorf("version %d: %w", number[0], ErrNewer)
	}
	if err := block.parseHeader(head); err != nil {
		return nil, damaged("header", err)
	}
	return block, nil
}

func (b *Block) parseHeader(head []byte) error {
	p := &parser{b: head}
	b.Step, b.PDP, b.Start = p.uint32(), p.uint32(), p.uint32()
	rows := p.uvarint()
	present := p.bytes(8)
	if p.err != nil {
		return p.err
	}
	b.Rows, b.present = int(min(rows, MaxRows+1)), binary.LittleEndian.Uint64(present)
	if !b.valid() {
		return errRows
	}
	end := uint64(0)
	for i := range b.ends {
		if b.Has(i) {
			n := p.uvarint()
			if n > uint64(len(b.v)) {
				return errShort
			}
			end += n + crc32.Size
		}
		b.ends[i] = uint32(end)
	}
	switch {
	case end > uint64(len(b.v)):
		return errShort
	case end < uint64(len(b.v)):
		return errLeft
	case b.Step != 0 || rows == 0 || p.err != nil:
		return p.end()
	}
	return b.parseTicks(p.b)
}

func (b *Block) parseTicks(body []byte) error {
	c := coders.Get().(*coder)
	defer coders.Put(c)
	c.like = grow(c.like, b.Rows)
	in := bitReader{b: body}
	in.takeInts(c.like, &beside{})
	if err := in.end(); err != nil {
		return err
	}
	b.Ticks = make([]uint32, b.Rows)
	before := int64(b.Start) - 1
	for i, t := range c.like {
		if t += int64(b.Start); t <= before || t > math.MaxUint32 {
			return errTicks
		}
		b.Ticks[i], before = uint32(t), t
	}
	return nil
}

// Has reports whether there is something of entity i, 0 … Slots-1.
func (b *Block) Has(i int) bool { return b.present>>i&1 != 0 }

// Slot is what was appended of entity i, checked, or nil if it is absent. It
// reads no bytes of other entities. An error matches [ErrDamaged].
func (b *Block) Slot(i int) ([]byte, error) {
	if !b.Has(i) {
		return nil, nil
	}
	start := uint32(0)
	if i > 0 {
		start = b.ends[i-1]
	}
	s := b.v[start : b.ends[i]-crc32.Size : b.ends[i]-crc32.Size]
	if slotSum(b.seal, i, s) != binary.BigEndian.Uint32(b.v[b.ends[i]-crc32.Size:]) {
		return nil, damaged(fmt.Sprintf("slot %d", i), errSum)
	}
	return s, nil
}
