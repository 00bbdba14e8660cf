package notify

import "errors"

var (
	// ErrLater says that a target certainly did not take a notification now and
	// may do so later: it is away. The notification is kept, before those that
	// follow, and tried again.
	ErrLater = errors.New("not now")
	// ErrUnknown says that a notification was sent and nobody knows whether it
	// arrived. It is given up, so that none arrives twice.
	ErrUnknown = errors.New("not confirmed")
)
