package mib

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// edges is a snapshot with every kind of service and real server, and with
// values at and beyond the limits of the MIB. Rows are not in order and have gaps.
func edges() *dataplane.Snapshot {
	masquerade := realServer(1, "10.2.0.11:8080", dataplane.Masquerade, 1)
	masquerade.Total = counters(math.MaxUint32)
	masquerade.KernelRates = dataplane.Rates{Connections: 9, InPackets: 9, OutPackets: 9, InBytes: 9, OutBytes: 9}
	masquerade.Rates = dataplane.Rates{Connections: 1, InPackets: math.MaxUint32, OutPackets: 1 << 32, InBytes: math.MaxUint64}
	masquerade.HasRates = true
	local := realServer(9, "10.1.0.100:80", dataplane.Local, 65535)
	local.Total = counters(1 << 32)
	local.Kernel = counters(7) // what ipvsadm shows, and nothing else
	local.KernelRates = dataplane.Rates{Connections: 2, InPackets: 3, OutPackets: 5, InBytes: 7, OutBytes: 11}
	route := realServer(2, "10.2.0.12:80", dataplane.Route, 65536)
	route.Total = dataplane.Counters{Connections: 1 << 63, InPackets: 1<<63 + 5, InBytes: math.MaxUint64}

	web := service(7, dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("10.1.0.100:80")), "wlc", local, masquerade, route)
	web.Total = counters(1<<33 + 3)
	web.Rates, web.HasRates = dataplane.Rates{InBytes: 1}, true
	v6 := service(2, dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("[fd10:1::102]:443")), "mh",
		realServer(1, "[fd10:2::11]:443", dataplane.Tunnel, 0), realServer(2, "[fd10:2::12]:443", dataplane.Bypass, math.MaxInt32))
	v6.Flags, v6.Timeout, v6.Netmask = dataplane.FlagPersistent, 300*time.Second, dataplane.Mask6(64)
	tunnel := service(3, dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("10.1.0.102:0")), "rr",
		realServer(4, "10.2.0.14:0", dataplane.Tunnel, 1), realServer(3, "[fd10:2::13]:0", dataplane.Tunnel, 1))
	tunnel.Flags, tunnel.Timeout, tunnel.Netmask = dataplane.FlagPersistent, 360*time.Second, dataplane.Mask4(0xffffff00)
	sip := service(1, dataplane.AddrKey(dataplane.UDP, netip.MustParseAddrPort("10.1.0.100:5060")), "wrr")
	sip.PersistenceEngine = "sip"
	sctp := service(65535, dataplane.AddrKey(dataplane.SCTP, netip.MustParseAddrPort("255.255.255.255:65535")), "lblcr",
		realServer(65535, "10.2.0.11:65535", dataplane.Masquerade, 100))
	mark4 := service(5, dataplane.MarkKey(dataplane.INET, 257), "sh", realServer(1, "10.2.0.11:0", dataplane.Route, 1))
	mark6 := service(4, dataplane.MarkKey(dataplane.INET6, 257), "sh", realServer(1, "[fd10:2::11]:0", dataplane.Route, 1))
	half := service(6, dataplane.MarkKey(dataplane.INET, 1<<31), "dh")
	whole := service(8, dataplane.MarkKey(dataplane.INET, math.MaxUint32), "dh")
	snap := &dataplane.Snapshot{
		Time: noon, Took: 1234567 * time.Nanosecond, ServicesChanged: noon.Add(-30 * time.Second), RealsChanged: noon,
		Director: dataplane.Director{
			Version: "1.2.1", ConnTableSize: 4096,
			Timeouts: dataplane.Timeouts{TCP: 15 * time.Minute, TCPFin: 2 * time.Minute, UDP: 5 * time.Minute},
			Daemons:  []dataplane.SyncDaemon{{Role: dataplane.Backup, Interface: "eth1", SyncID: 255}, {Role: dataplane.Master, Interface: "eth0"}},
			HasStats: true, HasConnections: true, Connections: 1 << 32, Account: dataplane.Account{Total: counters(1 << 33), FirstSeen: noon, Peak: 77},
		},
		Services: []dataplane.ServiceState{web, v6, tunnel, sip, sctp, mark4, mark6, half, whole},
	}
	live(snap)
	return snap
}

