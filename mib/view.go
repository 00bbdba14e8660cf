package mib

import "lvs/dataplane"

// A view is a snapshot with all that is worked out of it once: the row that the
// scalars are columns of. Its index is 0.
type view struct {
	*dataplane.Snapshot
	sampled bool // there is a snapshot
	figures Figures

	services, reals, servers     int // rows
	omitted                      int
	realServers, available       int
	servicesUnavailable          int
	active, inactive, persistent uint64
}

// newView makes the view of a snapshot, which may be nil; its rows are not
// numbered yet.
func newView(snap *dataplane.Snapshot, f Figures) *view {
	v := &view{Snapshot: snap, sampled: snap != nil, figures: f}
	if !v.sampled {
		v.Snapshot = &dataplane.Snapshot{}
	}
	return v
}

// oneRow is the table of the scalars.
func oneRow(v *view) rows[*view] {
	return rows[*view]{index: &index{width: 1, packed: []uint64{0}}, of: []*view{v}}
}

// A serviceRow is a service with what its real servers come to together.
type serviceRow struct {
	*dataplane.ServiceState
	view                         *view
	key, label                   string
	status                       dataplane.Status
	available                    int
	weight                       uint64
	active, inactive, persistent uint64
}

// newServiceRow sums up a service.
func newServiceRow(v *view, s *dataplane.ServiceState) serviceRow {
	r := serviceRow{
		ServiceState: s, view: v, key: s.Key.String(), status: s.Status(), available: s.Available(), weight: s.Weight(),
	}
	r.active, r.inactive, r.persistent = s.Connections()
	r.label = r.key
	if s.Name != "" {
		r.label = s.Name
	}
	return r
}

// count adds a service to the sums of the director, which also those are part of
// that have no row.
func (v *view) count(r *serviceRow) {
	v.realServers += len(r.Reals)
	v.available += r.available
	if r.available == 0 {
		v.servicesUnavailable++
	}
	v.active, v.inactive, v.persistent = v.active+r.active, v.inactive+r.inactive, v.persistent+r.persistent
}

// A realRow is a real server and the service it is in.
type realRow struct {
	svc *serviceRow
	*dataplane.RealState
}
