package rrdstore

import (
	"fmt"
	"math"

	"lvs/dataplane"
)

// maxSeries bounds a row: its blocks are numbered in 16 bits, and a layout may
// hold as many series again that are gone.
const maxSeries = maxBlocks * blockSlots / 4

// A plan is what a tick is about to write, together with the records in the
// state's writer, puts and drops.
type plan struct {
	tick       uint32
	time       stamp
	window     uint32
	newWindow  bool
	keyframe   bool
	roster     []*series            // present, the director first
	totals     []dataplane.Counters // likewise
	peaks      []uint64             // likewise
	unnumbered int
	hint       int    // where in the last roster the next series is expected
	epoch      string // of the last row
	displaced  map[dataplane.ServiceKey][]displaced
}

// A seriesPut is a record to write.
type seriesPut struct {
	key    seriesKey
	record record
}

// plan works out what changed. It alters the state: where the transaction fails
// all of it is read again.
func (s *Store) plan(snap *dataplane.Snapshot, tick uint32) (*plan, error) {
	p := &plan{tick: tick, time: stampOf(snap.Time), roster: s.spare[:0], totals: s.totals[:0], peaks: s.peaks[:0]}
	if p.time == noStamp {
		p.time = stampOf(snap.Tick)
	}
	if d := s.byID[identity{}]; d != nil {
		p.epoch = d.epoch
	}
	s.puts, s.sids = s.puts[:0], s.sids[:0]
	p.newWindow = s.fresh || len(s.windows) == 0 || s.windowFull(tick)
	p.keyframe = p.newWindow || s.writer.needsKeyframe()
	if err := s.enrol(p, snap); err != nil {
		return nil, err
	}
	s.totals, s.peaks = p.totals, p.peaks
	s.missing(p)
	s.drops = s.drops[:0]
	if p.newWindow {
		s.garbage(p)
	}
	p.window = tick
	if !p.newWindow {
		p.window = s.windows[len(s.windows)-1].first
	}
	s.planPeaks(p)
	s.encode(p, snap)
	return p, nil
}

func (s *Store) windowFull(tick uint32) bool {
	w := s.windows[len(s.windows)-1]
	return s.windowBytes > s.opts.headBytes()/16 || w.rows >= windowRows && w.first/windowSpan != tick/windowSpan
}

// enrol finds the series of everything in the snapshot and what of them changed.
func (s *Store) enrol(p *plan, snap *dataplane.Snapshot) error {
	s.resetNow = s.resetNow[:0]
	connections := uint64(0)
	if snap.Director.HasConnections {
		connections = snap.Director.Connections
	}
	director := record{lastChange: noStamp, epoch: snap.Director.Epoch}
	if err := s.enlist(p, 0, &director, &snap.Director.Account, connections); err != nil {
		return err
	}
	for i := range snap.Services {
		svc := &snap.Services[i]
		if svc.Number == 0 {
			p.unnumbered += 1 + len(svc.Reals)
			continue
		}
		r := record{
			id: identity{key: svc.Key}, name: svc.Name, bypass: bypassed(svc.Reals),
			status: svc.Status(), lastChange: stampOf(svc.LastChange),
		}
		active, inactive, _ := svc.Connections()
		if err := s.enlist(p, sidOf(svc.Number, 0), &r, &svc.Account, active+inactive); err != nil {
			return err
		}
		if err := s.enrolReals(p, svc); err != nil {
			return err
		}
	}
	if len(p.roster) > maxSeries {
		return fmt.Errorf("%d services and real servers are more than a row can hold", len(p.roster))
	}
	return nil
}

func (s *Store) enrolReals(p *plan, svc *dataplane.ServiceState) error {
	for i := range svc.Reals {
		real := &svc.Reals[i]
		if real.Number == 0 {
			p.unnumbered++
			continue
		}
		if real.Number > math.MaxUint16 || svc.Number > math.MaxUint16 {
			return fmt.Errorf("number %d.%d of %s, %s is above 65535", svc.Number, real.Number, svc.Key, real.RIP)
		}
		r := record{
			id: identity{svc.Key, real.RIP}, name: real.Name, bypass: real.Method.RepliesBypass(),
			status: real.Status(), lastChange: stampOf(real.LastChange),
		}
		connections := uint64(real.Active) + uint64(real.Inactive)
		if err := s.enlist(p, sidOf(svc.Number, real.Number), &r, &real.Account, connections); err != nil {
			return err
		}
	}
	return nil
}

// enlist puts a series, of which r tells what its account does not, into the
// roster, and its record among those to be written if that changed.
func (s *Store) enlist(p *plan, sid uint32, r *record, a *dataplane.Account, connections uint64) error {
	se, err := s.holder(p, sid, r.id)
	if err != nil {
		return err
	}
	r.firstSeen, r.lastReset, r.lastSeen = stampOf(a.FirstSeen), stampOf(a.LastReset), noStamp
	r.follows = stampOf(a.LastSeen) == p.time
	r.resets, r.offset = a.Resets, minus(a.Total, a.Kernel)
	r.changes, r.failures, r.peak = a.Changes, a.Failures, se.peak
	if !r.follows {
		r.lastSeen = stampOf(a.LastSeen)
	}
	s.resetNow = append(s.resetNow, (se.from != p.tick || se.moved) && began(a.Resets) > began(se.resets))
	covered := se.coveredWith(r, connections)
	peak := max(a.Peak, covered)
	if *r != se.record || peak > covered {
		r.peak = peak
		s.put(se, *r)
	}
	se.seen = p.tick
	p.roster, p.totals, p.peaks = append(p.roster, se), append(p.totals, a.Total), append(p.peaks, peak)
	if sid != 0 {
		s.sids = append(s.sids, sid)
	}
	return nil
}

// began is how often counting began anew so that something may be lost; a wrap
// loses nothing.
func began(resets dataplane.ResetCounts) uint64 {
	return resets.Sum() - uint64(resets[dataplane.Wrap32])
}

// bypassed reports whether no answer to a service's clients passes the director.
func bypassed(reals []dataplane.RealState) bool {
	for i := range reals {
		if !reals[i].Method.RepliesBypass() {
			return false
		}
	}
	return len(reals) > 0
}
