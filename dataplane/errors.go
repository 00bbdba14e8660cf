package dataplane

import "errors"

// ErrNotSupported is returned (wrapped, with what to do) when this machine's
// kernel, or this platform, has no such dataplane. Match it with errors.Is.
var ErrNotSupported = errors.New("not supported")
