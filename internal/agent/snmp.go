package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/version"

	"lvs/internal/config"
	"lvs/mib"
	snmpagent "lvs/mib/agent"
	"lvs/mib/agentx"
	"lvs/mib/notify"
	"lvs/mib/smi"
	"lvs/mib/usm"
)

// pingInterval is how long a session may be silent before the master is asked for
// a sign of life. A master that hangs is noticed after that and the five seconds
// it has to answer.
const pingInterval = 5 * time.Second

// newSNMPWindow makes what speaks SNMP; nil where nothing is to. The agent in the
// box listens from here on, so that an address which is in use ends the start.
func newSNMPWindow(s *settings, started time.Time, figures func() mib.Figures, log *slog.Logger) (w *snmpWindow, err error) {
	n := &s.file.SNMP.Notifications
	if s.agentX == off && len(s.listen) == 0 && len(n.Managers) == 0 {
		return nil, nil
	}
	w = &snmpWindow{log: log, figures: figures, watcher: mib.NewWatcher(hostName(), version.Version)}
	setter := mib.NewSetter(w.setEnabled)
	targets := map[string]notify.Target{}
	if s.agentX != off {
		if w.subagent, err = newSubagent(s.agentX, setter, log); err != nil {
			return nil, err
		}
		w.swaps = append(w.swaps, w.subagent.Swap)
		if !n.NoAgentX {
			targets["agentx"] = masterTarget{w.subagent}
		}
	}
	if len(s.listen) > 0 {
		if w.box, err = newBox(s, setter, log); err != nil {
			return nil, err
		}
		w.swaps = append(w.swaps, w.box.Swap)
	}
	if err := checkTold(&s.file.SNMP); err != nil {
		return nil, err
	}
	engine, err := w.engine(s)
	if err != nil {
		return nil, err
	}
	for i := range n.Managers {
		m, err := newManager(&n.Managers[i], s.file.SNMP.Users, engine, started)
		if err != nil {
			return nil, fmt.Errorf("snmp.notifications.managers[%d]: %w", i, err)
		}
		w.managers = append(w.managers, m)
		targets[n.Managers[i].Address] = m
	}
	w.queue = notify.New(notify.Config{Targets: targets, Rate: float64(n.Rate), Burst: n.Burst, Logger: log})
	w.queue.SetEnabled(!n.Disabled)
	return w, nil
}

// newSubagent makes the AgentX subagent that answers for our MIBs.
func newSubagent(address string, setter smi.Setter, log *slog.Logger) (*agentx.Subagent, error) {
	cfg := agentx.Config{
		Address:       address,
		Registrations: []smi.OID{mib.Root()},
		ID:            mib.Root(),
		Description:   "lvs-agent " + version.Version,
		Setter:        setter,
		PingInterval:  pingInterval,
		Logger:        log,
	}
	for _, c := range mib.Capabilities() {
		cfg.Capabilities = append(cfg.Capabilities, agentx.Capability{OID: c.OID, Description: c.Description})
	}
	return agentx.New(cfg, nil)
}

// newBox makes the agent in the box, which listens then.
func newBox(s *settings, setter smi.Setter, log *slog.Logger) (*snmpagent.Agent, error) {
	c := &s.file.SNMP
	cfg := snmpagent.Config{
		Listen: s.listen, Roots: []smi.OID{mib.Root()}, Setter: setter, Logger: log,
		System: snmpagent.System{
			Descr: "lvs-agent " + version.Version + ", Linux Virtual Server director", ObjectID: mib.Root(),
			Contact: c.Contact, Name: c.Name, Location: c.Location,
		},
	}
	switch {
	case len(c.Users) > 0:
		cfg.StateDir = stateDir(s.storePath, log)
	case s.storePath != off:
		cfg.StateDir = s.storePath // for users that a reload brings
	}
	if cfg.System.Name == "" {
		cfg.System.Name = hostName()
	}
	for _, o := range mib.Capabilities() {
		cfg.System.ORs = append(cfg.System.ORs, snmpagent.Capability{OID: o.OID, Description: o.Description})
	}
	var err error
	if cfg.Communities, cfg.Users, err = access(c); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(s.listen, reachable) {
		warnOfAccess(c, log)
	}
	return snmpagent.New(cfg, nil)
}

// warnOfAccess tells of what is allowed and hardly wanted, where others than this
// machine can ask.
func warnOfAccess(c *config.SNMP, log *slog.Logger) {
	if len(c.Communities)+len(c.Users) == 0 {
		log.Warn("SNMP is answered to nobody but this machine, from 127.0.0.1 and ::1; snmp.communities or snmp.users say who else may ask")
	}
	for i := range c.Communities {
		if c.Communities[i].Sources == nil {
			log.Warn("an SNMP community may be used from everywhere: who knows it can have answers sent to others, in another's name; list its sources",
				"community", fmt.Sprintf("snmp.communities[%d]", i))
		}
	}
}

// reachable reports whether others than this machine can ask at an address.
func reachable(address string) bool {
	a, err := netip.ParseAddrPort(address)
	return err != nil || !a.Addr().IsLoopback()
}

