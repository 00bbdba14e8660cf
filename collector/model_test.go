package collector

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"lvs/dataplane"
)

// A model is a kernel's IPVS table as far as counters go: lists with the newest
// entry first, a trash that gives real servers back, clearing that reaches what is
// in the list only, and counts that are summed up now and then, of each entry at
// its own time. Beside it, it keeps the truth about every key: see truth.
type model struct {
	rand     *rand.Rand
	epoch    int
	chains   [4][]*modelService // of the hash table
	trash    []*modelReal
	director modelCount
	truths   map[memoryKey]*truth // the zero RIP is the service; the zero key, the director
	lives    map[memoryKey]*modelLife
	peak     uint64 // connections of the director
	samples  int
	stored   int        // of samples, those that the ledger knows
	rows     []modelRow // of the sample taken last
	traces   map[dataplane.ServiceKey]modelTrace
	fellAll  bool // the director's counter did, in the sample taken last
	nameless bool // that one told no epoch
	now      time.Time
	names    *Names // as configured
}

// A modelCount is a kernel counter: what it tells, and what was counted since that
// was summed up.
type modelCount struct{ now, pending uint64 }

type modelService struct {
	key       dataplane.ServiceKey
	scheduler string
	modelCount
	reals []*modelReal
}

type modelReal struct {
	service *modelService
	rip     netip.AddrPort
	modelCount
	weight, active, inactive, upper uint32

	deleted time.Time // while it is in the trash
	trashed bool      // since what the ledger has was sampled
	missed  bool      // a clearing, while it was in the trash then
}

func newModel() *model {
	return &model{now: epoch0, epoch: 1, truths: map[memoryKey]*truth{}, lives: map[memoryKey]*modelLife{}, traces: map[dataplane.ServiceKey]modelTrace{},
		names: new(Names(func(dataplane.ServiceKey, netip.AddrPort) string { return "" }))}
}

var modelKeys = func() (keys []dataplane.ServiceKey) {
	for i := range byte(7) {
		keys = append(keys, dataplane.AddrKey(dataplane.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, i}), 80)))
	}
	return append(keys, dataplane.MarkKey(dataplane.INET, 1))
}()

func modelRIP(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), 80)
}

func (m *model) truth(k dataplane.ServiceKey, rip netip.AddrPort) *truth {
	id := memoryKey{k, rip}
	if m.truths[id] == nil {
		m.truths[id] = &truth{}
	}
	return m.truths[id]
}

func (m *model) ofDirector() *truth               { return m.truth(dataplane.ServiceKey{}, netip.AddrPort{}) }
func (m *model) ofService(s *modelService) *truth { return m.truth(s.key, netip.AddrPort{}) }
func (m *model) ofReal(r *modelReal) *truth       { return m.truth(r.service.key, r.rip) }

// all is the dump of the services.
func (m *model) all() (all []*modelService) {
	for _, chain := range m.chains {
		all = append(all, chain...)
	}
	return all
}

func (m *model) any() *modelService {
	all := m.all()
	if len(all) == 0 {
		return nil
	}
	return all[m.rand.IntN(len(all))]
}

func (m *model) addService(key dataplane.ServiceKey) {
	i := slices.Index(modelKeys, key)
	s := &modelService{key: key, scheduler: "wlc"}
	chain := &m.chains[i%len(m.chains)]
	*chain = slices.Insert(*chain, 0, s)
	for n := range 1 + m.rand.IntN(4) {
		m.addReal(s, modelRIP(n))
	}
}

// addReal adds a real server, out of the trash if one is there: cleared if it
// belonged to another service.
func (m *model) addReal(s *modelService, rip netip.AddrPort) {
	for _, r := range s.reals {
		if r.rip == rip {
			return
		}
	}
	r := &modelReal{service: s, rip: rip, weight: 1}
	i := slices.IndexFunc(m.trash, func(r *modelReal) bool { return r.service.key == s.key && r.rip == rip })
	if i >= 0 {
		r = m.trash[i]
		m.trash = slices.Delete(m.trash, i, i+1)
		if r.service != s {
			m.ofReal(r).clear(&r.modelCount, causeAnew)
			r.service = s
		} else if r.missed {
			m.ofReal(r).excess += r.now
		}
	}
	s.reals = slices.Insert(s.reals, 0, r)
}

func (m *model) deleteReal(s *modelService, i int) {
	r := s.reals[i]
	s.reals = slices.Delete(s.reals, i, i+1)
	r.trashed, r.deleted = true, m.now
	m.trash = append(m.trash, r)
}

