//go:build !linux

package agentxbench

import (
	"errors"
	"runtime"
	"time"
)

func (p *process) cpuTime() (time.Duration, error) {
	return 0, errors.New("CPU time of another process: not implemented on " + runtime.GOOS)
}
