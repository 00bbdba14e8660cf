package agent

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"lvs/mib/smi"
	"lvs/mib/usm"
)

// An Agent answers managers. Its methods are safe for concurrent use.
type Agent struct {
	cfg      Config
	began    time.Time
	system   *systemTree
	access   atomic.Pointer[access]
	limiter  *limiter
	counters counters

	unknownHandlers, unknownContexts atomic.Uint32 // what v3 managers are told
	sockets                          []*listener

	grant sync.Mutex                               // of access
	swap  sync.Mutex                               // of gens; no tree waits for keys to be made, or for a disk
	gens  atomic.Pointer[[]*smi.Generation[*view]] // newest first
}

// New checks cfg and listens; nobody is answered before Run. A nil tree has no
// variables. What keeps it from
// listening says what to do about it. With users it counts a boot of the
// engine, see [usm.Boot].
func New(cfg Config, tree smi.Tree) (*Agent, error) {
	a, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	err = a.listen()
	if err == nil {
		err = a.begin(tree) // later, since it counts a boot
	}
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// prepare makes an agent that neither listens nor knows anybody.
func prepare(cfg Config) (*Agent, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	a := &Agent{cfg: cfg, began: time.Now(), limiter: newLimiter(cfg.Rate)}
	a.system, err = newSystemTree(cfg.System, a.began)
	return a, err
}

func (a *Agent) listen() error {
	for _, address := range a.cfg.Listen {
		s, err := listen(address, a.cfg.Logger)
		if err != nil {
			return fmt.Errorf("agent: %w", err)
		}
		a.sockets = append(a.sockets, s)
	}
	return nil
}

// begin has what is needed to answer.
func (a *Agent) begin(tree smi.Tree) error {
	if err := a.SetAccess(a.cfg.Communities, a.cfg.Users); err != nil {
		return err
	}
	a.gens.Store(new([]*smi.Generation[*view]))
	a.Swap(tree)
	return nil
}

// Run answers until ctx is done, then closes the sockets and returns nil. An
// Agent runs once.
func (a *Agent) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, s := range a.sockets {
		wg.Go(func() { a.serve(s) })
	}
	<-ctx.Done()
	for _, s := range a.sockets {
		s.interrupt()
	}
	wg.Wait()
	a.close()
	return nil
}

func (a *Agent) close() {
	for _, s := range a.sockets {
		s.close()
	}
}

// Swap makes tree what managers see from the next request on; walks under way end
// in the tree they are in. A nil tree has no variables.
func (a *Agent) Swap(tree smi.Tree) {
	a.swap.Lock()
	defer a.swap.Unlock()
	gens := smi.Renew(*a.gens.Load(), newView(a.system, tree, a.cfg.Roots), a.now())
	a.gens.Store(&gens)
}

// now is a steady clock's nanoseconds, never 0.
func (a *Agent) now() int64 { return int64(time.Since(a.began)) + 1 }

// Addrs are where the agent listens, with the ports that it was given.
func (a *Agent) Addrs() []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, s := range a.sockets {
		addrs = append(addrs, s.addr)
	}
	return addrs
}

// Stats are the counts so far.
func (a *Agent) Stats() Stats { return a.counters.stats() }

// Engine is that of SNMPv3, nil where there never were users.
func (a *Agent) Engine() *usm.Engine { return a.access.Load().engine }

// EngineID is snmpEngineID of v3, nil where there never were users. It is not to
// be changed.
func (a *Agent) EngineID() []byte {
	if e := a.Engine(); e != nil {
		return e.ID()
	}
	return nil
}
