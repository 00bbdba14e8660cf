package prombench

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lvs/dataplane"
)

// realsPerService is how many real servers a service of the table has.
const realsPerService = 10

// table is a director with n real servers, ten to a service, in which no value
// is zero.
func table(n int) *dataplane.Snapshot {
	now := time.Now()
	account := func(i int) dataplane.Account {
		u := uint64(i+1) * 1_000_003
		c := dataplane.Counters{Connections: u, InPackets: u * 7, OutPackets: u * 5, InBytes: u * 1009, OutBytes: u * 4999}
		return dataplane.Account{Number: uint32(i + 1), Kernel: c, Total: c, FirstSeen: now.Add(-time.Hour), LastSeen: now}
	}
	s := &dataplane.Snapshot{Tick: now.Truncate(time.Second), Time: now, Director: dataplane.Director{
		Version: "1.2.1", ConnTableSize: 4096, HasStats: true, Account: account(0),
		Timeouts: dataplane.Timeouts{TCP: 900 * time.Second, TCPFin: 120 * time.Second, UDP: 300 * time.Second},
	}}
	for i := 0; i < n; i++ {
		if i%realsPerService == 0 {
			k := i / realsPerService
			vip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(k >> 8), byte(k)}), 80)
			s.Services = append(s.Services, dataplane.ServiceState{
				Service: dataplane.Service{Key: dataplane.AddrKey(dataplane.TCP, vip), Scheduler: "wlc"}, Account: account(i)})
		}
		svc := &s.Services[len(s.Services)-1]
		svc.Reals = append(svc.Reals, dataplane.RealState{
			RealServer: dataplane.RealServer{RIP: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(i)}), 8080), Weight: 100,
				UpperThreshold: 5000, LowerThreshold: 4000},
			Active: uint32(i%977 + 1), Inactive: uint32(i%331 + 1), Persistent: 1, Account: account(i)})
	}
	s.Sort()
	return s
}

// writeProc writes the table as the kernel shows it below /proc/net, so that a
// reader of those files sees the same director. Format: ip_vs_info_seq_show and
// ip_vs_stats_show in net/netfilter/ipvs/ip_vs_ctl.c.
func writeProc(s *dataplane.Snapshot, root string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "IP Virtual Server version %s (size=%d)\n", s.Director.Version, s.Director.ConnTableSize)
	b.WriteString("Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n")
	for i := range s.Services {
		svc := &s.Services[i]
		fmt.Fprintf(&b, "TCP  %s %s  \n", hexAddr(svc.Key.VIP), svc.Scheduler)
		for j := range svc.Reals {
			r := &svc.Reals[j]
			fmt.Fprintf(&b, "  -> %s      %-7s %-6d %-10d %-10d\n", hexAddr(r.RIP), "Masq", r.Weight, r.Active, r.Inactive)
		}
	}
	k := s.Director.Kernel
	stats := fmt.Sprintf("   Total Incoming Outgoing         Incoming         Outgoing\n   Conns  Packets  Packets            Bytes            Bytes\n"+
		"%8X %8X %8X %16X %16X\n\n Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n%8X %8X %8X %16X %16X\n",
		k.Connections, k.InPackets, k.OutPackets, k.InBytes, k.OutBytes, 0, 0, 0, 0, 0)
	dir := filepath.Join(root, "net")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "ip_vs"), []byte(b.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "ip_vs_stats"), []byte(stats), 0o644)
}

// hexAddr is an IPv4 address and port as the kernel prints them.
func hexAddr(a netip.AddrPort) string {
	b := a.Addr().As4()
	return fmt.Sprintf("%X:%04X", b[:], a.Port())
}
