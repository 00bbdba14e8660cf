package collector

import (
	"fmt"
	"slices"
	"time"

	"lvs/dataplane"
)

// A reading is how a sample is taken: services first or real servers first, with
// torn called in between; a skipped service is left out, as a moving table does;
// without counters, or without the epoch.
type reading struct {
	torn              func()
	skip              *modelService
	realsFirst        bool
	partial, nameless bool
}

// A modelTrace is what a sample showed of a service that would be otherwise if it
// were made anew. It is not whole where the agent was started since, or what it
// read was partial.
type modelTrace struct {
	scheduler string
	rips      []string
	whole     bool
	changed   bool // from the sample before, or made anew; or nobody can tell
	was       bool // likewise, in the sample before
	reloaded  bool // the table is another one, or may have been before
	// wasReloaded is likewise of the sample before.
	wasReloaded bool
}

// sample reads the table.
func (m *model) sample(how reading) *dataplane.Snapshot {
	m.rows, m.now = m.rows[:0], m.now.Add(10*time.Second)
	m.samples++
	m.nameless = how.nameless
	if m.samples%60 == 0 {
		m.now = m.now.Add(9 * time.Hour) // the machine was asleep
	}
	src := &dataplane.Snapshot{Time: m.now, Partial: how.partial}
	if !how.nameless {
		src.Director.Epoch = fmt.Sprint(m.epoch)
	}
	src.Director.HasConnections, src.Director.Connections = m.rand.IntN(2) == 0, m.rand.Uint64N(1000)
	if src.Director.HasConnections {
		m.peak = max(m.peak, src.Director.Connections)
	}
	all := m.all()
	if i := slices.Index(all, how.skip); i >= 0 {
		all = slices.Delete(all, i, i+1)
		src.Inconsistent = 1
	}
	src.Services = make([]dataplane.ServiceState, len(all))
	m.trace(all, how)
	m.noteAnew(all, how.nameless)
	fell := map[*modelService]bool{}
	if how.realsFirst {
		m.dumpReals(src, all, fell, how)
		how.torn()
	}
	for i, s := range all {
		fell[s] = m.look(memoryKey{key: s.key}, &s.modelCount, false, false, how).fell
		src.Services[i].Service = dataplane.Service{Key: s.key, Scheduler: s.scheduler}
		src.Services[i].Kernel = scale(s.now)
	}
	if !how.realsFirst {
		how.torn()
		m.dumpReals(src, all, fell, how)
	}
	how.partial = false // the grand totals are told nevertheless
	m.fellAll = m.look(memoryKey{}, &m.director, false, false, how).fell
	src.Director.HasStats, src.Director.Kernel = true, scale(m.director.now)
	if src.Inconsistent == 0 {
		m.noteMissing(all)
	}
	m.watch(all, src.Inconsistent == 0)
	return src
}

// dumpReals is certain of those whose service was seen to fall, unless one fell
// already before it.
func (m *model) dumpReals(src *dataplane.Snapshot, all []*modelService, fell map[*modelService]bool, how reading) {
	for i, s := range all {
		for _, r := range s.reals {
			t := m.ofReal(r)
			certain := fell[s] && t.dirty && t.kernel > 0 && t.sample == m.samples-1 && t.fellAt != t.told && t.told == m.ofService(s).toldBefore && r.now <= src.Services[i].Kernel.Connections
			m.look(memoryKey{s.key, r.rip}, &r.modelCount, r.missed, certain, how)
			v := dataplane.RealState{RealServer: dataplane.RealServer{RIP: r.rip, Weight: r.weight, UpperThreshold: r.upper},
				Active: r.active, Inactive: r.inactive}
			v.Kernel = scale(r.now)
			src.Services[i].Reals = append(src.Services[i].Reals, v)
		}
	}
}

// trace notes what the sample shows of services, and whether it was otherwise in
// the sample before.
func (m *model) trace(all []*modelService, how reading) {
	for _, s := range all {
		was, known := m.traces[s.key]
		of := m.ofService(s)
		now := modelTrace{scheduler: s.scheduler, whole: !how.partial, was: was.changed,
			wasReloaded: was.reloaded, reloaded: !how.nameless && of.epoch != 0 && of.epoch != m.epoch}
		for _, r := range s.reals {
			now.rips = append(now.rips, r.rip.String())
		}
		switch {
		case !known:
		case was.whole:
			now.changed = !slices.Equal(was.rips, now.rips) || was.scheduler != now.scheduler
		default:
			now.changed = true // or not; nobody can tell
		}
		now.changed = now.changed || of.causes&causeAnew != 0
		if how.partial {
			now.scheduler = was.scheduler
		}
		m.traces[s.key] = now
	}
}

// noteAnew marks the real servers of services that are plain to see in another table.
func (m *model) noteAnew(all []*modelService, nameless bool) {
	for _, s := range all {
		of := m.ofService(s)
		if nameless || of.doubt || of.epoch == 0 || of.epoch == m.epoch {
			continue
		}
		for id, t := range m.truths {
			if id.key == s.key && id.rip.IsValid() && t.sample > 0 {
				t.certain, t.dirty, t.causes = true, true, t.causes|causeReload
			}
		}
	}
}

// noteMissing marks every account of a service that is not there.
func (m *model) noteMissing(all []*modelService) {
	for id, t := range m.truths {
		here := slices.ContainsFunc(all, func(s *modelService) bool { return s.key == id.key })
		if id.key.IsValid() && !here && t.sample > 0 {
			t.certain = true
		}
	}
}
