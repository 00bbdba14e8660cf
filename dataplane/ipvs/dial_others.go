//go:build !linux

package ipvs

import (
	"fmt"
	"runtime"

	"github.com/mdlayher/netlink"

	"lvs/dataplane"
)

// A namespace is where the sockets of a Client are opened; here there is none.
type namespace struct{}

var errPlatform = fmt.Errorf("ipvs: %s/%s has no IPVS, which is Linux's: %w", runtime.GOOS, runtime.GOARCH, dataplane.ErrNotSupported)

func openNamespace(string) (*namespace, error) { return nil, errPlatform }

func (*namespace) current() (int, error)                       { return 0, errPlatform }
func (*namespace) dial() (*netlink.Conn, error)                { return nil, errPlatform }
func (*namespace) epoch(*netlink.Conn, uint16) (string, error) { return "", errPlatform }
func (*namespace) close() error                                { return nil }
