package agent

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"

	"lvs/collector/prom"
	"lvs/dataplane"
	"lvs/dataplane/ipvs"
	"lvs/internal/director"
)

// A directorRun runs the services of the configuration. It is the only part of
// the agent that writes to the kernel's table, and exists only where the
// configuration has services.
type directorRun struct {
	*director.Applier

	mu   sync.Mutex
	spec *director.Spec // what is wanted, also before it runs
}

// newDirectorRun makes a directorRun. What it applied is kept beside the
// history, so that a service taken out of the configuration while the agent was
// down is still known as its own.
func newDirectorRun(source *kernelSource, s *settings, log *slog.Logger) *directorRun {
	cfg := director.Config{Table: table{source}, Logger: log}
	if s.storePath != off {
		cfg.StatePath = filepath.Join(s.storePath, "director.json")
	}
	applier, err := director.New(cfg)
	if err != nil {
		log.Warn("what was applied before is not known; services that left the configuration meanwhile stay in the table", "err", err)
	}
	return &directorRun{Applier: applier, spec: s.file.Director}
}

// Run applies the configuration and watches over it until ctx ends.
func (d *directorRun) Run(ctx context.Context) error {
	d.apply(ctx)
	return d.Applier.Run(ctx)
}

// set makes spec what is wanted.
func (d *directorRun) set(ctx context.Context, spec *director.Spec) {
	d.mu.Lock()
	d.spec = spec
	d.mu.Unlock()
	d.apply(ctx)
}

func (d *directorRun) apply(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	// The Applier logs each step that fails, tells it in its Status, and tries
	// again.
	_ = d.Apply(ctx, d.spec)
}

// A table is the kernel's table as the director writes it, dialled when it is
// first needed.
type table struct{ source *kernelSource }

func (t table) do(f func(*ipvs.Client) error) error {
	client, err := t.source.dial()
	if err != nil {
		return err
	}
	return f(client)
}

func (t table) Snapshot(ctx context.Context) (snap *dataplane.Snapshot, err error) {
	err = t.do(func(c *ipvs.Client) error {
		snap, err = c.Snapshot(ctx)
		return err
	})
	return snap, err
}

func (t table) AddService(ctx context.Context, s dataplane.Service) error {
	return t.do(func(c *ipvs.Client) error { return c.AddService(ctx, s) })
}

func (t table) EditService(ctx context.Context, s dataplane.Service) error {
	return t.do(func(c *ipvs.Client) error { return c.EditService(ctx, s) })
}

func (t table) DeleteService(ctx context.Context, key dataplane.ServiceKey) error {
	return t.do(func(c *ipvs.Client) error { return c.DeleteService(ctx, key) })
}

func (t table) AddRealServer(ctx context.Context, key dataplane.ServiceKey, r dataplane.RealServer) error {
	return t.do(func(c *ipvs.Client) error { return c.AddRealServer(ctx, key, r) })
}

func (t table) EditRealServer(ctx context.Context, key dataplane.ServiceKey, r dataplane.RealServer) error {
	return t.do(func(c *ipvs.Client) error { return c.EditRealServer(ctx, key, r) })
}

func (t table) DeleteRealServer(ctx context.Context, key dataplane.ServiceKey, r dataplane.RealServer) error {
	return t.do(func(c *ipvs.Client) error { return c.DeleteRealServer(ctx, key, r) })
}

func (t table) SetTimeouts(ctx context.Context, timeouts dataplane.Timeouts) error {
	return t.do(func(c *ipvs.Client) error { return c.SetTimeouts(ctx, timeouts) })
}

func (t table) StartDaemon(ctx context.Context, d dataplane.SyncDaemon) error {
	return t.do(func(c *ipvs.Client) error { return c.StartDaemon(ctx, d) })
}

func (t table) StopDaemon(ctx context.Context, role dataplane.SyncRole) error {
	return t.do(func(c *ipvs.Client) error { return c.StopDaemon(ctx, role) })
}

// directorStatus is how the director stands; nil where the agent only observes.
func (a *agent) directorStatus() *director.Status {
	if a.director == nil {
		return nil
	}
	return a.director.Status()
}

func (a *agent) directorHealth(h *prom.Health) {
	s := a.directorStatus()
	if s == nil {
		return
	}
	h.Components["director"] = len(s.Failures) == 0
	h.Director = &prom.DirectorHealth{Drift: map[string]int{}, Failures: s.Counts.Failed}
	for _, d := range s.Drift {
		h.Director.Drift[d.Object]++
	}
	for _, n := range s.Counts.Changes {
		h.Director.Changes += n
	}
}
