package chunk

import (
	"math/rand/v2"
	"testing"
)

// TestBits holds a set against a slice of bool, in memory and as bytes.
func TestBits(t *testing.T) {
	for seed := range uint64(400) {
		s := &shaper{rnd: rand.New(rand.NewPCG(seed, 5))}
		n := someRows[s.intN(len(someRows)-1)]
		set := s.set(n)
		count := 0
		for i := range n {
			if set.Has(i) {
				count++
			}
			want := i
			for want < n && !set.Has(want) {
				want++
			}
			if got := set.next(i, n, true); got != want {
				t.Fatalf("seed %d: the next from %d of %d is %d, want %d", seed, i, n, got, want)
			}
			if !set.Has(i) && set.next(i, n, false) != i {
				t.Fatalf("seed %d: %d of %d is not in the set, nor out of it", seed, i, n)
			}
		}
		if got := set.Count(n); got != count {
			t.Errorf("seed %d: %d of %d are counted as %d", seed, count, n, got)
		}
		b := appendBits(nil, set, n)
		if len(b) > 1+(n+7)/8 {
			t.Errorf("seed %d: %d bytes for %d", seed, len(b), n)
		}
		p := &parser{b: b}
		got := p.bits(nil, n)
		if err := p.end(); err != nil || !got.equal(set, n) || !set.equal(got, n) {
			t.Errorf("seed %d: %x of %d came back as %x, %v", seed, set, n, got, err)
		}
		if n > 0 {
			at := s.rnd.IntN(n)
			other := NewBits(n)
			copy(other, got)
			if other.Set(at); other.equal(set, n) != set.Has(at) || !other.Has(at) || other.Has(n+64) {
				t.Errorf("seed %d: %x and %x, which has %d", seed, set, other, at)
			}
		}
	}
}
