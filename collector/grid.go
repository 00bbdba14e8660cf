package collector

import (
	"math"
	"time"
)

// A grid tells when to read, and for which tick. Its points are the Unix seconds
// that the interval divides, by the wall clock; at most one tick is given out
// for each, and ticks only ever ascend.
//
// Where the wall clock was set back, its points come again, and no tick may be
// given out twice. Up to maxHeld points are then left out, which leaves a short
// gap. After a greater step history would stand still for as long as the step
// was, so ticks go on from the last one instead, one interval each and ahead of
// the clock; every tenth point is left out so that the clock catches up with
// them. A snapshot's Time is the clock's all the while.
type grid struct {
	interval int64 // seconds
	at       int64 // the point dealt with last
	last     int64 // the tick given out last; none is math.MinInt64
	ahead    int   // points since ticks run ahead of the clock
}

const (
	maxHeld  = 3
	healing  = 10
	noTick   = math.MinInt64
	lookBack = time.Second // longest sleep without a look at the wall clock
)

func newGrid(interval time.Duration) *grid {
	return &grid{interval: int64(interval / time.Second), last: noTick}
}

// floor is the last point at or before t.
func (g *grid) floor(t int64) int64 {
	m := t % g.interval
	if m < 0 {
		m += g.interval
	}
	return t - m
}

// start makes wall's own point the one dealt with last, and returns it.
func (g *grid) start(wall time.Time) int64 {
	g.at = g.floor(wall.Unix())
	return g.at
}

// reset changes the interval; the next point is the first of the new grid.
func (g *grid) reset(interval time.Duration, wall time.Time) {
	g.interval = int64(interval / time.Second)
	g.start(wall)
}

// due reports whether a point is due at wall, else how long to wait before
// asking again; elapsed is the monotonic time since a point was last dealt with.
// A point is not worth reading for once half the interval has passed. Missed is
// how many went by unread: by the monotonic clock, for those which a clock set
// forward leaps over were never there to be missed.
func (g *grid) due(wall time.Time, elapsed time.Duration) (due bool, missed int64, wait time.Duration) {
	point := g.floor(wall.Unix())
	half := time.Duration(g.interval) * time.Second / 2
	switch {
	case point > g.at:
		missed = (point-g.at)/g.interval - 1
		g.at = point
		due = wall.Sub(time.Unix(point, 0)) <= half
		if !due {
			missed++
		}
		return due, min(missed, int64(elapsed/time.Second)/g.interval), 0
	case point < g.at && time.Unix(g.at, 0).Sub(wall) > half:
		g.at = point // set back; less than half an interval is waited out
	}
	return false, 0, min(time.Unix(g.at+g.interval, 0).Sub(wall), lookBack)
}

// label is the tick to give out for the point at hand, or false if it is to be
// left out because the wall clock was set back.
func (g *grid) label() (tick int64, ok bool) {
	if g.at > g.last {
		g.ahead = 0
		g.last = g.at
		return g.at, true
	}
	if (g.last-g.at)/g.interval < maxHeld {
		return 0, false
	}
	g.ahead++
	if g.ahead%healing == 0 {
		return 0, false
	}
	g.last = g.floor(g.last) + g.interval
	return g.last, true
}
