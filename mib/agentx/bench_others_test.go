//go:build !linux

package agentx

import (
	"testing"
	"time"
)

// threadCPU is the time on the wall where a thread's own is not to be had.
func threadCPU(*testing.B) int64 { return time.Now().UnixNano() }
