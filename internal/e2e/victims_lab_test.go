//go:build lab

package e2e

import (
	"context"
	"time"

	"lvs/dataplane"
)

// A victim is a quiet service whose counters are made to begin anew.
type victim struct {
	resetOnPurpose
	service dataplane.Service
	reals   []dataplane.RealServer
}

// A resetOnPurpose takes a service's counters away. The first half comes before a
// sample that shows it, the second after. Resets are counted for the service and
// each of its real servers by that reason; "" is none, as nothing is lost.
type resetOnPurpose struct {
	name          string
	first, second func(*soak, *victim) error
	reason        string
}

var resetsOnPurpose = []resetOnPurpose{
	{"zeroed", func(s *soak, v *victim) error { return s.editor.client.ZeroService(s.editor.ctx, v.service.Key) }, nil, "zeroed"},
	{"deleted and added in between two samples, with another scheduler", func(s *soak, v *victim) error {
		if v.service.Scheduler == "rr" {
			v.service.Scheduler = "wrr"
		} else {
			v.service.Scheduler = "rr"
		}
		err := s.editor.deleteService(v.service.Key)
		if err == nil {
			err = v.add(s)
		}
		return err
	}, nil, "recreated"},
	{"deleted, and added after a sample without it", func(s *soak, v *victim) error {
		return s.editor.deleteService(v.service.Key)
	}, func(s *soak, v *victim) error { return v.add(s) }, "recreated"},
	{"a real server deleted, and added after a sample without it", func(s *soak, v *victim) error {
		return s.editor.deleteReal(v.service.Key, v.reals[1])
	}, func(s *soak, v *victim) error { return s.editor.addReal(v.service.Key, v.reals[1]) }, ""},
}

// add puts the service and its real servers into the table.
func (v *victim) add(s *soak) error {
	err := s.editor.addService(v.service)
	for _, r := range v.reals {
		if err == nil {
			err = s.editor.addReal(v.service.Key, r)
		}
	}
	return err
}

// shows reports whether the document has what the first half left.
func (v *victim) shows(d *document) bool {
	service := d.service(v.service.Key.String())
	switch {
	case v.second == nil:
		return service != nil && len(service.Reals) == len(v.reals) && !cells(service.Kernel).counted()
	case v.reason == "":
		return service != nil && len(service.Reals) == len(v.reals)-1
	}
	return service == nil
}

// burst is how many datagrams a victim gets, of which each real server has its part.
const burst = 8

// counts reports whether the document has the burst counted, every packet of it.
func (v *victim) counts(d *document, rounds uint64) bool {
	service := d.service(v.service.Key.String())
	n := uint64(burst)
	if v.reason == "" {
		n *= rounds
	}
	if service == nil || len(service.Reals) != len(v.reals) || service.Kernel["connections"] != n ||
		service.Kernel["in_packets"] != n || service.Kernel["out_packets"] != n {
		return false
	}
	for _, r := range service.Reals {
		if r.Kernel["connections"] == 0 {
			return false
		}
		n -= r.Kernel["out_packets"]
	}
	return n == 0
}

// round has traffic counted by the victims and then takes the counters away, with
// looks through the other windows in between.
func (s *soak) round() {
	t := s.t
	t.Helper()
	s.rounds++
	if err := inside(func() error {
		for _, v := range s.victims {
			if err := datagrams(burst, v.service.Key.VIP); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.startWalk(s.master)
	d := s.await("the victims' counters", func(d *document) bool { return every(s.victims, d, s.countsAll) })
	s.moving = true
	s.take(d)
	for _, v := range s.victims {
		if err := v.first(s, v); err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
	}
	s.await("the resets", func(d *document) bool { return d.Unsure == 0 && every(s.victims, d, (*victim).shows) })
	for _, v := range s.victims {
		if v.second == nil {
			continue
		}
		if err := v.second(s, v); err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
	}
	s.await("the victims", func(d *document) bool {
		return every(s.victims, d, func(v *victim, d *document) bool {
			service := d.service(v.service.Key.String())
			return service != nil && len(service.Reals) == len(v.reals)
		})
	})
	s.moving = false
	s.expected().check(s.last, &s.verdict, func(row) bool { return false })
	f := s.scrape()
	s.checkScrape(f)
	s.checkResets(f)
	s.checkTotals()
	s.checkHistory()
}

func (s *soak) countsAll(v *victim, d *document) bool { return v.counts(d, uint64(s.rounds)) }

func every(list []*victim, d *document, ok func(*victim, *document) bool) bool {
	for _, v := range list {
		if !ok(v, d) {
			return false
		}
	}
	return true
}

// take writes down what is about to be taken away.
func (s *soak) take(d *document) {
	s.t.Helper()
	kernel, err := d.kernelTable()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, v := range s.victims {
		if v.reason == "" {
			continue
		}
		key := v.service.Key.String()
		lost := kernel.only(func(at row) bool { return at.service == key })
		s.ahead.add(lost)
		for at := range lost {
			s.purpose.add(at, v.reason, 1)
		}
	}
}

// checkTotals compares the victims' totals with all that was ever sent.
func (s *soak) checkTotals() {
	for _, v := range s.victims {
		service := s.last.service(v.service.Key.String())
		var want, sum uint64 = uint64(s.rounds * burst), 0
		for _, r := range service.Reals {
			sum += r.Total["in_packets"]
		}
		bytes := want * uint64(len(payload)+28)
		if c := service.Total; c["connections"] != want || c["in_packets"] != want || c["out_packets"] != want || c["in_bytes"] != bytes || sum != want {
			s.verdict.fault("%v: %v counts %v, its real servers %d packets, want %d and %d bytes (%s)", s.last.Tick, v.service.Key, c, sum, want, bytes, v.name)
		}
	}
}

// zeroAll clears all counters at once while no traffic flows. Churn leaves the
// services alone meanwhile that count, as a set of real servers that changes with
// the counters would be taken for a service made anew.
func (s *soak) zeroAll() {
	t := s.t
	t.Helper()
	s.churn.pause.Store(true)
	defer s.churn.pause.Store(false)
	var before table
	settled := 0
	s.await("counters at rest", func(d *document) bool {
		now, err := d.kernelTable()
		if err != nil {
			t.Fatal(err)
		}
		now = now.counted()
		if moved, _ := (window{table: now, services: counters, real: counters}).differences(before); len(moved) > 0 {
			settled = 0
		}
		before = now
		settled++
		return settled > 3 && d.Unsure == 0
	})
	f := s.scrape()
	director := f.sample("lvs_resets_total", "scope", "director", "reason", "zeroed")
	s.moving = true
	s.ahead.add(before)
	for at := range before {
		if !s.own[at.service] {
			s.verdict.fault("%v counted %v, which churn gives no traffic", at, before[at])
		}
		s.purpose.add(at, "zeroed", 1)
	}
	if err := s.editor.client.Zero(context.WithoutCancel(s.editor.ctx)); err != nil {
		t.Fatal(err)
	}
	s.next()
	s.next()
	s.moving = false
	s.expected().check(s.last, &s.verdict, func(row) bool { return false })
	f = s.scrape()
	s.checkResets(f)
	if got := f.sample("lvs_resets_total", "scope", "director", "reason", "zeroed"); got != director+1 {
		s.verdict.fault("lvs_resets_total of the director, zeroed, is %v, was %v", got, director)
	}
	t.Logf("%v: cleared the counters of %d rows at once", s.last.Tick.Format(time.TimeOnly), len(before))
}
