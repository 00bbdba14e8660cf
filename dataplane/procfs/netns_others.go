//go:build !linux

package procfs

import (
	"fmt"
	"runtime"

	"lvs/dataplane"
)

func inNetNS(string, func() error) error {
	return fmt.Errorf("%w on %s: network namespaces are Linux's", dataplane.ErrNotSupported, runtime.GOOS)
}

// kernelHZ is unknown: the files read here are another machine's.
func kernelHZ() uint32 { return 0 }
