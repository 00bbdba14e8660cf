package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	webflag "github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"lvs/internal/config"
	"lvs/internal/httpserver"
)

const serveHelp = `Read directors over SNMP and show them to Prometheus.

/snmp?target=HOST[:PORT]&auth=NAME&module=lvs|director reads one director now, as snmp_exporter does. /metrics shows all directors of the configuration file, which are read all the time, with the label director; their history is kept if the file says where. Both have the names, labels and filters (scope, service, name[]) of lvs-agent's /metrics, and /metrics has director=GLOB besides.

The module director reads LVS-DIRECTOR-MIB, lvs the LVS-MIB, also of older agents.

SIGHUP, or POST /-/reload, has the file read again: all of it or, where anything is wrong, nothing. Directors that did not change are read on without a gap.

Examples:
  lvs-exporter serve
  lvs-exporter serve --config.file /etc/lvs-exporter.yml --snmp.targets any
  lvs-exporter list --store /var/lib/lvs-exporter/lvs1`

// defaultListen is where HTTP is served.
const defaultListen = ":10588"

// The values of --snmp.targets.
const (
	targetsConfigured = "configured"
	targetsAny        = "any"
)

// fleetGC has garbage collected sooner than Go would: what is kept of a fleet is
// large, and made anew all the time.
const fleetGC = 40

// A serve is the command serve.
type serve struct {
	*program
	configFile, check string
	targets           string
	web               *web.FlagConfig
	logging           promslog.Config
	log               *slog.Logger

	listen  []string // of the file it was started with
	fleet   *fleet
	probes  atomic.Pointer[probes]
	reloads chan chan error // requests over HTTP, each with where its outcome goes
}

func addServe(p *program, app *kingpin.Application) {
	s := &serve{program: p}
	cmd := p.command(app, "serve", serveHelp, s.run)
	cmd.Flag("config.file", "Configuration file: auths, directors and the store.").PlaceHolder("FILE").StringVar(&s.configFile)
	cmd.Flag("config.check", "Check that file and do nothing else.").PlaceHolder("FILE").StringVar(&s.check)
	cmd.Flag("snmp.targets", "Whom /snmp may ask: configured directors by name or target, or any host that somebody names, who is then told a configured community.").
		Default(targetsConfigured).EnumVar(&s.targets, targetsConfigured, targetsAny)
	s.web = webflag.AddFlags(cmd, defaultListen)
	s.logging = promslog.Config{Writer: p.stderr, Level: promslog.NewLevel(), Format: promslog.NewFormat()}
	cmd.Flag(promslogflag.LevelFlagName, promslogflag.LevelFlagHelp).Default("info").SetValue(s.logging.Level)
	cmd.Flag(promslogflag.FormatFlagName, promslogflag.FormatFlagHelp).Default("logfmt").SetValue(s.logging.Format)
}

func (s *serve) run(ctx context.Context) error {
	if s.check != "" {
		if _, err := config.LoadFleet(s.check); err != nil {
			return err
		}
		fmt.Fprintf(s.stdout, "%s is valid.\n", s.check)
		return nil
	}
	// From now on: a signal that nobody waits for would end the process.
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	cfg, err := s.load()
	if err != nil {
		return err
	}
	s.log = promslog.New(&s.logging)
	if len(cfg.Listen) > 0 && slices.Equal(*s.web.WebListenAddresses, []string{defaultListen}) {
		*s.web.WebListenAddresses = cfg.Listen
	}
	handler, err := s.assemble(cfg)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(fleetGC)
	}
	s.log.Info("starting lvs-exporter", "version", version.Info(), "directors", len(cfg.Directors), "store", cfg.Store.Path)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	var ran error
	err = httpserver.Serve(ctx, handler, s.web, maxProbe+time.Minute, s.log, func() {
		running.Go(func() { ran = s.fleet.run(ctx) })
		running.Go(func() { s.reloadOn(ctx, hup) })
	})
	cancel()
	running.Wait()
	return errors.Join(err, ran)
}

// load reads the configuration file, if there is one.
func (s *serve) load() (*config.Fleet, error) {
	if s.configFile == "" {
		return config.NoFleet(), nil
	}
	return config.LoadFleet(s.configFile)
}

// assemble puts the parts together and returns what serves them; nothing runs yet.
func (s *serve) assemble(cfg *config.Fleet) (http.Handler, error) {
	s.listen, s.reloads = cfg.Listen, make(chan chan error)
	var err error
	if s.fleet, err = newFleet(cfg, s.log); err != nil {
		return nil, err
	}
	p, err := newProbes(cfg, s.targets == targetsAny, s.log)
	if err != nil {
		return nil, err
	}
	s.probes.Store(p)
	return s.handler()
}

// handler serves everything over HTTP.
func (s *serve) handler() (http.Handler, error) {
	landing, err := web.NewLandingPage(web.LandingConfig{
		Name: "lvs-exporter", Description: "Linux Virtual Server directors, read over SNMP",
		Version: version.Info(), Profiling: "false",
		Links: []web.LandingLinks{
			{Address: "metrics", Text: "Metrics", Description: "of all directors; ?director=GLOB, ?scope=director,services,reals,agent and ?service=GLOB choose parts"},
			{Address: "snmp?target=localhost&module=lvs", Text: "SNMP", Description: "of one director, read now; ?target=HOST[:PORT]&auth=NAME&module=lvs|director"},
			{Address: "-/healthy", Text: "Healthy", Description: "whether the process answers"},
			{Address: "-/ready", Text: "Ready", Description: "whether every director was asked once"},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("landing page: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", landing)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) { s.fleet.exposition.Load().ServeHTTP(w, r) })
	mux.HandleFunc("GET /snmp", func(w http.ResponseWriter, r *http.Request) { s.probes.Load().serve(w, r) })
	mux.HandleFunc("POST /-/reload", s.serveReload)
	mux.HandleFunc("PUT /-/reload", s.serveReload)
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "lvs-exporter is healthy.") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if n := s.fleet.waiting(); n > 0 {
			http.Error(w, fmt.Sprintf("%d of %d directors were not asked yet.", n, len(s.fleet.list())), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "lvs-exporter is ready.")
	})
	return mux, nil
}
