package chunk

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// A stranger reads a slot as the package's documentation tells, with no code of
// it, one bit at a time.
type stranger struct {
	b   []byte
	bit int
}

func (s *stranger) uvarint() uint64 {
	v, n := binary.Uvarint(s.b)
	s.b = s.b[n:]
	return v
}

func (s *stranger) bits(n int) (v uint64) {
	for i := range n {
		v |= uint64(s.b[s.bit/8]>>(s.bit%8)&1) << i
		s.bit++
	}
	return v
}

func (s *stranger) number() (v uint64) {
	for shift := 0; ; shift += 3 {
		group := s.bits(4)
		if v |= group & 7 << shift; group < 8 {
			return v
		}
	}
}

func signed(v uint64) int64 {
	if v&1 == 1 {
		return -int64(v>>1) - 1
	}
	return int64(v >> 1)
}

// A strangeColumn is one being read, with what later ones may need of it.
type strangeColumn struct {
	source uint16
	known  []uint64 // of a tier's known rows
	ints   [][]int64
	mean   []int64
	floats [][]float64
	scale  float64
}

// slot reads a slot without tables, of raw rows (per 0) or of a tier.
func (s *stranger) slot(t *testing.T, rows int, per uint32) (columns []*strangeColumn) {
	head := s.uvarint()
	next := uint64(0)
	for i := range head >> 2 {
		source := i
		if head>>1&1 == 0 {
			source = next + s.uvarint()
		}
		next = source + 1
		columns = append(columns, &strangeColumn{source: uint16(source)})
	}
	if head&1 == 0 {
		t.Fatal("has tables")
	}
	parts := 1
	if per > 0 {
		parts = 4
	}
	for i, c := range columns {
		for range rows {
			c.known = append(c.known, uint64(per))
		}
		c.ints, c.floats = make([][]int64, parts), make([][]float64, parts)
		n := s.uvarint()
		if n&3 == 0 {
			c.constant(signed(n>>2), rows)
			continue
		}
		body := &stranger{b: s.b[:n>>2]}
		s.b = s.b[n>>2:]
		if rows == 0 {
			continue
		}
		if n&3 == 3 {
			for p := range c.floats {
				c.floats[p] = body.xored(rows)
			}
			continue
		}
		body.integers(c, columns[:i], n&3 == 2, rows)
		if left := len(body.b)*8 - body.bit; left > 7 || body.bits(left) != 0 {
			t.Fatalf("%d bits left over", left)
		}
	}
	return columns
}

func (c *strangeColumn) constant(v int64, rows int) {
	for p := range c.floats {
		for i := range rows {
			c.ints[p] = append(c.ints[p], v)
			f := float64(v)
			if p == 0 && len(c.floats) == 4 {
				f *= float64(c.known[i])
			}
			c.floats[p] = append(c.floats[p], f)
		}
	}
}

func (s *stranger) integers(c *strangeColumn, before []*strangeColumn, scaled bool, rows int) {
	var other *strangeColumn
	factor := 0.0
	if back := s.number(); back > 0 {
		other = before[len(before)-int(back)]
		mantissa, exponent := signed(s.number()), signed(s.number())
		factor = float64(mantissa) * math.Pow(2, float64(-exponent))
	}
	c.scale = 1
	if scaled {
		c.scale = []float64{1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 60, 100, 300, 1000}[s.bits(4)]
	}
	for p := range c.ints {
		if !scaled {
			c.ints[p] = s.sequence(c, p, rows, other, factor)
			continue
		}
		extras := s.bits(1) == 1
		c.ints[p] = s.sequence(c, p, rows, other, factor)
		for _, x := range c.ints[p] {
			c.floats[p] = append(c.floats[p], float64(x)/c.scale)
		}
		if extras {
			s.extras(c, p, rows)
		}
		if p == 0 && len(c.ints) == 4 {
			for i, x := range c.ints[0] {
				c.mean = append(c.mean, int64(float64(x)/float64(c.known[i])))
			}
		}
	}
}

func (s *stranger) extras(c *strangeColumn, p, rows int) {
	at := -1
	patched := map[int]float64{}
	for range s.number() {
		at += 1 + int(s.number())
		if i := s.bits(4); i == 0 {
			patched[at] = math.Float64frombits(s.bits(64))
		} else {
			scale := []int64{1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 60, 100, 300, 1000}[i]
			patched[at] = float64(c.ints[p][at]*scale+int64(s.number())) / float64(scale)
		}
	}
	if s.bits(1) == 1 {
		for i, u := range s.sequence(nil, 0, rows, nil, 0) {
			c.floats[p][i] = math.Float64frombits(math.Float64bits(c.floats[p][i]) + uint64(u))
		}
	}
	for i, v := range patched {
		c.floats[p][i] = v
	}
}

