package ipvs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/mdlayher/netlink"

	"lvs/dataplane"
)

// change sends a command that is answered by an acknowledgement only. check finds
// what is wrong with its subject before anything is sent.
func (c *Client) change(ctx context.Context, cmd command, op string, check error, build func(*encoder)) error {
	if check != nil {
		return fmt.Errorf("ipvs: %s: %w", op, check)
	}
	err := c.control.do(ctx, func(ctx context.Context, s *session) error {
		e := s.request(cmd)
		build(&e)
		return s.exchange(ctx, e, netlink.Acknowledge, func([]byte) error { return nil })
	})
	return explain(cmd, op, err)
}

// AddService adds a service. The error is fs.ErrExist when there is one with this
// key, fs.ErrNotExist when the kernel knows no such scheduler or persistence engine.
func (c *Client) AddService(ctx context.Context, s dataplane.Service) error {
	return c.change(ctx, cmdNewService, "add service "+s.Key.String(), checkService(s),
		func(e *encoder) { e.service(s) })
}

// EditService makes a service what s says; its counters and real servers stay. The
// error is fs.ErrNotExist when there is no such service, scheduler or persistence
// engine.
func (c *Client) EditService(ctx context.Context, s dataplane.Service) error {
	return c.change(ctx, cmdSetService, "edit service "+s.Key.String(), checkService(s),
		func(e *encoder) { e.service(s) })
}

// DeleteService deletes a service with its real servers. The error is
// fs.ErrNotExist when there is no such service.
func (c *Client) DeleteService(ctx context.Context, k dataplane.ServiceKey) error {
	return c.change(ctx, cmdDelService, "delete service "+k.String(), checkKey(k),
		func(e *encoder) { e.key(k) })
}

// AddRealServer adds a real server to a service. The error is fs.ErrExist when the
// service has one with this RIP, fs.ErrNotExist when there is no such service. The
// kernel takes up counters and connections again of a real server that it still
// remembers for its connections.
func (c *Client) AddRealServer(ctx context.Context, k dataplane.ServiceKey, r dataplane.RealServer) error {
	return c.changeReal(ctx, cmdNewDest, "add", k, r, func(e *encoder) { e.real(r) })
}

// EditRealServer makes a real server what r says; its counters stay. The error is
// fs.ErrNotExist when there is no such service, or no such real server in it.
func (c *Client) EditRealServer(ctx context.Context, k dataplane.ServiceKey, r dataplane.RealServer) error {
	return c.changeReal(ctx, cmdSetDest, "edit", k, r, func(e *encoder) { e.real(r) })
}

// DeleteRealServer takes the real server with r's RIP from a service. The error is
// fs.ErrNotExist when there is no such service, or no such real server in it.
func (c *Client) DeleteRealServer(ctx context.Context, k dataplane.ServiceKey, r dataplane.RealServer) error {
	return c.changeReal(ctx, cmdDelDest, "delete", k, r, func(e *encoder) { e.realKey(k.Family, r) })
}

func (c *Client) changeReal(ctx context.Context, cmd command, verb string, k dataplane.ServiceKey,
	r dataplane.RealServer, build func(*encoder)) error {
	check := checkKey(k)
	if check == nil {
		check = checkReal(r)
	}
	return c.change(ctx, cmd, fmt.Sprintf("%s real server %v of %v", verb, r.RIP, k), check, func(e *encoder) {
		e.key(k)
		build(e)
	})
}

// Flush deletes all services with their real servers.
func (c *Client) Flush(ctx context.Context) error {
	return c.change(ctx, cmdFlush, "flush", nil, func(*encoder) {})
}

// Zero clears the counters of all services and real servers, and the grand totals.
func (c *Client) Zero(ctx context.Context) error {
	return c.change(ctx, cmdZero, "zero all counters", nil, func(*encoder) {})
}

// ZeroService clears the counters of a service and its real servers. The error is
// fs.ErrNotExist when there is no such service.
func (c *Client) ZeroService(ctx context.Context, k dataplane.ServiceKey) error {
	return c.change(ctx, cmdZero, "zero service "+k.String(), checkKey(k), func(e *encoder) { e.key(k) })
}

// SetTimeouts sets those timeouts of connections that are not zero, in whole
// seconds.
func (c *Client) SetTimeouts(ctx context.Context, t dataplane.Timeouts) error {
	return c.change(ctx, cmdSetConfig, "set timeouts", checkTimeouts(t), func(e *encoder) { e.timeouts(t) })
}

// StartDaemon starts a sync daemon; what is zero in d beyond role, interface and
// sync ID is left to the kernel. The error is fs.ErrExist when one runs in this
// role, fs.ErrNotExist when there is no such interface.
func (c *Client) StartDaemon(ctx context.Context, d dataplane.SyncDaemon) error {
	return c.change(ctx, cmdNewDaemon, fmt.Sprintf("start the %v sync daemon", d.Role), checkDaemon(d),
		func(e *encoder) { e.daemon(d) })
}

// StopDaemon stops the sync daemon of a role. The error is fs.ErrNotExist when
// none runs.
func (c *Client) StopDaemon(ctx context.Context, r dataplane.SyncRole) error {
	op := fmt.Sprintf("stop the %v sync daemon", r)
	if r != dataplane.Master && r != dataplane.Backup {
		return fmt.Errorf("ipvs: %s: role %d is neither master nor backup", op, r)
	}
	return explain(cmdDelDaemon, op, c.control.do(ctx, func(ctx context.Context, s *session) error {
		return s.stopDaemon(ctx, r)
	}))
}

// stopGrace is how long an acknowledgement may take that the kernel has sent, if
// at all, before the request's system call is over.
const stopGrace = 200 * time.Millisecond

// stopDaemon bears with this: a daemon's thread that is stopped before it ever ran
// ends with EINTR, and for this one error netlink sends no acknowledgement. Source:
// kthread_stop in kernel/kthread.c, netlink_rcv_skb in net/netlink/af_netlink.c.
func (s *session) stopDaemon(ctx context.Context, r dataplane.SyncRole) error {
	e := s.request(cmdDelDaemon)
	e.nest(attrDaemon, func() { e.u32(daemonState, uint32(r)) })
	seq, err := s.send(ctx, e, netlink.Acknowledge)
	if err != nil {
		return err
	}
	if err := s.nc.SetDeadline(time.Now().Add(stopGrace)); err != nil {
		return err
	}
	s.stale = false
	err = s.receive(ctx, seq, s.family, func(netlink.Message) error { return nil })
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if err := s.limit(ctx); err != nil {
		return err
	}
	running, derr := s.daemons(ctx)
	if derr != nil || slices.ContainsFunc(running, func(d dataplane.SyncDaemon) bool { return d.Role == r }) {
		return errors.Join(err, derr)
	}
	return nil
}
