package usm

import "sync"

// maxReplays bounds how many requests are remembered: 27 a second for as long
// as a request may be repeated, in 256 KiB.
const maxReplays = 8192

// A replays remembers requests that must not be done twice, for as long as the
// time window would let them in again. The zero value is ready to use.
type replays struct {
	mu   sync.Mutex
	last map[[12]byte]int32 // by digest: the last engine time at which it would be let in
	next int32              // when it is worth looking for what can be forgotten
}

// add remembers a request and reports whether it is the first of its kind.
func (r *replays) add(digest [12]byte, sent, now int32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		r.last = map[[12]byte]int32{}
	}
	if _, again := r.last[digest]; again {
		return false
	}
	if len(r.last) >= maxReplays && now >= r.next {
		r.forget(now)
	}
	if len(r.last) >= maxReplays {
		return false
	}
	r.last[digest] = clamp(int64(sent) + window)
	return true
}

// forget drops what the time window keeps out by now. To look through a full
// table for every request would be dear, so it is done once a second.
func (r *replays) forget(now int32) {
	r.next = clamp(int64(now) + 1)
	for digest, last := range r.last {
		if last < now {
			delete(r.last, digest)
		}
	}
}
