package procfs

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"lvs/dataplane"
)

// A table is net/ip_vs as it was read once.
type table struct {
	version       string
	connTableSize uint32
	services      []dataplane.ServiceState
	moved         int // rows that were there twice
	// whole says that the kernel handed it out at one go.
	whole bool
}

// row is a service while its table is read.
type row struct {
	dataplane.ServiceState
	mask uint32 // as printed; meaningful with FlagPersistent
}

// parseTable reads net/ip_vs of a kernel with that timer frequency.
func parseTable(l *lines, hz uint32) (table, error) {
	t := table{}
	if err := l.need(); err != nil {
		return t, err
	}
	var err error
	if t.version, t.connTableSize, err = l.version(); err != nil {
		return t, err
	}
	if err := l.header("Prot LocalAddress:Port"); err != nil {
		return t, err
	}
	if err := l.header("-> RemoteAddress:Port"); err != nil {
		return t, err
	}
	var rows []row
	names := map[string]string{} // one string for each scheduler
	for l.next() {
		fields := l.fields()
		if len(fields) > 0 && fields[0] == "->" {
			if len(rows) == 0 {
				return t, l.errorf("a real server without a service")
			}
			r, err := l.realServer(fields)
			if err != nil {
				return t, err
			}
			s := &rows[len(rows)-1]
			if s.Reals == nil && len(rows) > 1 {
				// Services often are alike.
				s.Reals = make([]dataplane.RealState, 0, max(1, len(rows[len(rows)-2].Reals)))
			}
			s.Reals = append(s.Reals, r)
			continue
		}
		s, err := l.service(fields, hz)
		if err != nil {
			return t, err
		}
		if _, ok := names[s.Scheduler]; !ok {
			names[s.Scheduler] = strings.Clone(s.Scheduler)
		}
		s.Scheduler = names[s.Scheduler]
		rows = append(rows, s)
	}
	if err := l.err(); err != nil {
		return t, err
	}
	t.whole = l.src.n <= 1
	t.services, t.moved = finish(rows)
	return t, nil
}

// version reads "IP Virtual Server version 1.2.1 (size=4096)".
func (l *lines) version() (version string, size uint32, err error) {
	rest, ok := strings.CutPrefix(l.text, "IP Virtual Server version ")
	version, rest, ok2 := strings.Cut(rest, " (size=")
	digits, ok3 := strings.CutSuffix(rest, ")")
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || !ok2 || !ok3 || err != nil {
		return "", 0, l.errorf("want IP Virtual Server version N (size=N)")
	}
	return version, uint32(n), nil
}

// service reads a virtual service:
//
//	TCP  0A010064:0050 wlc persistent 30000 FFFFFF00
//	UDP  [fd10:0001:0000:0000:0000:0000:0000:0100]:0035 wrr
//	FWM  00000001 rr ops
//
// A mark's family and the netmask are settled when the table is complete.
func (l *lines) service(fields []string, hz uint32) (row, error) {
	if len(fields) < 3 {
		return row{}, l.errorf("want PROTOCOL ADDRESS SCHEDULER")
	}
	s := row{}
	if fields[0] == "FWM" {
		mark, err := strconv.ParseUint(fields[1], 16, 32)
		if err != nil || mark == 0 {
			return row{}, l.errorf("%q is no firewall mark", fields[1])
		}
		s.Key.FWMark = uint32(mark)
	} else {
		p, err := parseProtocol(fields[0])
		if err != nil {
			return row{}, l.errorf("%v", err)
		}
		vip, err := parseAddrPort(fields[1])
		if err != nil {
			return row{}, l.errorf("%v", err)
		}
		s.Key = dataplane.AddrKey(p, vip)
	}
	s.Scheduler = fields[2]
	s.Flags = dataplane.FlagHashed // or it would not be listed
	flags := fields[3:]
	if len(flags) > 0 && flags[0] == "ops" {
		s.Flags |= dataplane.FlagOnePacket
		flags = flags[1:]
	}
	if len(flags) == 3 && flags[0] == "persistent" {
		s.Flags |= dataplane.FlagPersistent
		jiffies, err1 := strconv.ParseInt(flags[1], 10, 32)
		mask, err2 := strconv.ParseUint(flags[2], 16, 32)
		if err1 != nil || err2 != nil {
			return row{}, l.errorf("want persistent JIFFIES MASK")
		}
		if _, ok := prefixLen(uint32(mask)); !ok && s.Key.Family == dataplane.INET6 {
			return row{}, l.errorf("%s is no prefix length", flags[2])
		}
		// An unsigned number, printed as a signed one.
		s.Timeout, s.mask = seconds(uint32(jiffies), hz), uint32(mask)
		flags = nil
	}
	if len(flags) > 0 {
		return row{}, l.errorf("unknown flags %q", strings.Join(flags, " "))
	}
	return s, nil
}

