//go:build lab

package e2e

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"lvs/dataplane"
	"lvs/internal/lab"
)

// Kinds of notifications: the arcs below lvsdNotifications.
const (
	toldStarted = iota + 1
	toldRealUp
	toldRealDown
	toldRealDraining
	toldPassed
	toldCleared
	toldServiceDown
	toldServiceUp
	toldSyncStarted
	toldSyncStopped
	toldUnavailable
	toldAvailable
	toldRestarted
)

// States, as LvsdState numbers them.
const (
	stateUp = iota + 1
	stateDraining
	stateDown
	stateOverloaded
)

// A modelReal is what the script has made of a real server.
type modelReal struct{ weight, upper, conns uint32 }

func (r modelReal) state() int {
	switch {
	case r.weight == 0 && r.conns > 0:
		return stateDraining
	case r.weight == 0:
		return stateDown
	case r.upper > 0 && r.conns >= r.upper:
		return stateOverloaded
	}
	return stateUp
}

func (r modelReal) reason() string {
	return map[int]string{
		stateDraining: "weight is 0, connections are left", stateDown: "weight is 0, no connection is left",
		stateOverloaded: fmt.Sprintf("at its upper threshold of %d connections", r.upper),
	}[r.state()]
}

// takesNew reports whether a real server in that state is in service.
func takesNew(state int) bool { return state == stateUp || state == stateOverloaded }

// A modelTable is what the script has made of the director, by itself. Services
// that are not in the table are not in it.
type modelTable struct {
	services map[dataplane.ServiceKey]map[netip.AddrPort]modelReal
	daemons  map[dataplane.SyncRole]bool
}

func (m modelTable) clone() modelTable {
	c := modelTable{map[dataplane.ServiceKey]map[netip.AddrPort]modelReal{}, maps.Clone(m.daemons)}
	for key, reals := range m.services {
		c.services[key] = maps.Clone(reals)
	}
	return c
}

// A told is a notification that managers have to get. Of its variables those are
// left out that every notification begins with.
type told struct {
	kind int
	vars []lab.ReceivedVar
}

// A namer makes variables with their instances: it knows the number of every row.
type namer struct{ numbers map[row]number }

const (
	notificationArc = "1.3.6.1.4.1.8225.4711.100.0."
	objectArc       = "1.3.6.1.4.1.8225.4711.100.1."
	serviceArc      = objectArc + "4.5.1."
	realArc         = objectArc + "5.5.1."
)

func textVar(name, value string) lab.ReceivedVar {
	return lab.ReceivedVar{Name: name, Type: "STRING", Value: value}
}

func intVar(name, typ string, value int) lab.ReceivedVar {
	return lab.ReceivedVar{Name: name, Type: typ, Value: strconv.Itoa(value)}
}

// sync is a daemon's start or stop.
func (n *namer) sync(kind int, role dataplane.SyncRole) told {
	return told{kind, []lab.ReceivedVar{
		intVar(objectArc+"7.8.0", "INTEGER", int(role)),
		textVar(objectArc+"7.9.0", syncInterface),
		intVar(objectArc+"7.10.0", "Gauge32", syncID),
	}}
}

// real is an event of a real server of a service that has these now.
func (n *namer) real(kind int, key dataplane.ServiceKey, rip netip.AddrPort, r modelReal, gone bool, reals map[netip.AddrPort]modelReal) told {
	at := n.numbers[row{key.String(), rip.String()}]
	of, index := fmt.Sprintf(".%d", at.service), fmt.Sprintf(".%d.%d", at.service, at.real)
	state, reason := r.state(), r.reason()
	if gone {
		state, reason = stateDown, "removed from the table"
	}
	vars := []lab.ReceivedVar{
		textVar(serviceArc+"6"+of, key.String()),
		textVar(serviceArc+"8"+of, key.String()),
		intVar(serviceArc+"18"+of, "Gauge32", len(reals)),
		intVar(serviceArc+"19"+of, "Gauge32", availableIn(reals)),
		textVar(realArc+"6"+index, key.String()+" "+rip.String()),
		textVar(realArc+"8"+index, key.String()+" "+rip.String()),
		intVar(realArc+"36"+index, "INTEGER", state),
		textVar(realArc+"37"+index, reason),
	}
	if kind == toldPassed || kind == toldCleared {
		vars = append(vars,
			intVar(realArc+"17"+index, "Gauge32", 0),
			intVar(realArc+"18"+index, "Gauge32", int(r.conns)),
			intVar(realArc+"15"+index, "Gauge32", int(r.upper)))
	}
	return told{kind, vars}
}