// noon is when the snapshots of tests were taken.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.FixedZone("", 3600))

// live gives the entries of a snapshot pasts, states and names that differ, and
// the snapshot its hosts.
func live(snap *dataplane.Snapshot) {
	names := []string{"web", "", "r\xffd", "gr\u00fcn", strings.Repeat("l\u00f6ng", 70)}
	services, reals := snap.Services, 0
	for i := range services {
		s := &services[i]
		s.Name = names[i%len(names)]
		s.Refused, s.HasRefused = uint64(i)<<31, i%4 == 1
		past(&s.Account, i)
		for j := range s.Reals {
			r := &s.Reals[j]
			r.Name = names[(i+j)%len(names)]
			r.Active, r.Inactive, r.Persistent = uint32(reals), uint32(2*reals), uint32(3*reals)
			r.UpperThreshold, r.LowerThreshold = uint32(reals%3*9), uint32(j)
			r.Encap = []dataplane.Encap{{}, {Type: dataplane.GUE, Port: 6080, Flags: dataplane.EncapRemoteChecksum}, {Type: dataplane.GRE}, {Type: 9}}[reals%4]
			past(&r.Account, reals)
			reals++
			host(snap, r)
		}
	}
	slices.SortFunc(snap.Servers, func(a, b dataplane.ServerState) int { return a.Addr.Compare(b.Addr) })
}

// past gives an account a past; the first of five has none.
func past(a *dataplane.Account, i int) {
	if i%5 == 0 {
		return
	}
	a.FirstSeen = noon.AddDate(0, 0, -100*i)
	a.LastChange = noon.Add(-time.Duration(i) * 1234567 * time.Microsecond)
	if i%5 == 4 {
		a.LastChange = noon.AddDate(-2, 0, 0) // longer ago than TimeTicks count
	}
	if i%2 == 0 {
		a.LastReset = noon.Add(-time.Hour)
	}
	a.Changes, a.Failures, a.Peak = uint32(i), math.MaxUint32, uint64(i)<<30
	a.Resets[dataplane.Zeroed], a.Resets[dataplane.Wrap32] = uint32(i), 1
}

// host adds a real server to its host.
func host(snap *dataplane.Snapshot, r *dataplane.RealState) {
	i := slices.IndexFunc(snap.Servers, func(s dataplane.ServerState) bool { return s.Addr == r.RIP.Addr() })
	if i < 0 {
		i = len(snap.Servers)
		snap.Servers = append(snap.Servers, dataplane.ServerState{Addr: r.RIP.Addr(), Since: r.FirstSeen, RepliesBypass: i%2 == 0, HasRates: i%3 == 0})
	}
	s := &snap.Servers[i]
	s.Reals, s.Weight, s.Active, s.Inactive, s.Persistent = s.Reals+1, s.Weight+uint64(r.Weight), s.Active+uint64(r.Active), s.Inactive+uint64(r.Inactive), s.Persistent+uint64(r.Persistent)
	s.Total, s.Rates = s.Total.Add(r.Total), r.Rates
	if r.Status().InService() {
		s.Available++
	}
}

func service(number uint32, key dataplane.ServiceKey, scheduler string, reals ...dataplane.RealState) dataplane.ServiceState {
	s := dataplane.ServiceState{Service: dataplane.Service{Key: key, Scheduler: scheduler}, Reals: reals}
	s.Number = number
	return s
}

func realServer(number uint32, rip string, m dataplane.Method, weight uint32) dataplane.RealState {
	r := dataplane.RealState{RealServer: dataplane.RealServer{RIP: netip.MustParseAddrPort(rip), Method: m, Weight: weight}}
	r.Number = number
	return r
}

