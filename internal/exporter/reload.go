package exporter

import (
	"context"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"lvs/collector/prom"
)

// loading is how the configuration was last read.
type loading struct {
	mu  sync.Mutex
	err error
	at  time.Time // when one was last taken over
}

func (l *loading) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err = err; err == nil {
		l.at = time.Now()
	}
}

func (l *loading) last() (at time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at, l.err
}

// reloadOn reloads at each signal and each request until ctx ends, one after the
// other.
func (s *serve) reloadOn(ctx context.Context, hup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			_ = s.reload() // logs and counts its error
		case outcome := <-s.reloads:
			outcome <- s.reload()
		}
	}
}

// reload reads the configuration file again and takes it over, as a whole or,
// where anything in it is wrong, not at all. Directors of which it says the same as
// before are read on as if nothing had been.
func (s *serve) reload() error {
	cfg, err := s.load()
	var members []*member
	var show *prom.Exposition
	var p *probes
	if err == nil {
		members, err = s.fleet.plan(cfg)
	}
	if err == nil {
		show, err = s.fleet.exposes(cfg)
	}
	if err == nil {
		p, err = newProbes(cfg, s.targets == targetsAny, s.log)
	}
	s.fleet.loading.note(err)
	if err != nil {
		s.log.Error("the configuration was not reloaded, nothing was changed", "err", err)
		return err
	}
	if !slices.Equal(cfg.Listen, s.listen) {
		s.log.Warn("some changed settings take a restart", "settings", "listen")
	}
	s.probes.Swap(p).retire()
	s.fleet.exposition.Store(show)
	stay := s.fleet.set(members)
	s.log.Info("reloaded the configuration", "file", s.configFile, "directors", len(members), "unchanged", stay)
	return nil
}

func (s *serve) serveReload(w http.ResponseWriter, r *http.Request) {
	outcome := make(chan error, 1)
	select {
	case s.reloads <- outcome:
	case <-r.Context().Done():
		return
	}
	if err := <-outcome; err != nil {
		http.Error(w, "nothing was changed: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Write([]byte("lvs-exporter has reloaded its configuration.\n")) // an error is the client's going away
}
