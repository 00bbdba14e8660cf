package director

import "lvs/dataplane"

// Diff is the least number of requests that bring the kernel's table from have,
// which is sorted, to want; what is as wanted gets none. Things are edited where
// the kernel can, so that their counters live on. Of what want does not list,
// only what is owned is removed, or every service with want.Exclusive; of a
// listed service, every real server that want does not list.
//
// The order is safe while packets pass: real servers are added, then gain
// weight, before others lose it and go. Sync daemons stop first and start last,
// since the kernel refuses them beside real servers of another family.
func Diff(want *Spec, have *dataplane.Snapshot, owned Owned) []Change {
	return diff(want.sorted(), have, owned)
}

// diff is Diff of a sorted Spec.
func diff(want *Spec, have *dataplane.Snapshot, owned Owned) []Change {
	var changes []Change
	if t := have.Director.Timeouts; len(timeoutDifferences(Difference{}, want.Timeouts, t)) > 0 {
		changes = append(changes, Change{Op: SetTimeouts, Timeouts: want.Timeouts, WasTimeouts: t})
	}
	stop, start := diffDaemons(want, have.Director.Daemons, owned)
	changes = append(changes, stop...)
	for i := range want.Services {
		changes = diffService(changes, &want.Services[i], have.Service(want.Services[i].Key))
	}
	for i := range have.Services {
		s := &have.Services[i]
		if (want.Exclusive || owned.Services[s.Key]) && want.service(s.Key) == nil {
			changes = append(changes, Change{Op: DeleteService, Key: s.Key, Was: s.Service})
		}
	}
	return append(changes, start...)
}

func diffDaemons(want *Spec, have []dataplane.SyncDaemon, owned Owned) (stop, start []Change) {
	for _, role := range []dataplane.SyncRole{dataplane.Master, dataplane.Backup} {
		w, wanted := daemonOf(want.Daemons, role)
		h, running := daemonOf(have, role)
		switch {
		case wanted && !running:
			start = append(start, Change{Op: StartDaemon, Daemon: w})
		case wanted && normalDaemon(w, h) != h:
			// The kernel cannot edit a daemon that runs.
			stop = append(stop, Change{Op: StopDaemon, Daemon: w, WasDaemon: h})
			start = append(start, Change{Op: StartDaemon, Daemon: w, WasDaemon: h})
		case !wanted && running && owned.Daemons[role]:
			stop = append(stop, Change{Op: StopDaemon, Daemon: dataplane.SyncDaemon{Role: role}, WasDaemon: h})
		}
	}
	return stop, start
}

// diffService appends what a wanted service needs; have is nil where the kernel
// has none.
func diffService(changes []Change, w *Service, have *dataplane.ServiceState) []Change {
	if have == nil {
		changes = append(changes, Change{Op: AddService, Key: w.Key, Service: normalService(w.Service)})
		have = &dataplane.ServiceState{}
	} else if normalService(w.Service) != normalService(have.Service) {
		changes = append(changes, Change{Op: EditService, Key: w.Key, Service: normalService(w.Service), Was: normalService(have.Service)})
	}
	var lowered []Change
	for i := range w.Reals {
		r := normalReal(w.Reals[i])
		h := have.Real(r.RIP)
		switch {
		case h == nil:
			changes = append(changes, Change{Op: AddRealServer, Key: w.Key, Real: r})
		case r == normalReal(h.RealServer):
		case r.Weight < h.Weight:
			lowered = append(lowered, Change{Op: EditRealServer, Key: w.Key, Real: r, WasReal: h.RealServer})
		default:
			changes = append(changes, Change{Op: EditRealServer, Key: w.Key, Real: r, WasReal: h.RealServer})
		}
	}
	changes = append(changes, lowered...)
	for i := range have.Reals {
		if h := &have.Reals[i]; w.real(h.RIP) == nil {
			changes = append(changes, Change{Op: DeleteRealServer, Key: w.Key, Real: normalReal(h.RealServer)})
		}
	}
	return changes
}

// differences are what changes would end, without the real servers of services
// that are missing as a whole.
func differences(changes []Change) (out []Difference) {
	var missing dataplane.ServiceKey // whose real servers follow it
	for i := range changes {
		c := &changes[i]
		if c.Op == AddService {
			missing = c.Key
		}
		if c.Op == AddRealServer && c.Key == missing {
			continue
		}
		out = append(out, c.Differences()...)
	}
	return out
}
