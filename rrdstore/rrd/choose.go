package rrd

// An Archive is consolidated rows of one step, RRDtool's RRA: as much of it as the
// choice between several needs.
type Archive struct {
	Step  uint32 // of its rows, seconds
	First uint32 // when its oldest row begins, seconds since 1970
}

// Choose is which of the archives rrdtool fetch reads for rows from start on in
// steps of resolution seconds, -1 if there are none: of those that reach back to
// start the one whose step is nearest to resolution, otherwise the one that
// reaches back furthest, and the first where they are equal. Resolution 0 is 1.
// When the rows and the archives end is of no account to RRDtool, for all its
// archives end at the last update.
func Choose(archives []Archive, start, resolution uint32) int {
	best := -1
	for i, a := range archives {
		if best < 0 || a.before(archives[best], start, max(resolution, 1)) {
			best = i
		}
	}
	return best
}

// before reports whether a answers better than b.
func (a Archive) before(b Archive, start, resolution uint32) bool {
	// All that reach back to start reach back equally far.
	if a, b := max(a.First, start), max(b.First, start); a != b {
		return a < b
	}
	return a.off(resolution) < b.off(resolution)
}

// off is how far the archive's step is from the resolution.
func (a Archive) off(resolution uint32) uint32 {
	return max(a.Step, resolution) - min(a.Step, resolution)
}

// Grid is which rows of a step rrdtool fetch prints for the time from start to
// end: rows of them, the first of which begins at first. That is start rounded
// down, and the last row ends after end even where end is a multiple of step, so
// RRDtool's last row is unknown when end is now. A step of 0 has no rows, nor has
// an end before the start.
func Grid(start, end, step uint32) (first uint32, rows int) {
	if step == 0 || end < start {
		return start, 0
	}
	first = start - start%step
	return first, int((uint64(end)-uint64(first))/uint64(step)) + 1
}
