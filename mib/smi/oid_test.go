package smi

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestParseOID(t *testing.T) {
	for _, c := range []struct {
		in   string
		want OID
	}{
		{"1.3.6.1", OID{1, 3, 6, 1}},
		{".1.3.6.1.4.1.8225", OID{1, 3, 6, 1, 4, 1, 8225}},
		{"0", OID{0}},
		{"2.4294967295", OID{2, math.MaxUint32}},
		{"007", OID{7}},
	} {
		if got, err := ParseOID(c.in); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("ParseOID(%q) = %v, %v, want %v", c.in, got, err, c.want)
		}
	}
	for _, in := range []string{"", ".", "1.", "1..3", "..1", "1.-3", "1.+3", "1. 3", "1.4294967296", "iso.3", strings.Repeat("1.", 128) + "1"} {
		if got, err := ParseOID(in); err == nil || !strings.HasPrefix(err.Error(), "oid ") {
			t.Errorf("ParseOID(%q) = %v, error %v", in, got, err)
		}
	}
	if o, err := ParseOID(strings.Repeat("1.", 127) + "1"); err != nil || len(o) != MaxOIDLen {
		t.Errorf("the longest: %d sub-identifiers, %v", len(o), err)
	}
}

func TestMustParseOIDPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	MustParseOID("system")
}

func TestOIDOrder(t *testing.T) {
	sorted := []OID{nil, {0}, {1}, {1, 0}, {1, 3}, {1, 3, 6}, {1, 3, 10}, {1, 4}, {2}, {math.MaxUint32}}
	for i, a := range sorted {
		for j, b := range sorted {
			if c := a.Compare(b); (c < 0) != (i < j) || (c == 0) != (i == j) {
				t.Errorf("%q.Compare(%q) = %d", a, b, c)
			}
		}
	}
}

func TestOIDHasPrefix(t *testing.T) {
	o := OID{1, 3, 6}
	for _, p := range []OID{nil, {1}, {1, 3}, o} {
		if !o.HasPrefix(p) {
			t.Errorf("%v is not below %v", o, p)
		}
	}
	for _, p := range []OID{{2}, {1, 4}, {1, 3, 6, 1}, {3, 6}} {
		if o.HasPrefix(p) {
			t.Errorf("%v is below %v", o, p)
		}
	}
}

// TestOIDAppendCopies: two names made from one do not share their ends.
func TestOIDAppendCopies(t *testing.T) {
	base := make(OID, 2, 10)
	a, b := base.Append(1), base.Append(2, 3)
	if !slices.Equal(a, OID{0, 0, 1}) || !slices.Equal(b, OID{0, 0, 2, 3}) || len(base) != 2 {
		t.Errorf("%v, %v from %v", a, b, base)
	}
}

func FuzzParseOID(f *testing.F) {
	for _, s := range []string{"1.3.6.1.4.1.8225.4711", ".1", "", "1..2", "4294967296", "1.3.x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := ParseOID(s)
		if err != nil {
			return
		}
		again, err := ParseOID(o.String())
		if err != nil || again.Compare(o) != 0 || len(o) == 0 {
			t.Errorf("%q is %v, which reads back as %v, %v", s, o, again, err)
		}
	})
}

func TestTypeNames(t *testing.T) {
	named := 0
	for i := range 256 {
		if s := Type(i).String(); !strings.HasPrefix(s, "type ") {
			named++
		} else if s != "type "+strconv.Itoa(i) {
			t.Errorf("type %d is %q", i, s)
		}
	}
	if named != 13 {
		t.Errorf("%d types have names, want 13", named)
	}
}
