package collector

import (
	"fmt"
	"net/netip"
	"time"

	"lvs/dataplane"
)

// truth is what is so of a service or real server, whatever entry it has, and how
// much of it nobody could have known of.
type truth struct {
	traffic uint64 // that the kernel ever summed up
	excess  uint64 // may be in the total twice: see model.zero
	view           // of the agent that runs
	stored  view   // of one that is started from the ledger
}

// A view is what an agent knows, by the samples that it knows of.
type view struct {
	lost    uint64 // counted and cleared again between two samples
	hidden  uint64 // grown past again, by the next sample, after a clearing
	sampled uint64 // the entry's count when it was last sampled; zero once it is cleared
	dirty   bool   // cleared since it was last sampled
	causes  cause  // by what
	past    cause  // likewise, before the sample before
	certain bool   // and it is plain to see, since
	kernel  uint64 // when it was last sampled
	epoch   int    // the last that was told; 0 is none
	doubt   bool   // it was sampled since then
	sample  int    // that was
	told    int    // the last sample that told its counters
	fellAt  int    // the last sample it fell in
	// toldBefore is the sample before that told its counters.
	toldBefore int
	seen       time.Time
}

// A cause is why counters were cleared, as a set.
type cause uint8

const (
	causeZeroed    cause = 1 << iota // one service
	causeAllZeroed                   // all, and the grand totals
	causeAnew                        // the entry is another one
	causeReload                      // and so is the table
)

func (t *truth) clear(c *modelCount, why cause) {
	t.view.clear(c.now, why)
	t.stored.clear(c.now, why)
	c.now = 0
}

func (v *view) clear(now uint64, why cause) {
	v.lost += now - v.sampled
	v.sampled, v.dirty, v.causes = 0, true, v.causes|why
}

// A modelRow is what must hold for one row of a sample.
type modelRow struct {
	id          memoryKey
	fell        bool // the counter is below that of the sample before
	cleared     bool // it began anew in between, or looks as if
	certain     bool // and that is plain to see
	long        bool // since it was seen: it may be another one
	lacked      bool // a consistent sample in between had none of its service
	reloaded    bool // the table is another one
	partial     bool // its counters were not told
	doubt       bool // or may have been already when it was sampled last
	causes      cause
	past        cause // those of the sample before
	least, most uint64
}

// look samples a counter.
func (m *model) look(id memoryKey, c *modelCount, missed, certain bool, how reading) modelRow {
	t := m.truth(id.key, id.rip)
	reloaded := t.epoch != 0 && t.epoch != m.epoch && !how.nameless
	certain = certain || t.certain || reloaded && !t.doubt
	row := modelRow{id: id, cleared: t.dirty || missed, certain: certain, lacked: t.certain,
		long: m.now.Sub(t.seen) >= trashPeriod, reloaded: reloaded,
		causes: t.causes, past: t.past, partial: how.partial}
	t.past = t.causes
	switch {
	case how.partial && certain:
		t.dirty, t.causes, t.kernel = false, 0, 0 // plain to see nevertheless
	case !how.partial:
		row.fell = c.now < t.kernel
		if t.dirty && !row.fell && !certain {
			t.hidden += t.kernel
		}
		if row.fell {
			t.fellAt = m.samples
		}
		t.dirty, t.causes, t.kernel, t.sampled = false, 0, c.now, c.now
		t.toldBefore, t.told = t.told, m.samples
	}
	row.least, row.most = t.traffic-(c.now-t.sampled)-t.lost-t.hidden, t.traffic+t.excess
	t.certain, t.sample, t.seen = false, m.samples, m.now
	row.doubt = t.doubt
	switch {
	case !how.nameless:
		t.epoch, t.doubt = m.epoch, false
	case row.fell || row.certain:
		t.epoch = 0
	default:
		t.doubt = true
	}
	m.rows = append(m.rows, row)
	return row
}

