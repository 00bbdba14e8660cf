package rrdstore

import (
	"encoding/binary"
	"math"
	"testing"
)

// TestSkipLeavesOutWholeNumbers holds skip against reading number by number.
func TestSkipLeavesOutWholeNumbers(t *testing.T) {
	var b []byte
	const n = 40
	for i := range n {
		b = binary.AppendUvarint(b, math.MaxUint64>>(7*i%63))
	}
	for from := range n {
		for count := range n - from + 1 {
			read, skipped := &parser{b: b}, &parser{b: b}
			for range from {
				read.uvarint()
			}
			skipped.skip(from)
			if read.at != skipped.at {
				t.Fatalf("%d numbers are %d bytes, want %d", from, skipped.at, read.at)
			}
			for range count {
				read.uvarint()
			}
			skipped.skip(count)
			if read.at != skipped.at || read.err != nil || skipped.err != nil {
				t.Errorf("%d numbers after %d end at byte %d, want %d", count, from, skipped.at, read.at)
			}
		}
	}
	p := &parser{b: b}
	if p.skip(n + 1); p.err == nil {
		t.Error("more numbers than there are were skipped")
	}
}

// TestSkipDeltaRefusesWhatDeltaDoes: a mask of values that nobody knows.
func TestSkipDeltaRefusesWhatDeltaDoes(t *testing.T) {
	b := binary.AppendUvarint(nil, 1<<numValues)
	read, skipped := &parser{b: b}, &parser{b: b}
	read.delta(new(values))
	skipped.skipDelta()
	if read.err == nil || skipped.err == nil || read.err.Error() != skipped.err.Error() {
		t.Errorf("skipDelta: %v, want %v", skipped.err, read.err)
	}
}