func (m *model) deleteService(s *modelService) {
	for len(s.reals) > 0 {
		m.deleteReal(s, 0)
	}
	for i := range m.chains {
		m.chains[i] = slices.DeleteFunc(m.chains[i], func(x *modelService) bool { return x == s })
	}
	s.pending = 0
	m.ofService(s).clear(&s.modelCount, causeAnew)
}

// expire has the kernel let go of what was in the trash for long enough.
func (m *model) expire() {
	m.trash = slices.DeleteFunc(m.trash, func(r *modelReal) bool {
		if m.now.Sub(r.deleted) < trashPeriod {
			return false
		}
		r.pending = 0
		m.ofReal(r).clear(&r.modelCount, causeAnew)
		return true
	})
}

// zero clears a service. A real server that was deleted and added again around
// it kept its counts, as if it had grown past them; the totals of such a one may
// be too high.
func (m *model) zero(s *modelService, why cause) {
	m.ofService(s).clear(&s.modelCount, why)
	for _, r := range s.reals {
		m.ofReal(r).clear(&r.modelCount, why)
	}
	for _, r := range m.trash {
		r.missed = r.missed || r.service == s && r.trashed
	}
}

func (m *model) zeroAll() {
	for _, s := range m.all() {
		m.zero(s, causeAllZeroed)
	}
	m.ofDirector().clear(&m.director, causeAllZeroed)
}

// reload is a module reload or a reboot; the same table comes back or none.
func (m *model) reload() {
	for _, s := range m.all() {
		m.deleteService(s)
	}
	for _, r := range m.trash {
		m.ofReal(r).clear(&r.modelCount, causeAnew)
	}
	m.trash = nil
	m.director = modelCount{now: m.director.now}
	m.ofDirector().clear(&m.director, causeAnew)
	for _, t := range m.truths {
		t.view.causes, t.stored.causes = t.view.causes|causeReload, t.stored.causes|causeReload
	}
	m.epoch++
}

func (m *model) traffic(s *modelService, n uint64) {
	if s == nil || len(s.reals) == 0 {
		return
	}
	m.count(s.reals[m.rand.IntN(len(s.reals))], n)
}

func (m *model) count(r *modelReal, n uint64) {
	for _, c := range []*modelCount{&r.service.modelCount, &r.modelCount, &m.director} {
		c.pending += n
	}
}

// sumUp has the kernel sum up what some entries counted, or all.
func (m *model) sumUp(all bool) {
	sum := func(t *truth, c *modelCount) {
		if all || m.rand.IntN(3) > 0 {
			t.traffic += c.pending
			c.now, c.pending = c.now+c.pending, 0
		}
	}
	sum(m.ofDirector(), &m.director)
	for _, s := range m.all() {
		sum(m.ofService(s), &s.modelCount)
		for _, r := range s.reals {
			sum(m.ofReal(r), &r.modelCount)
		}
	}
}

// disturb does something that an operator, a health checker or fate does.
func (m *model) disturb() string {
	s := m.any()
	key := modelKeys[m.rand.IntN(len(modelKeys))]
	switch op := m.rand.IntN(16); {
	case s == nil || op < 3:
		if !slices.ContainsFunc(m.all(), func(s *modelService) bool { return s.key == key }) {
			m.addService(key)
			return "add " + key.String()
		}
	case op < 5:
		m.deleteService(s)
		return "delete " + s.key.String()
	case op < 7:
		m.deleteService(s)
		m.addService(s.key)
		return "delete and add " + s.key.String()
	case op < 9:
		rip := modelRIP(m.rand.IntN(6))
		m.addReal(s, rip)
		return fmt.Sprint("add ", s.key, " ", rip)
	case op < 11:
		if len(s.reals) > 0 {
			i := m.rand.IntN(len(s.reals))
			rip := s.reals[i].rip
			m.deleteReal(s, i)
			return fmt.Sprint("delete ", s.key, " ", rip)
		}
	case op < 13:
		m.zero(s, causeZeroed)
		return "zero " + s.key.String()
	case op == 13 && m.rand.IntN(3) == 0:
		m.zeroAll()
		return "zero all"
	case op == 14:
		s.scheduler = []string{"wlc", "rr", "sh"}[m.rand.IntN(3)]
		return "edit " + s.key.String()
	case op == 15 && m.rand.IntN(3) == 0:
		m.reload()
		return "reload"
	case op == 15:
		m.expire()
		return "expire"
	}
	return "nothing"
}
