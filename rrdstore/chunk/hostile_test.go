package chunk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"
)

// anySlot reads bytes that may be no slot at all: they are refused as damaged, or
// are what can be written and read again the same.
func anySlot(b []byte, rows int, per uint32) error {
	var raw, rawAgain Raw
	if err := raw.Parse(b, rows, nil); err == nil {
		if err := rawAgain.Parse(raw.Append(nil, rows), rows, nil); err != nil {
			return err
		}
		if err := sameRaw(&raw, &rawAgain, rows); err != nil {
			return err
		}
	} else if !errors.Is(err, ErrDamaged) {
		return err
	}
	var tier, tierAgain Tier
	if err := tier.Parse(b, rows, per, AllParts, nil); err == nil {
		if err := tierAgain.Parse(tier.Append(nil, rows, per), rows, per, AllParts, nil); err != nil {
			return err
		}
		if err := sameTier(&tier, &tierAgain, AllParts); err != nil {
			return err
		}
	} else if !errors.Is(err, ErrDamaged) {
		return err
	}
	for part := range AllParts {
		err := tier.Parse(b, rows, per, part, func(source uint16) bool { return source > 2 })
		if err != nil && !errors.Is(err, ErrDamaged) {
			return err
		}
	}
	return nil
}

func FuzzSlot(f *testing.F) {
	for seed := range uint64(6) {
		s := &shaper{rnd: rand.New(rand.NewPCG(seed, 9))}
		f.Add(s.raw(9).Append(nil, 9), uint16(9), uint32(6))
		f.Add(s.tier(9, 6).Append(nil, 9, 6), uint16(9), uint32(6))
	}
	f.Fuzz(func(t *testing.T, b []byte, rows uint16, per uint32) {
		if err := anySlot(b, int(rows%500), per); err != nil {
			t.Error(err)
		}
	})
}

// TestSpoiltSlot spoils slots in many ways: bits flipped, bytes at random, cut
// short, and read as of other rows.
func TestSpoiltSlot(t *testing.T) {
	for seed := range uint64(600) {
		s := &shaper{rnd: rand.New(rand.NewPCG(seed, 4))}
		rows := someRows[s.intN(12)]
		b := s.raw(rows).Append(nil, rows)
		if seed%2 == 1 {
			b = s.tier(rows, 6).Append(nil, rows, 6)
		}
		for range 8 {
			spoilt := bytes.Clone(b)
			for range 1 + s.intN(3) {
				spoilt[s.rnd.IntN(len(b))] ^= 1 << s.rnd.IntN(8)
			}
			if s.intN(4) == 0 {
				spoilt[s.rnd.IntN(min(8, len(b)))] = byte(s.rnd.Uint32())
			}
			if s.intN(4) == 0 {
				spoilt = spoilt[:s.rnd.IntN(len(b))]
			}
			other := rows
			if s.intN(4) == 0 {
				other = someRows[s.intN(12)]
			}
			if err := anySlot(spoilt, other, 6); err != nil {
				t.Fatalf("seed %d: %x: %v", seed, spoilt, err)
			}
		}
	}
}

// FuzzHeader: any header, rightly sealed, is refused as damaged, or is what is
// written again the same.
func FuzzHeader(f *testing.F) {
	place := []byte("place")
	for seed, h := range headers {
		_, v, _ := sample(uint64(seed), &h)
		p := &parser{b: v[1:]}
		f.Add(p.bytes(p.uvarint()), p.b[4:])
	}
	f.Fuzz(func(t *testing.T, head, rest []byte) {
		v := binary.AppendUvarint([]byte{version}, uint64(len(head)))
		v = append(v, head...)
		v = binary.BigEndian.AppendUint32(v, headerSum(place, v))
		b, err := Parse(place, append(v, rest...))
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("refused with %v", err)
			}
			return
		}
		var slots [Slots][]byte
		for i := range Slots {
			if slots[i], err = b.Slot(i); err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("refused with %v", err)
			}
		}
		again, err := Parse(place, Append(nil, place, &b.Header, &slots))
		if err != nil {
			t.Fatal(err)
		}
		if again.Step != b.Step || again.Rows != b.Rows || len(again.Ticks) != len(b.Ticks) {
			t.Errorf("%+v came back as %+v", b.Header, again.Header)
		}
	})
}

// slotOf is a raw slot of two columns of 20 rows, each of a form and of bits.
func slotOf(forms [2]form, bits [2]func(w *bitWriter)) []byte {
	b := appendContents(nil, []uint16{0, 1}, true)
	for i, f := range forms {
		w := &bitWriter{}
		bits[i](w)
		b = appendBody(b, f, w.end())
	}
	return b
}

// constantThen is one whose first column is constant.
func constantThen(bits func(w *bitWriter)) []byte {
	b := append(appendContents(nil, []uint16{0, 1}, true), 7<<2)
	w := &bitWriter{}
	bits(w)
	return appendBody(b, formInts, w.end())
}

