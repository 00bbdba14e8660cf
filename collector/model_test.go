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
// entry first, a trash that gives real servers back, and clearing that reaches
// what is in the list only. Beside it, it keeps the truth about every key:
// traffic ever, and how much of it nobody could have known of.
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
	rows     []modelRow // of the sample taken last
	now      time.Time
	names    *Names // as configured
}

// A modelCount is a kernel counter: its value now, and when it was last sampled.
type modelCount struct{ now, sampled uint64 }

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

	trashed bool // since the last sample
	missed  bool // a clearing, while it was in the trash then
}

// truth is what is so of a service or real server, whatever entry it has.
type truth struct {
	traffic uint64 // ever
	lost    uint64 // counted and cleared again between two samples
	hidden  uint64 // grown past again, by the next sample, after a clearing
	excess  uint64 // may be in the total twice: see zero
	dirty   bool   // cleared since it was last sampled
	certain bool   // and it is plain to see, since
	kernel  uint64 // when it was last sampled
	epoch   int    // then
	sample  int    // that was
	fellAt  int    // the last sample it fell in
}

func (t *truth) clear(c *modelCount) {
	t.lost += c.now - c.sampled
	t.dirty = true
	*c = modelCount{}
}

func newModel(seed uint64) *model {
	return &model{rand: rand.New(rand.NewPCG(seed, 1)), now: epoch0, truths: map[memoryKey]*truth{}, lives: map[memoryKey]*modelLife{},
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
			m.ofReal(r).clear(&r.modelCount)
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
	r.trashed = true
	m.trash = append(m.trash, r)
}

func (m *model) deleteService(s *modelService) {
	for len(s.reals) > 0 {
		m.deleteReal(s, 0)
	}
	for i := range m.chains {
		m.chains[i] = slices.DeleteFunc(m.chains[i], func(x *modelService) bool { return x == s })
	}
	m.ofService(s).clear(&s.modelCount)
}

// expire has the kernel let go of what is in the trash.
func (m *model) expire() {
	for _, r := range m.trash {
		m.ofReal(r).clear(&r.modelCount)
	}
	m.trash = nil
}

// zero clears a service. A real server that was deleted and added again around
// it kept its counts, as if it had grown past them; the totals of such a one may
// be too high.
func (m *model) zero(s *modelService) {
	m.ofService(s).clear(&s.modelCount)
	for _, r := range s.reals {
		m.ofReal(r).clear(&r.modelCount)
	}
	for _, r := range m.trash {
		r.missed = r.missed || r.service == s && r.trashed
	}
}

func (m *model) zeroAll() {
	for _, s := range m.all() {
		m.zero(s)
	}
	m.ofDirector().clear(&m.director)
}

// reload is a module reload or a reboot; the same table comes back or none.
func (m *model) reload() {
	for _, s := range m.all() {
		m.deleteService(s)
	}
	m.expire()
	m.ofDirector().clear(&m.director)
	m.epoch++
}

func (m *model) traffic(s *modelService, n uint64) {
	if s == nil || len(s.reals) == 0 {
		return
	}
	m.count(s.reals[m.rand.IntN(len(s.reals))], n)
}

func (m *model) count(r *modelReal, n uint64) {
	s := r.service
	s.now, r.now, m.director.now = s.now+n, r.now+n, m.director.now+n
	m.ofService(s).traffic += n
	m.ofReal(r).traffic += n
	m.ofDirector().traffic += n
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
		m.zero(s)
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

// A modelRow is what must hold for one row of a sample.
type modelRow struct {
	id          memoryKey
	fell        bool // the counter is below that of the sample before
	cleared     bool // it began anew in between, or looks as if
	certain     bool // and that is plain to see
	least, most uint64
}

// look samples a counter.
func (m *model) look(id memoryKey, c *modelCount, missed, certain bool) modelRow {
	t := m.truth(id.key, id.rip)
	certain = certain || t.certain || t.sample > 0 && t.epoch != m.epoch
	row := modelRow{id: id, fell: c.now < t.kernel, cleared: t.dirty || missed, certain: certain}
	if t.dirty && !row.fell && !certain {
		t.hidden += t.kernel
	}
	row.least, row.most = t.traffic-t.lost-t.hidden, t.traffic+t.excess
	if row.fell {
		t.fellAt = m.samples
	}
	t.dirty, t.certain, t.kernel, t.epoch, t.sample, c.sampled = false, false, c.now, m.epoch, m.samples, c.now
	m.rows = append(m.rows, row)
	return row
}

// sample reads the table, services first or real servers first. Torn is called
// in between; a skipped service is left out, as a moving table does.
func (m *model) sample(torn func(), skip *modelService, realsFirst bool) *dataplane.Snapshot {
	m.rows, m.now = m.rows[:0], m.now.Add(10*time.Second)
	m.samples++
	if m.samples%60 == 0 {
		m.now = m.now.Add(9 * time.Hour) // the machine was asleep
	}
	src := &dataplane.Snapshot{Time: m.now}
	src.Director.Epoch, src.Director.HasStats, src.Director.Kernel = fmt.Sprint(m.epoch), true, scale(m.director.now)
	src.Director.HasConnections, src.Director.Connections = m.rand.IntN(2) == 0, m.rand.Uint64N(1000)
	if src.Director.HasConnections {
		m.peak = max(m.peak, src.Director.Connections)
	}
	m.look(memoryKey{}, &m.director, false, false)
	all := m.all()
	if i := slices.Index(all, skip); i >= 0 {
		all = slices.Delete(all, i, i+1)
		src.Inconsistent = 1
	}
	src.Services = make([]dataplane.ServiceState, len(all))
	fell := map[*modelService]bool{}
	if realsFirst {
		m.dumpReals(src, all, fell)
		torn()
	}
	for i, s := range all {
		fell[s] = m.look(memoryKey{key: s.key}, &s.modelCount, false, false).fell
		src.Services[i].Service = dataplane.Service{Key: s.key, Scheduler: s.scheduler}
		src.Services[i].Kernel = scale(s.now)
	}
	if !realsFirst {
		torn()
		m.dumpReals(src, all, fell)
	}
	for _, r := range m.trash {
		r.trashed, r.missed = false, false
	}
	if src.Inconsistent == 0 {
		m.noteMissing(all)
	}
	m.watch(all, src.Inconsistent == 0)
	return src
}

// dumpReals is certain of those whose service was seen to fall, unless one fell
// already before it.
func (m *model) dumpReals(src *dataplane.Snapshot, all []*modelService, fell map[*modelService]bool) {
	for i, s := range all {
		for _, r := range s.reals {
			t := m.ofReal(r)
			certain := fell[s] && t.dirty && t.kernel > 0 && t.sample == m.samples-1 && t.fellAt < m.samples-1 && r.now <= s.sampled
			m.look(memoryKey{s.key, r.rip}, &r.modelCount, r.missed, certain)
			r.missed = false
			v := dataplane.RealState{RealServer: dataplane.RealServer{RIP: r.rip, Weight: r.weight, UpperThreshold: r.upper},
				Active: r.active, Inactive: r.inactive}
			v.Kernel = scale(r.now)
			src.Services[i].Reals = append(src.Services[i].Reals, v)
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

// restart forgets what no ledger keeps: of a real server that is gone, that its
// service was made anew and is back.
func (m *model) restart() {
	for id, t := range m.truths {
		if id.rip.IsValid() && m.truth(id.key, netip.AddrPort{}).sample == m.samples {
			t.certain = false
		}
	}
}