// seconds turns jiffies into a time. The kernel made them of whole seconds; where
// they are not, or the frequency is unknown, so is the time: zero.
func seconds(jiffies, hz uint32) time.Duration {
	if hz == 0 || jiffies%hz != 0 {
		return 0
	}
	return time.Duration(jiffies/hz) * time.Second
}

// realServer reads
//
//	-> 0A02000B:0050      Masq    100    0          1
func (l *lines) realServer(fields []string) (r dataplane.RealState, err error) {
	if len(fields) != 6 {
		return r, l.errorf("want -> ADDRESS METHOD WEIGHT ACTIVE INACTIVE")
	}
	if r.RIP, err = parseAddrPort(fields[1]); err != nil {
		return r, l.errorf("%v", err)
	}
	switch fields[2] {
	case "Masq":
		r.Method = dataplane.Masquerade
	case "Local":
		r.Method = dataplane.Local
	case "Tunnel":
		r.Method = dataplane.Tunnel
	case "Route":
		r.Method = dataplane.Route
	default:
		return r, l.errorf("unknown forwarding method %q", fields[2])
	}
	for i, n := range []*uint32{&r.Weight, &r.Active, &r.Inactive} {
		v, err := strconv.ParseUint(fields[3+i], 10, 31) // signed in the kernel, and not below zero
		if err != nil {
			return r, l.errorf("%q is no weight or number of connections", fields[3+i])
		}
		*n = uint32(v)
	}
	return r, nil
}

// parseProtocol reads what ip_vs_proto_name of net/netfilter/ipvs/ip_vs_core.c
// prints; the numbers are those of RFC 5237's registry.
func parseProtocol(s string) (dataplane.Protocol, error) {
	switch s {
	case "TCP":
		return dataplane.TCP, nil
	case "UDP":
		return dataplane.UDP, nil
	case "SCTP":
		return dataplane.SCTP, nil
	case "ICMP":
		return 1, nil
	case "IPIP":
		return 4, nil
	case "GRE":
		return 47, nil
	case "ICMPv6":
		return 58, nil
	}
	if digits, ok := strings.CutPrefix(s, "IP_"); ok {
		if n, err := strconv.ParseUint(digits, 10, 8); err == nil && n > 0 {
			return dataplane.Protocol(n), nil
		}
	}
	return 0, fmt.Errorf("unknown protocol %q", s)
}

// parseAddrPort reads "0A010064:0050" or
// "[fd10:0001:0000:0000:0000:0000:0000:0100]:0050".
func parseAddrPort(s string) (netip.AddrPort, error) {
	host, port, ok := cutPort(s)
	if n := len(host); ok && n > 2 && host[0] == '[' && host[n-1] == ']' {
		if a, err := netip.ParseAddr(host[1 : n-1]); err == nil && a.Is6() && a.Zone() == "" {
			return netip.AddrPortFrom(a.Unmap(), port), nil
		}
	} else if ok && n == 8 {
		if v, err := strconv.ParseUint(host, 16, 32); err == nil {
			a := netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
			return netip.AddrPortFrom(a, port), nil
		}
	}
	return netip.AddrPort{}, fmt.Errorf("%q is no address and port", s)
}

// cutPort cuts off four hexadecimal digits behind the last colon.
func cutPort(s string) (host string, port uint16, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || len(s)-i != 5 {
		return "", 0, false
	}
	n, err := strconv.ParseUint(s[i+1:], 16, 16)
	return s[:i], uint16(n), err == nil
}
