package dataplanetest

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"lvs/dataplane"
)

// A Table is a director's table in memory. It refuses what the kernel refuses,
// keeps counters over edits and loses them as the kernel does, and lists in the
// kernel's order, which is none. It is safe for concurrent use; the zero Table is
// empty and ready. Source of its rules: net/netfilter/ipvs/ip_vs_ctl.c.
type Table struct {
	// Before, where set, is called before every change with what it is about to
	// do, "add service tcp/192.0.2.10:80", and may refuse it. Set it before use.
	Before func(call string) error

	mu       sync.Mutex
	services []*service
	trash    map[trashKey]*dataplane.RealState // deleted
	timeouts dataplane.Timeouts
	daemons  []dataplane.SyncDaemon
	epoch    int
	broken   error
	calls    []string
}

type service struct {
	dataplane.Service
	counters dataplane.Counters
	reals    []*dataplane.RealState
}

type trashKey struct {
	service dataplane.ServiceKey
	rip     netip.AddrPort
}

// Schedulers the Table knows.
var schedulers = []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh"}

// Calls are the changes asked for since the last time, refused ones as well.
func (t *Table) Calls() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	calls := t.calls
	t.calls = nil
	return calls
}

// Break makes every call fail with err until Break(nil).
func (t *Table) Break(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = err
}

// Reload empties the Table as unloading and loading ip_vs does.
func (t *Table) Reload() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.services, t.trash, t.daemons, t.timeouts = nil, nil, nil, dataplane.Timeouts{}
	t.epoch++
}

