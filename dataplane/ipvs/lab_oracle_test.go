//go:build lab && linux

package ipvs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	moby "github.com/moby/ipvs"

	"lvs/dataplane"
)

// Another client of the same kernel, which shares no code with ours, reads the rich
// table, and what it writes we read. Known not to agree: it reads weights modulo
// 65536 and connections and packets modulo 2^32, gives an IPv4 netmask in network
// order, has no persistence engine when reading, and knows no tunnels.
func TestLabAnotherClientAgrees(t *testing.T) {
	c := labClient(t, Config{})
	runWith(t, readText(t, filepath.Join(fixtures, "rich/S-n.txt")), "ipvsadm -R")
	run(t, "ipvsadm -a -t 10.1.0.100:80 -r 10.2.0.15:80 -m -w 65543")
	h, err := moby.New("")
	must(t, err)
	defer h.Close()
	theirs, err := h.GetServices()
	must(t, err)
	ours := snapshot(t, c).Services
	if len(theirs) != len(ours) {
		t.Fatalf("they have %d services, we %d", len(theirs), len(ours))
	}
	for i := range ours {
		s := &ours[i]
		if want, got := theirService(theirs[i]), ourService(s); want != got {
			t.Errorf("theirs %s\n  ours %s", want, got)
		}
		dests, err := h.GetDestinations(theirs[i])
		must(t, err)
		if len(dests) != len(s.Reals) {
			t.Fatalf("%v: they have %d real servers, we %d", s.Key, len(dests), len(s.Reals))
		}
		for j := range s.Reals {
			if want, got := theirReal(dests[j]), ourReal(&s.Reals[j]); want != got {
				t.Errorf("%v: theirs %s\n  ours %s", s.Key, want, got)
			}
		}
	}
	cfg, err := h.GetConfig()
	must(t, err)
	if got, err := c.Timeouts(t.Context()); err != nil || got != (dataplane.Timeouts{TCP: cfg.TimeoutTCP, TCPFin: cfg.TimeoutTCPFin, UDP: cfg.TimeoutUDP}) {
		t.Errorf("timeouts %+v, %v; theirs %+v", got, err, cfg)
	}

	must(t, c.Flush(t.Context()))
	svc := &moby.Service{AddressFamily: afINET6, Protocol: 17, Address: net.ParseIP("2001:db8::1"), Port: 53, SchedName: "sh",
		Flags: uint32(dataplane.FlagPersistent), Timeout: 77, Netmask: 64}
	must(t, h.NewService(svc))
	must(t, h.NewDestination(svc, &moby.Destination{AddressFamily: afINET6, Address: net.ParseIP("2001:db8::2"), Port: 5353, Weight: 9,
		ConnectionFlags: uint32(dataplane.Route), UpperThreshold: 8, LowerThreshold: 4}))
	s := snapshot(t, c).Services[0]
	want := dataplane.Service{Key: mustKey("udp/[2001:db8::1]:53"), Scheduler: "sh", Flags: dataplane.FlagPersistent | dataplane.FlagHashed,
		Timeout: 77 * time.Second, Netmask: dataplane.Mask6(64)}
	real := dataplane.RealServer{RIP: rip("[2001:db8::2]:5353"), Method: dataplane.Route, Weight: 9, UpperThreshold: 8, LowerThreshold: 4}
	if s.Service != want || s.Reals[0].RealServer != real {
		t.Errorf("they wrote %+v %+v\nwe read %+v %+v", want, real, s.Service, s.Reals[0].RealServer)
	}
}

func ourService(s *dataplane.ServiceState) string {
	var mask [4]byte
	binary.BigEndian.PutUint32(mask[:], s.Netmask.Uint32())
	raw := binary.NativeEndian.Uint32(mask[:])
	if s.Key.Family == dataplane.INET6 {
		raw = s.Netmask.Uint32()
	}
	addr := "<nil>"
	if !s.Key.IsMark() {
		addr = s.Key.VIP.Addr().String()
	}
	return fmt.Sprintln(af(s.Key.Family), uint16(s.Key.Protocol), addr, s.Key.VIP.Port(), s.Key.FWMark, s.Scheduler,
		uint32(s.Flags), s.Timeout.Seconds(), raw, uint32(s.Kernel.Connections), uint32(s.Kernel.InPackets),
		uint32(s.Kernel.OutPackets), s.Kernel.InBytes, s.Kernel.OutBytes)
}

