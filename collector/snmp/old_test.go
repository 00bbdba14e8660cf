package snmp

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"lvs/collector/snmp/snmptest"
	"lvs/dataplane"
	"lvs/mib/ber"
	"lvs/mib/smi"
)

// An oldRow is a row as net-snmp-lvs and its forks send it.
type oldRow map[int]smi.Value

func integer(n int64) smi.Value    { return smi.Value{Type: smi.Integer, Int: uint64(n)} }
func text(s string) smi.Value      { return smi.Value{Type: smi.OctetString, Bytes: []byte(s)} }
func ip(octets ...byte) smi.Value  { return smi.Value{Type: smi.IPAddress, Bytes: octets} }
func wide(n uint64) smi.Value      { return smi.Value{Type: smi.Counter64, Int: n} }
func counter32(n uint64) smi.Value { return smi.Value{Type: smi.Counter32, Int: n} }
func gauge(n uint64) smi.Value     { return smi.Value{Type: smi.Gauge32, Int: n} }

// union is an address in the kernel's union of both families, as v0.1.0 sends it.
func union(a string) []byte {
	b := make([]byte, 16)
	copy(b, netip.MustParseAddr(a).AsSlice())
	return b
}

// statistics are the ten columns that both tables end with.
func (r oldRow) statistics(first int, n uint64) oldRow {
	for i := range 3 {
		r[first+i] = counter32(n + uint64(i))
	}
	r[first+3], r[first+4] = wide(1000*n), wide(2000*n)
	for i := range 5 {
		r[first+5+i] = gauge(n + uint64(i))
	}
	return r
}

// oldAgent is the tree of such an agent: rows are numbered by their place.
func oldAgent(services []oldRow, reals [][]oldRow) snmptest.Vars {
	root := smi.MustParseOID("1.3.6.1.4.1.8225.4711")
	list := []smi.VarBind{
		{Name: root.Append(1, 0), Value: text("1.2.1")}, {Name: root.Append(2, 0), Value: integer(0)}, {Name: root.Append(3, 0), Value: integer(4096)},
		{Name: root.Append(4, 0), Value: integer(900)}, {Name: root.Append(5, 0), Value: integer(120)}, {Name: root.Append(6, 0), Value: integer(300)},
		{Name: root.Append(7, 0), Value: integer(2)},
	}
	for i, s := range services {
		s[1] = integer(int64(i + 1))
		for sub, v := range s {
			list = append(list, smi.VarBind{Name: root.Append(17, 1, uint32(sub), uint32(i+1)), Value: v})
		}
		for j, r := range reals[i] {
			r[1], r[2] = integer(int64(i+1)), integer(int64(j+1))
			for sub, v := range r {
				list = append(list, smi.VarBind{Name: root.Append(18, 1, uint32(sub), uint32(i+1), uint32(j+1)), Value: v})
			}
		}
	}
	// What follows in snmpd's tree.
	return snmptest.NewVars(append(list, smi.VarBind{Name: smi.MustParseOID("1.3.6.1.4.1.8228.1.0"), Value: text("another")}))
}

