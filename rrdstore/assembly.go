package rrdstore

import (
	"slices"
	"time"
)

// An assembly turns records into rows of the wanted series.
type assembly struct {
	rows   rowReader
	start  uint32
	bySID  map[uint32][]*holding // in the order of time
	wanted map[*Series]bool
	holder []*holding // by slot: whose it is at present; nil if unwanted
	until  uint32     // the first tick at which some holder changes
	row    Row
	fed    bool // a row is under way
}

func newAssembly(all []*holding, start uint32, want func(*Series) bool) *assembly {
	a := &assembly{start: start, bySID: make(map[uint32][]*holding), wanted: make(map[*Series]bool)}
	for _, h := range all {
		if h.sid != 0 {
			a.bySID[h.sid] = append(a.bySID[h.sid], h)
			if want(h.Series) {
				a.wanted[h.Series] = true
			}
		}
	}
	return a
}

// sids are the numbers to ask for; all says that those are all there are.
func (a *assembly) sids() (sids []uint32, all bool) {
	all = true
	for sid, list := range a.bySID {
		if slices.ContainsFunc(list, func(h *holding) bool { return a.wanted[h.Series] }) {
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
		var holder *holding
		for _, h := range a.bySID[sid] {
			if h.from > tick {
				a.until = min(a.until, h.from)
				break
			}
			if tick < h.until {
				a.until = min(a.until, h.until)
				if holder = nil; a.wanted[h.Series] {
					holder = h
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
	known := uint16(knownAll)
	if h.partial {
		known &^= knownCounters
	}
	for slot, holder := range a.holder {
		if holder == nil || !r.has(slot) {
			continue
		}
		v := &r.state.values[slot]
		a.row.Entries = append(a.row.Entries, Entry{
			Series: holder.Series, sid: holder.sid, Known: known, Total: v.total(), Reset: r.reset(slot),
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
	cmp := func(a, b Entry) int { return int(int64(a.sid) - int64(b.sid)) }
	if !slices.IsSortedFunc(entries, cmp) {
		slices.SortFunc(entries, cmp)
	}
}
