package prom

import (
	"cmp"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"lvs/dataplane"
)

// A scrape is what the series of one director are made from: one snapshot, and
// of it the services that were asked for. One more, without a snapshot, is what
// the agent's own are made from.
type scrape struct {
	opts   *Options
	now    time.Time
	began  time.Time // when the Exposition was made
	health Health    // the agent's, or the member's; zero if it is not told
	told   bool
	errors scrapeErrors

	snap     *dataplane.Snapshot // nil before the first
	up       bool
	resets   *Resets // nil: unknown
	lacks    []string
	director *dto.LabelPair // nil outside of a fleet

	services   []serviceView
	reals      int    // real servers of services
	showReals  bool   // the guard lets their series through
	suppressed uint64 // series that it did not
	nodes      nodeRows

	pairs   arena[pairCell]
	labels  [][2]*dto.LabelPair // of the real servers, service after service
	stamps  arena[timestamppb.Timestamp]
	created []*timestamppb.Timestamp // of the real servers' totals
}

// A serviceView is a service with its labels and the sums over its real servers.
type serviceView struct {
	*dataplane.ServiceState
	label                        string
	labels                       [1]*dto.LabelPair
	created                      *timestamppb.Timestamp
	status                       [dataplane.NumStatus]int
	weight                       uint64
	active, inactive, persistent uint64
	first                        int // index of its first real server in scrape.labels
}

// load takes what is the same for all directors.
func (s *scrape) load(o *Options, began time.Time, errors scrapeErrors) {
	s.opts, s.now, s.began, s.errors = o, time.Now(), began, errors
	s.health, s.told = Health{}, o.Health != nil
	if s.told {
		s.health = o.Health()
	}
}

// loadMember selects from the snapshot of m what f asks for; own is the scrape
// that was loaded before all members.
func (s *scrape) loadMember(own *scrape, m *Member, f *filter) {
	s.opts, s.now, s.began = own.opts, own.now, own.began
	s.services, s.labels, s.created = s.services[:0], s.labels[:0], s.created[:0]
	s.pairs.reset()
	s.stamps.reset()
	s.reals, s.suppressed, s.showReals = 0, 0, true
	s.nodes.reset()
	s.snap, s.up, s.resets, s.lacks, s.director = m.Snapshot, m.Up, m.Resets, m.Lacks, nil
	if s.health, s.told = (Health{}), m.Agent != nil; s.told {
		s.health = *m.Agent
	}
	if m.Director != "" {
		s.director = s.pair(&labelDirector, valid(m.Director))
	}
	if s.snap == nil {
		return
	}
	names := newNamer(s.snap.Services)
	for i := range s.snap.Services {
		svc := &s.snap.Services[i]
		if label := names.label(svc); f.service(label, svc.Key) {
			s.addService(svc, label)
		}
	}
	s.showReals = s.guard()
	if s.showReals && f.scope(ScopeReals) {
		s.labelReals()
	}
}

// release forgets the snapshot, so that memory kept for the next scrape does not
// keep it alive.
func (s *scrape) release() {
	s.snap, s.health, s.resets, s.lacks = nil, Health{}, nil, nil
	clear(s.services)
}

func (s *scrape) addService(svc *dataplane.ServiceState, label string) {
	v := serviceView{ServiceState: svc, label: label, first: s.reals}
	v.labels[0] = s.pair(&labelService, label)
	v.created = s.stamp(svc.FirstSeen)
	for i := range svc.Reals {
		r := &svc.Reals[i]
		v.status[r.Status()]++
		v.weight += uint64(r.Weight)
		v.active += uint64(r.Active)
		v.inactive += uint64(r.Inactive)
		v.persistent += uint64(r.Persistent)
	}
	s.reals += len(svc.Reals)
	s.services = append(s.services, v)
}

// guard decides whether real servers are shown one by one.
func (s *scrape) guard() bool {
	switch s.opts.Reals {
	case RealsAlways:
		return true
	case RealsNever:
		return false
	}
	return s.reals <= cmp.Or(s.opts.RealsLimit, DefaultRealsLimit)
}

// labelReals makes the labels of all real servers.
func (s *scrape) labelReals() {
	for i := range s.services {
		v := &s.services[i]
		for j := range v.Reals {
			r := &v.Reals[j]
			s.labels = append(s.labels, [2]*dto.LabelPair{s.pair(&labelReal, r.RIP.String()), v.labels[0]})
			s.created = append(s.created, s.stamp(r.FirstSeen))
		}
	}
}

// real is the labels of the i-th real server of v and when its totals began; nil
// where they are not shown.
func (s *scrape) real(v *serviceView, i int) ([]*dto.LabelPair, *timestamppb.Timestamp) {
	if len(s.labels) == 0 {
		return nil, nil
	}
	return s.labels[v.first+i][:], s.created[v.first+i]
}

func (s *scrape) pair(name *string, value string) *dto.LabelPair {
	p := s.pairs.next()
	p.value = value
	p.pair.Name, p.pair.Value = name, &p.value
	return &p.pair
}

// stamp is t for a counter's start; nil for the zero Time.
func (s *scrape) stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	p := s.stamps.next()
	p.Seconds, p.Nanos = t.Unix(), int32(t.Nanosecond())
	return p
}

// A namer gives every service of a snapshot a label of its own: the configured
// name, or the canonical key where there is none, or where an earlier service
// has the same name, or where the name is the key of another service.
type namer struct {
	keys  map[string]bool
	taken map[string]bool
}

func newNamer(services []dataplane.ServiceState) namer {
	var n namer
	for i := range services {
		if services[i].Name != "" {
			n = namer{keys: make(map[string]bool, len(services)), taken: map[string]bool{}}
			break
		}
	}
	if n.keys != nil {
		for i := range services {
			n.keys[services[i].Key.String()] = true
		}
	}
	return n
}

func (n namer) label(s *dataplane.ServiceState) string {
	key := s.Key.String()
	name := valid(s.Name)
	if name == "" || name == key || n.keys[name] || n.taken[name] {
		return key
	}
	n.taken[name] = true
	return name
}

// valid replaces what is not UTF-8 in a text from outside, for which Prometheus
// would refuse the whole scrape.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
