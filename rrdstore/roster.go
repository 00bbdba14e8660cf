package rrdstore

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"lvs/dataplane"
)

// holder is the series of an identity under its number. Where either had another
// partner until now, that series ends and a new one begins.
func (s *Store) holder(p *plan, sid uint32, id identity) (*series, error) {
	var se *series
	if p.hint < len(s.roster) {
		se = s.roster[p.hint]
	}
	if se == nil || se.sid != sid || se.id != id || se.until != 0 {
		se = s.byID[id]
	}
	if se != nil && se.seen == p.tick {
		return nil, fmt.Errorf("%s is twice in the snapshot", id)
	}
	if se == nil || se.sid != sid {
		if err := id.check(); err != nil {
			return nil, err
		}
		r, moved := record{id: id}, se != nil
		if moved {
			r.resets = se.resets
			s.retire(p, se)
		}
		if other := s.bySID[sid]; other != nil {
			if other.seen == p.tick {
				return nil, fmt.Errorf("number %d.%d is given to both %s and %s", sid>>16, sid&0xffff, other.id, id)
			}
			s.retire(p, other)
		}
		se = &series{seriesKey: seriesKey{sid, p.tick}, record: r, moved: moved, index: -1}
		s.byID[id], s.bySID[sid] = se, se
		s.follow(p, se)
	}
	if se.index >= 0 {
		p.hint = se.index + 1
	}
	return se, nil
}

// retire ends a series whose number or identity passes on; with a service go its
// real servers, whose numbers are within the service's.
func (s *Store) retire(p *plan, se *series) {
	r := s.departed(p, se)
	if r.id.rip.IsValid() {
		if p.displaced == nil {
			p.displaced = make(map[dataplane.ServiceKey][]displaced)
		}
		p.displaced[r.id.key] = append(p.displaced[r.id.key], displaced{se.sid & 0xffff, r})
	}
	delete(s.byID, r.id)
	delete(s.bySID, se.sid)
	if se.from == p.tick { // it followed its service only just now
		s.puts = slices.DeleteFunc(s.puts, func(put seriesPut) bool { return put.key == se.seriesKey })
	} else {
		ended := r
		ended.until = p.tick
		s.put(se, ended)
		s.retired[se.seriesKey] = p.tick
	}
	if se.sid == 0 || se.sid&0xffff != 0 {
		return
	}
	for sid, real := range s.bySID {
		if sid>>16 == se.sid>>16 {
			s.retire(p, real)
		}
	}
}

// A displaced real server lost its number because its service did.
type displaced struct {
	number uint32
	record record
}

// follow gives the real servers of a service that got another number their old
// places within it, among them those that are gone and only remembered.
func (s *Store) follow(p *plan, service *series) {
	if service.sid&0xffff != 0 {
		return
	}
	for _, d := range p.displaced[service.id.key] {
		sid := service.sid | d.number
		if s.byID[d.record.id] == nil && s.bySID[sid] == nil {
			se := &series{seriesKey: seriesKey{sid, p.tick}, moved: true, index: -1}
			s.byID[d.record.id], s.bySID[sid] = se, se
			s.put(se, d.record)
			se.covered = d.record.peak
		}
	}
	delete(p.displaced, service.id.key)
}

// missing writes down the accounts of what was in the last row and is not in
// this one.
func (s *Store) missing(p *plan) {
	for _, se := range s.roster {
		if se.seen != p.tick && se.until == 0 {
			s.put(se, s.departed(p, se))
		}
	}
}

// departed is the record of a series that leaves the rows: all that the last row
// told is in it.
func (s *Store) departed(p *plan, se *series) record {
	r := se.record
	if r.gone || se.index < 0 {
		return r
	}
	r.gone, r.held, r.total, r.epoch = true, true, s.last[se.index], p.epoch
	r.peak = se.covered
	if r.follows {
		r.follows, r.lastSeen = false, s.time
	}
	return r
}

func (s *Store) put(se *series, r record) {
	se.record = r
	s.puts = append(s.puts, seriesPut{se.seriesKey, r})
}

// encode writes the tick's row into the writer.
func (s *Store) encode(p *plan, snap *dataplane.Snapshot) {
	w := &s.writer
	h := header{
		keyframe: p.keyframe, partial: snap.Partial,
		hasStats: snap.Director.HasStats, hasConnections: snap.Director.HasConnections, reset: s.resetNow[0],
		late: int64(p.time) - int64(p.tick)*int64(time.Second),
	}
	h.director.setTotal(snap.Director.Total)
	h.director[valueActive] = snap.Director.Connections
	h.slots = w.begin(p.keyframe, s.sids)
	s.resets = append(s.resets[:0], make([]uint64, w.blocks())...)

	place := 0 // in the roster; 0 is the director
	next := func() *values {
		slot := w.places[place]
		place++
		if s.resetNow[place] {
			s.resets[slot/blockSlots] |= 1 << (slot % blockSlots)
		}
		return w.set(slot)
	}
	for i := range snap.Services {
		svc := &snap.Services[i]
		if svc.Number == 0 {
			continue
		}
		v := next()
		*v = values{}
		v.setTotal(svc.Total)
		for j := range svc.Reals {
			real := &svc.Reals[j]
			v[valueActive] += uint64(real.Active)
			v[valueInactive] += uint64(real.Inactive)
			v[valuePersistent] += uint64(real.Persistent)
			v[valueWeight] += uint64(real.Weight)
			if real.Number != 0 {
				encodeReal(next(), real)
			}
		}
	}
	w.finish(p.window, p.tick, h, s.resets)
}

func encodeReal(v *values, real *dataplane.RealState) {
	v.setTotal(real.Total)
	v[valueActive], v[valueInactive] = uint64(real.Active), uint64(real.Inactive)
	v[valuePersistent], v[valueWeight] = uint64(real.Persistent), uint64(real.Weight)
}

// String names an identity in errors.
func (id identity) String() string {
	switch {
	case id == identity{}:
		return "the director"
	case ripText(id.rip) == "":
		return keyText(id.key)
	}
	return keyText(id.key) + ", " + ripText(id.rip)
}

// check refuses an identity that would not be read back the same.
func (id identity) check() error {
	if id == (identity{}) {
		return nil
	}
	got, err := parseIdentity(keyText(id.key), ripText(id.rip))
	if err == nil && got != id {
		err = errors.New("it has no canonical text")
	}
	if err != nil {
		return fmt.Errorf("identity %s: %w", id, err)
	}
	return nil
}
