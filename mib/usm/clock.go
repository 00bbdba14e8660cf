package usm

import "time"

// monotonic is Go's clock that nobody sets. On Linux it stands still while the
// machine is suspended.
func monotonic() func() time.Duration {
	began := time.Now()
	return func() time.Duration { return time.Since(began) }
}