// access is who may ask the agent in the box.
func access(c *config.SNMP) (communities []snmpagent.Community, users []snmpagent.User, err error) {
	for _, k := range c.Communities {
		communities = append(communities, snmpagent.Community{Name: k.Name, Write: k.Write, Sources: k.Sources})
	}
	for _, u := range c.Users {
		auth, err := usm.ParseAuth(u.Auth.Protocol)
		if err != nil {
			return nil, nil, err
		}
		priv, err := usm.ParsePriv(u.Priv.Protocol)
		if err != nil {
			return nil, nil, err
		}
		users = append(users, snmpagent.User{Write: u.Write, User: usm.User{
			Name: u.Name, Auth: auth, AuthSecret: u.Auth.Passphrase, Priv: priv, PrivSecret: u.Priv.Passphrase,
		}})
	}
	return communities, users, nil
}

// checkUsers finds what would keep an agent with these users from starting: a text
// that begins with 0x is no passphrase but a key, and has to be a whole one.
func checkUsers(c *config.SNMP) error {
	_, users, err := access(c)
	if err != nil {
		return err
	}
	var all []usm.User
	for _, u := range users {
		all = append(all, u.User)
	}
	id, err := usm.Boot("")
	if err == nil {
		_, err = usm.New(id, all)
	}
	return errors.Join(err, checkTold(c))
}

// checkTold refuses users of notifications that have keys for our engine: they are
// sent with passphrases, from which come the keys for each manager's.
func checkTold(c *config.SNMP) error {
	var errs []error
	for i, m := range c.Notifications.Managers {
		for _, u := range c.Users {
			if u.Name == m.User && (strings.HasPrefix(u.Auth.Passphrase, "0x") || strings.HasPrefix(u.Priv.Passphrase, "0x")) {
				errs = append(errs, fmt.Errorf("snmp.notifications.managers[%d]: user %q has a key where a passphrase is needed", i, u.Name))
			}
		}
	}
	return errors.Join(errs...)
}

// setAccess takes over who may ask from a configuration that was read again.
func (w *snmpWindow) setAccess(c *config.SNMP) error {
	if w == nil || w.box == nil {
		return nil
	}
	communities, users, err := access(c)
	if err != nil {
		return err
	}
	return w.box.SetAccess(communities, users)
}

// engine is who we are in traps of SNMPv3: the engine of the agent in the box, or
// one of its own where there is none.
func (w *snmpWindow) engine(s *settings) (func() notify.Engine, error) {
	var e *usm.Engine
	if w.box != nil {
		e = w.box.Engine()
	}
	if e == nil {
		dir := ""
		if slices.ContainsFunc(s.file.SNMP.Notifications.Managers, func(m config.Manager) bool { return m.User != "" }) {
			dir = stateDir(s.storePath, w.log)
		}
		id, err := usm.Boot(dir)
		if err != nil {
			return nil, fmt.Errorf("snmp: %w", err)
		}
		if e, err = usm.New(id, nil); err != nil {
			return nil, err
		}
	}
	return func() notify.Engine {
		return notify.Engine{ID: e.ID(), Boots: uint32(e.Boots()), Time: uint32(e.Time())}
	}, nil
}

// stateDir is where the identity of SNMPv3's engine is kept: beside the history.
// Where nothing can be written it is empty, and the identity one of this process
// alone, for a full disk is no reason not to start.
func stateDir(dir string, log *slog.Logger) string {
	if dir == off {
		log.Warn("SNMPv3's engine ID is not kept without a store; managers will see another one after each start")
		return ""
	}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = tryWrite(dir)
	}
	if err != nil {
		log.Error("SNMPv3's engine ID cannot be kept; managers will see another one after the next start", "dir", dir, "err", err)
		return ""
	}
	return dir
}

// tryWrite reports what keeps a small file from being made durable in dir.
func tryWrite(dir string) error {
	f, err := os.Create(filepath.Join(dir, "snmp-try"))
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 512))
	return errors.Join(err, f.Sync(), f.Close())
}

// newManager makes a receiver of notifications.
func newManager(m *config.Manager, users []config.User, engine func() notify.Engine, started time.Time) (*notify.Manager, error) {
	cfg := notify.ManagerConfig{
		Address: m.Address, Community: m.Community, Inform: m.Inform, Timeout: m.Timeout, Engine: engine,
		UpTime: func(at time.Time) time.Duration { return max(0, at.Sub(started)) },
	}
	for _, u := range users {
		if u.Name == m.User {
			cfg.User = &notify.User{Name: u.Name, Auth: u.Auth.Protocol, AuthPassphrase: u.Auth.Passphrase,
				Priv: u.Priv.Protocol, PrivPassphrase: u.Priv.Passphrase}
		}
	}
	return notify.NewManager(cfg)
}

// abandon frees the addresses of a window that is not to run.
func (w *snmpWindow) abandon() error {
	if w == nil {
		return nil
	}
	ended, end := context.WithCancel(context.Background())
	end()
	var err error
	if w.box != nil {
		err = w.box.Run(ended)
	}
	for _, m := range w.managers {
		err = errors.Join(err, m.Close())
	}
	return err
}

// run serves until ctx ends. The queue goes first, while the master is there to
// take what it still has.
func (w *snmpWindow) run(ctx context.Context) error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	w.show() // what is known before the first snapshot
	w.mu.Unlock()
	var parts []*part
	if w.subagent != nil {
		parts = append(parts, start("agentx", w.subagent.Run))
	}
	if w.box != nil {
		parts = append(parts, start("snmp", w.box.Run))
	}
	err := w.queue.Run(ctx)
	<-ctx.Done() // a queue without targets is done at once
	for _, p := range parts {
		p.stop()
		err = errors.Join(err, p.err)
	}
	for _, m := range w.managers {
		err = errors.Join(err, m.Close())
	}
	return err
}
