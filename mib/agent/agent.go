package agent

import (
	"context"
	"crypto/subtle"
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
	engine   *usm.Engine     // nil without users
	writers  map[string]bool // users who may write
	limiter  *limiter
	counters counters

	unknownHandlers, unknownContexts atomic.Uint32 // what v3 managers are told
	sockets                          []*listener

	swap sync.Mutex
	gens atomic.Pointer[[]*smi.Generation[*view]] // newest first
}

// New checks cfg and listens; nobody is answered before Run. What keeps it from
// listening says what to do about it. With users it counts a boot of the
// engine, see [usm.Boot].
func New(cfg Config, tree smi.Tree) (*Agent, error) {
	a, err := newAgent(cfg, tree)
	if err != nil {
		return nil, err
	}
	for _, address := range a.cfg.Listen {
		s, err := listen(address)
		if err != nil {
			a.close()
			return nil, fmt.Errorf("agent: %w", err)
		}
		a.sockets = append(a.sockets, s)
	}
	return a, nil
}

// newAgent is New without sockets.
func newAgent(cfg Config, tree smi.Tree) (*Agent, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	a := &Agent{cfg: cfg, began: time.Now(), limiter: newLimiter(cfg.Rate), writers: map[string]bool{}}
	if a.system, err = newSystemTree(cfg.System, a.began); err != nil {
		return nil, err
	}
	if len(cfg.Users) > 0 {
		if err := a.boot(); err != nil {
			return nil, fmt.Errorf("agent: %w", err)
		}
	}
	a.gens.Store(new([]*smi.Generation[*view]))
	a.Swap(tree)
	return a, nil
}

// boot makes the engine of SNMPv3.
func (a *Agent) boot() error {
	var users []usm.User
	for _, u := range a.cfg.Users {
		users = append(users, u.User)
		a.writers[u.Name] = u.Write
	}
	id, err := usm.Boot(a.cfg.StateDir)
	if err != nil {
		return err
	}
	if id.Replaced != nil {
		a.cfg.Logger.Warn("SNMPv3 has a new engine ID; keys localized to the old one are of no more use", "err", id.Replaced)
	}
	a.engine, err = usm.New(id, users)
	return err
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
// in the tree they are in.
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

// Engine is that of SNMPv3, nil without users.
func (a *Agent) Engine() *usm.Engine { return a.engine }

// EngineID is snmpEngineID of v3, nil without users. It is not to be changed.
func (a *Agent) EngineID() []byte {
	if a.engine == nil {
		return nil
	}
	return a.engine.ID()
}

// mayAsk says what a community may do from an address.
func (a *Agent) mayAsk(name []byte, from netip.Addr) (read, write bool) {
	for i := range a.cfg.Communities {
		c := &a.cfg.Communities[i]
		if subtle.ConstantTimeCompare([]byte(c.Name), name) == 1 && c.allows(from) {
			read, write = true, write || c.Write
		}
	}
	return read, write
}

// allows reports whether requests may come from an address.
func (c *Community) allows(from netip.Addr) bool {
	for _, p := range c.Sources {
		if p.Contains(from.WithZone("")) {
			return true
		}
	}
	return c.Sources == nil
}
