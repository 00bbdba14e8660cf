package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"lvs/collector/prom"
	"lvs/collector/snmp"
	"lvs/dataplane"
	"lvs/internal/config"
)

// Bounds of what is asked over /snmp.
const (
	maxProbes = 64               // at once
	maxKept   = 256              // sockets, and what is known of directors, kept for the next time
	keptFor   = 10 * time.Minute // since they were last asked
	// A probe ends in time for Prometheus to be told.
	defaultProbe = 10 * time.Second
	maxProbe     = 2 * time.Minute
	probeMargin  = 500 * time.Millisecond
)

// probeParameters are those of /snmp beside the filters.
var probeParameters = []string{"target", "auth", "module"}

// A probeKey is whom to ask, and how.
type probeKey struct {
	target, auth string
	module       snmp.Module
}

// probes answers /snmp: it reads a director while somebody waits.
type probes struct {
	cfg        *config.Fleet
	any        bool // targets, not only those configured
	exposition *prom.Exposition
	slots      chan struct{}
	log        *slog.Logger

	mu      sync.Mutex
	kept    map[probeKey]*keptPoller
	retired bool // nobody will ask again
}

// A keptPoller is used by some probes, or kept for the next.
type keptPoller struct {
	*snmp.Poller
	users int
	used  time.Time
}

func newProbes(cfg *config.Fleet, any bool, log *slog.Logger) (*probes, error) {
	o := fleetOptions(cfg)
	o.Members, o.Foreign = func() []prom.Member { return nil }, probeParameters
	show, err := prom.New(o)
	return &probes{cfg: cfg, any: any, exposition: show, slots: make(chan struct{}, maxProbes), log: log, kept: map[probeKey]*keptPoller{}}, err
}

// serve is GET /snmp.
func (p *probes) serve(w http.ResponseWriter, r *http.Request) {
	key, err := p.parse(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	timeout, err := probeTimeout(r.Header)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		w.Header().Set("Retry-After", "1")
		http.Error(w, strconv.Itoa(maxProbes)+" directors are being read; try again", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	m, err := p.read(ctx, key)
	if err != nil {
		if r.Context().Err() == nil {
			p.log.Debug("a director cannot be read", "target", key.target, "module", key.module, "err", err)
		}
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.exposition.ServeMembers(w, r, *m)
}

// parse reads whom to ask out of a query.
func (p *probes) parse(query string) (k probeKey, err error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return k, fmt.Errorf("query: %w", err)
	}
	for _, name := range probeParameters {
		if len(q[name]) > 1 {
			return k, fmt.Errorf("%s is given %d times; want it once", name, len(q[name]))
		}
	}
	k = probeKey{target: q.Get("target"), auth: config.DefaultAuth, module: snmp.LVS}
	if k.target == "" {
		return k, errors.New("no target; want target=HOST or target=HOST:PORT")
	}
	i := slices.IndexFunc(p.cfg.Directors, func(d config.FleetDirector) bool { return d.Name == k.target || d.Target == k.target })
	switch {
	case i >= 0:
		d := &p.cfg.Directors[i]
		k = probeKey{d.Target, d.Auth, d.Module}
	case !p.any:
		return k, fmt.Errorf("target %q is not a configured director, and --snmp.targets=any is not set", k.target)
	}
	if q.Has("module") {
		if k.module, err = snmp.ParseModule(q.Get("module")); err != nil {
			return k, err
		}
	}
	if q.Has("auth") {
		k.auth = q.Get("auth")
	}
	if _, known := p.cfg.Auths[k.auth]; !known {
		return k, fmt.Errorf("auth %q is not configured; there are %s", k.auth, strings.Join(slices.Sorted(maps.Keys(p.cfg.Auths)), ", "))
	}
	return k, nil
}

// probeTimeout is how long Prometheus waits, less a margin.
func probeTimeout(h http.Header) (time.Duration, error) {
	const header = "X-Prometheus-Scrape-Timeout-Seconds"
	text := h.Get(header)
	if text == "" {
		return defaultProbe, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds > 0 && seconds < 1e6) {
		return 0, fmt.Errorf("%s: %q; want seconds", header, text)
	}
	t := time.Duration(seconds * float64(time.Second))
	return min(max(t-probeMargin, t/2), maxProbe), nil
}

// read reads a director now.
func (p *probes) read(ctx context.Context, key probeKey) (*prom.Member, error) {
	poller, err := p.take(key)
	if err != nil {
		return nil, err
	}
	defer p.give(poller)
	src, err := poller.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	polled := poller.Stats()
	m := &prom.Member{Snapshot: src, Up: polled.Stale == "", Lacks: lacks(key.module, p.cfg.Auths[key.auth].Version, true)}
	if key.module == snmp.LVS {
		m.Snapshot = counted(src)
		return m, nil
	}
	m.Resets, m.Agent = resetsOf(polled.Resets), healthOf(polled.Agent, !m.Up, src)
	return m, nil
}

// counted is a snapshot that shows what the director's agent counts: a single
// reading has nothing to continue.
func counted(src *dataplane.Snapshot) *dataplane.Snapshot {
	snap := *src
	snap.Services = slices.Clone(src.Services)
	for i := range snap.Services {
		s := &snap.Services[i]
		s.Total, s.Reals = s.Kernel, slices.Clone(s.Reals)
		for j := range s.Reals {
			s.Reals[j].Total = s.Reals[j].Kernel
		}
	}
	snap.Sort()
	return &snap
}

// take returns the poller for a key, one that was used before if there is one.
func (p *probes) take(key probeKey) (*keptPoller, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.kept[key]
	if k == nil {
		poller, err := snmp.New(pollerConfig(p.cfg, key.target, key.auth, key.module, nil))
		if err != nil {
			return nil, err
		}
		p.sweep()
		k = &keptPoller{Poller: poller}
		p.kept[key] = k
	}
	k.users++
	return k, nil
}

func (p *probes) give(k *keptPoller) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k.users--
	k.used = time.Now()
	if p.retired && k.users == 0 {
		maps.DeleteFunc(p.kept, func(_ probeKey, of *keptPoller) bool { return of == k })
		_ = k.Close() // as in drop
	}
}

// retire is for probes that others have taken the place of: what nobody uses is
// closed, the rest after its use.
func (p *probes) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	for key, k := range p.kept {
		if k.users == 0 {
			p.drop(key)
		}
	}
}

// sweep lets go of pollers that nobody asked for some time and, where there are
// too many, of the one asked longest ago.
func (p *probes) sweep() {
	var oldest probeKey
	for key, k := range p.kept {
		switch {
		case k.users > 0:
		case time.Since(k.used) > keptFor:
			p.drop(key)
		case oldest.target == "" || k.used.Before(p.kept[oldest].used):
			oldest = key
		}
	}
	if len(p.kept) >= maxKept && oldest.target != "" {
		p.drop(oldest)
	}
}

// drop closes a poller that nobody uses.
func (p *probes) drop(key probeKey) {
	_ = p.kept[key].Close() // of a socket; it has no error worth a word
	delete(p.kept, key)
}
