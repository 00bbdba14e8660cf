package collector

import (
	"slices"
	"testing"
	"time"
)

// at is a wall clock's time in seconds.
func at(sec float64) time.Time { return time.Unix(0, int64(sec*1e9)) }

func TestGridDue(t *testing.T) {
	tests := []struct {
		name    string
		at      int64 // dealt with last
		wall    float64
		elapsed time.Duration
		due     bool
		point   int64
		missed  int64
		wait    time.Duration
	}{
		{"on time", 100, 110, 10 * time.Second, true, 110, 0, 0},
		{"early by the wall clock", 100, 109.999, 10 * time.Second, false, 100, 0, time.Millisecond},
		{"far off, the clock is looked at every second", 100, 103, 3 * time.Second, false, 100, 0, time.Second},
		{"late", 100, 114.9, 15 * time.Second, true, 110, 0, 0},
		{"too late to stand for it", 100, 115.1, 15 * time.Second, false, 110, 1, 0},
		{"some went by", 100, 132, 32 * time.Second, true, 130, 2, 0},
		{"set forward by an hour", 100, 3710, 10 * time.Second, true, 3710, 1, 0},
		{"set back within the interval", 100, 96, 5 * time.Second, false, 100, 0, time.Second},
		{"set back", 100, 63, 5 * time.Second, false, 60, 0, time.Second},
		{"before 1970", -100, -89, 10 * time.Second, true, -90, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := &grid{interval: 10, at: tt.at}
			due, missed, wait := g.due(at(tt.wall), tt.elapsed)
			if due != tt.due || g.at != tt.point || missed != tt.missed || wait != tt.wait {
				t.Errorf("due %v at %d, missed %d, wait %v; want %v at %d, %d, %v", due, g.at, missed, wait, tt.due, tt.point, tt.missed, tt.wait)
			}
		})
	}
}

// labels gives out ticks for n points from the given one on; -1 is left out.
func labels(g *grid, from int64, n int) (ticks []int64) {
	for i := range int64(n) {
		g.at = from + i*g.interval
		tick, ok := g.label()
		if !ok {
			tick = -1
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

func TestGridLabel(t *testing.T) {
	tests := []struct {
		name       string
		last, from int64
		want       []int64
	}{
		{"forward", 100, 110, []int64{110, 120}},
		{"the same point again", 100, 100, []int64{-1, 110}},
		{"a short gap after a small step back", 100, 80, []int64{-1, -1, -1, 110, 120}},
		{"on and on after a great one", 1000, 100, []int64{1010, 1020, 1030, 1040, 1050, 1060, 1070, 1080, 1090, -1, 1100}},
		{"the last tick is off this grid", 1003, 100, []int64{1010, 1020}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := &grid{interval: 10, last: tt.last}
			if got := labels(g, tt.from, len(tt.want)); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestGridCatchesUp sets the clock back by an hour: ticks must be the clock's own
// again in the end, after ten hours at most, and ascend all the while.
func TestGridCatchesUp(t *testing.T) {
	g := newGrid(10 * time.Second)
	g.last = 7200
	last, left := int64(7200), 0
	for point := int64(3600); ; point += 10 {
		g.at = point
		tick, ok := g.label()
		if !ok {
			left++
			continue
		}
		if tick <= last || tick%10 != 0 {
			t.Fatalf("tick %d after %d", tick, last)
		}
		last = tick
		if tick == point {
			if point > 3600+10*3600 || left > 362 {
				t.Errorf("caught up after %d s, %d left out", point-3600, left)
			}
			return
		}
	}
}
