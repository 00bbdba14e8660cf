//go:build lab

package e2e

import (
	"time"

	"lvs/dataplane"
	"lvs/internal/lab"
)

// overload has a real server reach its upper threshold and get room again, and a
// daemon started and stopped: chance may leave that out.
func (f *flapping) overload() {
	f.t.Helper()
	s := f.held[0]
	for _, upper := range []uint32{0, heldConns, 0} {
		list := []alteration{f.editReal(s, s.rips[1], modelReal{weight: 2, upper: upper, conns: heldConns})}
		if on := upper > 0; f.table.daemons[dataplane.Master] != on {
			list = append(list, f.setDaemon(dataplane.Master, on))
		}
		f.step(list...)
	}
}

// drain has a service drain from its last connection to none.
func (f *flapping) drain() {
	f.t.Helper()
	s := f.drained
	key, rip := s.service.Key, s.rips[0]
	f.setTimeout(time.Hour)
	talk := f.talk(s)
	talk()
	f.settle()
	f.settle()
	f.table.services[key][rip] = modelReal{weight: 1, conns: 1}
	f.step(f.editReal(s, rip, modelReal{conns: 1}))
	f.settle()
	f.setTimeout(time.Second)
	talk()
	f.setTimeout(time.Hour)
	before := f.table
	f.table = f.table.clone()
	f.table.services[key][rip] = modelReal{}
	f.expect(f.changed(before, f.table))
	f.settle()
	f.step(f.editReal(s, rip, modelReal{weight: 1}))
	f.settle()
}

// restart ends the agent, changes weights while it is away, and starts it again:
// it was started, it says, and then what became another meanwhile.
func (f *flapping) restart() {
	f.t.Helper()
	f.settle()
	f.delivered()
	f.agent.terminate()
	f.unread, f.logged = f.unread+f.overruns(), len(f.agent.logLines())
	before := f.table
	for _, s := range f.free {
		for _, rip := range s.rips {
			if r, there := f.table.services[s.service.Key][rip]; there {
				f.table = f.table.clone()
				f.do(f.editReal(s, rip, modelReal{weight: 1 - min(r.weight, 1)}))
			}
		}
	}
	f.agent.start()
	f.begun()
	f.expect(f.changed(before, f.table))
	f.settle()
}

// unload empties the table, unloads ip_vs and loads it again, and then puts
// everything back.
func (f *flapping) unload() {
	f.t.Helper()
	f.endConnections()
	var all []alteration
	for role, on := range f.table.daemons {
		if on {
			all = append(all, f.setDaemon(role, false))
		}
	}
	for _, s := range f.scripted() {
		if f.table.services[s.service.Key] != nil {
			all = append(all, f.removeService(s))
		}
	}
	f.step(all...)
	f.settle()
	unloadIPVS(f.t)
	f.seq++
	lab.Wait(f.t, "the end of ip_vs is told", func() bool {
		f.last = f.toldDocument()
		return f.last.Agent.Notifications.Sequence >= f.seq+uint32(2*f.overruns())
	})
	f.seq--
	state := func(kind, state int, reason string) told {
		return told{kind, []lab.ReceivedVar{intVar(objectArc+"1.3.0", "INTEGER", state), textVar(objectArc+"1.4.0", reason)}}
	}
	f.expect([]told{state(toldUnavailable, 2, f.last.Agent.Reason)})
	loadIPVS(f.t)
	f.expect([]told{state(toldAvailable, 1, ""), state(toldRestarted, 1, "")})
	all = nil
	for _, s := range f.scripted() {
		all = append(all, f.addService(s)...)
	}
	f.step(all...)
	f.settle()
	f.connect(f.table)
	f.settle()
}
