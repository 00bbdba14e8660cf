package rrdstore

import (
	"encoding/binary"
	"maps"
	"slices"
)

// append writes a query of superchunks; see parseChunkQuery.
func (q chunkQuery) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(q.step))
	b = appendNumbers(b, q.windows)
	all := byte(0)
	if q.blocks == nil {
		all = 1
	}
	return appendNumbers(append(b, all), q.blocks)
}

func parseChunkQuery(b []byte) (q chunkQuery, err error) {
	p := &parser{b: b}
	q.step, q.windows = uint32(p.uvarint()), p.numbers()
	all := p.byte()
	if q.blocks = p.numbers(); all != 0 {
		q.blocks = nil
	} else if q.blocks == nil {
		q.blocks = []uint32{}
	}
	return q, p.end()
}

// appendNumbers writes rising numbers.
func appendNumbers(b []byte, numbers []uint32) []byte {
	b = binary.AppendUvarint(b, uint64(len(numbers)))
	last := uint32(0)
	for _, n := range numbers {
		b = binary.AppendUvarint(b, uint64(n-last))
		last = n
	}
	return b
}

func (p *parser) numbers() (numbers []uint32) {
	n := p.uvarint()
	if n > uint64(len(p.b)) { // each takes a byte or more
		p.fail(errShort)
		return nil
	}
	last := uint32(0)
	for range n {
		last += uint32(p.uvarint())
		numbers = append(numbers, last)
	}
	return numbers
}

// append writes a state; see parseState.
func (st *storeState) append(b []byte) []byte {
	for _, n := range []uint32{st.newest, st.oldest, st.step, st.beat, uint32(len(st.levels))} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, l := range st.levels {
		fed := uint32(0)
		if l.fed {
			fed = 1
		}
		for _, n := range []uint32{l.step, l.span, l.keep, l.frontier, fed} {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}
	b = binary.AppendUvarint(b, uint64(len(st.windows)))
	for _, step := range slices.Sorted(maps.Keys(st.windows)) {
		b = appendNumbers(binary.AppendUvarint(b, uint64(step)), st.windows[step])
	}
	return b
}

func parseState(b []byte) (*storeState, error) {
	p := &parser{b: b}
	next := func() uint32 { return uint32(p.uvarint()) }
	st := newState()
	st.newest, st.oldest, st.step, st.beat = next(), next(), next(), next()
	for n := next(); n > 0 && p.err == nil; n-- {
		l := &level{step: next(), span: next(), keep: next(), frontier: next()}
		l.fed = next() != 0
		if l.span == 0 {
			p.fail(errShort)
		}
		st.levels = append(st.levels, l)
	}
	for n := next(); n > 0 && p.err == nil; n-- {
		step := next()
		st.windows[step] = p.numbers()
	}
	if st.step == 0 {
		p.fail(errShort)
	}
	return st, p.end()
}