func (s *stranger) sequence(c *strangeColumn, p, n int, other *strangeColumn, factor float64) []int64 {
	switch mode := s.bits(3); mode {
	case 0:
		v, x := signed(s.number()), make([]int64, n)
		for i := range x {
			x[i] = v
		}
		return x
	case 1:
		return s.blocks(n)
	case 2, 3:
		season := n
		if mode == 3 {
			season = int(s.number())
		}
		x := []int64{signed(s.number())}
		for i, d := range s.blocks(n - 1) {
			from := i
			if i+1 >= season {
				from = i + 1 - season
			}
			x = append(x, x[from]+d)
		}
		return x
	case 4:
		x := s.blocks(n)
		for i := range x {
			x[i] += c.mean[i]
		}
		return x
	case 5:
		if len(c.ints) == 1 {
			x := []int64{signed(s.number())}
			for i, d := range s.blocks(n - 1) {
				x = append(x, x[i]+d+int64(factor*float64(other.ints[0][i+1]-other.ints[0][i])))
			}
			return x
		}
		x := s.blocks(n)
		for i := range x {
			if p == 0 {
				x[i] += int64(factor * float64(other.ints[0][i]))
			} else {
				x[i] += c.mean[i] + int64(factor*float64(other.ints[p][i]-other.mean[i]))
			}
		}
		return x
	}
	x := make([]int64, n)
	for i := range x {
		r := uint64(c.ints[2][i] - c.ints[1][i])
		w := bits.Len64(r)
		if x[i] = c.ints[1][i]; w > 0 {
			v, t := s.bits(w-1), 1<<w-1-r
			if v >= t {
				v = (v<<1 | s.bits(1)) - t
			}
			x[i] += int64(v)
		}
	}
	return x
}

func (s *stranger) blocks(n int) (x []int64) {
	unit := 16
	if n <= 128 {
		unit = 8
	}
	width, reference := 0, int64(0)
	for len(x) < n {
		count := unit * (int(s.number()) + 1)
		width += int(signed(s.number()))
		low := max(0, width-4)
		reference = (reference>>low + signed(s.number())) << low
		for range min(count, n-len(x)) {
			x = append(x, reference+int64(s.bits(width)))
		}
	}
	return x
}

func (s *stranger) xored(n int) (x []float64) {
	last, below, span := uint64(0), 0, 0
	for range n {
		if s.bits(1) == 1 {
			if s.bits(1) == 1 {
				below, span = int(s.bits(6)), int(s.bits(6))+1
			}
			last ^= s.bits(span) << below
		}
		x = append(x, math.Float64frombits(last))
	}
	return x
}

// TestStranger: who knows but the documentation reads what was written.
func TestStranger(t *testing.T) {
	for seed := range uint64(90) {
		s := &shaper{rnd: rand.New(rand.NewPCG(seed, 3))}
		rows := someRows[1+s.intN(len(someRows)-2)]
		raw, tier := s.whole(rows, 6)
		if seed%3 == 0 {
			l := newLoad(seed)
			raw, tier = l.raw(0, rows, new([numSources]uint64)), l.tier(0, rows, 6)
		}
		for i, c := range (&stranger{b: raw.Append(nil, rows)}).slot(t, rows, 0) {
			want := raw.Columns[i]
			for j, u := range want.Uints {
				if uint64(c.ints[0][j]) != u {
					t.Fatalf("seed %d: source %d: value %d: %d came back as %d", seed, want.Source, j, u, uint64(c.ints[0][j]))
				}
			}
			if want.Uints == nil {
				if err := sameFloats(want.Floats, c.floats[0]); err != nil {
					t.Fatalf("seed %d: source %d: %v", seed, want.Source, err)
				}
			}
			if c.source != want.Source {
				t.Errorf("seed %d: source %d came back as %d", seed, want.Source, c.source)
			}
		}
		for i, c := range (&stranger{b: tier.Append(nil, rows, 6)}).slot(t, rows, 6) {
			for p, values := range tier.Columns[i].cells() {
				if err := sameFloats(*values, c.floats[p]); err != nil {
					t.Fatalf("seed %d: source %d: part %d: %v", seed, c.source, p, err)
				}
			}
		}
	}
}

// whole are an entity's rows of any shape but with nothing missing.
func (s *shaper) whole(rows, per int) (*Raw, *Tier) {
	raw, tier := s.raw(rows), s.tier(rows, uint32(per))
	raw.Resets = nil
	for i := range raw.Columns {
		col := &raw.Columns[i]
		col.Has, col.Unknown = nil, nil
		switch {
		case col.Uints == nil:
			col.Floats = s.floats(rows)
		case i > 0 && raw.Columns[i-1].Uints != nil:
			col.Uints = s.like(raw.Columns[i-1].Uints)
		default:
			col.Uints = s.uints(rows)
		}
	}
	for i := range tier.Columns {
		points := s.floats(rows * per)
		for j, v := range points {
			if v != v || math.IsInf(v, 0) {
				points[j] = 1
			}
		}
		tier.Columns[i].Resize(rows)
		consolidate(&tier.Columns[i], points, nil, per)
		for j, v := range tier.Columns[i].Sum {
			if math.IsInf(v, 0) || v != v { // too much for a float64
				tier.Columns[i].Sum[j] = 0
			}
		}
	}
	return raw, tier
}
