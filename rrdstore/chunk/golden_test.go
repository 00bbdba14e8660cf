package chunk

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write golden files anew")

// goldenRows are a small slot of every kind of column, made by plain arithmetic.
func goldenRows(slot, rows, per int) (*Raw, *Tier) {
	raw, tier := &Raw{}, &Tier{Season: 8}
	if slot == 2 {
		raw.Resets = NewBits(rows)
		raw.Resets.Set(5)
	}
	lcg := uint64(slot)
	var packets, size uint64
	columns := []RawColumn{{Source: 0}, {Source: 1}, {Source: 2}, {Source: 9}}
	cells := []TierColumn{{Source: 0}, {Source: 1}, {Source: 2}, {Source: 9}}
	for i := range cells {
		cells[i].Resize(rows)
	}
	for i := range rows * per {
		lcg = lcg*6364136223846793005 + 1442695040888963407
		n := lcg >> 58 * uint64(1+i/per%8)
		packets, size = packets+n, size+60*n+lcg>>40&31
		gone := slot == 2 && i%40 < 3
		for s, v := range []float64{float64(n), float64(60*n + lcg>>40&31), 7, float64(n) / 8} {
			if !gone {
				accumulateInto(&cells[s].Cells, i/per, v)
			}
		}
		if i >= rows {
			continue
		}
		if slot == 2 && i == 0 { // the third of them begins later
			for s := range columns {
				columns[s].Has = NewBits(rows)
				columns[s].Has.setRange(1, rows)
			}
			continue
		}
		columns[0].Uints, columns[1].Uints = append(columns[0].Uints, packets), append(columns[1].Uints, size)
		columns[2].Uints, columns[3].Floats = append(columns[2].Uints, 7), append(columns[3].Floats, float64(n)/7)
	}
	raw.Columns, tier.Columns = columns, cells
	return raw, tier
}

// TestGolden: what the first writer of the version wrote is read for ever. What
// it wrote may be written shorter, which -update keeps.
func TestGolden(t *testing.T) {
	const rows, per = 48, 6
	headers := map[string]*Header{
		"raw":  {PDP: 10, Start: 7200, Rows: rows},
		"tier": {Step: 60, PDP: 10, Start: 7200, Rows: rows},
	}
	for i := range uint32(rows) {
		headers["raw"].Ticks = append(headers["raw"].Ticks, 7200+10*i+i/20)
	}
	for name, h := range headers {
		path, place := filepath.Join("testdata", name+".hex"), []byte(name)
		if *update {
			var slots [Slots][]byte
			for slot := range 3 {
				raw, tier := goldenRows(slot, rows, per)
				if slots[slot] = raw.Append(nil, rows); name == "tier" {
					slots[slot] = tier.Append(nil, rows, per)
				}
			}
			if err := os.WriteFile(path, []byte(hex.Dump(Append(nil, place, h, &slots))), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		b, err := Parse(place, undump(t, path))
		if err != nil {
			t.Fatal(err)
		}
		for slot := range Slots {
			v, err := b.Slot(slot)
			if err != nil || (v != nil) != (slot < 3) {
				t.Errorf("%s: slot %d is %x, %v", name, slot, v, err)
			}
			if v == nil {
				continue
			}
			var raw Raw
			var tier Tier
			wantRaw, wantTier := goldenRows(slot, rows, per)
			if name == "raw" {
				if err = raw.Parse(v, b.Rows, nil); err == nil {
					err = sameRaw(wantRaw, &raw, rows)
				}
			} else if err = tier.Parse(v, b.Rows, b.Step/b.PDP, AllParts, nil); err == nil {
				err = sameTier(wantTier, &tier, AllParts)
			}
			if err != nil {
				t.Errorf("%s: slot %d: %v", name, slot, err)
			}
		}
	}
}

// undump reads what hex.Dump wrote.
func undump(t *testing.T, path string) (b []byte) {
	t.Helper()
	dump, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(dump) {
		line = bytes.ReplaceAll(line[10:min(60, len(line))], []byte(" "), nil)
		part, err := hex.DecodeString(string(line))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, part...)
	}
	return b
}
