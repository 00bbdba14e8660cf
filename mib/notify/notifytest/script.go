// Package notifytest helps to test what becomes of notifications: a Script is what
// happens to a director's real servers, and what managers have to be told of it.
package notifytest

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A State is that of a real server.
type State uint8

// The states of a script: with a weight; with weight 0 and connections; with
// weight 0 and none.
const (
	Up State = iota
	Draining
	Down
)

// String is "up", "draining" or "down".
func (s State) String() string { return [...]string{"up", "draining", "down"}[s] }

// A Change is something done to a real server, numbered from 0 within its virtual
// service, which is numbered likewise. All are up in the beginning.
type Change struct {
	At            time.Duration // since the beginning; a multiple of the script's tick
	Service, Real int
	State         State
}

// A Kind is what a notification tells. The numbers are those of the LVS-DIRECTOR-MIB
// below lvsdNotifications.
type Kind uint32

// The kinds of a script.
const (
	RealUp       Kind = 2
	RealDown     Kind = 3
	RealDraining Kind = 4
	ServiceDown  Kind = 7
	ServiceUp    Kind = 8
)

// An Event is what managers have to be told, once.
type Event struct {
	At      time.Duration
	Kind    Kind
	Service int
	Real    int // -1 where Kind is about the service
}

// Subject names what the event is about.
func (e Event) Subject() string {
	if e.Real < 0 {
		return fmt.Sprintf("service %d", e.Service)
	}
	return fmt.Sprintf("service %d real %d", e.Service, e.Real)
}

// A Script is a time of flapping. Its slices are in the order of time; what
// happens at the same time is in the order of services, and of the real servers
// of each; what becomes of the service comes after those.
type Script struct {
	Services, Reals int // virtual services, and real servers of each
	Length, Tick    time.Duration
	Changes         []Change
	Events          []Event
}

// hold is how many ticks a real server stays as it is at least, so that none of
// its states is missed by who looks at every tick.
const hold = 3

// Flapping makes a script by chance, always the same for the same arguments. A
// real server, any one, changes about every third tick; now and then all real
// servers of a service that are not down go down at once, to come back one by one.
func Flapping(seed uint64, services, reals int, length, tick time.Duration) *Script {
	g := &generator{r: rand.New(rand.NewPCG(seed, uint64(services)<<32|uint64(reals))),
		s: &Script{Services: services, Reals: reals, Length: length, Tick: tick}}
	for range services {
		g.state = append(g.state, make([]State, reals))
		g.since = append(g.since, make([]int, reals))
	}
	for n := hold; time.Duration(n)*tick < length; n++ {
		g.tick = n
		switch {
		case g.r.IntN(300) == 0:
			g.fail(g.r.IntN(services))
		case g.r.IntN(3) == 0:
			service, real := g.r.IntN(services), g.r.IntN(reals)
			g.change(service, g.flap(service, real))
		}
	}
	return g.s
}

// A generator is a script in the making and where it has come.
type generator struct {
	r     *rand.Rand
	s     *Script
	tick  int
	state [][]State // by service and real server
	since [][]int   // the tick that each state is from
}

// A move is a real server and the state it goes to.
type move struct {
	real int
	to   State
}

// flap moves one real server, unless it has moved just now.
func (g *generator) flap(service, real int) []move {
	if g.tick-g.since[service][real] < hold {
		return nil
	}
	to := State(g.r.IntN(2))
	if to >= g.state[service][real] {
		to++
	}
	if g.state[service][real] == Down {
		to = Up // what is down has no connections to be drained
	}
	return []move{{real, to}}
}

// fail moves all real servers of a service down, unless one has moved just now.
func (g *generator) fail(service int) {
	var all []move
	for real, state := range g.state[service] {
		if g.tick-g.since[service][real] < hold {
			return
		}
		if state != Down {
			all = append(all, move{real, Down})
		}
	}
	g.change(service, all)
}

// change writes down moves of real servers of one service at one time.
func (g *generator) change(service int, moves []move) {
	at := time.Duration(g.tick) * g.s.Tick
	before := g.available(service)
	for _, m := range moves {
		g.state[service][m.real], g.since[service][m.real] = m.to, g.tick
		g.s.Changes = append(g.s.Changes, Change{at, service, m.real, m.to})
		g.s.Events = append(g.s.Events, Event{at, [...]Kind{RealUp, RealDraining, RealDown}[m.to], service, m.real})
	}
	switch after := g.available(service); {
	case before > 0 && after == 0:
		g.s.Events = append(g.s.Events, Event{at, ServiceDown, service, -1})
	case before == 0 && after > 0:
		g.s.Events = append(g.s.Events, Event{at, ServiceUp, service, -1})
	}
}

// available counts the real servers of a service that take new connections.
func (g *generator) available(service int) (n int) {
	for _, state := range g.state[service] {
		if state == Up {
			n++
		}
	}
	return n
}
