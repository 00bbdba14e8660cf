//go:build !unix

package rrdstore

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

func lockDir(string, time.Duration) (*os.File, error) {
	return nil, fmt.Errorf("rrdstore: not supported on %s/%s, which has no flock", runtime.GOOS, runtime.GOARCH)
}

func ownerOf(*os.File) int { return 0 }
