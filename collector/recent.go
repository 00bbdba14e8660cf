package collector

import "time"

// recentSpan is the least time that the connections of late are counted over, and
// twice that the most.
const recentSpan = time.Minute

// recent counts the connections of late. All real servers are marked at the same
// samples, so that their counts are of one time.
type recent struct {
	gen        int64 // of the last sample it was in
	from, next uint64
}

// count is what the total has grown by since the mark before the last, or since the
// entry came to the table or the agent was started, if that was later.
func (r *recent) count(gen int64, total uint64, mark bool) uint64 {
	if r.gen != gen-1 {
		r.from, r.next = total, total
	}
	r.gen = gen
	n := total - r.from
	if mark {
		r.from, r.next = r.next, total
	}
	return n
}

// markRecent reports whether the sample taken at now is one that counts of late
// are marked at.
func (c *Continuity) markRecent(now time.Time) bool {
	if since := now.Sub(c.marked); since >= 0 && since < recentSpan {
		return false
	}
	c.marked = now
	return true
}
