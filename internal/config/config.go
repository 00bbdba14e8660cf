package config

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/goccy/go-yaml/ast"

	"lvs/internal/director"
)

// A Config is a configuration file, checked and typed. A zero field was not
// given, so that a flag or a default speaks.
type Config struct {
	Sample     Sample
	Store      Store
	SNMP       SNMP
	Prometheus Prometheus
	// NetNS is the network namespace of the director: a path, or a name under
	// /run/netns; empty is the agent's own.
	NetNS string
	// Names of services and real servers, from names: and from services:.
	Names Names
	// Director is what services: and the keys that go with it want; nil where
	// the file has no services:, and then the table is only observed.
	Director *director.Spec
}

// Sample is how the kernel is read.
type Sample struct {
	Interval time.Duration // whole seconds, 1 s to 1 h
}

// Store is where the history is kept.
type Store struct {
	Path      string        // a directory
	Retention time.Duration // how long exact rows are kept
	// Tiers are what is kept of older times; empty where the file does not tell.
	Tiers   Tiers
	MaxSize uint64 // bytes the files may grow to
}

// Prometheus is what /metrics shows.
type Prometheus struct {
	Reals      string // "auto", "always" or "never"
	RealsLimit int    // real servers above which auto leaves them out
	// KernelRates adds the kernel's own rate estimates.
	KernelRates bool
	Compat      string // "node-ipvs" or empty
	// BackendLabels are the labels kept in the families of node-ipvs; nil is all
	// of them.
	BackendLabels []string
}

// Limits far above any sensible file, and below what would hurt: the parser
// takes some hundred bytes for each token, and quadratic time for nesting, of
// which the length of lines bounds one kind.
const (
	maxFile = 4 << 20
	maxLine = 4 << 10
)

// Load parses the file of that name.
func Load(filename string) (*Config, error) {
	f, err := os.Open(filename)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	return Parse(f, filename)
}

// Parse reads a configuration. The filename serves messages only. An error in
// the text is an Errors with everything that was found wrong; an empty text is
// a valid configuration that gives nothing.
func Parse(r io.Reader, filename string) (*Config, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	d := &decoder{file: filename}
	c := &Config{}
	if body := d.document(text); body != nil {
		d.config(body, c)
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// config decodes the top of the file.
func (d *decoder) config(n ast.Node, c *Config) {
	run := &directorSection{}
	names := &namesSection{}
	at := d.mapping(n, fields{
		"sample": d.section(func() fields {
			return fields{"interval": d.duration(&c.Sample.Interval, time.Second, time.Hour)}
		}),
		"store":      d.section(func() fields { return d.store(&c.Store) }),
		"snmp":       d.section(func() fields { return d.snmp(&c.SNMP) }),
		"prometheus": d.section(func() fields { return d.prometheus(&c.Prometheus) }),
		"netns":      d.text(&c.NetNS),
		"names":      func(n ast.Node) { d.names(n, names) },
		"enforce":    d.boolean(&run.enforce),
		"exclusive":  d.boolean(&run.exclusive),
		"quiesce":    d.quiesce(&run.quiesce),
		"timeouts":   d.section(func() fields { return d.timeouts(&run.timeouts) }),
		"sync":       d.section(func() fields { return d.sync(run) }),
		"services":   func(n ast.Node) { run.node = n },
	})
	d.checkSNMP(at["snmp"], &c.SNMP)
	if run.node == nil {
		for _, key := range []string{"enforce", "exclusive", "quiesce", "timeouts", "sync"} {
			if at[key] != nil {
				d.errorAt(at[key], key, "goes with services: only, without which the table is observed and never written to (services: [] is an empty list)")
			}
		}
	} else {
		c.Director = d.director(run)
	}
	c.Names = d.buildNames(names, run)
}

func (d *decoder) store(s *Store) fields {
	return fields{
		"path":      d.text(&s.Path),
		"retention": d.duration(&s.Retention, time.Hour, 100*365*24*time.Hour),
		"tiers":     parsed(d, &s.Tiers, ParseTiers),
		"max_size":  parsed(d, &s.MaxSize, ParseSize),
	}
}

func (d *decoder) prometheus(p *Prometheus) fields {
	return fields{
		"reals":        d.oneOf(&p.Reals, "auto", "always", "never"),
		"reals_limit":  integer(d, &p.RealsLimit, 1, 1<<31-1),
		"kernel_rates": d.boolean(&p.KernelRates),
		"compat":       d.oneOf(&p.Compat, "node-ipvs"),
		"backend_labels": d.list(func(n ast.Node) {
			var label string
			d.oneOf(&label, "local_address", "local_port", "remote_address", "remote_port", "proto", "local_mark")(n)
			for _, have := range p.BackendLabels {
				if have == label && label != "" {
					d.errorAt(n, "", fmt.Sprintf("%q is listed twice", label))
				}
			}
			p.BackendLabels = append(p.BackendLabels, label)
		}),
	}
}