// service is an event of a service, of which nil is left where it is gone.
func (n *namer) service(kind int, key dataplane.ServiceKey, reals map[netip.AddrPort]modelReal) told {
	of := fmt.Sprintf(".%d", n.numbers[row{service: key.String()}].service)
	state, reason := serviceState(reals)
	return told{kind, []lab.ReceivedVar{
		textVar(serviceArc+"6"+of, key.String()),
		textVar(serviceArc+"8"+of, key.String()),
		intVar(serviceArc+"42"+of, "INTEGER", state),
		textVar(serviceArc+"43"+of, reason),
		intVar(serviceArc+"18"+of, "Gauge32", len(reals)),
		intVar(serviceArc+"19"+of, "Gauge32", availableIn(reals)),
	}}
}

// serviceState is the best of its real servers' states, and the reason.
func serviceState(reals map[netip.AddrPort]modelReal) (state int, reason string) {
	has := map[int]bool{}
	for _, r := range reals {
		has[r.state()] = true
	}
	switch {
	case reals == nil:
		return stateDown, "removed from the table"
	case len(reals) == 0:
		return stateDown, "it has no real server"
	case has[stateUp]:
		return stateUp, ""
	case has[stateOverloaded]:
		return stateOverloaded, "every real server in service is at its upper threshold"
	case has[stateDraining]:
		return stateDraining, "every real server has weight 0"
	}
	return stateDown, "every real server has weight 0"
}

// availableIn counts the real servers in service.
func availableIn(reals map[netip.AddrPort]modelReal) (n int) {
	for _, r := range reals {
		if takesNew(r.state()) {
			n++
		}
	}
	return n
}

// changed is what managers have to be told when the table became another from one
// sample to the next. The order is that of [mib.Watcher]: the sync daemons, those
// that stopped before those that started; real servers, by service and then by
// address, a threshold after the real server's coming up; services. What becomes
// of the dataplane as a whole comes before all that.
func (n *namer) changed(before, after modelTable) (list []told) {
	for _, kind := range []int{toldSyncStopped, toldSyncStarted} {
		for _, role := range []dataplane.SyncRole{dataplane.Master, dataplane.Backup} {
			if before.daemons[role] != after.daemons[role] && after.daemons[role] == (kind == toldSyncStarted) {
				list = append(list, n.sync(kind, role))
			}
		}
	}
	keys := slices.AppendSeq(slices.Collect(maps.Keys(before.services)), maps.Keys(after.services))
	slices.SortFunc(keys, dataplane.ServiceKey.Compare)
	var services []told
	for _, key := range slices.Compact(keys) {
		b, a := before.services[key], after.services[key]
		if a != nil && b != nil {
			rips := slices.AppendSeq(slices.Collect(maps.Keys(b)), maps.Keys(a))
			slices.SortFunc(rips, netip.AddrPort.Compare)
			for _, rip := range slices.Compact(rips) {
				list = append(list, n.changedReal(key, rip, b, a)...)
			}
		}
		switch had, has := availableIn(b) > 0, availableIn(a) > 0; {
		case had && !has:
			services = append(services, n.service(toldServiceDown, key, a))
		case has && !had: // all of them were there before the agent was
			services = append(services, n.service(toldServiceUp, key, a))
		}
	}
	return append(list, services...)
}

func (n *namer) changedReal(key dataplane.ServiceKey, rip netip.AddrPort, b, a map[netip.AddrPort]modelReal) (list []told) {
	r, there := a[rip]
	old, was := b[rip]
	from, to := stateDown, stateDown
	if was {
		from = old.state()
	}
	if there {
		to = r.state()
	} else {
		r = old
	}
	add := func(kind int) { list = append(list, n.real(kind, key, rip, r, !there, a)) }
	switch {
	case from == to && was && there:
	case takesNew(to):
		if !takesNew(from) {
			add(toldRealUp)
		}
		if to == stateOverloaded {
			add(toldPassed)
		} else if from == stateOverloaded {
			add(toldCleared)
		}
	case to == stateDraining && takesNew(from):
		add(toldRealDraining)
	case to == stateDown && from != stateDown:
		add(toldRealDown)
	}
	return list
}
