package chunk

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"
)

// FuzzSlot: any bytes are refused as damaged, or are what can be written and
// read again the same.
func FuzzSlot(f *testing.F) {
	for seed := range uint64(6) {
		s := &shaper{rnd: rand.New(rand.NewPCG(seed, 9))}
		f.Add(s.raw(9).Append(nil, 9), uint16(9), uint32(6))
		f.Add(s.tier(9, 6).Append(nil, 9, 6), uint16(9), uint32(6))
	}
	var raw Raw
	var tier Tier
	f.Fuzz(func(t *testing.T, b []byte, rows uint16, per uint32) {
		n := int(rows % 500)
		if err := raw.Parse(b, n, nil); err == nil {
			var again Raw
			if err := again.Parse(raw.Append(nil, n), n, nil); err != nil {
				t.Error(err)
			} else if err := sameRaw(&raw, &again, n); err != nil {
				t.Error(err)
			}
		} else if !errors.Is(err, ErrDamaged) {
			t.Errorf("refused with %v", err)
		}
		if err := tier.Parse(b, n, per, AllParts, nil); err == nil {
			var again Tier
			if err := again.Parse(tier.Append(nil, n, per), n, per, AllParts, nil); err != nil {
				t.Error(err)
			} else if err := sameTier(&tier, &again, AllParts); err != nil {
				t.Error(err)
			}
		} else if !errors.Is(err, ErrDamaged) {
			t.Errorf("refused with %v", err)
		}
		for part := range AllParts {
			if err := tier.Parse(b, n, per, part, func(source uint16) bool { return source > 2 }); err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("refused with %v", err)
			}
		}
	})
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
