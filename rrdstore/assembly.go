package rrdstore

import (
	"slices"
	"time"
)

// An assembly turns records into rows of the wanted series.
type assembly struct {
	rows   rowReader
	start  uint32
	bySID  map[uint32][]*Series // in the order of time
	wanted map[*Series]bool
	holder []*Series // by slot: whose it is at present; nil if unwanted
	until  uint32    // the first tick at which some holder changes
	row    Row
	fed    bool // a row is under way
}

func newAssembly(all []*Series, start uint32, want func(*Series) bool) *assembly {
	a := &assembly{start: start, bySID: make(map[uint32][]*Series), wanted: make(map[*Series]bool)}
	for _, s := range all {
		if s.sid != 0 {
			a.bySID[s.sid] = append(a.bySID[s.sid], s)
			if want(s) {
				a.wanted[s] = true
			}
		}
	}
	return a
}

// sids are the numbers to ask for; all says that those are all there are.
func (a *assembly) sids() (sids []uint32, all bool) {
	all = true
	for sid, list := range a.bySID {
		if slices.ContainsFunc(list, func(s *Series) bool { return a.wanted[s] }) {
			sids = append(sids, sid)
		} else {
			all = false
		}
	}
	if all && len(sids) > 0 {
		return nil, true
	}
	slices.Sort(sids)
	return sids, false
}

// feed takes a record and calls yield with the row before it when that is whole.
func (a *assembly) feed(rec scanRecord, yield func(*Row) error) error {
	if rec.key.block == 0 {
		if row := a.flush(); row != nil {
			if err := yield(row); err != nil {
				return err
			}
		}
	}
	if err := a.rows.feed(rec.window, rec.key, rec.value); err != nil {
		return err
	}
	if rec.key.block == 0 {
		a.fed = true
		a.identify(rec.key.tick)
	}
	return nil
}

// identify keeps holder in step with the slots.
func (a *assembly) identify(tick uint32) {
	if !a.rows.usable {
		return
	}
	if a.rows.header.keyframe || tick >= a.until {
		a.holder, a.until = a.holder[:0], ^uint32(0)
	}
	for _, sid := range a.rows.sids[len(a.holder):] {
		var holder *Series
		for _, s := range a.bySID[sid] {
			if s.from > tick {
				a.until = min(a.until, s.from)
				break
			}
			if tick < s.until {
				a.until = min(a.until, s.until)
				if holder = nil; a.wanted[s] {
					holder = s
				}
			}
		}
		a.holder = append(a.holder, holder)
	}
}

// flush ends the row under way; nil if it is not to be shown.
func (a *assembly) flush() *Row {
	if !a.fed || !a.rows.usable || a.rows.tick < a.start {
		return nil
	}
	a.fed = false
	r, h := &a.rows, &a.rows.header
	a.row.Tick = time.Unix(int64(r.tick), 0).UTC()
	a.row.Time = a.row.Tick.Add(time.Duration(h.late))
	a.row.Partial, a.row.HasStats, a.row.HasConnections = h.partial, h.hasStats, h.hasConnections
	a.row.Total, a.row.Connections = r.state.director.total(), r.state.director[valueActive]
	a.row.Entries = a.row.Entries[:0]
	for slot, s := range a.holder {
		if s == nil || !r.has(slot) {
			continue
		}
		v := &r.state.values[slot]
		a.row.Entries = append(a.row.Entries, Entry{
			Series: s, Total: v.total(), Reset: r.reset(slot),
			Active: v[valueActive], Inactive: v[valueInactive],
			Persistent: v[valuePersistent], Weight: v[valueWeight],
		})
	}
	sortEntries(a.row.Entries)
	return &a.row
}

// sortEntries sorts by number. Slots are in that order already, but for those
// that came since the keyframe.
func sortEntries(entries []Entry) {
	cmp := func(a, b Entry) int { return int(int64(a.Series.sid) - int64(b.Series.sid)) }
	if !slices.IsSortedFunc(entries, cmp) {
		slices.SortFunc(entries, cmp)
	}
}
