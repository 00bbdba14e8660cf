package collector

import (
	"fmt"
	"maps"
	"net/netip"
	"testing"

	"lvs/dataplane"
)

// TestContinuityAgainstModel lets a kernel live through thousands of samples and
// agent restarts. Of every account it asks that the total never falls, holds all
// traffic that could be known and none that was not, that a reset is counted in
// a sample if a counter fell, and only if the entry began anew, and that the
// number stays and is nobody else's. States, peaks, hosts, the times of the last
// changes and what was removed must be what follows from all that was ever seen.
func TestContinuityAgainstModel(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { live(t, newModel(seed), 300) })
	}
}

func live(t *testing.T, m *model, samples int) {
	store, c := newMemory(), NewContinuity(nil, DefaultForget)
	last := map[memoryKey]dataplane.Account{}
	var before *dataplane.Snapshot
	var done []string
	for n := range samples {
		done = done[:0]
		for range m.rand.IntN(4) {
			if m.rand.IntN(3) == 0 {
				m.someTraffic()
			}
			done = append(done, m.disturb())
		}
		m.someTraffic()
		m.stir()
		if names := m.rand.IntN(8); names < 3 {
			m.names = new(Names(func(k dataplane.ServiceKey, rip netip.AddrPort) string {
				if names == 0 || k != modelKeys[0] || names == 1 && rip.IsValid() {
					return ""
				}
				return "web"
			}))
			c.setNames(m.names)
		}
		torn, skip, realsFirst, mayRestart := func() {}, (*modelService)(nil), false, true
		switch s := m.any(); m.rand.IntN(12) {
		case 0, 1:
			if s == nil || m.ofService(s).dirty {
				break // cleared twice in one interval cannot be told from once
			}
			realsFirst, mayRestart = m.rand.IntN(2) == 0, false
			torn = func() {
				m.zero(s)
				for _, r := range s.reals {
					// A moment is too short to grow past the old value, or to come
					// back from the trash as well.
					if t := m.ofReal(r); !realsFirst && t.kernel > 3 && t.sample == m.samples-1 {
						m.count(r, m.rand.Uint64N(3))
					}
				}
			}
			done = append(done, fmt.Sprint("torn zero ", s.key, " reals first ", realsFirst))
		case 2:
			skip, mayRestart = s, false
		}
		out := c.Apply(m.sample(torn, skip, realsFirst), m.now)
		store.commit(out)
		got := accounts(out)
		for _, row := range m.rows {
			if err := row.check(last, got); err != nil {
				t.Fatalf("sample %d after %q: %v %v: %v", n, done, row.id.key, row.id.rip, err)
			}
		}
		maps.Copy(last, got)
		for _, err := range []error{unique(last), m.checkStates(got), checkServers(out, last), checkChanged(before, out), m.checkRemoved(out, last)} {
			if err != nil {
				t.Fatalf("sample %d after %q: %v", n, done, err)
			}
		}
		before = out
		if mayRestart && m.rand.IntN(15) == 0 {
			c, before = NewContinuity(store.list(), DefaultForget), nil
			c.setNames(m.names)
			m.restart()
		}
	}
}

func (m *model) someTraffic() {
	for range m.rand.IntN(12) {
		m.traffic(m.any(), m.rand.Uint64N(30))
	}
}

func (r *modelRow) check(last, now map[memoryKey]dataplane.Account) error {
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
	case known && (resets > 1 || resets == 1 && !r.cleared):
		return fmt.Errorf("%d resets were counted, began anew: %v", resets, r.cleared)
	case known && (a.Number != before.Number || !a.FirstSeen.Equal(before.FirstSeen)):
		return fmt.Errorf("number %d since %v, was %d since %v", a.Number, a.FirstSeen, before.Number, before.FirstSeen)
	}
	return nil
}

// accounts are all accounts of a snapshot.
func accounts(s *dataplane.Snapshot) map[memoryKey]dataplane.Account {
	m := map[memoryKey]dataplane.Account{{}: s.Director.Account}
	for i := range s.Services {
		v := &s.Services[i]
		m[memoryKey{key: v.Key}] = v.Account
		for j := range v.Reals {
			m[memoryKey{v.Key, v.Reals[j].RIP}] = v.Reals[j].Account
		}
	}
	return m
}

// unique checks that no number is held twice.
func unique(all map[memoryKey]dataplane.Account) error {
	type row struct {
		key    dataplane.ServiceKey // of a real server
		number uint32
	}
	held := map[row]memoryKey{}
	for id, a := range all {
		r := row{number: a.Number}
		if id.rip.IsValid() {
			r.key = id.key
		}
		if other, ok := held[r]; ok {
			return fmt.Errorf("%v and %v have number %d", id, other, a.Number)
		}
		held[r] = id
	}
	return nil
}
