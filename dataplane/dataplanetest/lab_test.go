//go:build lab

package dataplanetest

import (
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/dataplane/ipvs"
)

func TestLabKernelConforms(t *testing.T) {
	Conformance(t, func(t *testing.T) Director {
		c, err := ipvs.Dial(ipvs.Config{Timeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		clean := func() {
			if err := c.Flush(t.Context()); err != nil {
				t.Error(err)
			}
			for _, role := range []dataplane.SyncRole{dataplane.Master, dataplane.Backup} {
				_ = c.StopDaemon(t.Context(), role) // mostly none runs
			}
		}
		clean()
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
		return c
	})
}
