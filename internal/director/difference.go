package director

import (
	"net/netip"
	"strings"
	"time"

	"lvs/dataplane"
)

// A Difference is one thing in which the kernel's table is not as wanted. As
// drift, it is what somebody else changed.
type Difference struct {
	// Object is "service", "real server", "timeouts", "master sync daemon" or
	// "backup sync daemon".
	Object  string               `json:"object"`
	Service dataplane.ServiceKey `json:"service,omitzero"`
	Real    netip.AddrPort       `json:"real,omitzero"`
	// Field is what differs: "weight"; empty where the whole object is there and
	// should not be, or the other way round: then Want and Have are "present" or
	// "absent".
	Field string `json:"field,omitempty"`
	Want  string `json:"want"`
	Have  string `json:"have"`
	// Since is when it was first seen; zero from Differences.
	Since time.Time `json:"since,omitzero"`
}

// String is "weight of real server 10.0.0.1:443 of tcp/192.0.2.10:443 is 0, want 1".
func (d Difference) String() string {
	var b strings.Builder
	if d.Field != "" {
		b.WriteString(d.Field + " of ")
	}
	b.WriteString(d.Object)
	if d.Real.IsValid() {
		b.WriteString(" " + d.Real.String() + " of")
	}
	if d.Service.IsValid() {
		b.WriteString(" " + d.Service.String())
	}
	b.WriteString(" is " + d.Have + ", want " + d.Want)
	return b.String()
}

// place is the Difference without what it is now: what stays the same while a
// value moves.
func (d Difference) place() Difference {
	d.Want, d.Have, d.Since = "", "", time.Time{}
	return d
}

const present, absent = "present", "absent"

// Differences are what the change would end, field by field.
func (c *Change) Differences() []Difference {
	d := Difference{Service: c.Key}
	switch c.Op {
	case AddService, EditService, DeleteService:
		d.Object = "service"
	case AddRealServer, EditRealServer, DeleteRealServer:
		d.Object, d.Real = "real server", c.Real.RIP
	case StartDaemon, StopDaemon:
		d.Object = c.subject()
	case SetTimeouts:
		d.Object = "timeouts"
	}
	switch c.Op {
	case AddService, AddRealServer, StartDaemon:
		d.Want, d.Have = present, absent
		if c.Op == StartDaemon && c.WasDaemon.Role != 0 {
			return nil // told by its StopDaemon
		}
	case DeleteService, DeleteRealServer:
		d.Want, d.Have = absent, present
	case StopDaemon:
		d.Want, d.Have = absent, present
		if c.Daemon.Interface != "" {
			d.Field, d.Want, d.Have = "settings", daemonText(normalDaemon(c.Daemon, c.WasDaemon)), daemonText(c.WasDaemon)
		}
	case EditService:
		return differing(d, serviceFields, c.Service, c.Was)
	case EditRealServer:
		return differing(d, realFields, c.Real, c.WasReal)
	case SetTimeouts:
		return timeoutDifferences(d, c.Timeouts, c.WasTimeouts)
	}
	return []Difference{d}
}

func differing[T any](d Difference, fields []field[T], want, have T) (out []Difference) {
	for _, f := range fields {
		if d.Want, d.Have = f.text(want), f.text(have); d.Want != d.Have {
			d.Field = f.name
			out = append(out, d)
		}
	}
	return out
}

func timeoutDifferences(d Difference, want, have dataplane.Timeouts) (out []Difference) {
	for _, f := range []struct {
		name       string
		want, have time.Duration
	}{{"tcp", want.TCP, have.TCP}, {"tcpfin", want.TCPFin, have.TCPFin}, {"udp", want.UDP, have.UDP}} {
		if f.want != 0 && f.have != 0 && f.want != f.have { // zero: left alone, or unknown
			d.Field, d.Want, d.Have = f.name, seconds(f.want), seconds(f.have)
			out = append(out, d)
		}
	}
	return out
}

func daemonText(d dataplane.SyncDaemon) string {
	b := []byte(d.Interface)
	b = append(b, " syncid "...)
	b = append(b, itoa(d.SyncID)...)
	if d.Group.IsValid() {
		b = append(b, " group "+d.Group.String()...)
	}
	for _, f := range []struct {
		name  string
		value uint32
	}{{" port ", uint32(d.Port)}, {" ttl ", uint32(d.TTL)}, {" maxlen ", uint32(d.MaxLen)}} {
		if f.value != 0 {
			b = append(b, f.name+itoa(f.value)...)
		}
	}
	return string(b)
}
