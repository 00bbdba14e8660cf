package rrdstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
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
	if n > uint64(len(p.rest())) { // each takes a byte or more
		p.fail(errShort)
		return nil
	}
	last := uint64(0)
	for i := range n {
		d := p.uvarint()
		if last += d; d > math.MaxUint32 || last > math.MaxUint32 || d == 0 && i > 0 {
			p.fail(errOrder)
			return nil
		}
		numbers = append(numbers, uint32(last))
	}
	return numbers
}

var errOrder = errors.New("numbers do not rise")

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
		st.levels = append(st.levels, l)
	}
	for n := next(); n > 0 && p.err == nil; n-- {
		step := next()
		st.windows[step] = p.numbers()
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	return st, st.check()
}

// check refuses a state that cannot be: it may come from another process.
func (st *storeState) check() error {
	if st.step == 0 {
		return errors.New("the step of data points is zero")
	}
	before := st.step
	for i, l := range st.levels {
		switch {
		case i > 0 && l.step <= st.levels[i-1].step:
			return errOrder
		case l.span == 0 || l.span%max(l.step, 1) != 0:
			return fmt.Errorf("windows of step %d are %d s", l.step, l.span)
		case l.step == 0 || !l.fed:
		case l.step%before != 0:
			return fmt.Errorf("step %d is no multiple of %d", l.step, before)
		default:
			before = l.step
		}
	}
	return nil
}
