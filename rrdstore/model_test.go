package rrdstore

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
)

// A model is the store as a map, and a director that random things happen to.
type model struct {
	rnd      *rand.Rand
	tick     int64
	epoch    string
	accounts map[identity]*dataplane.Remembered
	rows     map[int64][]string // what a reader should find, as text
}

func newModel(seed uint64) *model {
	return &model{
		rnd: rand.New(rand.NewPCG(seed, 1)), tick: 1_700_000_000, epoch: "boot-0",
		accounts: make(map[identity]*dataplane.Remembered), rows: make(map[int64][]string),
	}
}

// number is usually the same for an identity, sometimes another's.
func (m *model) number(i int) uint32 {
	if m.rnd.IntN(200) == 0 {
		return uint32(i) + 1 + uint32(m.rnd.IntN(3))*1000
	}
	return 0
}

// account lets time pass for an identity.
func (m *model) account(id identity, number uint32, now time.Time) dataplane.Account {
	a := m.accounts[id]
	if a == nil {
		a = &dataplane.Remembered{Key: id.key, RIP: id.rip}
		a.FirstSeen = now
		a.Number = number
		m.accounts[id] = a
	}
	if n := m.number(int(number)); n != 0 {
		a.Number = n
	}
	grow := func() (c dataplane.Counters) {
		if m.rnd.IntN(5) == 0 {
			return c
		}
		c = dataplane.Counters{Connections: m.rnd.Uint64N(300), InPackets: m.rnd.Uint64N(9000), InBytes: m.rnd.Uint64N(1 << 20)}
		if m.rnd.IntN(3) == 0 {
			c.OutBytes, c.OutPackets = m.rnd.Uint64N(1<<30), m.rnd.Uint64N(1<<20)
		}
		if m.rnd.IntN(300) == 0 { // the extremes
			c.OutBytes, c.InPackets = m.rnd.Uint64(), m.rnd.Uint64()
		}
		return c
	}
	d := grow()
	if m.rnd.IntN(100) == 0 {
		a.Kernel = d
		a.Resets[m.rnd.IntN(int(dataplane.NumResetReasons))]++
		a.LastReset = now
	} else {
		a.Kernel = a.Kernel.Add(d)
	}
	a.Total = a.Total.Add(d)
	a.Epoch, a.Gone = m.epoch, false
	a.LastSeen = now
	if m.rnd.IntN(50) == 0 {
		a.LastSeen = now.Add(-time.Second)
	}
	return a.Account
}

// step is the next snapshot; the model holds what should come of it.
func (m *model) step() *dataplane.Snapshot {
	m.tick += 10 * int64(1+m.rnd.IntN(3))
	if m.rnd.IntN(40) == 0 {
		m.tick += int64(m.rnd.IntN(7200))
	}
	if m.rnd.IntN(60) == 0 {
		m.epoch = fmt.Sprintf("boot-%d", m.tick)
	}
	tick := tickAt(m.tick)
	snap := &dataplane.Snapshot{Tick: tick, Time: tick.Add(time.Duration(m.rnd.IntN(1e9))), Partial: m.rnd.IntN(30) == 0}
	for _, a := range m.accounts {
		a.Gone = true
	}
	snap.Director.Epoch = m.epoch
	snap.Director.HasStats, snap.Director.HasConnections = m.rnd.IntN(9) > 0, m.rnd.IntN(9) > 0
	snap.Director.Connections = m.rnd.Uint64N(1e6)
	snap.Director.Account = m.account(identity{}, 0, snap.Time)
	m.accounts[identity{}].Number = 0
	snap.Director.Number = 0
	if snap.Director.HasConnections {
		m.peak(identity{}, snap.Director.Connections, &snap.Director.Account)
	}
	for i := range 1 + m.rnd.IntN(8) {
		if m.rnd.IntN(6) == 0 {
			continue
		}
		svc := dataplane.ServiceState{Name: []string{"", "web", "mail"}[m.rnd.IntN(30)%3*m.rnd.IntN(2)]}
		svc.Key = testKey(i)
		svc.Account = m.account(identity{key: svc.Key}, uint32(i+1), snap.Time)
		for j := range m.rnd.IntN(90) {
			if m.rnd.IntN(10) == 0 {
				continue
			}
			real := dataplane.RealState{Active: m.rnd.Uint32N(1000), Inactive: m.rnd.Uint32N(1000), Persistent: m.rnd.Uint32N(3)}
			real.RIP, real.Weight = testRIP(j), m.rnd.Uint32N(3)
			real.Account = m.account(identity{svc.Key, real.RIP}, uint32(j+1), snap.Time)
			if old := m.accounts[identity{svc.Key, real.RIP}]; old.Status != real.Status() || old.LastChange.IsZero() {
				old.LastChange = snap.Time
			}
			real.LastChange = m.accounts[identity{svc.Key, real.RIP}].LastChange
			m.peak(identity{svc.Key, real.RIP}, uint64(real.Active)+uint64(real.Inactive), &real.Account)
			svc.Reals = append(svc.Reals, real)
		}
		m.turn(&svc)
		snap.Services = append(snap.Services, svc)
	}
	m.settle(snap)
	return snap
}

