package director

import (
	"net/netip"
	"slices"

	"lvs/dataplane"
)

// A base is what the kernel last took from the director: the third state beside
// what is wanted and what is there. See the package's comment.
type base struct {
	// epoch is the life of the kernel's table it belongs to.
	epoch    string
	services map[dataplane.ServiceKey]*baseService
	timeouts dataplane.Timeouts
	daemons  map[dataplane.SyncRole]dataplane.SyncDaemon
}

type baseService struct {
	dataplane.Service
	quiesce Quiesce
	// reals are those the director applied, those it is removing, and those it
	// found when it first took the service over.
	reals map[netip.AddrPort]dataplane.RealServer
}

func newBase(epoch string) *base {
	return &base{
		epoch:    epoch,
		services: map[dataplane.ServiceKey]*baseService{},
		daemons:  map[dataplane.SyncRole]dataplane.SyncDaemon{},
	}
}

// owned is what the director may remove.
func (b *base) owned() Owned {
	o := Owned{Services: map[dataplane.ServiceKey]bool{}, Daemons: map[dataplane.SyncRole]bool{}}
	for key := range b.services {
		o.Services[key] = true
	}
	for role := range b.daemons {
		o.Daemons[role] = true
	}
	return o
}

// yield is want without what others changed since the kernel took it: so much
// of it is the director's to apply even where it does not enforce. want and have
// are sorted, and the result is.
func (b *base) yield(want *Spec, have *dataplane.Snapshot) *Spec {
	out := *want
	out.Exclusive = false // what others added stays
	out.Timeouts = b.yieldTimeouts(want.Timeouts)
	out.Daemons = b.yieldDaemons(want.Daemons, have.Director.Daemons)
	out.Services = nil
	for i := range want.Services {
		w := &want.Services[i]
		known, h := b.services[w.Key], have.Service(w.Key)
		switch {
		case known == nil:
			out.Services = append(out.Services, *w)
		case h == nil && normalService(known.Service) == normalService(w.Service):
			// Deleted by hand.
		case h == nil:
			out.Services = append(out.Services, *w)
		default:
			out.Services = append(out.Services, known.yield(w, h))
		}
	}
	return &out
}

func (b *base) yieldTimeouts(want dataplane.Timeouts) dataplane.Timeouts {
	if want.TCP == b.timeouts.TCP {
		want.TCP = 0
	}
	if want.TCPFin == b.timeouts.TCPFin {
		want.TCPFin = 0
	}
	if want.UDP == b.timeouts.UDP {
		want.UDP = 0
	}
	return want
}

// yieldDaemons wants what runs, or does not, of a role the configuration did not
// change since.
func (b *base) yieldDaemons(want, have []dataplane.SyncDaemon) (out []dataplane.SyncDaemon) {
	for _, w := range want {
		if known, ok := b.daemons[w.Role]; !ok || known != w {
			out = append(out, w)
		} else if h, running := daemonOf(have, w.Role); running {
			out = append(out, h)
		}
	}
	return out
}

// yield is base.yield for one service that is there.
func (k *baseService) yield(w *Service, have *dataplane.ServiceState) Service {
	out := *w
	if normalService(w.Service) != normalService(have.Service) {
		out.Service = merge(serviceFields, normalService(w.Service), normalService(k.Service), normalService(have.Service))
	}
	// Mostly nothing was touched, and then nothing is copied.
	touched := false
	reals := make([]dataplane.RealServer, 0, len(w.Reals))
	for _, r := range w.Reals {
		known, applied := k.reals[r.RIP]
		h := have.Real(r.RIP)
		switch {
		case !applied:
		case h == nil && normalReal(known) == normalReal(r):
			touched = true
			continue // deleted by hand
		case h != nil && normalReal(h.RealServer) != normalReal(r):
			touched = true
			r = merge(realFields, normalReal(r), normalReal(known), normalReal(h.RealServer))
		}
		reals = append(reals, r)
	}
	for i := range have.Reals {
		h := &have.Reals[i]
		if _, applied := k.reals[h.RIP]; !applied && w.real(h.RIP) == nil {
			touched = true
			reals = append(reals, h.RealServer) // added by hand
		}
	}
	if touched {
		slices.SortFunc(reals, compareReals)
		out.Reals = reals
	}
	return out
}

// An outcome is what became of the changes made to a table.
type outcome struct {
	have         *dataplane.Snapshot // the table before
	held         *Spec               // what it was brought to: want, and what drains
	failed, gone map[object]bool     // what was refused, and what was deleted
}

// settle takes into the base what the kernel has from want now: everything but
// what failed.
func (b *base) settle(want *Spec, o *outcome) {
	if !o.failed[object{}] {
		b.timeouts = want.Timeouts
	}
	b.settleDaemons(want, o)
	for i := range want.Services {
		if w := &want.Services[i]; !o.failed[object{service: w.Key}] {
			b.settleService(w, o)
		}
	}
	for key, k := range b.services {
		if want.service(key) != nil {
			continue
		}
		if o.have.Service(key) == nil || o.gone[object{service: key}] {
			delete(b.services, key)
		} else if held := o.held.service(key); held != nil {
			k.settleDrains(held, o.failed)
		}
	}
}

func (b *base) settleDaemons(want *Spec, o *outcome) {
	for _, w := range want.Daemons {
		if !o.failed[object{role: w.Role}] {
			b.daemons[w.Role] = w
		}
	}
	for role := range b.daemons {
		_, wanted := daemonOf(want.Daemons, role)
		_, running := daemonOf(o.have.Director.Daemons, role)
		if !wanted && (!running || o.gone[object{role: role}]) {
			delete(b.daemons, role)
		}
	}
}

func (b *base) settleService(w *Service, o *outcome) {
	have := o.have.Service(w.Key)
	if have == nil {
		have = &dataplane.ServiceState{} // just added
	}
	k := b.services[w.Key]
	if k == nil {
		k = &baseService{reals: make(map[netip.AddrPort]dataplane.RealServer, len(w.Reals))}
		b.services[w.Key] = k
		for i := range have.Reals {
			if h := &have.Reals[i]; w.real(h.RIP) == nil {
				k.reals[h.RIP] = h.RealServer // taken over, to be removed
			}
		}
	}
	k.Service, k.quiesce = w.Service, w.Quiesce
	for rip := range k.reals {
		if w.real(rip) == nil && (have.Real(rip) == nil || o.gone[object{service: w.Key, rip: rip}]) {
			delete(k.reals, rip)
		}
	}
	if held := o.held.service(w.Key); held != nil {
		k.settleDrains(held, o.failed)
	}
	for _, r := range w.Reals {
		if !o.failed[object{service: w.Key, rip: r.RIP}] {
			k.reals[r.RIP] = r
		}
	}
}

// settleDrains notes the weight of what drains, so that it is a change of the
// configuration, not of somebody's hand, when it is wanted again.
func (k *baseService) settleDrains(held *Service, failed map[object]bool) {
	for _, r := range held.Reals {
		if _, ours := k.reals[r.RIP]; ours && !failed[object{service: held.Key, rip: r.RIP}] {
			k.reals[r.RIP] = r
		}
	}
}