// Rows as old modules send them: addresses of 16 octets, a raw connection flag
// word, a firewall mark with protocol 0 or as a negative number, no real servers
// though there are, seconds, and no lvsMcastInt.
func TestOldAgentsAreUnderstood(t *testing.T) {
	services := []oldRow{
		oldRow{2: text("wlc"), 3: integer(6), 4: ip(union("10.1.0.100")...), 5: integer(80), 6: integer(0), 7: integer(300), 8: ip(255, 255, 255, 0), 9: integer(0)}.statistics(10, 5),
		oldRow{2: text("rr"), 3: integer(0), 4: ip(0, 0, 0, 0), 5: integer(0), 6: integer(-5), 7: integer(0), 8: ip(255, 255, 255, 255), 9: integer(1)}.statistics(10, 6),
		oldRow{2: text("mh"), 3: integer(17), 4: ip(union("2001:db8::5")...), 5: integer(53), 6: integer(0), 7: integer(0), 8: ip(128, 0, 0, 0), 9: integer(1)}.statistics(10, 7),
		oldRow{2: text("sh"), 3: integer(132), 4: ip(10, 1, 0, 7), 5: integer(2905), 6: integer(0), 7: integer(0), 8: ip(255, 255, 255, 255), 9: integer(0)}.statistics(10, 8),
		oldRow{2: text("sh"), 3: integer(0), 4: ip(0, 0, 0, 0), 5: integer(0), 6: integer(9), 7: integer(0), 8: ip(0, 0, 0, 128), 9: integer(0)}.statistics(10, 9),
	}
	reals := [][]oldRow{
		{
			oldRow{3: ip(union("10.2.0.1")...), 4: integer(8080), 5: integer(0x103), 6: integer(10)}.statistics(7, 1),
			oldRow{3: ip(10, 2, 0, 2), 4: integer(8080), 5: integer(2), 6: integer(0)}.statistics(7, 2),
		},
		{oldRow{3: ip(10, 2, 0, 3), 4: integer(0), 5: integer(0), 6: integer(1)}.statistics(7, 3)},
		{oldRow{3: ip(union("2001:db8::9")...), 4: integer(53), 5: integer(3), 6: integer(1)}.statistics(7, 4)},
		nil, nil,
	}
	counters := func(n uint64) dataplane.Account {
		return dataplane.Account{Kernel: dataplane.Counters{Connections: n, InPackets: n + 1, OutPackets: n + 2, InBytes: 1000 * n, OutBytes: 2000 * n}}
	}
	rates := func(n uint64) dataplane.Rates {
		return dataplane.Rates{Connections: n, InPackets: n + 1, OutPackets: n + 2, InBytes: n + 3, OutBytes: n + 4}
	}
	real := func(number uint32, rip string, m dataplane.Method, weight uint32, n uint64) dataplane.RealState {
		r := dataplane.RealState{RealServer: dataplane.RealServer{RIP: netip.MustParseAddrPort(rip), Method: m, Weight: weight}, KernelRates: rates(n), Account: counters(n)}
		r.Number = number
		return r
	}
	service := func(number uint32, k, scheduler string, n uint64, reals ...dataplane.RealState) dataplane.ServiceState {
		s := dataplane.ServiceState{Service: dataplane.Service{Key: key(k), Scheduler: scheduler}, KernelRates: rates(n), Account: counters(n), Reals: reals}
		s.Number = number
		return s
	}
	want := &dataplane.Snapshot{
		Counters32: true,
		Director: dataplane.Director{Version: "1.2.1", ConnTableSize: 4096, Daemons: []dataplane.SyncDaemon{{Role: dataplane.Backup}},
			Timeouts: dataplane.Timeouts{TCP: 15 * time.Minute, TCPFin: 2 * time.Minute, UDP: 5 * time.Minute}},
		Services: []dataplane.ServiceState{
			service(1, "tcp/10.1.0.100:80", "wlc", 5, real(1, "10.2.0.1:8080", dataplane.Route, 10, 1), real(2, "10.2.0.2:8080", dataplane.Tunnel, 0, 2)),
			service(2, "fwm4/4294967291", "rr", 6, real(1, "10.2.0.3:0", dataplane.Masquerade, 1, 3)),
			service(3, "udp/[2001:db8::5]:53", "mh", 7, real(1, "[2001:db8::9]:53", dataplane.Route, 1, 4)),
			service(4, "sctp/10.1.0.7:2905", "sh", 8),
			service(5, "fwm6/9", "sh", 9),
		},
	}
	want.Services[0].Flags, want.Services[0].Timeout, want.Services[0].Netmask = dataplane.FlagPersistent, 300*time.Second, dataplane.Mask4(0xffffff00)
	a := serve(t, oldAgent(services, reals))
	same(t, "old agent", want, poll(t, poller(t, Config{Target: a.Addr()})))
}

// Addresses of IPv6 that the MIB cannot tell are left out, and counted.
func TestRowsWithoutAnAddressAreCounted(t *testing.T) {
	a := serve(t, tree(whole()))
	p := poller(t, Config{Target: a.Addr()})
	snap := poll(t, p)
	if len(snap.Services) != 7 || p.Stats().Omitted != 4 {
		t.Errorf("%d services and %d omitted rows, want 7 and 4", len(snap.Services), p.Stats().Omitted)
	}
}

// A service that says, each time, that it has other real servers than there are
// is believed in nothing but marked.
func TestAgentsThatMiscount(t *testing.T) {
	row := oldRow{2: text("wlc"), 3: integer(6), 4: ip(10, 1, 0, 1), 5: integer(80), 6: integer(0), 7: integer(0), 8: ip(255, 255, 255, 255), 9: integer(5)}.statistics(10, 1)
	real := oldRow{3: ip(10, 2, 0, 3), 4: integer(80), 5: integer(0), 6: integer(1)}.statistics(7, 3)
	a := serve(t, oldAgent([]oldRow{row}, [][]oldRow{{real}}))
	snap := poll(t, poller(t, Config{Target: a.Addr()}))
	if snap.Inconsistent != 1 || snap.Retries != attempts-1 || snap.RealServers() != 1 {
		t.Errorf("%d real servers after %d retries, inconsistent %d", snap.RealServers(), snap.Retries, snap.Inconsistent)
	}
}

// Services that change places are noticed though the rows are as many.
func TestRenumberedServicesAreNoticed(t *testing.T) {
	row := func(last byte) oldRow {
		return oldRow{2: text("wlc"), 3: integer(6), 4: ip(10, 1, 0, last), 5: integer(80), 6: integer(0), 7: integer(0), 8: ip(255, 255, 255, 255), 9: integer(0)}.statistics(10, 1)
	}
	none := [][]oldRow{nil, nil}
	one, other := oldAgent([]oldRow{row(1), row(2)}, none), oldAgent([]oldRow{row(2), row(1)}, none)
	a := serve(t, one)
	served := 0
	a.SetFault(func(int, *ber.PDU, *ber.PDU) [][]byte {
		if served++; served%4 == 2 || served%4 == 3 { // behind the table of services
			a.Serve(other)
		} else {
			a.Serve(one)
		}
		return nil
	})
	_, err := poller(t, Config{Target: a.Addr()}).Snapshot(t.Context())
	if !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
}
