package config

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"lvs/dataplane"
	"lvs/internal/director"
)

// maxSeconds keeps every time below what the kernel counts in a signed number
// of jiffies at 1000 a second; the limit of ip_vs_set_timeout in
// net/netfilter/ipvs/ip_vs_ctl.c.
const maxSeconds = 24 * 24 * time.Hour

// directorSection is services: and what goes with it.
type directorSection struct {
	node               ast.Node // of services:, nil where there is none
	enforce, exclusive bool
	quiesce            director.Quiesce
	timeouts           dataplane.Timeouts
	daemons            []dataplane.SyncDaemon
	names              []named
	mixed              ast.Node // a real server of another family than its service's
}

// director decodes services: once everything beside it is known.
func (d *decoder) director(run *directorSection) *director.Spec {
	spec := &director.Spec{
		Timeouts: run.timeouts, Daemons: run.daemons,
		Enforce: run.enforce, Exclusive: run.exclusive, Quiesce: run.quiesce,
	}
	seen := map[dataplane.ServiceKey]bool{}
	d.below(".services", func() {
		d.list(func(n ast.Node) {
			s := d.service(n, run)
			if seen[s.Key] && s.Key.IsValid() {
				d.errorAt(n, "", fmt.Sprintf("service %v is listed twice", s.Key))
			}
			seen[s.Key] = true
			spec.Services = append(spec.Services, s)
		})(run.node)
	})
	if run.mixed != nil && len(run.daemons) > 0 {
		d.errorAt(run.mixed, "", "the kernel runs no sync daemon beside a real server of another family than its service's; want no sync:, or one family")
	}
	return spec
}

// service decodes one element of services:.
func (d *decoder) service(n ast.Node, run *directorSection) director.Service {
	s := director.Service{Quiesce: run.quiesce}
	s.Scheduler = "wlc"
	var name, reals ast.Node
	defaults := realSection{RealServer: dataplane.RealServer{Weight: 1}}
	at := d.mapping(n, fields{
		"name":               func(n ast.Node) { name = n },
		"address":            parsed(d, &s.Key, parseKey),
		"scheduler":          parsed(d, &s.Scheduler, parseScheduler),
		"persistent":         d.duration(&s.Timeout, time.Second, maxSeconds),
		"netmask":            parsed(d, &s.Netmask, parseNetmask),
		"persistence_engine": parsed(d, &s.PersistenceEngine, parseScheduler),
		"flags": d.list(func(n ast.Node) {
			var flag dataplane.ServiceFlags
			parsed(d, &flag, func(text string) (dataplane.ServiceFlags, error) { return parseFlag(text, s.Flags) })(n)
			s.Flags |= flag
		}),
		"quiesce":              d.quiesce(&s.Quiesce),
		"real_server_defaults": func(n ast.Node) { d.realDefaults(n, &defaults) },
		"real_servers":         func(n ast.Node) { reals = n },
	})
	if s.Timeout > 0 {
		s.Flags |= dataplane.FlagPersistent
	}
	if !s.Key.IsValid() {
		if at["address"] == nil && isMapping(n) {
			d.errorAt(n, "address", "missing; want PROTOCOL/VIP:PORT, as tcp/192.0.2.10:443, or fwm4/MARK or fwm6/MARK")
		}
		return s
	}
	d.checkService(&s, n, at)
	if name != nil {
		d.below(".name", func() { d.name(name, object{service: s.Key}, &run.names) })
	}
	if reals != nil {
		d.below(".real_servers", func() { d.reals(reals, &s, defaults, run) })
	}
	return s
}

func isMapping(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

// timeouts decodes the kernel's connection timeouts.
func (d *decoder) timeouts(t *dataplane.Timeouts) fields {
	return fields{
		"tcp":    d.duration(&t.TCP, time.Second, maxSeconds),
		"tcpfin": d.duration(&t.TCPFin, time.Second, maxSeconds),
		"udp":    d.duration(&t.UDP, time.Second, maxSeconds),
	}
}

// sync decodes the connection synchronisation daemons.
func (d *decoder) sync(run *directorSection) fields {
	// The kernel would silently take another maxlen than one out of its bounds,
	// which would be drift for ever: start_sync_thread in ip_vs_sync.c.
	one := func(role dataplane.SyncRole, leastLen uint64) func(ast.Node) {
		return func(n ast.Node) {
			daemon := dataplane.SyncDaemon{Role: role}
			at := d.mapping(n, fields{
				"interface": parsed(d, &daemon.Interface, parseInterface),
				"syncid":    integer(d, &daemon.SyncID, 0, 255),
				"maxlen":    integer(d, &daemon.MaxLen, leastLen, 65535-48),
				"group":     parsed(d, &daemon.Group, parseGroup),
				"port":      integer(d, &daemon.Port, 1, 65535),
				"ttl":       integer(d, &daemon.TTL, 1, 255),
			})
			if at["interface"] == nil && isMapping(n) {
				d.errorAt(n, "interface", "missing; want the network interface of the sync messages")
			}
			run.daemons = append(run.daemons, daemon)
		}
	}
	return fields{"master": one(dataplane.Master, 1), "backup": one(dataplane.Backup, 1024)}
}

// parseInterface checks a name as the kernel does (dev_valid_name, IFNAMSIZ).
func parseInterface(s string) (string, error) {
	if s == "" || len(s) > 15 || s == "." || s == ".." || strings.ContainsAny(s, "/: \t\n\x00") {
		return "", fmt.Errorf("%q; want the name of a network interface, 1 to 15 characters", clip(s))
	}
	return s, nil
}

func parseGroup(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.IsMulticast() || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%q; want a multicast address, as 224.0.0.81", clip(s))
	}
	return a, nil
}

// parseScheduler checks the name of a scheduler or a persistence engine:
// IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN are 16 with the ending zero.
func parseScheduler(s string) (string, error) {
	if s == "" || len(s) > 15 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return "", fmt.Errorf("%q; want the kernel's name, 1 to 15 of a-z, 0-9, - and _", clip(s))
	}
	return s, nil
}