// peak notes how many connections there are now, or were in between: a sample
// that was not stored may have seen more.
func (m *model) peak(id identity, connections uint64, to *dataplane.Account) {
	if m.rnd.IntN(50) == 0 {
		connections += m.rnd.Uint64N(500)
	}
	a := m.accounts[id]
	a.Peak = max(a.Peak, connections)
	to.Peak = a.Peak
}

// turn notes the state of a service, and sometimes another change that was not
// stored.
func (m *model) turn(svc *dataplane.ServiceState) {
	a := m.accounts[identity{key: svc.Key}]
	if status := svc.Status(); status != a.Status || a.LastChange.IsZero() || m.rnd.IntN(30) == 0 {
		a.Status, a.LastChange = status, a.LastSeen
		a.Changes += m.rnd.Uint32N(300)
		a.Failures += m.rnd.Uint32N(2)
	}
	active, inactive, _ := svc.Connections()
	m.peak(identity{key: svc.Key}, active+inactive, &svc.Account)
	svc.LastChange, svc.Changes, svc.Failures = a.LastChange, a.Changes, a.Failures
}

// settle makes numbers unambiguous, as the sampler's are, and remembers the row.
func (m *model) settle(snap *dataplane.Snapshot) {
	used := make(map[uint32]bool)
	gone := m.gonePlaces()
	for i := range snap.Services {
		svc := &snap.Services[i]
		for used[sidOf(svc.Number, 0)] {
			svc.Number++
		}
		used[sidOf(svc.Number, 0)] = true
		m.take(identity{key: svc.Key}, svc.Number, gone)
		for j := range svc.Reals {
			real := &svc.Reals[j]
			for used[sidOf(svc.Number, real.Number)] {
				real.Number++
			}
			used[sidOf(svc.Number, real.Number)] = true
			m.take(identity{svc.Key, real.RIP}, real.Number, gone)
			a := m.accounts[identity{svc.Key, real.RIP}]
			a.Status, a.LastChange = real.Status(), real.LastChange
		}
	}
	m.rows[m.tick] = snapshotText(snap)
}

// snapshotText is what rowText should be of a snapshot's row.
func snapshotText(snap *dataplane.Snapshot) (lines []string) {
	for i := range snap.Services {
		svc := &snap.Services[i]
		var active, inactive, persistent uint64
		for _, real := range svc.Reals {
			lines = append(lines, fmt.Sprint(svc.Key, " ", real.RIP, " ", real.Total, uint64(real.Active), uint64(real.Inactive), uint64(real.Persistent), uint64(real.Weight)))
			active += uint64(real.Active)
			inactive += uint64(real.Inactive)
			persistent += uint64(real.Persistent)
		}
		lines = append(lines, fmt.Sprint(svc.Key, " ", netip.AddrPort{}, " ", svc.Total, active, inactive, persistent, svc.Weight()))
	}
	d := &snap.Director
	lines = append(lines, fmt.Sprint("director ", snap.Time, snap.Partial, d.Total, d.HasStats, d.HasConnections, d.Connections))
	slices.Sort(lines)
	return lines
}

// A place is where a number counts: among the services, or within one of them.
type place struct {
	service dataplane.ServiceKey // zero: among the services
	number  uint32
}

