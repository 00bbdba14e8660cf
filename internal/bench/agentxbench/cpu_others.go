//go:build !linux

package agentxbench

import (
	"errors"
	"runtime"
	"time"
)

func (p *process) cpuTime() (time.Duration, error) {
	return 0, errors.New("the CPU time of another process is not known on " + runtime.GOOS)
}