// change runs f as one change, under the lock.
func (t *Table) change(what string, f func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = append(t.calls, what)
	err := t.broken
	if err == nil && t.Before != nil {
		err = t.Before(what)
	}
	if err == nil {
		err = f()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Snapshot reads the Table.
func (t *Table) Snapshot(ctx context.Context) (*dataplane.Snapshot, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if t.broken != nil {
		return nil, t.broken
	}
	snap := &dataplane.Snapshot{Time: time.Now()}
	d := &snap.Director
	d.Version, d.ConnTableSize, d.Epoch = "1.2.1", 4096, fmt.Sprintf("epoch-%d", t.epoch)
	d.Timeouts, d.Daemons = t.effectiveTimeouts(), slices.Clone(t.daemons)
	for _, s := range t.services {
		state := dataplane.ServiceState{Service: s.Service}
		state.Kernel = s.counters
		for _, r := range slices.Backward(s.reals) { // newest first
			state.Reals = append(state.Reals, *r)
		}
		snap.Services = append(snap.Services, state)
	}
	return snap, nil
}

func (t *Table) find(key dataplane.ServiceKey) (*service, error) {
	for _, s := range t.services {
		if s.Key == key {
			return s, nil
		}
	}
	return nil, fmt.Errorf("no such service: %w", fs.ErrNotExist)
}

func (s *service) find(rip netip.AddrPort) (int, error) {
	i := slices.IndexFunc(s.reals, func(r *dataplane.RealState) bool { return r.RIP == rip })
	if i < 0 {
		return i, fmt.Errorf("no such real server: %w", fs.ErrNotExist)
	}
	return i, nil
}

func checkService(s *dataplane.Service) error {
	if !slices.Contains(schedulers, s.Scheduler) || s.PersistenceEngine != "" && s.PersistenceEngine != "sip" {
		return fmt.Errorf("no such scheduler or persistence engine: %w", fs.ErrNotExist)
	}
	if m := s.Netmask; s.Key.Family == dataplane.INET6 && !m.IsZero() && (m.Uint32() < 1 || m.Uint32() > 128) {
		return syscall.EINVAL
	}
	if s.Netmask.IsZero() {
		s.Netmask = dataplane.FullMask(s.Key.Family)
	}
	s.Flags |= dataplane.FlagHashed
	return nil
}

// AddService adds s.
func (t *Table) AddService(_ context.Context, s dataplane.Service) error {
	return t.change(fmt.Sprintf("add service %v", s.Key), func() error {
		if _, err := t.find(s.Key); err == nil {
			return fs.ErrExist
		}
		if err := checkService(&s); err != nil {
			return err
		}
		// Anywhere: the kernel's order is that of a hash.
		i := int(s.Key.VIP.Port()+uint16(s.Key.FWMark)) % (len(t.services) + 1)
		t.services = slices.Insert(t.services, i, &service{Service: s})
		return nil
	})
}

// EditService replaces the configuration of s.
func (t *Table) EditService(_ context.Context, s dataplane.Service) error {
	return t.change(fmt.Sprintf("edit service %v", s.Key), func() error {
		have, err := t.find(s.Key)
		if err != nil {
			return err
		}
		if err := checkService(&s); err != nil {
			return err
		}
		have.Service = s
		return nil
	})
}

// DeleteService deletes a service with its real servers.
func (t *Table) DeleteService(_ context.Context, key dataplane.ServiceKey) error {
	return t.change(fmt.Sprintf("delete service %v", key), func() error {
		s, err := t.find(key)
		if err != nil {
			return err
		}
		for _, r := range s.reals {
			r.Kernel = dataplane.Counters{} // as they come back with a service added anew
			t.bury(key, r)
		}
		t.services = slices.DeleteFunc(t.services, func(o *service) bool { return o == s })
		return nil
	})
}

func (t *Table) checkReal(s *service, r dataplane.RealServer) error {
	a := r.RIP.Addr()
	switch {
	case r.LowerThreshold > r.UpperThreshold || r.Weight > math.MaxInt32:
		return syscall.ERANGE
	case r.Family() != s.Key.Family && (r.Method != dataplane.Tunnel || len(t.daemons) > 0),
		a.IsUnspecified() || a.IsMulticast(),
		r.Method != dataplane.Tunnel && r.Encap != (dataplane.Encap{}),
		r.Method == dataplane.Tunnel && r.Encap.Type == dataplane.GUE && r.Encap.Port == 0:
		return syscall.EINVAL
	}
	return nil
}

// AddRealServer adds r to a service.
func (t *Table) AddRealServer(_ context.Context, key dataplane.ServiceKey, r dataplane.RealServer) error {
	return t.change(fmt.Sprintf("add real server %v of %v", r.RIP, key), func() error {
		s, err := t.find(key)
		if err != nil {
			return err
		}
		if err := t.checkReal(s, r); err != nil {
			return err
		}
		if _, err := s.find(r.RIP); err == nil {
			return fs.ErrExist
		}
		state := &dataplane.RealState{}
		if old := t.trash[trashKey{key, r.RIP}]; old != nil {
			state = old
			delete(t.trash, trashKey{key, r.RIP})
		}
		state.RealServer = r
		s.reals = append(s.reals, state)
		return nil
	})
}

// EditRealServer replaces the configuration of r.
func (t *Table) EditRealServer(_ context.Context, key dataplane.ServiceKey, r dataplane.RealServer) error {
	return t.change(fmt.Sprintf("edit real server %v of %v", r.RIP, key), func() error {
		s, err := t.find(key)
		if err != nil {
			return err
		}
		if err := t.checkReal(s, r); err != nil {
			return err
		}
		i, err := s.find(r.RIP)
		if err == nil {
			s.reals[i].RealServer = r
		}
		return err
	})
}

// DeleteRealServer deletes the real server with r's RIP.
func (t *Table) DeleteRealServer(_ context.Context, key dataplane.ServiceKey, r dataplane.RealServer) error {
	return t.change(fmt.Sprintf("delete real server %v of %v", r.RIP, key), func() error {
		s, err := t.find(key)
		if err != nil {
			return err
		}
		i, err := s.find(r.RIP)
		if err == nil {
			t.bury(key, s.reals[i])
			s.reals = slices.Delete(s.reals, i, i+1)
		}
		return err
	})
}

// bury keeps a deleted real server, with its counts: the kernel does so for two
// minutes at least, and as long as connections remember it.
func (t *Table) bury(key dataplane.ServiceKey, r *dataplane.RealState) {
	if t.trash == nil {
		t.trash = map[trashKey]*dataplane.RealState{}
	}
	t.trash[trashKey{key, r.RIP}] = r
}
