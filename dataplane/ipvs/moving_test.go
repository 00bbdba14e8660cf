package ipvs

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"lvs/dataplane"
)

// Whatever happens between datagrams: no row twice, none that never was, and none
// missing that was there all along, unless the snapshot says that it is unsure.
func TestSnapshotsOfAMovingTable(t *testing.T) {
	unsure := 0
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		k := newKernel()
		k.fillTable(30, 3)
		for i := range 4 { // some long lists among the short
			for j := range 60 {
				k.table[i*7].reals = append(k.table[i*7].reals, &realServer{rip: testRIP(100 + j)})
			}
		}
		c := k.client(t)
		if seed%2 == 0 {
			snapshot(t, c) // so that there is a last snapshot to compare with
		}
		m := newMoving(k)
		every := 1 + rnd.IntN(40)
		k.between = func() {
			if rnd.IntN(every) == 0 {
				m.step(rnd)
			}
		}
		s := snapshot(t, c)
		if s.Inconsistent > 0 {
			unsure++
		}
		for _, fault := range m.check(s) {
			t.Errorf("seed %d, %d retries, %d inconsistent: %s", seed, s.Retries, s.Inconsistent, fault)
		}
	}
	if unsure > 75 {
		t.Errorf("%d of 150 snapshots are unsure: the retries are of no use", unsure)
	}
}

// A moving table remembers what ever was there and what always was.
type moving struct {
	k      *kernel
	ever   map[string]bool
	always map[string]bool
}

func newMoving(k *kernel) *moving {
	m := &moving{k, make(map[string]bool), make(map[string]bool)}
	for _, name := range m.names() {
		m.ever[name], m.always[name] = true, true
	}
	return m
}

func (m *moving) names() (names []string) {
	for _, svc := range m.k.table {
		names = append(names, svc.key.String())
		for _, r := range svc.reals {
			names = append(names, fmt.Sprint(svc.key, " ", r.rip))
		}
	}
	return names
}

// step changes one thing: what is added comes first, as in the kernel.
func (m *moving) step(rnd *rand.Rand) {
	k := m.k
	i := rnd.IntN(len(k.table))
	svc := k.table[i]
	switch rnd.IntN(5) {
	case 0:
		k.foreign = rnd.IntN(3)
	case 1:
		if len(k.table) > 20 {
			k.table = append(k.table[:i:i], k.table[i+1:]...)
		}
	case 2:
		k.table = append([]*service{{key: testKey(100 + rnd.IntN(1000)), sched: "rr", reals: []*realServer{{rip: testRIP(7)}}}}, k.table...)
	case 3:
		if len(svc.reals) > 1 {
			j := rnd.IntN(len(svc.reals))
			svc.reals = append(svc.reals[:j:j], svc.reals[j+1:]...)
		}
	case 4:
		svc.reals = append([]*realServer{{rip: testRIP(1000 + rnd.IntN(60000))}}, svc.reals...)
	}
	now := make(map[string]bool)
	for _, name := range m.names() {
		m.ever[name], now[name] = true, true
	}
	for name := range m.always {
		if !now[name] {
			delete(m.always, name)
		}
	}
}

func (m *moving) check(s *dataplane.Snapshot) (faults []string) {
	seen := make(map[string]bool)
	see := func(name string) {
		if seen[name] {
			faults = append(faults, name+" is there twice")
		}
		if !m.ever[name] {
			faults = append(faults, name+" never was there")
		}
		seen[name] = true
	}
	for _, svc := range s.Services {
		see(svc.Key.String())
		for _, r := range svc.Reals {
			see(fmt.Sprint(svc.Key, " ", r.RIP))
		}
	}
	for name := range m.always {
		if !seen[name] && s.Inconsistent == 0 {
			faults = append(faults, name+" is missing")
		}
	}
	return faults
}
