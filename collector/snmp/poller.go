package snmp

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"lvs/dataplane"
)

// A Module is a MIB to read a director by.
type Module uint8

// The modules.
const (
	LVS      Module = iota // LVS-MIB
	Director               // LVS-DIRECTOR-MIB
)

// String is "lvs" or "director".
func (m Module) String() string {
	switch m {
	case LVS:
		return "lvs"
	case Director:
		return "director"
	}
	return fmt.Sprintf("module %d", uint8(m))
}

// ParseModule is the inverse of String.
func ParseModule(s string) (Module, error) {
	for _, m := range []Module{LVS, Director} {
		if s == m.String() {
			return m, nil
		}
	}
	return 0, fmt.Errorf("module %q; want lvs or director", s)
}

// Limits and defaults of a Config.
const (
	DefaultTimeout      = 2 * time.Second
	DefaultRetries      = 2
	DefaultMaxVariables = 100
	DefaultMaxRows      = 200_000
)

// A Config says whom to ask and how. Only Target is required.
type Config struct {
	// Target is HOST, HOST:PORT or an address; the port is 161 unless told.
	Target string
	Auth   Auth
	Module Module
	// Timeout is how long the answer to a request is waited for, twice and four
	// times that when it is repeated; zero is DefaultTimeout.
	Timeout time.Duration
	// Retries is how often a request is repeated; zero is DefaultRetries, negative
	// is never.
	Retries int
	// MaxVariables is how many an answer may have, at most 500; zero is
	// DefaultMaxVariables. Where answers prove too big it is halved, and raised
	// again after a while.
	MaxVariables int
	// MaxRows bounds each table; zero is DefaultMaxRows.
	MaxRows int
	// Servers has the module director read lvsdServerTable as well, into
	// Snapshot.Servers.
	Servers bool
	// Slots, if not nil, is shared by pollers to bound how many read tables at once,
	// and so their memory: its capacity. Who waits for the first answer of an agent
	// takes none.
	Slots chan struct{}
}

// complete checks the config and fills in the defaults.
func (c *Config) complete() error {
	if _, _, err := splitTarget(c.Target); err != nil {
		return err
	}
	if c.Module != LVS && c.Module != Director {
		return fmt.Errorf("there is no %v", c.Module)
	}
	if c.Timeout < 0 || c.MaxVariables < 0 || c.MaxVariables > maxAtOnce || c.MaxRows < 0 {
		return errors.New("a limit is out of its range")
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Retries == 0 {
		c.Retries = DefaultRetries
	}
	c.Retries = max(0, c.Retries)
	if c.MaxVariables == 0 {
		c.MaxVariables = DefaultMaxVariables
	}
	if c.MaxRows == 0 {
		c.MaxRows = DefaultMaxRows
	}
	return c.Auth.Check()
}

// Stats is how a Poller fares; counts are since it was made.
type Stats struct {
	Requests uint64 // datagrams sent, but for those that begin a session of v3
	Retries  uint64 // of these, repeated
	// Omitted is how many services and real servers of the last snapshot were left
	// out, because the MIB cannot tell their addresses.
	Omitted int
	// Stale is why the director's agent shows older values than it should, by its
	// own account; empty where it does not, and of the module lvs.
	Stale string
	// Resets are what the director's agent told with the last snapshot; nil where it
	// tells nothing of them, and of the module lvs.
	Resets *Resets
	// Agent is what the agent told of itself with the last snapshot; nil where it tells
	// nothing of that, over SNMPv1, and of the module lvs.
	Agent *Agent
}

type counters struct {
	requests, retries atomic.Uint64
	omitted           atomic.Int64
	stale             atomic.Pointer[string]
	resets            atomic.Pointer[Resets]
	agent             atomic.Pointer[Agent]
}

// A Poller reads one director. Its methods are safe for concurrent use; only one
// snapshot is read at a time. It keeps a socket open between snapshots.
type Poller struct {
	cfg   Config
	stats counters

	turn   chan struct{} // who holds its one element may use what follows
	client *client       // nil while there is no socket
	closed bool
	memory memory
}

// memory is what is kept from one snapshot for the next.
type memory struct {
	atOnce         int // variables in an answer
	good           int // snapshots since an answer was too big
	services       int // rows of the last snapshot
	reals          int
	directorMemory directorMemory
}

// New makes a poller; nothing is sent yet.
func New(cfg Config) (*Poller, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("snmp: %w", err)
	}
	return &Poller{cfg: cfg, turn: make(chan struct{}, 1), memory: memory{atOnce: cfg.MaxVariables}}, nil
}

