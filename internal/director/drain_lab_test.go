//go:build lab

package director

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"lvs/dataplane"
)

// A connection of the kernel's own keeps its real server until it expires.
func TestLabQuiescingWaitsForTheKernelsConnections(t *testing.T) {
	for _, command := range []string{
		"ip link add drain0 type dummy", "ip link set drain0 up",
		"ip address add 10.0.0.254/24 dev drain0", "ip address add 192.0.2.10/32 dev drain0",
	} {
		args := strings.Fields(command)
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
	}
	r := newKernelRig(t)
	dns := service(key("udp/192.0.2.10:53"), dataplane.RealServer{RIP: rip("10.0.0.1:53"), Weight: 1})
	dns.Quiesce = Quiesce{Enabled: true, Limit: time.Minute}
	spec := &Spec{Services: []Service{dns}, Timeouts: dataplane.Timeouts{UDP: 6 * time.Second}}
	if err := r.a.Apply(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("udp", "192.0.2.10:53")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	if n := read(t, r.table).Services[0].Reals[0].Inactive; n != 1 {
		t.Fatalf("%d inactive connections after a datagram, want 1", n)
	}
	without := dns
	without.Reals = nil
	if err := r.a.Apply(t.Context(), &Spec{Services: []Service{without}, Timeouts: spec.Timeouts}); err != nil {
		t.Fatal(err)
	}
	r.saved("-A -u 192.0.2.10:53 -s wlc", "-a -u 192.0.2.10:53 -r 10.0.0.1:53 -m -w 0")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.a.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	for deadline := time.Now().Add(3 * time.Minute); len(read(t, r.table).Services[0].Reals) > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("the real server is still there; draining is %+v", r.a.Status().Draining)
		}
		time.Sleep(200 * time.Millisecond) // the kernel's time is not ours to turn
	}
	r.saved("-A -u 192.0.2.10:53 -s wlc")
}
