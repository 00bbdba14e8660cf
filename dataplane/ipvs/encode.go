package ipvs

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"lvs/dataplane"
)

// request begins a message for the kernel: its generic netlink header.
func request(buf []byte, cmd command) encoder {
	return encoder{append(buf[:0], byte(cmd), familyVersion, 0, 0)}
}

// serviceKey appends what identifies a service.
func (e *encoder) serviceKey(k dataplane.ServiceKey) {
	e.u16(svcAF, af(k.Family))
	if k.IsMark() {
		e.u32(svcFWMark, k.FWMark)
		return
	}
	e.u16(svcProtocol, uint16(k.Protocol))
	e.address(svcAddr, k.VIP.Addr().AsSlice())
	e.be16(svcPort, k.VIP.Port())
}

// key appends a SERVICE attribute with the key alone.
func (e *encoder) key(k dataplane.ServiceKey) {
	e.nest(attrService, func() { e.serviceKey(k) })
}

// service appends a SERVICE attribute with everything that can be configured.
// The kernel asks for all of it, for an edit as well.
func (e *encoder) service(s dataplane.Service) {
	e.nest(attrService, func() {
		e.serviceKey(s.Key)
		e.text(svcSchedName, s.Scheduler)
		flags := e.put(svcFlags, 8)
		binary.NativeEndian.PutUint32(flags, uint32(s.Flags.Configured()))
		binary.NativeEndian.PutUint32(flags[4:], allFlags)
		e.u32(svcTimeout, uint32(s.Timeout/time.Second))
		mask := s.Netmask
		if mask.IsZero() {
			mask = dataplane.FullMask(s.Key.Family)
		}
		if s.Key.Family == dataplane.INET6 {
			e.u32(svcNetmask, mask.Uint32())
		} else {
			e.be32(svcNetmask, mask.Uint32())
		}
		if s.PersistenceEngine != "" {
			e.text(svcPEName, s.PersistenceEngine)
		}
	})
}

// realKey appends a DEST attribute that identifies a real server of a service of
// family f. Its own family is told only where it is another, as ipvsadm does, so
// that kernels before Linux 3.18 are not asked what they do not know.
func (e *encoder) realKey(f dataplane.Family, r dataplane.RealServer) {
	e.nest(attrDest, func() {
		e.address(destAddr, r.RIP.Addr().AsSlice())
		e.be16(destPort, r.RIP.Port())
		if r.Family() != f {
			e.u16(destAddrFamily, af(r.Family()))
		}
	})
}

// real appends a DEST attribute with everything that can be configured.
func (e *encoder) real(r dataplane.RealServer) {
	e.nest(attrDest, func() {
		e.address(destAddr, r.RIP.Addr().AsSlice())
		e.be16(destPort, r.RIP.Port())
		e.u32(destFwdMethod, uint32(r.Method))
		e.u32(destWeight, r.Weight)
		e.u32(destUThresh, r.UpperThreshold)
		e.u32(destLThresh, r.LowerThreshold)
		e.u16(destAddrFamily, af(r.Family()))
		if r.Method == dataplane.Tunnel {
			e.u8(destTunType, uint8(r.Encap.Type))
			e.be16(destTunPort, r.Encap.Port)
			e.u16(destTunFlags, uint16(r.Encap.Flags))
		}
	})
}

// daemon appends a DAEMON attribute; what is zero is left to the kernel.
func (e *encoder) daemon(d dataplane.SyncDaemon) {
	e.nest(attrDaemon, func() {
		e.u32(daemonState, uint32(d.Role))
		e.text(daemonMcastIfn, d.Interface)
		e.u32(daemonSyncID, d.SyncID)
		if d.MaxLen != 0 {
			e.u16(daemonSyncMaxLen, d.MaxLen)
		}
		if g := d.Group; g.Is4() {
			e.bytes(daemonMcastGroup, g.AsSlice())
		} else if g.IsValid() {
			e.bytes(daemonMcastGroup6, g.AsSlice())
		}
		if d.Port != 0 {
			e.u16(daemonMcastPort, d.Port)
		}
		if d.TTL != 0 {
			e.u8(daemonMcastTTL, d.TTL)
		}
	})
}