// String names the director, the version and who asks.
func (p *Poller) String() string { return p.cfg.Target + " (" + p.cfg.Auth.String() + ")" }

// Stats tells how the poller fares.
func (p *Poller) Stats() Stats {
	s := Stats{Requests: p.stats.requests.Load(), Retries: p.stats.retries.Load(), Omitted: int(p.stats.omitted.Load()), Resets: p.stats.resets.Load(), Agent: p.stats.agent.Load()}
	if stale := p.stats.stale.Load(); stale != nil {
		s.Stale = *stale
	}
	return s
}

// attempts are how often tables that change under the reading are read.
const attempts = 3

// relax is after how many good snapshots larger answers are tried again.
const relax = 30

// Snapshot reads the director. It ends with ctx, and then has its error. See the
// errors of this package for the others.
func (p *Poller) Snapshot(ctx context.Context) (*dataplane.Snapshot, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if p.closed {
		return nil, errors.New("snmp: poller is closed")
	}
	began := time.Now()
	snap, err := p.poll(ctx)
	if err != nil {
		p.hangUp() // the address may be another one by now, and so may the engine
		return nil, fmt.Errorf("snmp: poll %s: %w", p.cfg.Target, err)
	}
	if snap.Time.IsZero() {
		snap.Time = time.Now()
	}
	snap.Took = time.Since(began)
	p.memory.services, p.memory.reals = len(snap.Services), snap.RealServers()
	if p.memory.good++; p.memory.good >= relax && p.memory.atOnce < p.cfg.MaxVariables {
		p.memory.good, p.memory.atOnce = 0, min(2*p.memory.atOnce, p.cfg.MaxVariables)
	}
	return snap, nil
}

// poll reads until a reading is whole.
func (p *Poller) poll(ctx context.Context) (*dataplane.Snapshot, error) {
	if p.client == nil {
		c, err := dial(ctx, &p.cfg, &p.stats)
		if err != nil {
			return nil, err
		}
		p.client = c
	}
	for try := 0; ; try++ {
		last := try == attempts-1
		var snap *dataplane.Snapshot
		var err error
		if p.cfg.Module == Director {
			snap, err = p.readDirector(ctx, last)
		} else {
			snap, err = p.readLVS(ctx, last)
		}
		if err == nil {
			snap.Retries = try
			return snap, nil
		}
		if !errors.Is(err, ErrChanged) || last {
			return nil, err
		}
	}
}

// slot waits for the right to read tables.
func (p *Poller) slot(ctx context.Context) (release func(), err error) {
	if p.cfg.Slots == nil {
		return func() {}, nil
	}
	select {
	case p.cfg.Slots <- struct{}{}:
		return func() { <-p.cfg.Slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// table reads a table that had so many rows when it was last read.
func (p *Poller) table(ctx context.Context, spec *tableSpec, expect int) (*table, error) {
	before := p.memory.atOnce
	t, err := p.client.read(ctx, spec, &p.memory.atOnce, expect, p.cfg.MaxRows)
	if p.memory.atOnce < before {
		p.memory.good = 0
	}
	return t, err
}

func (p *Poller) hangUp() {
	if p.client != nil {
		p.client.close()
		p.client = nil
	}
}

// Close closes the socket, when the snapshot under way is read. Snapshot returns
// an error from then on.
func (p *Poller) Close() error {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	p.hangUp()
	p.closed = true
	return nil
}
