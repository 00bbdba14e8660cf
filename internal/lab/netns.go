package lab

import (
	"fmt"
	"sync/atomic"
	"testing"
)

var namespaces atomic.Uint32

// NetNS makes a network namespace with its loopback up, which has an IPVS of its
// own, and returns its name; it goes with the test. Its file is /run/netns/NAME.
func NetNS(t testing.TB) string {
	t.Helper()
	Guest(t)
	name := fmt.Sprintf("test%d", namespaces.Add(1))
	Run(t, "ip", "netns", "add", name)
	t.Cleanup(func() { Run(t, "ip", "netns", "delete", name) })
	Run(t, "ip", "-n", name, "link", "set", "lo", "up")
	return name
}

// InNetNS is the command line that runs argv in a namespace, for [Run].
func InNetNS(name string, argv ...string) []string {
	return append([]string{"ip", "netns", "exec", name}, argv...)
}