// commit has the ledger know what the agent does.
func (m *model) commit() {
	m.stored = m.samples
	for _, t := range m.truths {
		switch {
		case t.sample < m.samples: // it is gone, and the ledger keeps what it has of it
			t.stored.certain = t.certain && t.stored.sample > 0
		default:
			t.stored = t.view
			if m.nameless {
				t.stored.epoch, t.stored.doubt = 0, false
			}
		}
	}
	for _, r := range m.trash {
		r.trashed, r.missed = false, false
	}
	for _, s := range m.all() {
		for _, r := range s.reals {
			r.missed = false
		}
	}
}

// restart has an agent go on from the ledger, and forget what none keeps: of a real
// server that is gone, that its service was made anew and is back; configurations
// and the order of the dump.
func (m *model) restart() {
	m.samples = m.stored
	for _, t := range m.truths {
		t.view = t.stored
	}
	for id, t := range m.truths {
		if id.rip.IsValid() && m.truth(id.key, netip.AddrPort{}).sample == m.samples {
			t.certain = false
		}
	}
	for key, trace := range m.traces {
		trace.whole = false
		m.traces[key] = trace
	}
}

// check holds a row against the accounts before and now.
func (r *modelRow) check(m *model, last, now map[memoryKey]dataplane.Account) error {
	a, ok := now[r.id]
	before, known := last[r.id]
	total := a.Total.Connections
	switch resets := a.Resets.Sum() - before.Resets.Sum(); {
	case !ok:
		return fmt.Errorf("not in the snapshot")
	case a.Total != scale(total):
		return fmt.Errorf("total %+v fell apart", a.Total)
	case total < before.Total.Connections:
		return fmt.Errorf("total fell from %d to %d", before.Total.Connections, total)
	case total < r.least || total > r.most:
		return fmt.Errorf("total %d, want %d to %d", total, r.least, r.most)
	case !known && (resets != 0 || a.FirstSeen.IsZero()):
		return fmt.Errorf("%d resets at first sight, at %v", resets, a.FirstSeen)
	case known && (r.fell || r.certain) && resets != 1:
		return fmt.Errorf("fell: %v, certain: %v, and %d resets were counted", r.fell, r.certain, resets)
	case known && (resets > 1 || resets == 1 && !r.cleared && !m.traces[r.id.key].reloaded):
		return fmt.Errorf("%d resets were counted, began anew: %v", resets, r.cleared)
	case known && (a.Number != before.Number || !a.FirstSeen.Equal(before.FirstSeen)):
		return fmt.Errorf("number %d since %v, was %d since %v", a.Number, a.FirstSeen, before.Number, before.FirstSeen)
	}
	if t := m.truth(r.id.key, r.id.rip); r.partial && !r.certain && a.Resets != before.Resets {
		t.dirty, t.causes, t.kernel = false, 0, 0 // it knew, for a reason that is long ago
	}
	for reason := range dataplane.NumResetReasons {
		if known && a.Resets[reason] != before.Resets[reason] && !r.allows(m, reason) {
			return fmt.Errorf("%v, but the causes were %b, the table another: %v", reason, r.causes, r.reloaded)
		}
	}
	return nil
}

// allows reports whether a reset may be told for that reason. What happened
// together cannot be told apart; but nothing is told that did not happen, except
// that a service made anew without a trace seems zeroed, and one that was zeroed
// alone, and changed otherwise, made anew.
func (r *modelRow) allows(m *model, reason dataplane.ResetReason) bool {
	trace := m.traces[r.id.key]
	switch {
	case r.reloaded && r.doubt:
		return true
	case reason == dataplane.KernelRestart || r.reloaded:
		return reason == dataplane.KernelRestart && (r.reloaded || trace.reloaded || trace.wasReloaded || (r.causes|r.past)&causeReload != 0)
	case reason == dataplane.Zeroed:
		return r.causes&(causeZeroed|causeAllZeroed) != 0 || !r.lacked
	case reason == dataplane.Recreated && m.fellAll && r.causes&causeAnew == 0 && !r.long:
		return r.causes&causeAllZeroed == 0
	case reason == dataplane.Recreated:
		return r.causes&causeAnew != 0 || trace.changed || trace.was || r.long
	}
	return false
}
