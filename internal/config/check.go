package config

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"lvs/dataplane"
	"lvs/internal/director"
)

// parseKey reads the key of a service and refuses VIPs no service can have.
func parseKey(text string) (dataplane.ServiceKey, error) {
	key, err := dataplane.ParseServiceKey(text)
	if err != nil {
		return key, err
	}
	if a := key.VIP.Addr(); !key.IsMark() && (a.IsUnspecified() || a.IsMulticast()) {
		return dataplane.ServiceKey{}, fmt.Errorf("service %q: want a unicast VIP", clip(text))
	}
	return key, nil
}

// parseNetmask reads an IPv4 mask or an IPv6 prefix length.
func parseNetmask(text string) (dataplane.Netmask, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Is4() {
		b := a.As4()
		return dataplane.Mask4(binary.BigEndian.Uint32(b[:])), nil
	}
	if n, err := strconv.ParseUint(text, 10, 8); err == nil && n >= 1 && n <= 128 {
		return dataplane.Mask6(uint32(n)), nil
	}
	return dataplane.Netmask{}, fmt.Errorf("%q; want a mask as 255.255.255.0 for IPv4, a prefix length from 1 to 128 for IPv6", clip(text))
}

// flagNames are the flags of a service and the scheduler that gives the last
// three a meaning; empty is any.
var flagNames = map[string]struct {
	flag      dataplane.ServiceFlags
	scheduler string
}{
	"one-packet":  {dataplane.FlagOnePacket, ""},
	"sh-fallback": {dataplane.FlagSched1, "sh"},
	"sh-port":     {dataplane.FlagSched2, "sh"},
	"mh-fallback": {dataplane.FlagSched1, "mh"},
	"mh-port":     {dataplane.FlagSched2, "mh"},
	"sched-1":     {dataplane.FlagSched1, ""},
	"sched-2":     {dataplane.FlagSched2, ""},
	"sched-3":     {dataplane.FlagSched3, ""},
}

func parseFlag(text string, have dataplane.ServiceFlags) (dataplane.ServiceFlags, error) {
	f, known := flagNames[text]
	if !known {
		return 0, fmt.Errorf("%q; want one-packet, sh-fallback, sh-port, mh-fallback, mh-port, sched-1, sched-2 or sched-3", clip(text))
	}
	if have&f.flag != 0 {
		return 0, fmt.Errorf("%q: its flag is given already", text)
	}
	return f.flag, nil
}

// checkService refuses what the kernel or ipvsadm would, and what would have no
// effect. n is the service, at the values of its keys.
func (d *decoder) checkService(s *director.Service, n ast.Node, at map[string]ast.Node) {
	if !s.Key.IsMark() && s.Key.VIP.Port() == 0 && s.Timeout == 0 {
		d.errorAt(at["address"], "address", fmt.Sprintf("%q is every port; want persistent: with it", s.Key))
	}
	if s.Flags&dataplane.FlagOnePacket != 0 && !s.Key.IsMark() && s.Key.Protocol != dataplane.UDP {
		d.errorAt(at["flags"], "flags", fmt.Sprintf("one-packet with %v; want it with udp or a firewall mark only", s.Key.Protocol))
	}
	d.checkSchedulerFlags(s, at["flags"])
	for _, key := range []string{"netmask", "persistence_engine"} {
		if at[key] != nil && s.Timeout == 0 {
			d.errorAt(at[key], key, "has no effect without persistent:")
		}
	}
	if f := s.Netmask.Family(); f != 0 && f != s.Key.Family {
		d.errorAt(at["netmask"], "netmask", fmt.Sprintf("%q is of %v, the service of %v; want a mask as 255.255.255.0 for IPv4, a prefix length from 1 to 128 for IPv6", s.Netmask, f, s.Key.Family))
	}
}

func (d *decoder) checkSchedulerFlags(s *director.Service, flags ast.Node) {
	seq, ok := flags.(*ast.SequenceNode)
	if !ok {
		return
	}
	for _, v := range seq.Values {
		text, ok := v.(*ast.StringNode)
		if !ok {
			continue
		}
		if f, known := flagNames[text.Value]; known && f.scheduler != "" && f.scheduler != s.Scheduler {
			d.errorAt(v, "flags", fmt.Sprintf("%s with scheduler %s; want scheduler %s", text.Value, s.Scheduler, f.scheduler))
		}
	}
}

// checkReal refuses a real server the kernel or ipvsadm would.
func (d *decoder) checkReal(s *director.Service, r dataplane.RealServer, n ast.Node, at map[string]ast.Node) {
	place := func(key string) ast.Node {
		if at[key] != nil {
			return at[key]
		}
		return n
	}
	if r.LowerThreshold > r.UpperThreshold {
		d.errorAt(place("lower_threshold"), "lower_threshold", fmt.Sprintf("%d is above upper_threshold %d; want it lower or equal", r.LowerThreshold, r.UpperThreshold))
	}
	if r.Family() != s.Key.Family && r.Method != dataplane.Tunnel {
		d.errorAt(place("address"), "address", fmt.Sprintf("%v is of %v, the service of %v, and the method is %v; want method tunnel or the same family", r.RIP, r.Family(), s.Key.Family, r.Method))
	}
	// Only masquerading rewrites ports.
	if keeps := []dataplane.Method{dataplane.Route, dataplane.Tunnel}; !s.Key.IsMark() && slices.Contains(keeps, r.Method) && r.RIP.Port() != s.Key.VIP.Port() {
		d.errorAt(place("address"), "address", fmt.Sprintf("port %d with method %v, which keeps the port; want %d", r.RIP.Port(), r.Method, s.Key.VIP.Port()))
	}
}

// checkEncap refuses what ip_vs_add_dest and the tunnels' code would.
func (d *decoder) checkEncap(e dataplane.Encap, n ast.Node, at map[string]ast.Node) {
	if at["port"] == nil && e.Type == dataplane.GUE {
		d.errorAt(n, "port", "missing; want the UDP port of gue, as 6080")
	}
	if at["port"] != nil && e.Type != dataplane.GUE {
		d.errorAt(at["port"], "port", fmt.Sprintf("a port with type %v; want it with gue only", e.Type))
	}
	var may []string
	for _, f := range encapChecksums[e.Type] {
		may = append(may, f.String())
	}
	if at["checksum"] != nil && !slices.Contains(encapChecksums[e.Type], e.Flags) {
		d.errorAt(at["checksum"], "checksum", fmt.Sprintf("%v with type %v; want %s", e.Flags, e.Type, strings.Join(may, ", ")))
	}
}

var encapChecksums = map[dataplane.EncapType][]dataplane.EncapFlags{
	dataplane.IPIP: {0},
	dataplane.GUE:  {0, dataplane.EncapChecksum, dataplane.EncapRemoteChecksum},
	dataplane.GRE:  {0, dataplane.EncapChecksum},
}
