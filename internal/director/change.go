package director

import (
	"context"
	"fmt"
	"strings"

	"lvs/dataplane"
)

// A Table is what the director changes, and reads before and after.
// *ipvs.Client is one. Deleting what is not there is fs.ErrNotExist.
type Table interface {
	Snapshot(ctx context.Context) (*dataplane.Snapshot, error)
	AddService(ctx context.Context, s dataplane.Service) error
	EditService(ctx context.Context, s dataplane.Service) error
	DeleteService(ctx context.Context, key dataplane.ServiceKey) error
	AddRealServer(ctx context.Context, key dataplane.ServiceKey, r dataplane.RealServer) error
	EditRealServer(ctx context.Context, key dataplane.ServiceKey, r dataplane.RealServer) error
	DeleteRealServer(ctx context.Context, key dataplane.ServiceKey, r dataplane.RealServer) error
	SetTimeouts(ctx context.Context, t dataplane.Timeouts) error
	StartDaemon(ctx context.Context, d dataplane.SyncDaemon) error
	StopDaemon(ctx context.Context, role dataplane.SyncRole) error
}

// An Op is what a Change does. The zero Op is invalid.
type Op uint8

// The operations.
const (
	AddService Op = iota + 1
	EditService
	DeleteService // with its real servers
	AddRealServer
	EditRealServer
	DeleteRealServer
	SetTimeouts
	StartDaemon
	StopDaemon
)

var opNames = [...]string{"", "add_service", "edit_service", "delete_service", "add_real_server", "edit_real_server",
	"delete_real_server", "set_timeouts", "start_daemon", "stop_daemon"}

// String is "add_service" and so on, as metrics name it.
func (op Op) String() string {
	if int(op) < len(opNames) {
		return opNames[op]
	}
	return fmt.Sprintf("op%d", uint8(op))
}

// A Change is one request to the kernel. Which fields count follows from Op.
type Change struct {
	Op                Op
	Key               dataplane.ServiceKey // of the service, or the real server's service
	Service, Was      dataplane.Service    // as it shall be, and as it was read
	Real, WasReal     dataplane.RealServer
	Timeouts          dataplane.Timeouts // zero fields are left alone
	WasTimeouts       dataplane.Timeouts
	Daemon, WasDaemon dataplane.SyncDaemon
}

// object is what the change is about.
func (c *Change) object() object {
	switch c.Op {
	case AddService, EditService, DeleteService:
		return object{service: c.Key}
	case AddRealServer, EditRealServer, DeleteRealServer:
		return object{service: c.Key, rip: c.Real.RIP}
	case StartDaemon, StopDaemon:
		return object{role: c.Daemon.Role}
	}
	return object{}
}

// removes reports whether the object is gone afterwards.
func (c *Change) removes() bool {
	return c.Op == DeleteService || c.Op == DeleteRealServer || c.Op == StopDaemon
}

// attrs are the change's keys for the log.
func (c *Change) attrs() (attrs []any) {
	if c.Key.IsValid() {
		attrs = append(attrs, "service", c.Key.String())
	}
	if c.Real.RIP.IsValid() {
		attrs = append(attrs, "real", c.Real.RIP.String())
	}
	return attrs
}

// apply makes the request.
func (c *Change) apply(ctx context.Context, t Table) error {
	switch c.Op {
	case AddService:
		return t.AddService(ctx, c.Service)
	case EditService:
		return t.EditService(ctx, c.Service)
	case DeleteService:
		return t.DeleteService(ctx, c.Key)
	case AddRealServer:
		return t.AddRealServer(ctx, c.Key, c.Real)
	case EditRealServer:
		return t.EditRealServer(ctx, c.Key, c.Real)
	case DeleteRealServer:
		return t.DeleteRealServer(ctx, c.Key, c.Real)
	case SetTimeouts:
		return t.SetTimeouts(ctx, c.Timeouts)
	case StartDaemon:
		return t.StartDaemon(ctx, c.Daemon)
	case StopDaemon:
		return t.StopDaemon(ctx, c.Daemon.Role)
	}
	return fmt.Errorf("director: operation %d", c.Op)
}

// String says the change in words: "add service tcp/192.0.2.10:443 (wlc)",
// "set weight of real server 10.0.0.1:443 of tcp/192.0.2.10:443 from 1 to 5".
func (c Change) String() string {
	switch c.Op {
	case AddService:
		return fmt.Sprintf("add service %v (%s)", c.Key, c.Service.Scheduler)
	case DeleteService:
		return fmt.Sprintf("delete service %v", c.Key)
	case AddRealServer:
		return fmt.Sprintf("add %s (%v, weight %d)", c.subject(), c.Real.Method, c.Real.Weight)
	case DeleteRealServer:
		return fmt.Sprintf("delete %s", c.subject())
	case StartDaemon:
		return fmt.Sprintf("start %s on %s, syncid %d", c.subject(), c.Daemon.Interface, c.Daemon.SyncID)
	case StopDaemon:
		return fmt.Sprintf("stop %s on %s, syncid %d", c.subject(), c.WasDaemon.Interface, c.WasDaemon.SyncID)
	}
	var b strings.Builder
	for i, d := range c.Differences() {
		if i == 0 {
			fmt.Fprintf(&b, "set %s of %s from %s to %s", d.Field, c.subject(), d.Have, d.Want)
		} else {
			fmt.Fprintf(&b, ", %s from %s to %s", d.Field, d.Have, d.Want)
		}
	}
	return b.String()
}

// subject names the object of the change.
func (c *Change) subject() string {
	switch c.Op {
	case AddService, EditService, DeleteService:
		return "service " + c.Key.String()
	case AddRealServer, EditRealServer, DeleteRealServer:
		return fmt.Sprintf("real server %v of %v", c.Real.RIP, c.Key)
	case StartDaemon, StopDaemon:
		return c.Daemon.Role.String() + " sync daemon"
	}
	return "timeouts"
}
