package agent

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	webflag "github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/internal/config"
)

// Defaults of the flags.
const (
	defaultListen = ":10587"
	defaultStore  = "/var/lib/lvs-agent"
	defaultAgentX = "unix:/var/agentx/master"
	off           = "off"
)

// flags is the command line. A flag that the user gave overrides the
// configuration file; the given ones are in set.
type flags struct {
	command string
	check   string // the file that check-config was given
	set     map[string]*bool

	configFile    string
	interval      time.Duration
	storePath     string
	retention     time.Duration
	tiers         tiers
	maxSize       uint64
	agentX        string
	listen        []string
	netNS         string
	reals         string
	realsLimit    int
	kernelRates   bool
	compat        string
	backendLabels string
	web           *web.FlagConfig
	logger        *slog.Logger
}

// errUsage ends a run that only printed help or the version.
var errUsage = errors.New("nothing to run")

// commandLineError is an error of the command line.
type commandLineError struct{ error }

func (e commandLineError) Unwrap() error { return e.error }

// ExitCode is what the program ends with after an error of [Run]: 2 for a command
// line that makes no sense, 1 for everything else.
func ExitCode(err error) int {
	if _, ok := errors.AsType[commandLineError](err); ok {
		return 2
	}
	return 1
}

// parseFlags reads the command line. What --help and --version print goes to
// stdout, and the error is errUsage then.
func parseFlags(args []string, stdout, stderr io.Writer) (*flags, error) {
	f := &flags{set: map[string]*bool{}}
	app := kingpin.New("lvs-agent", "Samples a Linux Virtual Server director once per interval and serves that one snapshot\n"+
		"everywhere: SNMP, Prometheus, JSON, history and a page for people. Without a configuration it only observes.")
	app.UsageWriter(stdout).ErrorWriter(stderr).HelpFlag.Short('h')
	app.Version(version.Print("lvs-agent"))
	var ended bool
	app.Terminate(func(int) { ended = true })

	app.Command("run", "Run the agent (the default command).").Default()
	given := func(c *kingpin.FlagClause, name string) *kingpin.FlagClause {
		f.set[name] = new(bool)
		return c.IsSetByUser(f.set[name])
	}
	flag := func(name, help string) *kingpin.FlagClause { return given(app.Flag(name, help), name) }

	flag("config.file", "Configuration file (YAML): names, and the services to run. Optional.").StringVar(&f.configFile)
	flag("sample.interval", "How often the director is read, 1s to 1h.").Default(collector.DefaultInterval.String()).SetValue(duration{"sample.interval", &f.interval})
	flag("store.path", "Directory of the history and of all that survives a restart, or off.").Default(defaultStore).StringVar(&f.storePath)
	flag("store.retention", "How long rows are kept as they came: 24h, 30d.").Default("24h").SetValue(duration{"store.retention", &f.retention})
	flag("store.tiers", "What is kept of older times: rows of STEP for KEEP, or off.").Default("1m:7d,5m:31d,1h:2y").SetValue(&f.tiers)
	flag("store.max-size", "How large the history may grow: 512MiB, 2GiB.").Default("4GiB").SetValue((*byteSize)(&f.maxSize))
	flag("snmp.agentx", "SNMP master agent: unix:PATH, tcp:HOST:PORT or off.").Default(defaultAgentX).StringVar(&f.agentX)
	flag("snmp.listen", "Answer SNMP without a master agent: ADDRESS:PORT, :PORT for every address, or off. May be repeated. Who may ask is in the file; else this machine, as public.").Default(off).SetValue((*listen)(&f.listen))
	flag("netns", "Network namespace of the director: a path, or a name under /run/netns. Default is the agent's own.").StringVar(&f.netNS)
	flag("prometheus.reals", "Series for each real server: auto (up to the limit), always or never.").Default("auto").SetValue(choice{"prometheus.reals", &f.reals, []string{"auto", "always", "never"}})
	flag("prometheus.reals-limit", "Real servers above which auto leaves their series out.").Default(fmt.Sprint(prom.DefaultRealsLimit)).IntVar(&f.realsLimit)
	flag("prometheus.kernel-rates", "Also show the kernel's own estimates of rates.").BoolVar(&f.kernelRates)
	flag("prometheus.compat", "Also show another exporter's families: node-ipvs (node_exporter).").SetValue(choice{"prometheus.compat", &f.compat, []string{"node-ipvs"}})
	flag("prometheus.backend-labels", "Labels of the node-ipvs families, comma-separated.").Default(strings.Join(prom.BackendLabels(), ",")).StringVar(&f.backendLabels)
	f.web = webflag.AddFlags(app, defaultListen)
	logging := &promslog.Config{Writer: stderr}
	promslogflag.AddFlags(app, logging)

	check := app.Command("check-config", "Check a configuration file and change nothing.")
	check.Arg("file", "The file.").Required().StringVar(&f.check)

	command, err := app.Parse(args)
	switch {
	case ended:
		return nil, errUsage
	case err != nil:
		return nil, commandLineError{fmt.Errorf("%w (try --help)", err)}
	}
	f.command, f.logger = command, promslog.New(logging)
	return f, nil
}

// labels is the list of --prometheus.backend-labels; nil stands for all.
func (f *flags) labels() []string {
	labels := strings.FieldsFunc(f.backendLabels, func(r rune) bool { return r == ',' || r == ' ' })
	if slices.Equal(labels, prom.BackendLabels()) {
		return nil
	}
	return labels
}

// duration is the value of a flag that takes a time: 10s, 15m, 30d.
type duration struct {
	flag string
	to   *time.Duration
}

func (d duration) String() string { return model.Duration(*d.to).String() }

func (d duration) Set(s string) error {
	v, err := model.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("--%s %q; want a duration as 10s, 15m or 30d", d.flag, s)
	}
	*d.to = time.Duration(v)
	return nil
}

// choice is the value of a flag that takes one of a few words. Empty is the
// default, which the file overrides.
type choice struct {
	flag string
	to   *string
	of   []string
}

func (c choice) String() string { return *c.to }

func (c choice) Set(s string) error {
	if s != "" && !slices.Contains(c.of, s) {
		return fmt.Errorf("--%s %q; want %s", c.flag, s, strings.Join(c.of, ", "))
	}
	*c.to = s
	return nil
}

// tiers is the value of --store.tiers.
type tiers config.Tiers

func (t *tiers) String() string { return string(*t) }

func (t *tiers) Set(s string) error {
	v, err := config.ParseTiers(s)
	if err != nil {
		return fmt.Errorf("--store.tiers %w", err)
	}
	*t = tiers(v)
	return nil
}

// listen is the value of --snmp.listen: addresses, none for off.
type listen []string

func (l *listen) String() string { return strings.Join(*l, ",") }

func (l *listen) Set(s string) error {
	if s == off {
		*l = nil
		return nil
	}
	address, err := config.ParseListen(s)
	if err != nil {
		return fmt.Errorf("--snmp.listen %w", err)
	}
	*l = append(*l, address)
	return nil
}

// IsCumulative lets the flag be repeated.
func (l *listen) IsCumulative() bool { return true }

// byteSize is the number of bytes of --store.max-size.
type byteSize uint64

func (b *byteSize) String() string { return fmt.Sprintf("%dB", uint64(*b)) }

func (b *byteSize) Set(s string) error {
	n, err := config.ParseSize(s)
	if err != nil {
		return fmt.Errorf("--store.max-size %w", err)
	}
	*b = byteSize(n)
	return nil
}
