// Package madeup is a director for benchmarks of the status page: 1,000 services of
// 10 real servers under the traffic of internal/bench/load, an hour of history
// behind it, one real server in a hundred out of service, and, if wished, one that
// goes and comes back all the time.
package madeup

import (
	"time"

	"lvs/dataplane"
	"lvs/internal/bench/load"
)

// What the director is made of.
const (
	Services = 1000
	Reals    = 10 // of each service

	// History is how many ticks of HistoryStep lie behind the director.
	History     = 360
	HistoryStep = 10 * time.Second

	outOfService = 100 // every how many-th real server has the weight zero
)

// A Director is one in its course of time. It belongs to one goroutine.
type Director struct {
	load *load.Load
	next time.Time // when a real server goes or comes back
	flap time.Duration
	gone bool
}

// New makes the director as it was an hour before its present, which begins at
// now, in whole seconds; the same one each time. From then on one real server goes
// out of service or comes back after every flap; zero is never.
func New(now time.Time, flap time.Duration) *Director {
	now = now.Truncate(time.Second)
	c := load.Config{Services: Services, Reals: Reals, Seed: 1, Start: now.Add(-History * HistoryStep), Step: HistoryStep}
	return &Director{load: load.New(c), flap: flap, next: now.Add(flap)}
}

// Past calls f for each tick of the hour, with a snapshot that is valid until f
// returns, or until f fails.
func (d *Director) Past(f func(*dataplane.Snapshot) error) error {
	for range History {
		if err := f(d.load.Next()); err != nil {
			return err
		}
	}
	return nil
}

// Read is what the kernel would tell after another step, in memory of its own.
func (d *Director) Read(now time.Time, step time.Duration) *dataplane.Snapshot {
	d.load.Step = step
	s := d.load.Next()
	if d.flap > 0 && now.After(d.next) {
		d.next, d.gone = d.next.Add(d.flap), !d.gone
	}
	read := &dataplane.Snapshot{Time: now, Director: s.Director, Services: make([]dataplane.ServiceState, len(s.Services))}
	read.Director.Account = dataplane.Account{Kernel: s.Director.Kernel}
	reals := make([]dataplane.RealState, 0, Services*Reals)
	for i := range s.Services {
		from := len(reals)
		for j := range s.Services[i].Reals {
			r := &s.Services[i].Reals[j]
			reals = append(reals, dataplane.RealState{RealServer: r.RealServer, Active: r.Active, Inactive: r.Inactive, Account: dataplane.Account{Kernel: r.Kernel}})
			if n := len(reals); n%outOfService == 0 || n == 1 && d.gone {
				reals[n-1].Weight = 0
			}
		}
		read.Services[i] = dataplane.ServiceState{Service: s.Services[i].Service, Account: dataplane.Account{Kernel: s.Services[i].Kernel}, Reals: reals[from:]}
	}
	return read
}
