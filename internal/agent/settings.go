package agent

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/exporter-toolkit/web"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/internal/config"
)

// settings are flags and file as one: what the user gave on the command line,
// else what the file says, else the default.
type settings struct {
	interval      time.Duration
	storePath     string // "off" for none
	retention     time.Duration
	tiers         config.Tiers
	maxSize       uint64
	agentX        string // "off" for none
	listen        []string
	netNS         string
	reals         prom.RealsMode
	realsLimit    int
	kernelRates   bool
	compat        string
	backendLabels []string
	file          *config.Config // never nil; the zero Config without a file
}

// settle merges the command line with the configuration file, which it reads.
func settle(f *flags) (*settings, error) {
	file := &config.Config{}
	if f.configFile != "" {
		var err error
		if file, err = config.Load(f.configFile); err != nil {
			return nil, err
		}
	}
	s := &settings{
		interval:      pick(f, "sample.interval", f.interval, file.Sample.Interval),
		storePath:     pick(f, "store.path", f.storePath, file.Store.Path),
		retention:     pick(f, "store.retention", f.retention, file.Store.Retention),
		tiers:         pick(f, "store.tiers", config.Tiers(f.tiers), file.Store.Tiers),
		maxSize:       pick(f, "store.max-size", f.maxSize, file.Store.MaxSize),
		agentX:        pick(f, "snmp.agentx", f.agentX, file.SNMP.AgentX),
		listen:        f.listen,
		netNS:         pick(f, "netns", f.netNS, file.NetNS),
		realsLimit:    pick(f, "prometheus.reals-limit", f.realsLimit, file.Prometheus.RealsLimit),
		kernelRates:   f.kernelRates || file.Prometheus.KernelRates && !*f.set["prometheus.kernel-rates"],
		compat:        pick(f, "prometheus.compat", f.compat, file.Prometheus.Compat),
		backendLabels: f.labels(),
		file:          file,
	}
	if !*f.set["snmp.listen"] && file.SNMP.Listen != nil {
		s.listen = file.SNMP.Listen
	}
	if !*f.set["prometheus.backend-labels"] && file.Prometheus.BackendLabels != nil {
		s.backendLabels = file.Prometheus.BackendLabels
	}
	var err error
	if s.reals, err = prom.ParseRealsMode(pick(f, "prometheus.reals", f.reals, file.Prometheus.Reals)); err != nil {
		return nil, fmt.Errorf("prometheus.reals %w", err)
	}
	// HTTP would find out only when services are being applied already.
	if err := web.Validate(*f.web.WebConfigFile); err != nil {
		return nil, fmt.Errorf("web.config.file: %w", err)
	}
	return s, s.check()
}

// pick is the flag's value where the user gave it or the file is silent.
func pick[T comparable](f *flags, name string, flag, file T) T {
	var zero T
	if *f.set[name] || file == zero {
		return flag
	}
	return file
}

func (s *settings) check() error {
	if s.interval < collector.MinInterval || s.interval > collector.MaxInterval || s.interval%time.Second != 0 {
		return fmt.Errorf("sample.interval %v: want whole seconds from %v to %v", s.interval, collector.MinInterval, collector.MaxInterval)
	}
	if s.storePath == "" {
		return fmt.Errorf(`store.path is empty: want a directory, or "off" for no history`)
	}
	if s.retention < time.Minute {
		return fmt.Errorf("store.retention %v: want at least 1m", s.retention)
	}
	if network, address, _ := strings.Cut(s.agentX, ":"); s.agentX != off && (network != "unix" && network != "tcp" || address == "") {
		return fmt.Errorf("snmp.agentx %q: want unix:PATH, tcp:HOST:PORT or off", s.agentX)
	}
	return nil
}

// needsRestart names what differs between two settings and is fixed for the
// life of the process.
func (s *settings) needsRestart(next *settings) (names []string) {
	for _, c := range []struct {
		name    string
		differs bool
	}{
		{"store.path", s.storePath != next.storePath},
		{"store.retention", s.retention != next.retention},
		{"store.tiers", s.tiers != next.tiers},
		{"store.max_size", s.maxSize != next.maxSize},
		{"snmp.agentx", s.agentX != next.agentX},
		{"snmp.listen", !slices.Equal(s.listen, next.listen)},
		{"snmp.contact, name, location and notifications", !reflect.DeepEqual(s.snmp(), next.snmp())},
		{"netns", s.netNS != next.netNS},
		{"services (begun or ended being run)", (s.file.Director == nil) != (next.file.Director == nil)},
	} {
		if c.differs {
			names = append(names, c.name)
		}
	}
	return names
}

// snmp is what the file says of SNMP beside addresses and who may ask. Of the
// users those count as whom managers are told: their keys are made at the start.
func (s *settings) snmp() config.SNMP {
	c := s.file.SNMP
	c.AgentX, c.Listen, c.Communities, c.Users = "", nil, nil, nil
	for _, u := range s.file.SNMP.Users {
		if slices.ContainsFunc(c.Notifications.Managers, func(m config.Manager) bool { return m.User == u.Name }) {
			c.Users = append(c.Users, u)
		}
	}
	return c
}
