package chunk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// sample is a superchunk of a few slots, and where it is kept.
func sample(seed uint64, h *Header) (place, v []byte, slots *[Slots][]byte) {
	s := &shaper{rnd: rand.New(rand.NewPCG(seed, 2))}
	slots = new([Slots][]byte)
	for i := range slots {
		switch s.intN(4) {
		case 0:
			slots[i] = []byte{}
		case 1:
			slots[i] = (&Raw{Columns: []RawColumn{{Uints: s.uints(h.Rows)}}}).Append(nil, h.Rows)
		}
	}
	place = []byte("t0/12345678/0001")
	return place, Append([]byte("before"), place, h, slots)[len("before"):], slots
}

var headers = []Header{
	{},
	{Step: 60, PDP: 10, Start: 1<<32 - 3600, Rows: 60},
	{PDP: 10, Start: 3600, Rows: 5, Ticks: []uint32{3600, 3610, 3640, 3650, 7190}},
	{PDP: 1, Start: 7, Rows: 1, Ticks: []uint32{1<<32 - 1}},
}

func TestSuperchunk(t *testing.T) {
	for seed, h := range headers {
		place, v, slots := sample(uint64(seed), &h)
		b, err := Parse(place, v)
		if err != nil {
			t.Fatal(err)
		}
		if b.Step != h.Step || b.PDP != h.PDP || b.Start != h.Start || b.Rows != h.Rows || !slices.Equal(b.Ticks, h.Ticks) {
			t.Errorf("%+v came back as %+v", h, b.Header)
		}
		for i, want := range slots {
			got, err := b.Slot(i)
			if err != nil || !bytes.Equal(got, want) || b.Has(i) != (want != nil) || (got == nil) != (want == nil) {
				t.Errorf("slot %d: %x came back as %x, %v", i, want, got, err)
			}
		}
	}
}

// TestEveryFlippedBitIsFound: by Parse or, within a slot, by that Slot and no
// other.
func TestEveryFlippedBitIsFound(t *testing.T) {
	for seed, h := range headers {
		place, v, _ := sample(uint64(seed), &h)
		for bit := range len(v) * 8 {
			v[bit/8] ^= 1 << (bit % 8)
			if found := damages(t, place, v); found != 1 {
				t.Fatalf("header %d: bit %d flipped: found %d times", seed, bit, found)
			}
			v[bit/8] ^= 1 << (bit % 8)
		}
		for bit := range len(place) * 8 {
			place[bit/8] ^= 1 << (bit % 8)
			if damages(t, place, v) == 0 {
				t.Fatalf("bit %d of the place flipped: not found", bit)
			}
			place[bit/8] ^= 1 << (bit % 8)
		}
	}
}

// damages counts what Parse and Slot complain of.
func damages(t *testing.T, place, v []byte) (n int) {
	t.Helper()
	b, err := Parse(place, v)
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("refused with %v", err)
		}
		return 1
	}
	for i := range Slots {
		if _, err := b.Slot(i); err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("refused with %v", err)
			}
			n++
		}
	}
	return n
}

func TestCutShortOrLong(t *testing.T) {
	for seed, h := range headers {
		place, v, _ := sample(uint64(seed), &h)
		for n := range len(v) {
			if damages(t, place, v[:n]) == 0 {
				t.Errorf("%d of %d bytes pass", n, len(v))
			}
		}
		if damages(t, place, append(v, 0)) == 0 {
			t.Errorf("a byte more passes")
		}
	}
}

func TestNewerVersion(t *testing.T) {
	place, v, _ := sample(0, &headers[1])
	end := len(v) // of the header, its checksum too
	b, err := Parse(place, v)
	if err != nil {
		t.Fatal(err)
	}
	end -= len(b.v)
	v[0] = version + 1
	if _, err := Parse(place, v); !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged version is %v", err)
	}
	binary.BigEndian.PutUint32(v[end-4:], headerSum(place, v[:end-4]))
	if _, err := Parse(place, v); !errors.Is(err, ErrNewer) || errors.Is(err, ErrDamaged) {
		t.Errorf("a newer version is %v", err)
	}
}

// TestMisuse: what could not be read back is not written.
func TestMisuse(t *testing.T) {
	wide := new(Raw)
	for i := range MaxColumns + 1 {
		wide.Columns = append(wide.Columns, RawColumn{Source: uint16(i)})
	}
	known := TierColumn{}
	known.Resize(2)
	known.Known[1] = 7
	var slots [Slots][]byte
	for name, misuse := range map[string]func(){
		"ticks that stand still": func() { Append(nil, nil, &Header{Rows: 2, Ticks: []uint32{5, 5}}, &slots) },
		"tick before start":      func() { Append(nil, nil, &Header{Start: 6, Rows: 1, Ticks: []uint32{5}}, &slots) },
		"ticks missing":          func() { Append(nil, nil, &Header{Rows: 1}, &slots) },
		"too many rows":          func() { Append(nil, nil, &Header{Step: 60, PDP: 10, Rows: MaxRows + 1}, &slots) },
		"no data points":         func() { Append(nil, nil, &Header{Step: 60}, &slots) },
		"uneven data points":     func() { Append(nil, nil, &Header{Step: 60, PDP: 7}, &slots) },
		"too many columns":       func() { wide.Append(nil, 0) },
		"too many cells":         func() { (&Raw{Columns: wide.Columns[:100]}).Append(nil, MaxRows) },
		"sources out of order":   func() { (&Raw{Columns: []RawColumn{{Source: 1}, {Source: 1}}}).Append(nil, 0) },
		"too few values":         func() { (&Raw{Columns: []RawColumn{{Uints: []uint64{1}}}}).Append(nil, 2) },
		"too few tier rows":      func() { (&Tier{Columns: []TierColumn{{}}}).Append(nil, 2, 6) },
		"too many data points":   func() { (&Tier{Columns: []TierColumn{known}}).Append(nil, 2, 6) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("did not panic")
				}
			}()
			misuse()
		})
	}
}
