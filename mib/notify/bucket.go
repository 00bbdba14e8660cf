package notify

import "time"

// A bucket limits a rate: in any span of time d it lets through at most
// burst + d/interval. It is the generic cell rate algorithm of ITU-T I.371, which
// counts in whole nanoseconds. The zero bucket lets everything through.
type bucket struct {
	interval time.Duration // between two, on average
	burst    int           // at once
	next     time.Time     // when the next is due if none may come early
}

func newBucket(rate float64, burst int) bucket {
	if rate <= 0 {
		return bucket{}
	}
	return bucket{interval: time.Duration(float64(time.Second) / rate), burst: max(burst, 1)}
}

// take lets one through and returns zero, or says how long to wait.
func (b *bucket) take(now time.Time) time.Duration {
	if b.next.Before(now) {
		b.next = now
	}
	if wait := b.next.Sub(now) - b.interval*time.Duration(b.burst-1); wait > 0 && b.interval > 0 {
		return wait
	}
	b.next = b.next.Add(b.interval)
	return 0
}
