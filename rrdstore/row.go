package rrdstore

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"lvs/dataplane"
)

// values are what a row holds of one series.
type values [numValues]uint64

// The values, most often changed first, so that the mask of changed ones mostly
// takes one byte. The director's connections in the table are valueActive.
const (
	valueConnections = iota
	valueInPackets
	valueInBytes
	valueActive
	valueInactive
	valueOutPackets
	valueOutBytes
	valuePersistent
	valueWeight
	numValues
)

func (v *values) setTotal(c dataplane.Counters) {
	v[valueConnections], v[valueInPackets], v[valueOutPackets] = c.Connections, c.InPackets, c.OutPackets
	v[valueInBytes], v[valueOutBytes] = c.InBytes, c.OutBytes
}

func (v *values) total() dataplane.Counters {
	return dataplane.Counters{
		Connections: v[valueConnections], InPackets: v[valueInPackets], OutPackets: v[valueOutPackets],
		InBytes: v[valueInBytes], OutBytes: v[valueOutBytes],
	}
}

// maxDelta is how many bytes a difference takes at most.
const maxDelta = 2 + numValues*binary.MaxVarintLen64

// appendDelta writes the mask of what changed since prev and the differences.
func appendDelta(b []byte, v, prev *values) []byte {
	var mask uint64
	for i := range v {
		if v[i] != prev[i] {
			mask |= 1 << i
		}
	}
	if mask == 0 {
		return append(b, 0)
	}
	n := len(b)
	b = slices.Grow(b, maxDelta)[:n+maxDelta]
	n += binary.PutUvarint(b[n:], mask)
	for ; mask != 0; mask &= mask - 1 {
		i := bits.TrailingZeros64(mask)
		d := int64(v[i] - prev[i])
		u := uint64(d)<<1 ^ uint64(d>>63)
		for u >= 0x80 {
			b[n] = byte(u) | 0x80
			u >>= 7
			n++
		}
		b[n] = byte(u)
		n++
	}
	return b[:n]
}

// delta applies what appendDelta wrote to v, which holds prev.
func (p *parser) delta(v *values) {
	mask := p.uvarint()
	if mask>>numValues != 0 {
		p.fail(fmt.Errorf("mask %#x has unknown values", mask))
		return
	}
	for ; mask != 0; mask &= mask - 1 {
		i := bits.TrailingZeros64(mask)
		if len(p.b)-p.at < 8 {
			v[i] += uint64(p.varint())
			continue
		}
		u, n := shortUvarint(binary.LittleEndian.Uint64(p.b[p.at:]))
		if n == 0 {
			v[i] += uint64(p.varint())
			continue
		}
		p.at += n
		v[i] += u>>1 ^ -(u & 1)
	}
}

// shortUvarint takes a varint of up to 8 bytes off the lowest of w, all at once: how
// long it is follows no pattern that a processor could foresee. Of a longer one n is
// 0.
func shortUvarint(w uint64) (v uint64, n int) {
	last := ^w & 0x8080808080808080 // the first byte whose uppermost bit is 0
	if last == 0 {
		return 0, 0
	}
	w &= last ^ (last - 1)
	w = w&0x007f007f007f007f | w&0x7f007f007f007f00>>1
	w = w&0x00003fff00003fff | w&0x3fff00003fff0000>>2
	w = w&0x000000000fffffff | w&0x0fffffff00000000>>4
	return w, bits.TrailingZeros64(last)/8 + 1
}

// skipDelta leaves out what appendDelta wrote.
func (p *parser) skipDelta() {
	mask := p.uvarint()
	if mask>>numValues != 0 {
		p.fail(fmt.Errorf("mask %#x has unknown values", mask))
		return
	}
	p.skip(bits.OnesCount64(mask))
}

// A rowKey is a key of a window: block 0 is the row's header, block n+1 its
// slots from 64n on.
type rowKey struct {
	tick  uint32
	block uint16
}

const (
	blockSlots = 64
	maxBlocks  = 1<<16 - 1
)

func (k rowKey) append(b []byte) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(b, k.tick), k.block)
}

func (k rowKey) bytes() []byte { return k.append(make([]byte, 0, 6)) }

func parseRowKey(b []byte) (rowKey, error) {
	if len(b) != 6 {
		return rowKey{}, fmt.Errorf("%w: row key is %d bytes, want 6", ErrDamaged, len(b))
	}
	return rowKey{binary.BigEndian.Uint32(b), binary.BigEndian.Uint16(b[4:])}, nil
}

// A header is what a row says before its blocks.
type header struct {
	keyframe bool
	// since counts the rows since the keyframe, which is 0: the next row of a
	// reader that lost one does not fit.
	since uint64
	// partial: the counters were unknown. The row repeats the last known ones.
	partial bool
	// hasStats and hasConnections tell which of the director's values are known.
	hasStats, hasConnections bool
	reset                    bool   // the director's counters began anew
	late                     int64  // nanoseconds from the tick to Snapshot.Time
	director                 values // of a parsed header, the differences alone
	slots                    []uint32
	rising                   bool // slots of a parsed header rise, as those of a keyframe do
}

