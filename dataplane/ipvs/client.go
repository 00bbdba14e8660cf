package ipvs

import (
	"context"
	"errors"
	"time"

	"github.com/mdlayher/netlink"

	"lvs/dataplane"
)

// Config says which kernel table a Client is for. The zero Config is the table
// of the process's own network namespace.
type Config struct {
	// NetNS is the network namespace whose table it is: a path, as
	// /proc/123/ns/net, or the name of a file below /run/netns, as `ip netns`
	// makes them. Empty is the process's own. Entering another one takes
	// CAP_SYS_ADMIN. When the name later means another namespace, the Client reads
	// that one; while it means none, calls fail with fs.ErrNotExist.
	NetNS string
	// Timeout is how long a request may take to be sent, and then the whole
	// answer to it to come; a Snapshot is many of them. Zero is five seconds.
	Timeout time.Duration
	// Load has the kernel load ip_vs where it is not there. Without it a Client
	// leaves the kernel as it is, and finds ip_vs when somebody else loads it.
	Load bool
}

const defaultTimeout = 5 * time.Second

// A Client reads and changes the kernel's IPVS table. It is safe for concurrent
// use: what reads and what writes have a socket each, so that a long reading
// never keeps a change waiting, and on each the calls take turns.
//
// Every call needs CAP_NET_ADMIN, the reading ones as well. Every call ends when
// its context does or when the kernel does not answer within Config.Timeout; the
// one exception is the kernel itself: a request that waits for the lock on the
// table does so in a system call that nothing interrupts.
//
// A Client needs no care. After a fault of a socket, and after ip_vs was unloaded
// and loaded again, the next call works again.
type Client struct {
	ns      *namespace
	read    *conn
	control *conn
	table   reader // only by who has the turn on read
}

