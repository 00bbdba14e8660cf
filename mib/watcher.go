package mib

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// maxEvents is how many notifications one snapshot leads to at most: a director
// that loses everything at once is told of with as many, and a count of the rest.
const maxEvents = 1000

// A Watcher compares each snapshot with the one before it and tells what happened
// as notifications of the LVS-DIRECTOR-MIB, in the order in which people want to
// know: the dataplane, the sync daemons, real servers, then services. It is safe
// for concurrent use.
//
// It tells of changes, not of states. The first snapshot with known rows is
// compared with what the accounts remember: what became another while the agent
// was away. A service that is removed is one event, whatever it had; a real server
// that is removed from a service which stays is down, and one added with a weight
// is up. What is missing from an inconsistent snapshot is still there until a
// consistent one agrees, and thresholds that a partial one does not tell stay as
// they were.
type Watcher struct {
	host, version string

	mu          sync.Mutex
	started     bool // there was a snapshot
	looked      bool // there was one whose rows were known
	unavailable bool // the dataplane is
	since       time.Time
	reason      string
	epoch       string
	daemons     []dataplane.SyncDaemon
	services    []dataplane.ServiceState // sorted by key
	// quiet are real servers that were told to be down and have connections again
	// all the same, such as those of persistent clients. They come and go; that is
	// told once.
	quiet   map[realID]struct{}
	figures NotifyFigures
}

// A realID identifies a real server among those of all services.
type realID struct {
	service dataplane.ServiceKey
	rip     netip.AddrPort
}

// NewWatcher makes a watcher for the agent of a version on a host, which every
// notification names.
func NewWatcher(hostName, agentVersion string) *Watcher {
	return &Watcher{host: hostName, version: agentVersion, quiet: map[realID]struct{}{}}
}

// Observe tells what a snapshot of the sampler, which are sorted, shows to have
// changed since the one before it. At most a thousand notifications come of it;
// services are told of before real servers are left out. The rest is counted, and
// so is what has no row in the MIB.
func (w *Watcher) Observe(snap *dataplane.Snapshot) []smi.Notification {
	w.mu.Lock()
	defer w.mu.Unlock()
	services := carry(w.services, snap)
	c := changes{time: snap.Time, quiet: w.quiet}
	// One that was read before is only late in coming.
	if w.unavailable && snap.Time.After(w.since) {
		w.unavailable, w.reason = false, ""
		c.director(dataplaneAvailable)
	}
	if w.started {
		if snap.Director.Epoch != "" && w.epoch != "" && snap.Director.Epoch != w.epoch {
			c.director(dataplaneRestarted)
		}
		if !snap.Partial { // which tells of no daemon
			c.compareDaemons(w.daemons, snap.Director.Daemons)
		}
	} else {
		w.started = true
		c.director(agentStarted)
	}
	switch {
	case w.looked:
		c.compare(w.services, services)
	case rowsKnown(services):
		w.looked = true
		c.whileAway(services)
	}
	w.services = services
	if snap.Director.Epoch != "" {
		w.epoch = snap.Director.Epoch
	}
	if !snap.Partial {
		w.daemons = snap.Director.Daemons
	}
	return w.tell(&c)
}

// rowsKnown reports whether the accounts were recalled. With a store that opens
// slowly they are so only later, and until then nothing has a row.
func rowsKnown(services []dataplane.ServiceState) bool {
	return len(services) == 0 || slices.ContainsFunc(services, func(s dataplane.ServiceState) bool { return hasNumber(&s.Account) })
}

// Dataplane tells that the table could be read, or could not and why. Only the
// first of a kind is news, and being read at the start is not.
func (w *Watcher) Dataplane(up bool, reason string, at time.Time) []smi.Notification {
	w.mu.Lock()
	defer w.mu.Unlock()
	if up != w.unavailable {
		return nil
	}
	c := changes{time: at}
	w.unavailable = !up
	if up {
		w.reason = ""
		c.director(dataplaneAvailable)
	} else {
		w.reason, w.since = reason, at
		c.director(dataplaneUnavailable)
	}
	return w.tell(&c)
}

// Figures are the number, time and text of the latest notification, and how many
// were left out here.
func (w *Watcher) Figures() NotifyFigures {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.figures
}

// tell makes notifications of events. The caller holds mu.
func (w *Watcher) tell(c *changes) []smi.Notification {
	room := maxEvents - len(c.head) - len(c.services)
	if room < 0 {
		c.services, c.dropped, room = c.services[:len(c.services)+room], c.dropped-room, 0
	}
	if len(c.reals) > room {
		c.reals, c.dropped = c.reals[:room], c.dropped+len(c.reals)-room
	}
	var list []smi.Notification
	for _, events := range [][]event{c.head, c.reals, c.services} {
		for i := range events {
			w.figures.Sequence++
			w.figures.Time, w.figures.Message = c.time, events[i].message(w)
			list = append(list, w.notification(&events[i]))
		}
	}
	// Those left out have numbers, too, so that whoever receives the others sees
	// that something is missing.
	w.figures.Sequence += uint32(c.dropped)
	w.figures.Dropped += uint64(c.dropped)
	return list
}