// timeouts appends those that are to change.
func (e *encoder) timeouts(t dataplane.Timeouts) {
	for _, v := range []struct {
		typ uint16
		d   time.Duration
	}{{attrTimeoutTCP, t.TCP}, {attrTimeoutTCPFin, t.TCPFin}, {attrTimeoutUDP, t.UDP}} {
		if v.d != 0 {
			e.u32(v.typ, uint32(v.d/time.Second))
		}
	}
}

// address appends 4 or 16 bytes as the 16 of union nf_inet_addr.
func (e *encoder) address(typ uint16, b []byte) { copy(e.put(typ, addrBytes), b) }

func af(f dataplane.Family) uint16 {
	if f == dataplane.INET6 {
		return afINET6
	}
	return afINET
}

// checkService finds what cannot be put into a request, or would be changed by it.
func checkService(s dataplane.Service) error {
	if err := checkKey(s.Key); err != nil {
		return err
	}
	if f := s.Netmask.Family(); f != 0 && f != s.Key.Family {
		return fmt.Errorf("netmask %v is not for %v", s.Netmask, s.Key.Family)
	}
	for _, n := range []struct{ what, name string }{
		{"scheduler", s.Scheduler}, {"persistence engine", s.PersistenceEngine}} {
		if err := checkName(n.what, n.name); err != nil {
			return err
		}
	}
	if s.Scheduler == "" {
		return fmt.Errorf("no scheduler is given")
	}
	return checkSeconds("persistence timeout", s.Timeout)
}

func checkKey(k dataplane.ServiceKey) error {
	if !k.IsValid() {
		return fmt.Errorf("the service's key %+v is invalid", k)
	}
	return nil
}

func checkReal(r dataplane.RealServer) error {
	a := r.RIP.Addr()
	if !a.IsValid() || a.Is4In6() || a.Zone() != "" {
		return fmt.Errorf("address %q is no plain IPv4 or IPv6 address", a)
	}
	if r.Method > fwdMask {
		return fmt.Errorf("forwarding %v does not exist", r.Method)
	}
	if r.Encap != (dataplane.Encap{}) && r.Method != dataplane.Tunnel {
		return fmt.Errorf("encapsulation %v is for method tunnel, not %v", r.Encap.Type, r.Method)
	}
	return nil
}

func checkDaemon(d dataplane.SyncDaemon) error {
	if d.Role != dataplane.Master && d.Role != dataplane.Backup {
		return fmt.Errorf("role %d is neither master nor backup", d.Role)
	}
	if d.Interface == "" {
		return fmt.Errorf("no interface is given")
	}
	if g := d.Group; g.IsValid() && (g.Is4In6() || g.Zone() != "") {
		return fmt.Errorf("multicast group %v is no plain address", g)
	}
	return checkName("interface", d.Interface)
}

func checkTimeouts(t dataplane.Timeouts) error {
	for _, v := range []struct {
		what string
		d    time.Duration
	}{{"TCP timeout", t.TCP}, {"TCP FIN timeout", t.TCPFin}, {"UDP timeout", t.UDP}} {
		if err := checkSeconds(v.what, v.d); err != nil {
			return err
		}
	}
	return nil
}

func checkName(what, s string) error {
	if len(s) >= maxName {
		return fmt.Errorf("%s %q is longer than %d bytes", what, s, maxName-1)
	}
	for i := range len(s) {
		if s[i] == 0 {
			return fmt.Errorf("%s %q has a NUL in it", what, s)
		}
	}
	return nil
}

func checkSeconds(what string, d time.Duration) error {
	if d < 0 || d%time.Second != 0 || d/time.Second > math.MaxUint32 {
		return fmt.Errorf("%s %v is no whole number of seconds from 0 to %d", what, d, uint32(math.MaxUint32))
	}
	return nil
}