func placeOf(id identity, number uint32) place {
	if !id.rip.IsValid() {
		return place{number: number}
	}
	return place{id.key, number}
}

// gonePlaces are the numbers that what is gone still has.
func (m *model) gonePlaces() map[place]identity {
	gone := make(map[place]identity)
	for id, a := range m.accounts {
		if a.Gone {
			gone[placeOf(id, a.Number)] = id
		}
	}
	return gone
}

// take gives a number to an identity; whoever had it, gone, is forgotten, and
// with a service its real servers.
func (m *model) take(id identity, number uint32, gone map[place]identity) {
	m.accounts[id].Number = number
	other, ok := gone[placeOf(id, number)]
	switch {
	case !ok || other == id:
	case id.rip.IsValid():
		delete(m.accounts, other)
	default:
		m.forget(other.key)
	}
}

func (m *model) forget(key dataplane.ServiceKey) {
	for id := range m.accounts {
		if id.key == key {
			delete(m.accounts, id)
		}
	}
}

func (m *model) remembered() []dataplane.Remembered {
	var all []dataplane.Remembered
	for _, a := range m.accounts {
		all = append(all, *a)
	}
	slices.SortFunc(all, dataplane.Remembered.Compare)
	return all
}

func rowText(row *Row) (lines []string) {
	for _, e := range row.Entries {
		lines = append(lines, fmt.Sprint(e.Series.Key, " ", e.Series.RIP, " ", e.Total, e.Active, e.Inactive, e.Persistent, e.Weight))
	}
	lines = append(lines, fmt.Sprint("director ", row.Time, row.Partial, row.Total, row.HasStats, row.HasConnections, row.Connections))
	slices.Sort(lines)
	return lines
}

func TestStoreAgreesWithAModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := t.TempDir()
			checkAfter(t, dir)
			m := newModel(seed)
			s := mustOpen(t, dir, Options{Retention: 1000 * time.Hour})
			for i := range 200 {
				mustCommit(t, s, m.step())
				if i%20 == 0 || i > 195 {
					compareRemembered(t, i, m, s)
				}
				if m.rnd.IntN(25) > 0 {
					continue
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if m.rnd.IntN(4) == 0 {
					checkNow(t, dir)
				}
				s = mustOpen(t, dir, Options{Retention: 1000 * time.Hour})
				compareRemembered(t, i, m, s)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			compareRows(t, m, dir)
		})
	}
}

func compareRemembered(t *testing.T, step int, m *model, s *Store) {
	t.Helper()
	want, got := m.remembered(), mustRemember(t, s)
	if slices.Equal(want, got) { // which costs little
		return
	}
	if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
		t.Fatalf("step %d: remembered (-want +got)\n%s", step, diff)
	}
}

// compareRows reads random ranges and selections and compares them with the model.
func compareRows(t *testing.T, m *model, dir string) {
	t.Helper()
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		start, end := int64(0), int64(1<<33)
		if i > 0 {
			start = m.tick - m.rnd.Int64N(40000)
			end = start + m.rnd.Int64N(10000)
		}
		only := m.rnd.IntN(8)
		want := func(s *Series) bool { return i%2 == 0 || s.Key == testKey(only) }
		seen := 0
		for row, err := range r.Rows(t.Context(), tickAt(start), tickAt(end), want) {
			if err != nil {
				t.Fatal(err)
			}
			seen++
			wantLines := slices.DeleteFunc(slices.Clone(m.rows[row.Tick.Unix()]), func(line string) bool {
				key := testKey(only).String() + " "
				return i%2 != 0 && line[:8] != "director" && (len(line) < len(key) || line[:len(key)] != key)
			})
			if got := rowText(row); !slices.Equal(wantLines, got) {
				t.Fatalf("row %v (-want +got)\n%s", row.Tick, cmp.Diff(wantLines, got))
			}
		}
		stored := 0
		for tick := range m.rows {
			if tick >= start && tick <= end {
				stored++
			}
		}
		if seen != stored {
			t.Errorf("%d to %d: %d rows, want %d", start, end, seen, stored)
		}
	}
	if r.Damaged() != 0 {
		t.Errorf("%d records were left out", r.Damaged())
	}
}
