package agent

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

const (
	// burst is how much of its rate a source may use at once.
	burst = 2 * int64(time.Second)
	// places is how many sources have an allowance of their own. Where more come
	// by than that, some share one: a table that gave each new source a full
	// allowance could be filled to have the old ones forgotten.
	places = 4096
)

// A limiter bounds what a source causes. It is safe for concurrent use.
type limiter struct {
	perRequest, perByte float64 // nanoseconds of allowance that one uses; 0 = no limit
	seed                maphash.Seed

	mu      sync.Mutex
	sources [places]allowance
}

// An allowance is used up as far as it lies in the future, in nanoseconds of a
// steady clock: it comes back by itself.
type allowance struct{ requests, bytes int64 }

func newLimiter(r Rate) *limiter {
	per := func(rate int) float64 {
		if rate <= 0 {
			return 0
		}
		return float64(time.Second) / float64(rate)
	}
	return &limiter{perRequest: per(r.Requests), perByte: per(r.Bytes), seed: maphash.MakeSeed()}
}

// source is whose allowance an address uses: its own, or for IPv6 that of the
// network whose addresses one machine may have all of.
func source(from netip.Addr) netip.Addr {
	if from.Is4() {
		return from
	}
	network, _ := from.WithZone("").Prefix(64) // the error is of another width
	return network.Addr()
}

// place is where the allowance of an address is.
func (l *limiter) place(from netip.Addr) *allowance {
	return &l.sources[maphash.Comparable(l.seed, source(from))%places]
}

// admit counts a request and reports whether it may be looked at. One of more
// octets than a frame has counts for more: it takes longer to look at.
func (l *limiter) admit(from netip.Addr, octets int, now int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.place(from)
	if a.requests-now > burst || a.bytes-now > burst {
		return false
	}
	a.requests = max(a.requests, now) + int64(l.perRequest*float64(1+octets/oneFrame))
	return true
}

// sent counts an answer of n octets.
func (l *limiter) sent(from netip.Addr, n int, now int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.place(from)
	a.bytes = max(a.bytes, now) + int64(float64(n)*l.perByte)
}