// Dial opens a Client and tries it out. The error is [dataplane.ErrNotSupported]
// when the kernel has no IPVS, fs.ErrPermission without CAP_NET_ADMIN, and
// fs.ErrNotExist when there is no such namespace.
func Dial(cfg Config) (*Client, error) {
	ns, err := openNamespace(cfg.NetNS)
	if err != nil {
		return nil, err
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	c := newClient(ns, ns.dial, cfg.Timeout)
	c.read.load, c.control.load = cfg.Load, cfg.Load
	if _, err := c.Info(context.Background()); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Epoch is the Director.Epoch of a [Client.Snapshot] taken now. It takes no
// privilege where Config.NetNS is empty, so that a process which may not read the
// table can still tell whether it is the one it knows. Errors are those of Dial.
func Epoch(ctx context.Context, cfg Config) (epoch string, err error) {
	ns, err := openNamespace(cfg.NetNS)
	if err != nil {
		return "", err
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	c := newClient(ns, ns.dial, cfg.Timeout)
	err = c.read.do(ctx, func(_ context.Context, s *session) error {
		epoch, err = ns.epoch(s.nc, s.family)
		return err
	})
	return epoch, errors.Join(explain(cmdGetInfo, "identify the table", err), c.Close())
}

func newClient(ns *namespace, dial func() (*netlink.Conn, error), timeout time.Duration) *Client {
	return &Client{
		ns:      ns,
		read:    newConn(ns, dial, timeout),
		control: newConn(ns, dial, timeout),
		table:   reader{names: make(names)},
	}
}

// Close closes the Client. Calls under way end with fs.ErrClosed, as all later
// ones do.
func (c *Client) Close() error {
	return errors.Join(c.read.close(), c.control.close(), c.ns.close())
}

// Info reads the version and the size of the connection table.
func (c *Client) Info(ctx context.Context) (info Info, err error) {
	err = c.read.do(ctx, func(ctx context.Context, s *session) error {
		info, err = s.info(ctx)
		return err
	})
	return info, explain(cmdGetInfo, "read version", err)
}

// Timeouts reads the timeouts of connections.
func (c *Client) Timeouts(ctx context.Context) (t dataplane.Timeouts, err error) {
	err = c.read.do(ctx, func(ctx context.Context, s *session) error {
		t, err = s.timeouts(ctx)
		return err
	})
	return t, explain(cmdGetConfig, "read timeouts", err)
}

// Daemons lists the sync daemons that run: none, one, or a master and a backup.
func (c *Client) Daemons(ctx context.Context) (d []dataplane.SyncDaemon, err error) {
	err = c.read.do(ctx, func(ctx context.Context, s *session) error {
		d, err = s.daemons(ctx)
		return err
	})
	return d, explain(cmdGetDaemon, "list sync daemons", err)
}

// Services lists the services, without their real servers, in the kernel's order.
// No service is a nil slice.
func (c *Client) Services(ctx context.Context) (list []dataplane.ServiceState, err error) {
	err = c.read.do(ctx, func(ctx context.Context, s *session) error {
		list, err = c.table.listServices(ctx, s)
		return err
	})
	return list, explain(cmdGetService, "list services", err)
}

// Service reads one service without its real servers. The error is fs.ErrNotExist
// when there is no such service.
func (c *Client) Service(ctx context.Context, k dataplane.ServiceKey) (svc dataplane.ServiceState, err error) {
	if err := checkKey(k); err != nil {
		return svc, explain(cmdGetService, "read service", err)
	}
	err = c.read.do(ctx, func(ctx context.Context, s *session) error {
		svc = dataplane.ServiceState{}
		return s.service(ctx, c.table.names, k, &svc)
	})
	return svc, explain(cmdGetService, "read service "+k.String(), err)
}

// RealServers lists the real servers of a service, newest first. The error is
// fs.ErrNotExist when there is no such service.
func (c *Client) RealServers(ctx context.Context, k dataplane.ServiceKey) (list []dataplane.RealState, err error) {
	if err := checkKey(k); err != nil {
		return nil, explain(cmdGetDest, "list real servers", err)
	}
	err = c.read.do(ctx, func(ctx context.Context, s *session) error {
		list, err = c.table.listReals(ctx, s, k)
		return err
	})
	return list, explain(cmdGetDest, "list real servers of "+k.String(), err)
}

// Snapshot reads the whole table, with version, timeouts and sync daemons, in the
// kernel's order: it implements a collector's source. Of the Director it leaves to
// others what generic netlink does not tell: grand totals, sysctls and the number
// of connections.
//
// The kernel has no command for the whole table, and promises nothing about a
// table that changes while it is read; see the package's documentation for what
// is done about that. Left out is what packets never match and has no name in
// package dataplane: services with a protocol number of 0 or above 255, and IPv4
// addresses mapped into IPv6.
//
// When ip_vs is not loaded the error is [dataplane.ErrNotSupported]; the same
// Client works again once it is.
func (c *Client) Snapshot(ctx context.Context) (snap *dataplane.Snapshot, err error) {
	begin := time.Now()
	err = c.read.do(ctx, func(ctx context.Context, s *session) error {
		snap, err = c.snapshot(ctx, s)
		return err
	})
	if err != nil {
		return nil, explain(cmdGetService, "read the table", err)
	}
	snap.Time = time.Now()
	snap.Took = snap.Time.Sub(begin)
	return snap, nil
}

// Recycle gives a snapshot back that this Client made and that nobody uses any
// more, nor any service or real server in it: the next is made in its memory. Of
// any but the latest it does nothing. Nobody has to call it.
func (c *Client) Recycle(snap *dataplane.Snapshot) {
	select {
	case c.read.turn <- struct{}{}:
		defer func() { <-c.read.turn }()
		c.table.takeBack(snap)
	default: // somebody reads, and has other memory by now
	}
}

func (c *Client) snapshot(ctx context.Context, s *session) (*dataplane.Snapshot, error) {
	snap := new(dataplane.Snapshot)
	info, err := s.info(ctx)
	if err != nil {
		return nil, err
	}
	snap.Director.Version, snap.Director.ConnTableSize = info.Version, info.ConnTableSize
	if snap.Director.Timeouts, err = s.timeouts(ctx); err != nil {
		return nil, err
	}
	if snap.Director.Daemons, err = s.daemons(ctx); err != nil {
		return nil, err
	}
	if err := c.table.read(ctx, s, snap); err != nil {
		return nil, err
	}
	snap.Director.Epoch, err = c.ns.epoch(s.nc, s.family)
	return snap, err
}
