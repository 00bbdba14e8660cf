package rrd

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lvs/internal/lab"
)

func TestChoose(t *testing.T) {
	archives := []Archive{{10, 9000}, {60, 5000}, {300, 1000}}
	tests := []struct {
		name              string
		start, resolution uint32
		want              int
	}{
		{"the finest without a wish", 9500, 0, 0},
		{"no finer than the wish", 9500, 60, 1},
		{"the nearest", 9500, 179, 1},
		{"the first of two as near", 9500, 180, 1},
		{"the nearest above", 9500, 181, 2},
		{"the oldest row's begin is covered", 9000, 1, 0},
		{"what reaches back comes first", 8999, 10, 1},
		{"nothing reaches back", 10, 10, 2},
	}
	for _, tt := range tests {
		if got := Choose(archives, tt.start, tt.resolution); got != tt.want {
			t.Errorf("%s: archive %d, want %d", tt.name, got, tt.want)
		}
	}
	if got := Choose(nil, 1, 1); got != -1 {
		t.Errorf("of no archives, %d", got)
	}
}

func TestGrid(t *testing.T) {
	tests := []struct {
		start, end, step uint32
		first            uint32
		rows             int
	}{
		{1000, 1000, 10, 1000, 1},
		{1001, 1009, 10, 1000, 1},
		{1009, 1010, 10, 1000, 2},
		{1000, 1050, 10, 1000, 6},
		{math.MaxUint32, math.MaxUint32, 300, math.MaxUint32 - math.MaxUint32%300, 1},
		{0, math.MaxUint32, 1, 0, 1 << 32},
		{1010, 1000, 10, 1010, 0},
		{1000, 1010, 0, 1000, 0},
	}
	for _, tt := range tests {
		if first, rows := Grid(tt.start, tt.end, tt.step); first != tt.first || rows != tt.rows {
			t.Errorf("from %d to %d by %d: %d rows from %d, want %d from %d", tt.start, tt.end, tt.step, rows, first, tt.rows, tt.first)
		}
	}
}

// The real rrdtool fetch prints the rows that Choose and Grid say it prints.
func TestChoosesLikeRRDtool(t *testing.T) {
	r := startTool(t)
	rng := rand.New(rand.NewPCG(7, 7))
	asked := 0
	for number := range lab.Repeat(t, "LVS_RRDS", randomDatabases) / 5 {
		d := randomDatabase(number)
		f := Function(rng.IntN(4))
		for i := range d.archives {
			if rng.IntN(3) > 0 { // several to choose from
				d.archives[i].function = f
			}
		}
		r.make(d)
		var archives []Archive
		for _, a := range d.archives {
			if a.function == f || a.per == 1 { // rows of one point are the same under all functions
				step := d.step * uint32(a.per)
				archives = append(archives, Archive{step, d.end(a) - uint32(a.rows)*step})
			}
		}
		if len(archives) == 0 {
			continue
		}
		for range 20 {
			asked++
			start, end, resolution := randomQuestion(rng, d, archives)
			step := archives[Choose(archives, start, resolution)].Step
			first, rows := Grid(start, end, step)
			var want []uint64
			for i := range rows {
				want = append(want, uint64(first)+uint64(i+1)*uint64(step))
			}
			if got := r.fetch(f, start, end, max(resolution, 1)); !slices.Equal(got, want) {
				t.Fatalf("database %d, %s from %d to %d at %d: rows end at %d, want %d (of archives %v)", number, functionNames[f], start, end, resolution, got, want, archives)
			}
		}
	}
	t.Logf("%d questions", asked)
	if asked == 0 {
		t.Error("nothing was asked")
	}
}

// randomQuestion is of a time around what the archives hold, on their edges as
// often as not, and of a resolution near one of theirs.
func randomQuestion(rng *rand.Rand, d *database, archives []Archive) (start, end, resolution uint32) {
	a := archives[rng.IntN(len(archives))]
	last := d.times[len(d.times)-1]
	start = a.First
	switch rng.IntN(4) {
	case 0:
		start += rng.Uint32N(3) - 1
	case 1:
		start += rng.Uint32N(last - a.First)
	case 2:
		start -= rng.Uint32N(10 * a.Step)
	}
	end = start + rng.Uint32N(20*a.Step+1)
	if rng.IntN(3) == 0 {
		end -= end % a.Step
	}
	if rng.IntN(3) > 0 {
		resolution = archives[rng.IntN(len(archives))].Step + rng.Uint32N(3) - 1
	} else {
		resolution = rng.Uint32N(2 * a.Step)
	}
	return start, max(start, end), resolution
}
