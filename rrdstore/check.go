package rrdstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Check is Verify and, beyond it, that the records make sense together. These
// are the invariants of a head.db; those of an arch.db are at archChecker:
//
//   - a number has one holder at a time: its series follow one another, and only
//     the last is without an end;
//   - an identity holds one number at a time, and a real server's is within its
//     service's;
//   - an account's total is in its record exactly when the last row lacks it, and
//     then it is gone;
//   - a window is named after its first row, which is a keyframe, and its
//     sequence counts its rows; ticks rise;
//   - every row decodes, and every present slot's number had a holder then.
//
// It is for tests and for the curious: a store in use needs no more than Verify.
// Nobody may be writing the file.
func Check(path string) error {
	c := &checker{series: make(map[uint32][]seriesRecord)}
	a := &archChecker{verifier: &c.verifier, problem: c.problem}
	c.onChunk = a.chunk
	err := c.file(path, func(bucket string, window, key, value []byte) error {
		if bucket == bucketSeries || bucket == bucketRow {
			return c.record(bucket, window, key, value)
		}
		if bucket == bucketMeta && string(key) == keyPeaks {
			_, err := parsePeaks(value)
			return err
		}
		a.records = append(a.records, archiveRecord{bucket, key, value})
		return c.verifier.record(bucket, window, key, value)
	})
	if err != nil {
		return err
	}
	if c.report.First != nil {
		return fmt.Errorf("%s: %w", path, c.report.First)
	}
	c.endRow()
	c.currentSeries()
	a.begin()
	if err := errors.Join(c.problems...); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

type seriesRecord struct {
	seriesKey
	record
}

type checker struct {
	verifier
	series   map[uint32][]seriesRecord
	rows     rowReader
	window   uint32
	count    int  // rows in the window
	inRow    bool // a header came
	last     map[uint32]bool
	tick     uint32
	problems []error
}

func (c *checker) problem(format string, args ...any) {
	if len(c.problems) < 20 {
		c.problems = append(c.problems, fmt.Errorf(format, args...))
	}
}

func (c *checker) record(bucket string, window, key, value []byte) error {
	if bucket == bucketSeries {
		k, err := parseSeriesKey(key)
		if err != nil {
			return err
		}
		r, err := parseRecord(k, value)
		if err == nil {
			c.series[k.sid] = append(c.series[k.sid], seriesRecord{k, r})
		}
		return err
	}
	k, err := parseRowKey(key)
	if err != nil {
		return err
	}
	w := binary.BigEndian.Uint32(window)
	if k.block == 0 {
		c.endRow()
		c.beginRow(w, k.tick)
	}
	damaged := c.rows.damaged
	if err := c.rows.feed(scanRecord{window: w, key: k, value: value}); err != nil {
		return err
	}
	if c.rows.damaged != damaged {
		return fmt.Errorf("%w: row %d block %d of window %d", ErrDamaged, k.tick, k.block, w)
	}
	if k.block == 0 && c.count == 1 && !c.rows.header.keyframe {
		c.problem("window %d begins without a keyframe", w)
	}
	return nil
}

func (c *checker) beginRow(window, tick uint32) {
	if window != c.window {
		c.window, c.count = window, 0
		if tick != window {
			c.problem("window %d begins with row %d", window, tick)
		}
	}
	if tick <= c.tick {
		c.problem("row %d comes after row %d", tick, c.tick)
	}
	c.tick, c.inRow = tick, true
	c.count++
}

// endRow looks at a row that is whole.
func (c *checker) endRow() {
	if !c.inRow {
		return
	}
	c.inRow = false
	if !c.rows.usable {
		c.problem("row %d does not follow from the one before", c.tick)
		return
	}
	c.last = make(map[uint32]bool)
	for slot, sid := range c.rows.sids {
		if i := slot / blockSlots; c.rows.fed[i] != c.tick {
			c.problem("row %d lacks block %d", c.tick, i)
		}
		if !c.rows.has(slot) {
			continue
		}
		c.last[sid] = true
		if !slices.ContainsFunc(c.series[sid], func(r seriesRecord) bool {
			return r.from <= c.tick && (r.until == 0 || c.tick < r.until)
		}) {
			c.problem("row %d has number %d.%d, which nobody held", c.tick, sid>>16, sid&0xffff)
		}
	}
}

// currentSeries checks the catalog against itself and the last row.
func (c *checker) currentSeries() {
	holders := make(map[identity]uint32)
	current := make(map[uint32]record)
	for sid, list := range c.series {
		for i, r := range list {
			switch next := i + 1; {
			case next < len(list) && (r.until == 0 || r.until > list[next].from):
				c.problem("number %d.%d is held from %d on though %s follows at %d", sid>>16, sid&0xffff, r.from, list[next].id, list[next].from)
			case r.until != 0 && r.until <= r.from:
				c.problem("number %d.%d is held from %d until %d", sid>>16, sid&0xffff, r.from, r.until)
			}
			if r.until != 0 {
				continue
			}
			if other, ok := holders[r.id]; ok {
				c.problem("%s holds both %#x and %#x", r.id, other, sid)
			}
			holders[r.id], current[sid] = sid, r.record
		}
	}
	for sid, r := range current {
		if r.gone != r.held || sid != 0 && c.tick != 0 && r.held == c.last[sid] {
			c.problem("%s: gone %t, total held %t, in the last row %t", r.id, r.gone, r.held, c.last[sid])
		}
		if service, ok := current[sid&^0xffff]; sid&0xffff != 0 && (!ok || service.id.key != r.id.key) {
			c.problem("%s has number %d.%d, within that of %s", r.id, sid>>16, sid&0xffff, service.id)
		}
	}
}
