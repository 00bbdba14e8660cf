//go:build lab

package e2e

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/dataplane/ipvs"
)

// A config is what is configured of a row: of a service its scheduler and its
// persistence timeout in seconds, of a real server the rest.
type config struct {
	scheduler            string
	timeout              uint64
	method               string
	weight, upper, lower uint64
}

// A version is a config that a row had. It came into effect after from and
// ceased to be before to, which is zero while it has not.
type version struct {
	config
	from, to time.Time
}

// A span is a time during which a row was in the table without any doubt.
type span struct{ from, to time.Time }

// A life is what became of a row.
type life struct {
	versions []version
	sure     time.Time // since when it is there without doubt; zero: it is not
	spans    []span    // ended ones
}

// An editor changes the kernel's table and writes down what was in it when. Of
// one service only one goroutine may change anything at a time.
type editor struct {
	client *ipvs.Client
	ctx    context.Context

	mu    sync.Mutex
	lives map[row]*life
	reals map[string][]row // those in the table, by service
}

func newEditor(t *testing.T) *editor {
	t.Helper()
	client, err := ipvs.Dial(ipvs.Config{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return &editor{client: client, ctx: t.Context(), lives: map[row]*life{}, reals: map[string][]row{}}
}

func serviceRow(k dataplane.ServiceKey) row { return row{service: k.String()} }

func realRow(k dataplane.ServiceKey, r dataplane.RealServer) row {
	return row{k.String(), r.RIP.String()}
}

func serviceConfig(s dataplane.Service) *config {
	return &config{scheduler: s.Scheduler, timeout: uint64(s.Timeout / time.Second)}
}

func realConfig(r dataplane.RealServer) *config {
	return &config{method: r.Method.String(), weight: uint64(r.Weight), upper: uint64(r.UpperThreshold), lower: uint64(r.LowerThreshold)}
}

func (e *editor) addService(s dataplane.Service) error {
	return e.change(serviceConfig(s), func() error { return e.client.AddService(e.ctx, s) }, serviceRow(s.Key))
}

func (e *editor) editService(s dataplane.Service) error {
	return e.change(serviceConfig(s), func() error { return e.client.EditService(e.ctx, s) }, serviceRow(s.Key))
}

func (e *editor) deleteService(k dataplane.ServiceKey) error {
	e.mu.Lock()
	rows := append([]row{serviceRow(k)}, e.reals[k.String()]...)
	delete(e.reals, k.String())
	e.mu.Unlock()
	return e.change(nil, func() error { return e.client.DeleteService(e.ctx, k) }, rows...)
}

func (e *editor) addReal(k dataplane.ServiceKey, r dataplane.RealServer) error {
	e.mu.Lock()
	e.reals[k.String()] = append(e.reals[k.String()], realRow(k, r))
	e.mu.Unlock()
	return e.change(realConfig(r), func() error { return e.client.AddRealServer(e.ctx, k, r) }, realRow(k, r))
}

func (e *editor) editReal(k dataplane.ServiceKey, r dataplane.RealServer) error {
	return e.change(realConfig(r), func() error { return e.client.EditRealServer(e.ctx, k, r) }, realRow(k, r))
}

func (e *editor) deleteReal(k dataplane.ServiceKey, r dataplane.RealServer) error {
	e.mu.Lock()
	e.reals[k.String()] = slices.DeleteFunc(e.reals[k.String()], func(at row) bool { return at == realRow(k, r) })
	e.mu.Unlock()
	return e.change(nil, func() error { return e.client.DeleteRealServer(e.ctx, k, r) }, realRow(k, r))
}

// change gives rows another config, or takes them out of the table with none.
// From the moment before to the moment after, both may be read.
func (e *editor) change(to *config, do func() error, rows ...row) error {
	e.mu.Lock()
	before := now()
	for _, r := range rows {
		l := e.lives[r]
		if l == nil {
			l = &life{}
			e.lives[r] = l
		}
		if to == nil {
			l.spans = append(l.spans, span{l.sure, before})
			l.sure = time.Time{}
		} else {
			l.versions = append(l.versions, version{config: *to, from: before})
		}
	}
	e.mu.Unlock()
	if err := do(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	after := now()
	for _, r := range rows {
		l := e.lives[r]
		ended := l.versions
		if to != nil {
			ended = ended[:len(ended)-1]
			if l.sure.IsZero() {
				l.sure = after
			}
		}
		if n := len(ended); n > 0 && ended[n-1].to.IsZero() {
			ended[n-1].to = after
		}
	}
	return nil
}

// now is the wall clock, which is what the agent's times are by.
func now() time.Time { return time.Now().Round(0) }

// had reports whether a row may have had this config some time in between.
func (l *life) had(c config, w span) bool {
	return slices.ContainsFunc(l.versions, func(v version) bool {
		return v.config == c && !v.from.After(w.to) && (v.to.IsZero() || !v.to.Before(w.from))
	})
}

// stayed reports whether a row was there all the while.
func (l *life) stayed(w span) bool {
	return !l.sure.IsZero() && !l.sure.After(w.from) ||
		slices.ContainsFunc(l.spans, func(s span) bool { return !s.from.After(w.from) && !s.to.Before(w.to) })
}

// forget drops what ended before a time, to stay small.
func (l *life) forget(before time.Time) {
	l.versions = slices.DeleteFunc(l.versions, func(v version) bool { return !v.to.IsZero() && v.to.Before(before) })
	l.spans = slices.DeleteFunc(l.spans, func(s span) bool { return s.to.Before(before) })
}