const (
	headerKeyframe = 1 << iota
	headerPartial
	headerStats
	headerConnections
	headerReset
)

func (h *header) append(b []byte, prev *values) []byte {
	var flags byte
	for _, f := range []struct {
		on  bool
		bit byte
	}{{h.keyframe, headerKeyframe}, {h.partial, headerPartial}, {h.hasStats, headerStats}, {h.hasConnections, headerConnections}, {h.reset, headerReset}} {
		if f.on {
			flags |= f.bit
		}
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, h.since)
	b = binary.AppendVarint(b, h.late)
	b = appendDelta(b, &h.director, prev)
	b = binary.AppendUvarint(b, uint64(len(h.slots)))
	last := uint32(0)
	for _, sid := range h.slots {
		b = binary.AppendVarint(b, int64(sid)-int64(last))
		last = sid
	}
	return b
}

// parseHeader reads what append wrote. Slots are appended to memory of the caller's,
// which they stay in.
func parseHeader(payload []byte, memory *[]uint32) (h header, err error) {
	p := &parser{b: payload}
	flags := p.byte()
	h.keyframe, h.partial = flags&headerKeyframe != 0, flags&headerPartial != 0
	h.hasStats, h.hasConnections, h.reset = flags&headerStats != 0, flags&headerConnections != 0, flags&headerReset != 0
	h.since, h.late = p.uvarint(), p.varint()
	p.delta(&h.director)
	n := p.uvarint()
	if n > uint64(len(p.rest())) { // each takes a byte or more
		return header{}, fmt.Errorf("%w: header: %d slots in %d bytes", ErrDamaged, n, len(p.rest()))
	}
	from, to := len(*memory), len(*memory)+int(n)
	*memory = slices.Grow(*memory, int(n))[:to]
	h.slots, h.rising = (*memory)[from:to:to], true
	last := int64(0)
	for i := range h.slots {
		d := p.varint()
		last += d
		h.rising = h.rising && d > 0 && last <= math.MaxUint32
		h.slots[i] = uint32(last)
	}
	if err := p.end(); err != nil {
		return header{}, fmt.Errorf("%w: header: %w", ErrDamaged, err)
	}
	return h, nil
}

// The flags of a block.
const (
	blockSame   = 1 << iota // nothing changed since the row before
	blockAll                // every slot is present: no bitmap of presence
	blockResets             // a bitmap of series whose kernel counters began anew
)

// A block is a view of up to 64 slots of a row, as written and as read.
type block struct {
	present, resets uint64
	values          []values
}

// full is the presence of every slot.
func (b *block) full() uint64 {
	if len(b.values) == blockSlots {
		return ^uint64(0)
	}
	return 1<<len(b.values) - 1
}

// append writes b as differences from prev, which has as many values or fewer:
// slots beyond them are new and count from zero.
func (b *block) append(buf []byte, prev block) []byte {
	if b.present == prev.present && b.resets == 0 && len(b.values) == len(prev.values) && b.same(prev) {
		return append(buf, blockSame)
	}
	var flags byte
	if b.present == b.full() {
		flags |= blockAll
	}
	if b.resets != 0 {
		flags |= blockResets
	}
	buf = append(buf, flags)
	if flags&blockAll == 0 {
		buf = binary.LittleEndian.AppendUint64(buf, b.present)
	}
	if flags&blockResets != 0 {
		buf = binary.LittleEndian.AppendUint64(buf, b.resets)
	}
	var zero values
	for i := range b.values {
		if b.present&(1<<i) == 0 {
			continue
		}
		from := &zero
		if i < len(prev.values) {
			from = &prev.values[i]
		}
		buf = appendDelta(buf, &b.values[i], from)
	}
	return buf
}

func (b *block) same(prev block) bool {
	for i := range b.values {
		if b.present&(1<<i) != 0 && b.values[i] != prev.values[i] {
			return false
		}
	}
	return true
}

// parse applies a block's payload to b, which holds the row before: those of the
// slots that need has. After an error b is in between and of no use until the next
// keyframe.
func (b *block) parse(payload []byte, need uint64) error {
	p := &parser{b: payload}
	flags := p.byte()
	b.resets = 0
	if flags&blockSame == 0 {
		b.present = b.full()
		if flags&blockAll == 0 {
			b.present = p.uint64()
		}
		if flags&blockResets != 0 {
			b.resets = p.uint64()
		}
		if (b.present|b.resets)&^b.full() != 0 {
			p.fail(fmt.Errorf("presence %#x of %d slots", b.present, len(b.values)))
		}
		for i := range b.values {
			switch {
			case p.err != nil || b.present>>i&1 == 0:
			case need>>i&1 != 0:
				p.delta(&b.values[i])
			case need>>i == 0: // what follows matters to nobody
				return nil
			default:
				p.skipDelta()
			}
		}
	}
	if err := p.end(); err != nil {
		return fmt.Errorf("%w: block: %w", ErrDamaged, err)
	}
	return nil
}
