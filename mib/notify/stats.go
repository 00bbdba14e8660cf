package notify

import "time"

// Stats are what became of a target's notifications. Of those enqueued, each
// is counted exactly once:
//
//	Enqueued = Sent + Coalesced + Full + Aged + Refused + Unknown + Suppressed + Stopped + Waiting
type Stats struct {
	Enqueued uint64
	// Waiting is how many are kept now.
	Waiting int
	// Sent were taken by the target. A trap is taken when it is on its way.
	Sent uint64
	// Coalesced were replaced by a later one of the same subject.
	Coalesced uint64
	// Full were dropped because too many waited, Aged because they waited too long.
	Full, Aged uint64
	// Refused were given up for good, Unknown because they may have arrived.
	Refused, Unknown uint64
	// Suppressed came or waited while notifications were switched off.
	Suppressed uint64
	// Stopped waited when the Queue was stopped, or came afterwards.
	Stopped uint64

	// Retries are tries after which a notification was kept for another one.
	Retries uint64
	// LastSent is when the latest was sent; zero is never.
	LastSent time.Time
	// LastError is the latest failure, and LastFailure when it was.
	LastError   error
	LastFailure time.Time
}

// Dropped are those that the target did not get although nobody wanted that.
func (s Stats) Dropped() uint64 { return s.Full + s.Aged + s.Refused + s.Unknown + s.Stopped }
