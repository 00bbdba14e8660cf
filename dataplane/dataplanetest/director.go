package dataplanetest

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"lvs/dataplane"
)

// The kernel's timeouts unless others were set.
var defaultTimeouts = dataplane.Timeouts{TCP: 15 * time.Minute, TCPFin: 2 * time.Minute, UDP: 5 * time.Minute}

func (t *Table) effectiveTimeouts() dataplane.Timeouts { return override(defaultTimeouts, t.timeouts) }

func override(t, by dataplane.Timeouts) dataplane.Timeouts {
	if by.TCP != 0 {
		t.TCP = by.TCP
	}
	if by.TCPFin != 0 {
		t.TCPFin = by.TCPFin
	}
	if by.UDP != 0 {
		t.UDP = by.UDP
	}
	return t
}

// SetTimeouts sets those that are not zero.
func (t *Table) SetTimeouts(_ context.Context, to dataplane.Timeouts) error {
	return t.change("set timeouts", func() error {
		if max(to.TCP, to.TCPFin, to.UDP)/time.Second > math.MaxInt32/1000 {
			return syscall.EINVAL
		}
		t.timeouts = override(t.timeouts, to)
		return nil
	})
}

// StartDaemon starts a sync daemon; every interface but "" and "nosuch0" exists.
func (t *Table) StartDaemon(_ context.Context, d dataplane.SyncDaemon) error {
	return t.change(fmt.Sprintf("start %v sync daemon", d.Role), func() error {
		switch {
		case slices.ContainsFunc(t.daemons, func(o dataplane.SyncDaemon) bool { return o.Role == d.Role }):
			return fs.ErrExist
		case d.Interface == "" || d.Interface == "nosuch0":
			return fs.ErrNotExist
		case t.mixed():
			return syscall.EINVAL
		}
		if d.MaxLen == 0 {
			d.MaxLen = 1472
		}
		if !d.Group.IsValid() {
			d.Group = netip.AddrFrom4([4]byte{224, 0, 0, 81})
		}
		if d.Port == 0 {
			d.Port = 8848
		}
		if d.TTL == 0 {
			d.TTL = 1
		}
		t.daemons = append(t.daemons, d)
		return nil
	})
}

// mixed reports a real server of another family than its service's.
func (t *Table) mixed() bool {
	for _, s := range t.services {
		for _, r := range s.reals {
			if r.Family() != s.Key.Family {
				return true
			}
		}
	}
	return false
}

// StopDaemon stops the sync daemon of a role.
func (t *Table) StopDaemon(_ context.Context, role dataplane.SyncRole) error {
	return t.change(fmt.Sprintf("stop %v sync daemon", role), func() error {
		n := len(t.daemons)
		t.daemons = slices.DeleteFunc(t.daemons, func(d dataplane.SyncDaemon) bool { return d.Role == role })
		if len(t.daemons) == n {
			return fs.ErrNotExist
		}
		return nil
	})
}

// Connect makes n new connections through a service: they go to its real server
// of that RIP and stay active. It panics where the Table has no such thing.
func (t *Table) Connect(key dataplane.ServiceKey, rip netip.AddrPort, n uint32) {
	t.traffic(key, rip, func(s *service, r *dataplane.RealState) {
		r.Active += n
		c := dataplane.Counters{Connections: uint64(n), InPackets: 5 * uint64(n), InBytes: 300 * uint64(n)}
		if !r.Method.RepliesBypass() {
			c.OutPackets, c.OutBytes = 4*uint64(n), 800*uint64(n)
		}
		r.Kernel, s.counters = r.Kernel.Add(c), s.counters.Add(c)
	})
}

// Disconnect ends n active connections, which stay a while as inactive ones.
func (t *Table) Disconnect(key dataplane.ServiceKey, rip netip.AddrPort, n uint32) {
	t.traffic(key, rip, func(_ *service, r *dataplane.RealState) {
		r.Active -= n
		r.Inactive += n
	})
}

// Expire forgets all inactive connections of a real server.
func (t *Table) Expire(key dataplane.ServiceKey, rip netip.AddrPort) {
	t.traffic(key, rip, func(_ *service, r *dataplane.RealState) { r.Inactive = 0 })
}

// Zero clears the counters of those services, or of all if none is named, as
// ipvsadm -Z does: their real servers' too, but not of those in the trash. It panics
// where the Table has no such service.
func (t *Table) Zero(keys ...dataplane.ServiceKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.services {
		if len(keys) == 0 || slices.Contains(keys, s.Key) {
			s.counters = dataplane.Counters{}
			for _, r := range s.reals {
				r.Kernel = dataplane.Counters{}
			}
		}
	}
	for _, k := range keys {
		if _, err := t.find(k); err != nil {
			panic(err)
		}
	}
}

func (t *Table) traffic(key dataplane.ServiceKey, rip netip.AddrPort, f func(*service, *dataplane.RealState)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, err := t.find(key)
	if err != nil {
		panic(err)
	}
	i, err := s.find(rip)
	if err != nil {
		panic(err)
	}
	f(s, s.reals[i])
}