// TestMisleadingSlot: what has no meaning is refused, though nothing would break
// at once.
func TestMisleadingSlot(t *testing.T) {
	ramp := func(w *bitWriter) { // 0, 1, 2, …
		w.putReference(reference{})
		w.put(uint64(modeDelta), modeBits)
		w.putUint(0)
		for _, u := range []uint64{2, 0, zigzag(1)} { // units less 1, width, value
			w.putUint(u)
		}
	}
	like := func(r reference) func(w *bitWriter) {
		return func(w *bitWriter) {
			w.putReference(r)
			w.put(uint64(modeLike), modeBits)
			for _, u := range []uint64{0, 2, 0, 0} { // first value, units less 1, width, value
				w.putUint(u)
			}
		}
	}
	units := func(n uint64) func(w *bitWriter) {
		return func(w *bitWriter) {
			w.putReference(reference{})
			w.put(uint64(modePlain), modeBits)
			w.putUint(n - 1)
			w.putUint(0)
			w.putUint(0)
		}
	}
	once := reference{back: 1, mantissa: 1}
	ints := [2]form{formInts, formInts}
	var raw Raw
	good := slotOf(ints, [2]func(*bitWriter){ramp, like(once)})
	if err := raw.Parse(good, 20, nil); err != nil || raw.Columns[0].Uints[19] != 19 || raw.Columns[1].Uints[19] != 19 {
		t.Errorf("a good slot: %v, %v", raw, err)
	}
	if err := new(Tier).Parse(good, 20, 6, AllParts, nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("raw integers as a tier: %v", err)
	}
	for name, b := range map[string][]byte{
		"a constant's multiple":  constantThen(like(once)),
		"floats' multiple":       slotOf([2]form{formFloats, formInts}, [2]func(*bitWriter){func(w *bitWriter) { w.put(0, 20) }, like(once)}),
		"multiple of none":       slotOf(ints, [2]func(*bitWriter){ramp, like(reference{back: 2, mantissa: 1})}),
		"huge multiple":          slotOf(ints, [2]func(*bitWriter){ramp, like(reference{back: 1, mantissa: 1, exponent: -80})}),
		"exponent out of bounds": slotOf(ints, [2]func(*bitWriter){ramp, like(reference{back: 1, mantissa: 1, exponent: 5000})}),
		"long block":             slotOf(ints, [2]func(*bitWriter){ramp, units(1<<60 + 1)}),
		"block of no unit":       slotOf(ints, [2]func(*bitWriter){ramp, units(0)}),
		"block beyond the end":   slotOf(ints, [2]func(*bitWriter){ramp, units(4)}),
		"bits beyond the set":    {1<<2 | 2, 1, bitmapPlain, 0, 0, 0x10, 0, 0, 0, 0},
		"bits left over":         slotOf(ints, [2]func(*bitWriter){ramp, func(w *bitWriter) { units(3)(w); w.put(1<<7, 8) }}),
	} {
		if err := raw.Parse(b, 20, nil); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Of a tier: which parts are missing has 4 bits.
	if err := new(Tier).Parse([]byte{1<<2 | 2, 0, 0, 0, 0x10, 0}, 1, 6, AllParts, nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("five parts: %v", err)
	}
	if err := new(Tier).Parse([]byte{1<<2 | 2, 0, 0, 0, 0, 0}, 1, 6, AllParts, nil); err != nil {
		t.Errorf("no part missing: %v", err)
	}
}

// TestLittleIsAllocated: bytes that claim to be much are refused before room is
// made for it.
func TestLittleIsAllocated(t *testing.T) {
	u := binary.AppendUvarint
	many := u(nil, 1<<40<<2|3)
	for name, b := range map[string][]byte{
		"columns":        many,
		"constants":      append(u(nil, 400<<2|3), make([]byte, 400)...),
		"sources":        u(u(nil, 1<<2|1), 1<<62),
		"sets":           u(u(nil, 1<<2|2), 1<<50),
		"runs":           u(u(u(nil, 1<<2|2), 1), 1<<50),
		"counts":         u(u(nil, 1<<2|2), 1<<30),
		"length":         u(u(nil, 1<<2|3), 1<<60|1),
		"patches":        append(u(u(nil, 1<<2|3), 20<<2|2), []byte{0, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}...),
		"number":         append(u(u(nil, 1<<2|3), 30<<2|1), make([]byte, 30)...),
		"nothing at all": nil,
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			errRaw := new(Raw).Parse(b, 5000, nil)
			errTier := new(Tier).Parse(b, 5000, 6, AllParts, nil)
			runtime.ReadMemStats(&after)
			if !errors.Is(errRaw, ErrDamaged) || !errors.Is(errTier, ErrDamaged) {
				t.Errorf("%x: raw %v, tier %v", b, errRaw, errTier)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
				t.Errorf("%d bytes allocated for %d", n, len(b))
			}
		})
	}
	for _, rows := range []int{-1, MaxRows + 1} {
		if new(Raw).Parse(nil, rows, nil) == nil || new(Tier).Parse(nil, rows, 1, AllParts, nil) == nil {
			t.Errorf("%d rows pass", rows)
		}
	}
}
