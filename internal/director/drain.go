package director

import (
	"net/netip"
	"slices"
	"time"

	"lvs/dataplane"
)

// A Drain is a removal by quiescing under way.
type Drain struct {
	Service dataplane.ServiceKey `json:"service"`
	// Real is the zero AddrPort where the whole service is removed.
	Real  netip.AddrPort `json:"real,omitzero"`
	Since time.Time      `json:"since"`
	// Deadline is when it is deleted whatever its connections; zero is never.
	Deadline time.Time `json:"deadline,omitzero"`
	// Connections, active and inactive, that are left.
	Connections uint64 `json:"connections"`
}

// drains are the removals under way. What is wanted again drops out; what is
// gone, too.
type drains map[object]Drain

// hold is want, and besides it, with weight 0, what Diff would delete from have
// but quiescing keeps for now. All are sorted.
func (m drains) hold(want *Spec, have *dataplane.Snapshot, b *base, now time.Time) *Spec {
	out := *want
	out.Services = slices.Clone(want.Services)
	kept := map[object]bool{}
	for i := range out.Services {
		w := &out.Services[i]
		h := have.Service(w.Key)
		if h == nil || !w.Quiesce.Enabled {
			continue
		}
		if reals := m.holdReals(w, h, kept, now); len(reals) > 0 {
			w.Reals = slices.Concat(w.Reals, reals)
			slices.SortFunc(w.Reals, compareReals)
		}
	}
	for i := range have.Services {
		h := &have.Services[i]
		if want.service(h.Key) != nil {
			continue
		}
		q := want.Quiesce
		if known := b.services[h.Key]; known != nil {
			q = known.quiesce
		} else if !want.Exclusive {
			continue
		}
		if !q.Enabled || m.done(object{service: h.Key}, h.Reals, q, kept, now) {
			continue
		}
		out.Services = append(out.Services, Service{Service: h.Service, Quiesce: q, Reals: quiesced(h.Reals)})
	}
	for o := range m {
		if !kept[o] {
			delete(m, o)
		}
	}
	slices.SortFunc(out.Services, func(a, b Service) int { return a.Key.Compare(b.Key) })
	return &out
}

// holdReals are the real servers of have that w does not want, and that drain.
func (m drains) holdReals(w *Service, have *dataplane.ServiceState, kept map[object]bool, now time.Time) (out []dataplane.RealServer) {
	for i := range have.Reals {
		one := have.Reals[i : i+1]
		if w.real(one[0].RIP) == nil && !m.done(object{service: w.Key, rip: one[0].RIP}, one, w.Quiesce, kept, now) {
			out = append(out, quiesced(one)...)
		}
	}
	return out
}

// done reports whether what drains may be deleted, and begins its draining.
func (m drains) done(o object, reals []dataplane.RealState, q Quiesce, kept map[object]bool, now time.Time) bool {
	d, draining := m[o]
	if !draining {
		d = Drain{Service: o.service, Real: o.rip, Since: now}
	}
	d.Deadline = time.Time{}
	if q.Limit > 0 {
		d.Deadline = d.Since.Add(q.Limit)
	}
	d.Connections = 0
	empty := true
	for i := range reals {
		d.Connections += uint64(reals[i].Active) + uint64(reals[i].Inactive)
		// While its weight is not 0 the next connection may come at any time.
		empty = empty && reals[i].Weight == 0
	}
	m[o], kept[o] = d, true
	return empty && d.Connections == 0 || q.Limit > 0 && !now.Before(d.Deadline)
}

func quiesced(reals []dataplane.RealState) []dataplane.RealServer {
	out := make([]dataplane.RealServer, len(reals))
	for i := range reals {
		out[i] = reals[i].RealServer
		out[i].Weight = 0
	}
	return out
}
