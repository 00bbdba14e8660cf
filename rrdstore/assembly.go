package rrdstore

import (
	"slices"
	"time"
)

// An assembly turns records into rows of the wanted series.
type assembly struct {
	rows  rowReader
	start uint32
	sids  []uint32                   // of the wanted series, rising
	bySID map[uint32][]wantedHolding // in the order of time
	seen  int                        // slots that were looked at
	slots []wantedSlot
	until uint32 // the first tick at which some holder changes
	row   Row
	fed   bool // a row is under way
}

// A wantedHolding is of a wanted series.
type wantedHolding struct {
	*holding
	at int // which one that is, of those that were asked for
}

// A wantedSlot is a slot whose present holder is wanted.
type wantedSlot struct {
	slot int
	wantedHolding
}

func newAssembly(wanted []*Series, start uint32) *assembly {
	a := &assembly{start: start, bySID: make(map[uint32][]wantedHolding, len(wanted))}
	for i, s := range wanted {
		for _, h := range s.holdings {
			if h.sid != 0 {
				a.bySID[h.sid] = append(a.bySID[h.sid], wantedHolding{h, i})
			}
		}
	}
	for sid, list := range a.bySID {
		a.sids = append(a.sids, sid)
		slices.SortFunc(list, func(a, b wantedHolding) int { return int(int64(a.from) - int64(b.from)) })
	}
	slices.Sort(a.sids)
	a.rows.partly = true
	return a
}

// feed takes a record, and calls whole when that ends the row before it, which
// then may be looked at.
func (a *assembly) feed(rec scanRecord, whole func() error) error {
	if rec.key.block == 0 {
		if err := a.end(whole); err != nil {
			return err
		}
	}
	if err := a.rows.feed(rec); err != nil {
		return err
	}
	if rec.key.block == 0 {
		a.fed = true
		a.identify(rec.key.tick)
	}
	return nil
}

// identify keeps slots in step with the row's.
func (a *assembly) identify(tick uint32) {
	if !a.rows.usable {
		return
	}
	if a.rows.header.keyframe || tick >= a.until {
		a.seen, a.slots, a.until = 0, a.slots[:0], ^uint32(0)
	}
	h := &a.rows.header
	rising := h.rising && len(a.rows.sids)-a.seen == len(h.slots) // those of this header
	for i := range common(a.rows.sids[a.seen:], a.sids, rising) {
		slot := a.seen + i
		a.rows.want(slot)
		for _, h := range a.bySID[a.rows.sids[slot]] {
			if h.from > tick {
				a.until = min(a.until, h.from)
				break
			}
			if tick < h.until {
				a.until = min(a.until, h.until)
				a.slots = append(a.slots, wantedSlot{slot, h})
				break
			}
		}
	}
	a.seen = len(a.rows.sids)
}

// end ends the row under way, and calls whole if it is to be shown.
func (a *assembly) end(whole func() error) error {
	if !a.fed || !a.rows.usable || a.rows.tick < a.start {
		return nil
	}
	a.fed = false
	return whole()
}

// make is the row that is whole.
func (a *assembly) make() *Row {
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
	for _, w := range a.slots {
		if !r.has(w.slot) {
			continue
		}
		v := &r.state.values[w.slot]
		a.row.Entries = append(a.row.Entries, Entry{
			Series: w.Series, sid: w.sid, Known: known, Total: v.total(), Reset: r.reset(w.slot),
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
