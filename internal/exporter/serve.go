package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"sync"
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
	cfg := config.NoFleet()
	if s.configFile != "" {
		var err error
		if cfg, err = config.LoadFleet(s.configFile); err != nil {
			return err
		}
	}
	s.log = promslog.New(&s.logging)
	if len(cfg.Listen) > 0 && slices.Equal(*s.web.WebListenAddresses, []string{defaultListen}) {
		*s.web.WebListenAddresses = cfg.Listen
	}
	f, err := newFleet(cfg, s.log)
	if err != nil {
		return err
	}
	p, err := newProbes(cfg, s.targets == targetsAny, s.log)
	if err != nil {
		return err
	}
	handler, err := s.handler(f, p)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(fleetGC)
	}
	s.log.Info("starting lvs-exporter", "version", version.Info(), "directors", len(f.members), "store", cfg.Store.Path)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	var ran error
	err = httpserver.Serve(ctx, handler, s.web, maxProbe+time.Minute, s.log, func() {
		running.Go(func() { ran = f.run(ctx) })
	})
	cancel()
	running.Wait()
	return errors.Join(err, ran)
}

// handler serves everything over HTTP.
func (s *serve) handler(f *fleet, p *probes) (http.Handler, error) {
	landing, err := web.NewLandingPage(web.LandingConfig{
		Name: "lvs-exporter", Description: "Linux Virtual Server directors, read over SNMP",
		Version: version.Info(), Profiling: "false",
		Links: []web.LandingLinks{
			{Address: "metrics", Text: "Metrics", Description: fmt.Sprintf("of %d directors; ?director=GLOB, ?scope=director,services,reals,agent and ?service=GLOB choose parts", len(f.members))},
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
	mux.Handle("GET /metrics", f.exposition)
	mux.HandleFunc("GET /snmp", p.serve)
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "lvs-exporter is healthy.") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if n := f.waiting(); n > 0 {
			http.Error(w, fmt.Sprintf("%d of %d directors were not asked yet.", n, len(f.members)), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "lvs-exporter is ready.")
	})
	return mux, nil
}
