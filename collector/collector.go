package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"lvs/dataplane"
)

// A Source reads a director. It fills what the kernel told and Snapshot.Time
// from time.Now, with its monotonic part; services and real servers stay in the
// order of the kernel's dump, which helps to tell a re-created entry from a
// zeroed one. It returns when ctx ends. Neither side changes a snapshot that was
// handed over.
type Source interface {
	Snapshot(ctx context.Context) (*dataplane.Snapshot, error)
}

// A Recycler is a [Source] that wants its snapshots back: the sampler hands each to
// Recycle when nobody uses it, or a service or real server in it, any more, so that
// the next need not have new memory. Daemons and Sysctls of its Director live on.
type Recycler interface {
	Recycle(s *dataplane.Snapshot)
}

// A Ledger keeps snapshots, and with them the accounts, across restarts of the
// agent.
type Ledger interface {
	// Remembered is every account ever committed and not yet forgotten.
	Remembered(ctx context.Context) ([]dataplane.Remembered, error)
	// Newest is the last tick committed, also before this process, and the zero
	// Time if there is none. It is asked for after Remembered: only later ticks
	// are handed out from then on.
	Newest() time.Time
	// Commit returns when the snapshot is durable. Ticks come in ascending order.
	Commit(ctx context.Context, s *dataplane.Snapshot) error
}

// A Sink is shown every published snapshot, as long as it keeps up: of those
// that arrive while it works, the last one only. Calls never overlap.
type Sink interface {
	Record(ctx context.Context, s *dataplane.Snapshot) error
}

// Names tells the configured name of a service (its key and the zero RIP) or of
// one of its real servers; empty if it has none. It is called for every row of
// every snapshot.
type Names func(key dataplane.ServiceKey, rip netip.AddrPort) string

// Limits and defaults of a [Config].
const (
	MinInterval     = time.Second
	MaxInterval     = time.Hour
	DefaultInterval = 10 * time.Second
	DefaultForget   = 32 * 24 * time.Hour
)

// Config is what a [Sampler] is made of. Only Source is required.
type Config struct {
	// Interval between ticks, whole seconds from MinInterval to MaxInterval;
	// zero is DefaultInterval. Ticks are the Unix seconds it divides.
	Interval time.Duration
	Source   Source
	// Ledger keeps the accounts; nil keeps them in memory only.
	Ledger Ledger
	// Sinks by the name they have in logs and statistics.
	Sinks map[string]Sink
	// Completed says that the source's snapshots come from another sampler, by way
	// of the network: their order, accounts, names, numbers and rates stay as they
	// are told, and so does a Tick that is not zero. What is not told stays unknown:
	// SNMP shows what is in the table, so that of it nothing is known to be removed.
	// Of several snapshots with the same tick the ledger is shown the first.
	Completed bool
	// Offset is how long after its tick each reading begins, less than the
	// interval: so that many samplers do not read all at once.
	Offset time.Duration
	// Names of services and real servers; nil is none. See SetNames.
	Names Names
	// Forget is for how long an account outlives its entry in the table, so that
	// its total goes on when it is added again; zero is DefaultForget.
	Forget time.Duration
	// Observe is called with the time that each reading and its accounting
	// took; nil is nobody.
	Observe func(time.Duration)
	// Logger; nil discards.
	Logger *slog.Logger
}

func (c *Config) complete() error {
	if c.Interval == 0 {
		c.Interval = DefaultInterval
	}
	if c.Forget == 0 {
		c.Forget = DefaultForget
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Source == nil {
		return errors.New("no source")
	}
	if c.Offset < 0 || c.Offset >= c.Interval {
		return fmt.Errorf("offset %v: want less than the interval %v", c.Offset, c.Interval)
	}
	if c.Forget < 0 {
		return fmt.Errorf("forget after %v: want a positive duration", c.Forget)
	}
	for name, sink := range c.Sinks {
		if name == "" || sink == nil {
			return fmt.Errorf("sink %q: want a name and a sink", name)
		}
	}
	return checkInterval(c.Interval)
}

func checkInterval(d time.Duration) error {
	if d < MinInterval || d > MaxInterval || d%time.Second != 0 {
		return fmt.Errorf("interval %v: want whole seconds from %v to %v", d, MinInterval, MaxInterval)
	}
	return nil
}
