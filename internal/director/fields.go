package director

import (
	"fmt"
	"strconv"
	"time"

	"lvs/dataplane"
)

// A field is a part of an object that is compared, merged and told on its own.
type field[T any] struct {
	name string
	text func(T) string       // as people read it; equal texts are equal values
	take func(dst *T, from T) // copies the field
}

// serviceFields are all fields of a service beside its key.
var serviceFields = []field[dataplane.Service]{
	{"scheduler", func(s dataplane.Service) string { return s.Scheduler },
		func(dst *dataplane.Service, s dataplane.Service) { dst.Scheduler = s.Scheduler }},
	{"flags", func(s dataplane.Service) string { return orNone((s.Flags &^ dataplane.FlagPersistent).String()) },
		func(dst *dataplane.Service, s dataplane.Service) {
			dst.Flags = dst.Flags&dataplane.FlagPersistent | s.Flags&^dataplane.FlagPersistent
		}},
	{"persistence", persistence,
		func(dst *dataplane.Service, s dataplane.Service) {
			dst.Flags = dst.Flags&^dataplane.FlagPersistent | s.Flags&dataplane.FlagPersistent
			dst.Timeout, dst.Netmask = s.Timeout, s.Netmask
		}},
	{"persistence engine", func(s dataplane.Service) string { return orNone(s.PersistenceEngine) },
		func(dst *dataplane.Service, s dataplane.Service) { dst.PersistenceEngine = s.PersistenceEngine }},
}

// persistence is one field: its netmask means nothing without its timeout.
func persistence(s dataplane.Service) string {
	if s.Flags&dataplane.FlagPersistent == 0 {
		return "none"
	}
	if s.Netmask.IsZero() {
		return s.Timeout.String()
	}
	return s.Timeout.String() + " netmask " + s.Netmask.String()
}

// realFields are all fields of a real server beside its RIP. The thresholds are
// one, for the kernel refuses a lower one above the upper.
var realFields = []field[dataplane.RealServer]{
	{"weight", func(r dataplane.RealServer) string { return strconv.FormatUint(uint64(r.Weight), 10) },
		func(dst *dataplane.RealServer, r dataplane.RealServer) { dst.Weight = r.Weight }},
	{"method", func(r dataplane.RealServer) string { return r.Method.String() },
		func(dst *dataplane.RealServer, r dataplane.RealServer) { dst.Method = r.Method }},
	{"tunnel", tunnel,
		func(dst *dataplane.RealServer, r dataplane.RealServer) { dst.Encap = r.Encap }},
	{"thresholds", func(r dataplane.RealServer) string {
		return fmt.Sprintf("upper %d lower %d", r.UpperThreshold, r.LowerThreshold)
	}, func(dst *dataplane.RealServer, r dataplane.RealServer) {
		dst.UpperThreshold, dst.LowerThreshold = r.UpperThreshold, r.LowerThreshold
	}},
}

func tunnel(r dataplane.RealServer) string {
	switch {
	case r.Method != dataplane.Tunnel:
		return "none"
	case r.Encap.Type == dataplane.GUE:
		return fmt.Sprintf("gue port %d %v", r.Encap.Port, r.Encap.Flags)
	}
	return fmt.Sprintf("%v %v", r.Encap.Type, r.Encap.Flags)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// normalService is s without what has no effect, so that a wanted and an
// observed service that behave alike are equal.
func normalService(s dataplane.Service) dataplane.Service {
	s.Flags = s.Flags.Configured()
	s.Timeout = s.Timeout.Truncate(time.Second)
	if s.Flags&dataplane.FlagPersistent == 0 {
		s.Timeout, s.Netmask = 0, dataplane.Netmask{}
	}
	if s.Netmask.IsFull() {
		s.Netmask = dataplane.Netmask{}
	}
	return s
}

// normalReal likewise.
func normalReal(r dataplane.RealServer) dataplane.RealServer {
	if r.Method != dataplane.Tunnel {
		r.Encap = dataplane.Encap{}
	}
	return r
}

// normalDaemon is d with have's values where d leaves them to the kernel.
func normalDaemon(d, have dataplane.SyncDaemon) dataplane.SyncDaemon {
	if d.MaxLen == 0 {
		d.MaxLen = have.MaxLen
	}
	if !d.Group.IsValid() {
		d.Group = have.Group
	}
	if d.Port == 0 {
		d.Port = have.Port
	}
	if d.TTL == 0 {
		d.TTL = have.TTL
	}
	return d
}

// merge is want with the fields of have wherever want agrees with base: what did
// not change in the configuration stays as the kernel has it.
func merge[T any](fields []field[T], want, base, have T) T {
	for _, f := range fields {
		if f.text(want) == f.text(base) {
			f.take(&want, have)
		}
	}
	return want
}

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int64(d/time.Second)) }

func itoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
