package rrdstore

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrClosed is returned by every method of a closed Store or Reader.
	ErrClosed = errors.New("store is closed")

	// ErrLocked is matched by a [*LockedError].
	ErrLocked = errors.New("store is in use")

	// ErrDamaged is matched by a [*DamagedError], and by what is returned when a
	// single record does not decode.
	ErrDamaged = errors.New("store is damaged")

	// ErrNewer is returned for a file, or a record, of a newer version than this
	// program knows. The file is left as it is.
	ErrNewer = errors.New("store was written by a newer version of this program")

	// ErrTick is matched by a [*TickError].
	ErrTick = errors.New("tick cannot be stored")

	// ErrNotExist is returned by OpenReader where there is no store.
	ErrNotExist = errors.New("there is no store")
)

// A LockedError is returned when another process owns the store.
type LockedError struct {
	Dir string
	PID int // of the owner; zero when it did not say
}

// Error names the directory and the owner.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("store %s is in use by another process", e.Dir)
	}
	return fmt.Sprintf("store %s is in use by process %d", e.Dir, e.PID)
}

// Is matches [ErrLocked].
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// A DamagedError is returned when a file cannot be used as a store.
type DamagedError struct {
	Path string
	Err  error // what is wrong, and where
}

// Error names the file and what is wrong in it.
func (e *DamagedError) Error() string { return fmt.Sprintf("%s is damaged: %v", e.Path, e.Err) }

// Is matches [ErrDamaged].
func (e *DamagedError) Is(target error) bool { return target == ErrDamaged }

// Unwrap is what is wrong.
func (e *DamagedError) Unwrap() error { return e.Err }

// A TickError is returned by Commit for a tick that is not after the last one
// stored, or that is no whole second of the years 1970 to 2106.
type TickError struct{ Tick, Last time.Time }

// Error names both ticks.
func (e *TickError) Error() string {
	if e.Last.IsZero() {
		return fmt.Sprintf("tick %s cannot be stored", e.Tick.UTC().Format(time.RFC3339Nano))
	}
	return fmt.Sprintf("tick %s is not after the last one, %s",
		e.Tick.UTC().Format(time.RFC3339Nano), e.Last.UTC().Format(time.RFC3339))
}

// Is matches [ErrTick].
func (e *TickError) Is(target error) bool { return target == ErrTick }

func isNewer(err error) bool { return errors.Is(err, ErrNewer) }
