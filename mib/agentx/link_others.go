//go:build !linux

package agentx

import (
	"net"
	"time"
)

// newLink takes conn over.
func newLink(conn net.Conn, timeout time.Duration) (link, error) {
	return &connLink{conn: conn, timeout: timeout}, nil
}