func counters(n uint64) dataplane.Counters {
	return dataplane.Counters{Connections: n, InPackets: n + 1, OutPackets: n + 2, InBytes: n + 3, OutBytes: n + 4}
}

// large is a snapshot of n real servers, ten in each service, with a different
// number in every counter.
func large(n int) *dataplane.Snapshot {
	snap := &dataplane.Snapshot{Time: noon, Director: dataplane.Director{Version: "1.2.1", ConnTableSize: 4096}}
	for i := range n / 10 {
		vip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 80)
		s := service(uint32(i+1), dataplane.AddrKey(dataplane.TCP, vip), "wlc")
		s.Total = counters(uint64(i) << 30)
		for j := range 10 {
			rip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2 + byte(i>>8), byte(i), byte(j)}), 80)
			r := dataplane.RealState{RealServer: dataplane.RealServer{RIP: rip, Weight: uint32(j)}}
			r.Number = uint32(j + 1)
			r.Total = counters(uint64(10*i+j) << 28)
			r.KernelRates = dataplane.Rates{Connections: uint64(i), InBytes: uint64(j)}
			past(&r.Account, j)
			s.Reals = append(s.Reals, r)
			snap.Servers = append(snap.Servers, dataplane.ServerState{Addr: rip.Addr(), Reals: 1, Total: r.Total, Since: r.FirstSeen})
		}
		snap.Services = append(snap.Services, s)
	}
	return snap
}

// A variable is a line of a walk.
type variable struct {
	Name  smi.OID
	Value smi.Value
}

// walk is everything that Next leads to from the root.
func walk(tree smi.Tree) (vs []variable) {
	name := root
	for {
		next, v, ok := tree.Next(nil, name, false, nil)
		if !ok {
			return vs
		}
		if next.Compare(name) <= 0 {
			panic("after " + name.String() + " comes " + next.String())
		}
		vs = append(vs, variable{next, v})
		name = next
	}
}

// text is a value as Net-SNMP prints it when it knows no MIB.
func text(v smi.Value) string {
	switch v.Type {
	case smi.Integer:
		return fmt.Sprint("INTEGER: ", int64(v.Int)) // which shows a wrong sign
	case smi.OctetString:
		switch {
		case len(v.Bytes) == 0:
			return `""`
		case slices.ContainsFunc(v.Bytes, func(c byte) bool { return c < ' ' || c > '~' }):
			var b strings.Builder
			for i, c := range v.Bytes {
				if i > 0 && i%16 == 0 {
					b.WriteString("\n")
				}
				fmt.Fprintf(&b, "%02X ", c)
			}
			return "Hex-STRING: " + b.String()
		}
		return fmt.Sprintf("STRING: %q", v.Bytes)
	case smi.TimeTicks:
		return fmt.Sprintf("Timeticks: (%d) %s", v.Int, duration(v.Int))
	case smi.IPAddress:
		addr, _ := netip.AddrFromSlice(v.Bytes)
		return fmt.Sprint("IpAddress: ", addr)
	default:
		return fmt.Sprint(v.Type, ": ", v.Int)
	}
}

// duration is a number of hundredths of a second as Net-SNMP prints it.
func duration(ticks uint64) string {
	days, s := ticks/8640000, ticks/100
	clock := fmt.Sprintf("%d:%02d:%02d.%02d", s/3600%24, s/60%60, s%60, ticks%100)
	switch days {
	case 0:
		return clock
	case 1:
		return "1 day, " + clock
	}
	return fmt.Sprintf("%d days, %s", days, clock)
}

// ofLVSMIB are the variables of the LVS-MIB among those of a walk.
func ofLVSMIB(vs []variable) []variable {
	return slices.DeleteFunc(slices.Clone(vs), func(v variable) bool { return v.Name.HasPrefix(root.Append(100)) })
}

// lines is a walk as "snmpwalk -On" prints it without a MIB.
func lines(vs []variable) (out []string) {
	for _, v := range vs {
		out = append(out, fmt.Sprintf(".%v = %s", v.Name, text(v.Value)))
	}
	return out
}
