package exporter

import (
	"context"
	"errors"
	"sync"
	"time"

	"lvs/collector"
	"lvs/collector/snmp"
	"lvs/dataplane"
	"lvs/internal/config"
	"lvs/internal/ledger"
)

// A member is a director of the fleet.
type member struct {
	spec
	source  *memberSource
	sampler *collector.Sampler
	ledger  *ledger.Ledger // nil without a store
	lacks   []string
	delay   time.Duration // before it is read for the first time
	later   bool          // it came with a reload

	stop context.CancelFunc // nil before it is run
	done chan struct{}      // closed when it has ended; err is set then
	err  error
}

// A spec is all that a configuration says of a director. Specs are compared: a
// director whose spec stays is left alone by a reload.
type spec struct {
	config.FleetDirector
	auth    snmp.Auth
	timeout time.Duration
	retries int
	store   config.Store
}

func specOf(cfg *config.Fleet, d config.FleetDirector) spec {
	return spec{d, cfg.Auths[d.Auth], cfg.Timeout, cfg.Retries, cfg.Store}
}

// start runs the member until it is stopped, after another one, if that is not
// nil, has ended.
func (m *member) start(after *member) {
	var ctx context.Context
	ctx, m.stop = context.WithCancel(context.Background())
	m.done = make(chan struct{})
	go func() {
		defer close(m.done)
		if after != nil {
			<-after.done
		}
		m.err = m.run(ctx)
	}()
}

// ended reports whether a member that was started has ended without an error,
// which is told at the end.
func (m *member) ended() bool {
	select {
	case <-m.done:
		return m.err == nil
	default:
		return false
	}
}

func (m *member) run(ctx context.Context) error {
	select {
	case <-time.After(m.delay):
	case <-ctx.Done():
		return nil
	}
	err := m.sampler.Run(ctx)
	if m.ledger != nil {
		err = errors.Join(err, m.ledger.Close())
	}
	return errors.Join(err, m.source.poller.Close())
}

// A memberSource is a poller that is left alone for a while when its director does
// not answer. It is the sampler's alone but for stats.
type memberSource struct {
	poller *snmp.Poller

	mu       sync.Mutex
	s        sourceStats
	failures int // in a row
	rest     int // readings still to be left out
	last     error
}

// sourceStats is how a source fares.
type sourceStats struct {
	polls, skipped uint64
	errors         map[string]uint64 // by snmp.Reason
	took           time.Duration     // by the last poll
}

func newMemberSource(p *snmp.Poller) *memberSource {
	return &memberSource{poller: p, s: sourceStats{errors: map[string]uint64{}}}
}

func (m *memberSource) stats() sourceStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.s
	s.errors = make(map[string]uint64, len(m.s.errors))
	for reason, n := range m.s.errors {
		s.errors[reason] = n
	}
	return s
}

// maxRest is how many readings are left out at most, one after the other, of a
// director that does not answer.
const maxRest = 5

// Snapshot polls, unless the director did not answer for some time: then only now
// and again. See collector.Source.
func (m *memberSource) Snapshot(ctx context.Context) (*dataplane.Snapshot, error) {
	m.mu.Lock()
	if m.rest > 0 {
		m.rest--
		m.s.skipped++
		err := m.last
		m.mu.Unlock()
		return nil, err
	}
	m.mu.Unlock()
	began := time.Now()
	snap, err := m.poller.Snapshot(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.s.polls++
	m.s.took = time.Since(began)
	if err == nil {
		m.failures = 0
		return snap, nil
	}
	m.s.errors[snmp.Reason(err)]++
	m.failures++
	m.rest, m.last = min(m.failures-1, maxRest), err
	return nil, err
}
