//go:build !linux

package usm

import "time"

// newClock is a clock that nobody sets.
func newClock() func() time.Duration { return monotonic() }