func theirService(s *moby.Service) string {
	return fmt.Sprintln(s.AddressFamily, s.Protocol, s.Address, s.Port, s.FWMark, s.SchedName,
		s.Flags, float64(s.Timeout), s.Netmask, s.Stats.Connections, s.Stats.PacketsIn, s.Stats.PacketsOut, s.Stats.BytesIn, s.Stats.BytesOut)
}

func ourReal(r *dataplane.RealState) string {
	return fmt.Sprintln(af(r.Family()), r.RIP.Addr(), r.RIP.Port(), uint16(r.Weight), uint32(r.Method), r.UpperThreshold, r.LowerThreshold,
		r.Active, r.Inactive, uint32(r.Kernel.Connections), r.Kernel.InBytes, r.Kernel.OutBytes)
}

func theirReal(d *moby.Destination) string {
	return fmt.Sprintln(d.AddressFamily, d.Address, d.Port, d.Weight, d.ConnectionFlags, d.UpperThreshold, d.LowerThreshold,
		d.ActiveConnections, d.InactiveConnections, d.Stats.Connections, d.Stats.BytesIn, d.Stats.BytesOut)
}

// The kernel takes services that have no name in our words; they do not cost us the
// others.
func TestLabServicesWithoutANameAreLeftOut(t *testing.T) {
	c := labClient(t, Config{})
	must(t, c.AddService(t.Context(), dataplane.Service{Key: testKey(1), Scheduler: "rr"}))
	for _, protocol := range []uint16{0, 300} {
		must(t, c.control.do(t.Context(), func(ctx context.Context, s *session) error {
			e := s.request(cmdNewService)
			e.service(dataplane.Service{Key: testKey(2), Scheduler: "rr"})
			binary.NativeEndian.PutUint16(e.b[findAttr(t, e.b, attrService, svcProtocol)+nlaHeader:], protocol)
			return s.exchange(ctx, e, netlink.Acknowledge, func([]byte) error { return nil })
		}))
	}
	run(t, "ipvsadm -A -t [::ffff:10.0.0.1]:80 -s rr")
	run(t, "ipvsadm -A -t [2001:db8::1]:80 -s rr; ipvsadm -a -t [2001:db8::1]:80 -r [::ffff:10.0.0.2]:80 -m; ipvsadm -a -t [2001:db8::1]:80 -r [2001:db8::2]:80 -m")
	s := snapshot(t, c)
	if len(s.Services) != 2 || s.RealServers() != 1 || s.Inconsistent != 0 {
		t.Errorf("%d services, %d real servers, %d inconsistent; want 2, 1, 0", len(s.Services), s.RealServers(), s.Inconsistent)
	}
	must(t, c.Flush(t.Context()))
}

// On a real socket: what never comes is waited for until the deadline or the end of
// the context, and no longer.
func TestLabNothingIsWaitedForLongerThanAsked(t *testing.T) {
	wait := func(ctx context.Context, c *Client) (error, time.Duration) {
		begin := time.Now()
		return c.read.do(ctx, func(ctx context.Context, s *session) error {
			return s.receive(ctx, 0, s.family, func(netlink.Message) error { return nil })
		}), time.Since(begin)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err, took := wait(ctx, labClient(t, Config{Timeout: patience})); !errors.Is(err, context.Canceled) { // else the timeout had ended it
		t.Errorf("cancelled: %v after %v", err, took)
	}
	c := labClient(t, Config{Timeout: 2 * time.Second})
	if err, took := wait(t.Context(), c); !errors.Is(err, os.ErrDeadlineExceeded) || took < 2*time.Second {
		t.Errorf("no answer: %v after %v", err, took)
	}
	snapshot(t, c)
}
