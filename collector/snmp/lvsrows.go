package snmp

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"lvs/dataplane"
)

// A lvsDecoder makes a snapshot of the tables.
type lvsDecoder struct {
	snap            *dataplane.Snapshot
	services, reals *table
	omitted         int
	miscounted      bool
}

func (d *lvsDecoder) director(s []value) {
	seconds := func(i int) time.Duration { return time.Duration(uint32(s[i].num)) * time.Second }
	to := &d.snap.Director
	to.Version, to.ConnTableSize = string(s[lvsVersion].text), uint32(s[lvsHashTableSize].num)
	to.Timeouts = dataplane.Timeouts{TCP: seconds(lvsTCPTimeout), TCPFin: seconds(lvsTCPFinTimeout), UDP: seconds(lvsUDPTimeout)}
	if role := dataplane.SyncRole(s[lvsDaemonState].num); role == dataplane.Master || role == dataplane.Backup {
		to.Daemons = []dataplane.SyncDaemon{{Role: role, Interface: string(s[lvsMcastInt].text)}}
	}
}

// decode makes services and real servers of the rows.
func (d *lvsDecoder) decode() error {
	d.snap.Partial = len(d.services.index) > 0 && !d.services.row(0).has(lvsServiceStatsConns)
	at := 0 // the next real server: their index begins with the service's
	seen := make(map[dataplane.ServiceKey]bool, len(d.services.index))
	for i, index := range d.services.index {
		first := at
		for at < len(d.reals.index) && within(d.reals.index[at], index) {
			at++
		}
		s, known, err := d.service(i, first, at)
		if err != nil {
			return err
		}
		switch {
		case !known:
			d.omitted += 1 + len(s.Reals)
		case seen[s.Key]:
			return fmt.Errorf("%s: %w: %v is there twice", d.services.spec.name, ErrChanged, s.Key)
		default:
			seen[s.Key] = true
			d.snap.Services = append(d.snap.Services, s)
		}
	}
	if at < len(d.reals.index) {
		return fmt.Errorf("%s: %w: row %s belongs to no service", d.reals.spec.name, ErrChanged, d.reals.index[at])
	}
	return nil
}

// within reports whether a real server's index begins with a service's.
func within(real, service string) bool {
	return len(real) > len(service) && real[:len(service)] == service && real[len(service)] == '.'
}

// service decodes the i-th service with the real servers of those rows. It is not
// known where its address is not.
func (d *lvsDecoder) service(i, first, end int) (s dataplane.ServiceState, known bool, err error) {
	r := d.services.row(i)
	number := r.arcs(1)
	s.Number = number[0]
	s.Scheduler = r.text(lvsServiceSchedType)
	mask := r.address(lvsServicePersistNetmask)
	seen := make(map[netip.AddrPort]bool, end-first)
	for j := first; j < end; j++ {
		real, known, err := d.real(j)
		if err != nil {
			return s, false, err
		}
		if !known || seen[real.RIP] {
			d.omitted++
			continue
		}
		seen[real.RIP] = true
		s.Reals = append(s.Reals, real)
	}
	s.Key, known = d.key(r, &s, mask)
	if t := r.upTo(lvsServicePersistTimeout, math.MaxInt32); t != 0 {
		s.Flags, s.Timeout = dataplane.FlagPersistent, time.Duration(t)*time.Second
	}
	if s.Key.Family == dataplane.INET && mask.Is4() && !mask.IsUnspecified() {
		b := mask.As4()
		s.Netmask = dataplane.Mask4(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]))
	}
	if n := r.number(lvsServiceNumDests); n != 0 && n < math.MaxUint16 && n != uint64(end-first) {
		d.miscounted = true
	}
	d.counted(r, lvsServiceStatsConns, &s.Account, &s.KernelRates)
	return s, known, r.err
}

// key is what identifies the service; not known where that is an address which
// the agent does not tell.
func (d *lvsDecoder) key(r *row, s *dataplane.ServiceState, mask netip.Addr) (k dataplane.ServiceKey, known bool) {
	protocol, port := int64(r.number(lvsServiceProto)), int64(r.number(lvsServicePort))
	if mark := uint32(r.number(lvsServiceFWMark)); mark != 0 || protocol <= 0 {
		return dataplane.MarkKey(markFamily(s, mask), mark), mark != 0
	}
	addr := r.address(lvsServiceAddr)
	if protocol > math.MaxUint8 || port < 0 || port > math.MaxUint16 {
		r.fail(lvsServiceProto, "protocol with a port")
		return k, false
	}
	if !addr.IsValid() || addr.IsUnspecified() {
		return k, false
	}
	return dataplane.AddrKey(dataplane.Protocol(protocol), netip.AddrPortFrom(addr, uint16(port))), true
}

// markFamily guesses what the MIB does not tell: the family of a firewall mark is
// that of its real servers, but for tunnels, or else its mask is one of IPv4.
func markFamily(s *dataplane.ServiceState, mask netip.Addr) dataplane.Family {
	for i := range s.Reals {
		if s.Reals[i].Method != dataplane.Tunnel {
			return s.Reals[i].Family()
		}
	}
	if mask.Is4() {
		// A prefix length, which the kernel has in the place of a mask, comes in
		// either order of bytes.
		if b := mask.As4(); b[0] == 0 || b[0] <= 128 && b[1] == 0 && b[2] == 0 && b[3] == 0 {
			return dataplane.INET6
		}
	}
	return dataplane.INET
}

// methodMask is IP_VS_CONN_F_FWD_MASK: old agents send the other flags as well.
const methodMask = 7

func (d *lvsDecoder) real(i int) (s dataplane.RealState, known bool, err error) {
	r := d.reals.row(i)
	s.Number = r.arcs(2)[1]
	addr := r.address(lvsRealServerAddr)
	s.RIP = netip.AddrPortFrom(addr, uint16(r.upTo(lvsRealServerPort, math.MaxUint16)))
	s.Method = dataplane.Method(r.number(lvsRealServerFlags) & methodMask)
	s.Weight = uint32(r.upTo(lvsRealServerWeight, math.MaxInt32))
	d.counted(r, lvsRealStatsConns, &s.Account, &s.KernelRates)
	return s, addr.IsValid() && !addr.IsUnspecified(), r.err
}

// counted reads the ten columns that both tables end with.
func (d *lvsDecoder) counted(r *row, first int, a *dataplane.Account, rates *dataplane.Rates) {
	a.Kernel = dataplane.Counters{
		Connections: r.number(first), InPackets: r.number(first + 1), OutPackets: r.number(first + 2),
		InBytes: r.number(first + 3), OutBytes: r.number(first + 4),
	}
	*rates = dataplane.Rates{
		Connections: r.number(first + 5), InPackets: r.number(first + 6), OutPackets: r.number(first + 7),
		InBytes: r.number(first + 8), OutBytes: r.number(first + 9),
	}
}
