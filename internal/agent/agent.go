// Package agent is lvs-agent: flags and configuration, the parts put together,
// and their life. It is the one place that knows every part.
//
// One sample goes one way: the kernelSource reads the director, the sampler
// continues its totals, the ledger stores it, and then every window shows it.
// Nothing in the way of a request reads the kernel.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/dataplane"
	"lvs/internal/config"
	"lvs/internal/ledger"
	"lvs/rrdstore"
)

// Run is the program: it runs the command that args name until ctx ends.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, err := parseFlags(args, stdout, stderr)
	if errors.Is(err, errUsage) {
		return nil
	}
	if err != nil {
		return err
	}
	if f.command == "check-config" {
		c, err := config.Load(f.check)
		if err == nil {
			err = checkUsers(&c.SNMP)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s is valid.\n", f.check)
		return nil
	}
	// From now on: opening a large store takes a while, and a signal that nobody
	// waits for would end the process.
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	s, err := settle(f)
	if err != nil {
		return err
	}
	a, err := newAgent(f, s)
	if err != nil {
		return err
	}
	return a.run(ctx, hup)
}

// An agent is the running program.
type agent struct {
	flags    *flags
	settings *settings // it was started with
	log      *slog.Logger
	source   *kernelSource
	sampler  *collector.Sampler
	ledger   *ledger.Ledger // nil without a store
	snmp     *snmpWindow    // nil without SNMP
	director *directorRun   // nil when only observing
	page     *statusPage
	answers  *quota // those of the whole table

	started          time.Time
	samples, commits prometheus.Histogram // durations
	exposition       atomic.Pointer[prom.Exposition]

	reloads chan chan error // requests over HTTP, each with where its outcome goes

	mu        sync.Mutex
	reloadErr error // of the latest reload
	loadedAt  time.Time
}

// newAgent puts the parts together; nothing runs yet.
func newAgent(f *flags, s *settings) (*agent, error) {
	a := &agent{
		flags: f, log: f.logger, settings: s, loadedAt: time.Now(), started: time.Now(),
		source:  newKernelSource(s.netNS, s.file.Director != nil, f.logger),
		samples: prom.NewDurations(), commits: prom.NewDurations(), reloads: make(chan chan error),
		answers: newQuota(maxTables, maxTableBytes),
	}
	show, err := a.show(s)
	if err != nil {
		return nil, err
	}
	a.exposition.Store(show)
	cfg := collector.Config{
		Interval: s.interval, Source: a.source, Sinks: map[string]collector.Sink{}, Names: names(s),
		Observe: func(d time.Duration) { a.samples.Observe(d.Seconds()) }, Logger: a.log,
	}
	if a.page, err = newStatusPage(a); err != nil {
		return nil, err
	}
	cfg.Sinks["page"] = a.page.events
	if a.snmp, err = newSNMPWindow(s, a.started, a.figures, a.log); err != nil {
		return nil, err
	}
	if a.snmp != nil {
		cfg.Sinks["snmp"], cfg.Source = a.snmp, a.snmp.source(a.source)
	}
	if s.storePath != off {
		opts := rrdstore.Options{Step: s.interval, Retention: s.retention, Tiers: s.tiers.List(), MaxBytes: int64(s.maxSize), Forget: collector.DefaultForget, Logger: a.log}
		a.ledger = ledger.New(s.storePath, opts, a.log, a.commits)
		cfg.Ledger = a.ledger
	}
	if s.file.Director != nil {
		a.director = newDirectorRun(a.source, s, a.log)
		cfg.Sinks["director"] = a.director
	}
	a.sampler, err = collector.New(cfg)
	return a, err
}

// show makes /metrics as the settings want it.
func (a *agent) show(s *settings) (*prom.Exposition, error) {
	return prom.New(prom.Options{
		Snapshot: func() *dataplane.Snapshot { return a.sampler.Latest() }, Health: a.health,
		Reals: s.reals, RealsLimit: s.realsLimit, KernelRates: s.kernelRates,
		NodeIPVS: s.compat == "node-ipvs", BackendLabels: s.backendLabels,
		SampleDurations: a.samples, CommitDurations: a.commits, Process: prom.ProcessMetrics(),
	})
}

// names looks names up in the configuration file.
func names(s *settings) collector.Names {
	n := s.file.Names
	if n.Len() == 0 {
		return nil
	}
	return func(key dataplane.ServiceKey, rip netip.AddrPort) string {
		service, real := n.Name(key, rip)
		if rip.IsValid() {
			return real
		}
		return service
	}
}

// run runs every part until ctx ends or HTTP cannot be served, and stops them in
// order: director, sampler, store, SNMP, HTTP, netlink. No tick is lost by
// that. The director is first because the sampler waits for its sinks, of which
// the director is one: with a thousand changes still to make it would not end.
//
// HTTP is started before the others: an agent that is started by mistake beside
// another one has to find its addresses taken before it writes to a table that
// the other one runs. Those of SNMP are taken since newAgent.
func (a *agent) run(ctx context.Context, hup <-chan os.Signal) (err error) {
	a.log.Info("starting lvs-agent", "version", version.Info(), "interval", a.settings.interval, "store", a.settings.storePath,
		"agentx", a.settings.agentX, "snmp", strings.Join(a.settings.listen, " "), "runs_services", a.director != nil)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	listening := make(chan struct{})
	web := start("http", func(ctx context.Context) error { return a.serve(ctx, func() { close(listening) }) })
	select {
	case <-listening:
	case <-web.done:
		return errors.Join(fmt.Errorf("http: %w", web.err), a.snmp.abandon())
	}
	parts := []*part{
		start("director", a.runDirector),
		start("sampler", a.sampler.Run),
		start("snmp", a.snmp.run),
		web,
	}
	for _, p := range parts {
		go func() {
			if <-p.done; p.err != nil {
				cancel(fmt.Errorf("%s: %w", p.name, p.err))
			}
		}()
	}
	var others sync.WaitGroup
	others.Go(func() { a.announce(ctx) })
	others.Go(func() { watchdog(ctx, a.log, keepsTime(a.sampler)) })
	others.Go(func() { a.reloadOn(ctx, hup) })

	<-ctx.Done()
	tellSystemd(a.log, "STOPPING=1")
	a.log.Info("stopping")
	writers, servers := parts[:2], parts[2:]
	for _, p := range writers {
		p.stop()
	}
	if a.ledger != nil {
		err = errors.Join(err, a.ledger.Close())
	}
	for _, p := range servers {
		p.stop()
	}
	others.Wait()
	err = errors.Join(err, a.source.Close())
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	return err
}

func (a *agent) runDirector(ctx context.Context) error {
	if a.director == nil {
		return nil
	}
	return a.director.Run(ctx)
}

// announce tells the service manager when there is something to serve, or that
// it takes longer: the agent is up also where ip_vs is not loaded yet.
func (a *agent) announce(ctx context.Context) {
	select {
	case <-a.sampler.Ready():
	case <-time.After(5 * time.Second):
	case <-ctx.Done():
		return
	}
	tellSystemd(a.log, "READY=1")
}

// A part is a task that runs until it is stopped, or fails.
type part struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended; err is set then
	err    error
}

func start(name string, run func(context.Context) error) *part {
	ctx, cancel := context.WithCancel(context.Background())
	p := &part{name: name, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = run(ctx)
	}()
	return p
}

// stop ends the part and waits for it.
func (p *part) stop() {
	p.cancel()
	<-p.done
}
