package config

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"lvs/dataplane"
	"lvs/internal/director"
)

// A realSection is a real server, or the defaults of those of a service.
type realSection struct {
	dataplane.RealServer
	// port is what an address without one takes, of defaults only.
	port               uint16
	hasPort, hasMethod bool
}

// fields are the keys that real servers and their defaults share.
func (r *realSection) fields(d *decoder) fields {
	return fields{
		"method": func(n ast.Node) {
			parsed(d, &r.Method, parseMethod)(n)
			r.hasMethod = true
		},
		"weight":          integer(d, &r.Weight, 0, maxWeight),
		"upper_threshold": integer(d, &r.UpperThreshold, 0, 1<<32-1),
		"lower_threshold": integer(d, &r.LowerThreshold, 0, 1<<32-1),
		"tunnel": func(n ast.Node) {
			r.Encap = dataplane.Encap{}
			at := d.mapping(n, fields{
				"type":     parsed(d, &r.Encap.Type, dataplane.ParseEncapType),
				"port":     integer(d, &r.Encap.Port, 1, 65535),
				"checksum": parsed(d, &r.Encap.Flags, dataplane.ParseEncapFlags),
			})
			d.checkEncap(r.Encap, n, at)
		},
	}
}

// maxWeight: the kernel refuses what is negative as a signed number.
const maxWeight = 1<<31 - 1

func (d *decoder) realDefaults(n ast.Node, r *realSection) {
	f := r.fields(d)
	f["port"] = func(n ast.Node) {
		integer(d, &r.port, 0, 65535)(n)
		r.hasPort = true
	}
	d.mapping(n, f)
}

// reals decodes the real servers of a service.
func (d *decoder) reals(n ast.Node, s *director.Service, defaults realSection, run *directorSection) {
	if !defaults.hasPort {
		defaults.port = s.Key.VIP.Port()
	}
	seen := map[netip.AddrPort]bool{}
	d.list(func(n ast.Node) {
		r, ok := d.real(n, s, defaults, run)
		if !ok {
			return
		}
		if seen[r.RIP] {
			d.errorAt(n, "", fmt.Sprintf("real server %v is listed twice", r.RIP))
		}
		seen[r.RIP] = true
		s.Reals = append(s.Reals, r)
	})(n)
}

// real decodes one of them; not ok where it has no valid address.
func (d *decoder) real(n ast.Node, s *director.Service, r realSection, run *directorSection) (dataplane.RealServer, bool) {
	var name ast.Node
	ownTunnel := false
	f := r.fields(d)
	tunnel := f["tunnel"]
	f["tunnel"] = func(n ast.Node) { ownTunnel = true; tunnel(n) }
	f["name"] = func(n ast.Node) { name = n }
	f["address"] = parsed(d, &r.RIP, func(text string) (netip.AddrPort, error) { return parseReal(text, r.port) })
	at := d.mapping(n, f)
	if !r.RIP.IsValid() {
		if at["address"] == nil && isMapping(n) {
			d.errorAt(n, "address", "missing; want ADDRESS or ADDRESS:PORT")
		}
		return r.RealServer, false
	}
	if !r.hasMethod {
		d.errorAt(n, "method", "missing, here and in real_server_defaults; want masquerade, local, tunnel, route or bypass")
		r.Method = dataplane.Masquerade
	}
	if r.Method != dataplane.Tunnel {
		if ownTunnel {
			d.errorAt(at["tunnel"], "tunnel", fmt.Sprintf("method is %v; want tunnel: with method tunnel only", r.Method))
		}
		r.Encap = dataplane.Encap{}
	}
	d.checkReal(s, r.RealServer, n, at)
	if r.Family() != s.Key.Family {
		run.mixed = n
	}
	if name != nil {
		d.below(".name", func() { d.name(name, object{s.Key, r.RIP}, &run.names) })
	}
	return r.RealServer, true
}

// parseReal reads "192.0.2.1:80", "[2001:db8::1]:80", or an address alone, which
// takes the given port.
func parseReal(text string, port uint16) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	rip := netip.AddrPortFrom(a, port)
	if err != nil {
		if rip, err = dataplane.ParseRIP(text); err != nil {
			return netip.AddrPort{}, fmt.Errorf("%q; want ADDRESS, ADDRESS:PORT or [IPV6-ADDRESS]:PORT", clip(text))
		}
		a = rip.Addr()
	}
	// Source: ip_vs_new_dest in net/netfilter/ipvs/ip_vs_ctl.c.
	if a.Zone() != "" || a.Is4In6() || a.IsUnspecified() || a.IsMulticast() || a.Is6() && a.IsLinkLocalUnicast() ||
		a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.AddrPort{}, fmt.Errorf("%q; want a unicast address without zone, not link-local", clip(text))
	}
	return rip, nil
}

// parseMethod also knows the words of other tools, in order to name ours.
func parseMethod(s string) (dataplane.Method, error) {
	m, err := dataplane.ParseMethod(s)
	if err == nil {
		return m, nil
	}
	for ours, theirs := range map[string]string{
		"masquerade": "nat masq masquerading NAT", "route": "dr dsr gate gatewaying droute DR", "tunnel": "tun ipip tunneling TUN", "local": "localnode",
	} {
		for word := range strings.FieldsSeq(theirs) {
			if s == word {
				return 0, fmt.Errorf("%q is called %s here", s, ours)
			}
		}
	}
	return 0, fmt.Errorf("%q; want masquerade, local, tunnel, route or bypass", clip(s))
}
