package procfs

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"lvs/dataplane"
)

// seed adds the files of that name from all cases.
func seed(f *testing.F, name string) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatal("no cases: ", err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range ar.Files {
			if strings.TrimSuffix(part.Name, " cut") == name {
				f.Add(string(part.Data))
			}
		}
	}
}

// FuzzTable: whatever is understood is a valid table, and printing it as the
// kernel would and reading that gives the same.
func FuzzTable(f *testing.F) {
	seed(f, "net/ip_vs")
	f.Fuzz(func(t *testing.T, text string) {
		const hz = 100
		first, err := parseTable(newLines("ip_vs", strings.NewReader(text)), hz)
		if err != nil {
			return
		}
		seen := map[dataplane.ServiceKey]bool{}
		for i := range first.services {
			s := &first.services[i]
			if !s.Key.IsValid() || seen[s.Key] || s.Scheduler == "" {
				t.Errorf("service %d: %#v", i, s)
			}
			seen[s.Key] = true
			for _, r := range s.Reals {
				if a := r.RIP.Addr(); !a.IsValid() || a.Is4In6() || a.Zone() != "" {
					t.Errorf("real server %#v", r)
				}
			}
		}
		again, err := parseTable(newLines("ip_vs", iotest.OneByteReader(strings.NewReader(print(&first, hz)))), hz)
		if err != nil {
			t.Fatalf("%v in\n%s", err, print(&first, hz))
		}
		if again.moved != 0 || again.version != first.version || again.connTableSize != first.connTableSize {
			t.Errorf("%+v after %+v", again, first)
		}
		if diff := cmp.Diff(first.services, again.services, comparable); diff != "" {
			t.Errorf("(-first +again)\n%s", diff)
		}
	})
}

// print writes a table as ip_vs_info_seq_show does.
func print(t *table, hz uint32) string {
	var b strings.Builder
	fmt.Fprintf(&b, "IP Virtual Server version %s (size=%d)\nProt LocalAddress:Port Scheduler Flags\n"+
		"  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n", t.version, t.connTableSize)
	for i := range t.services {
		s := &t.services[i]
		if s.Key.IsMark() {
			fmt.Fprintf(&b, "FWM  %08X %s ", s.Key.FWMark, s.Scheduler)
		} else {
			fmt.Fprintf(&b, "%s  %s %s ", protocolName(s.Key.Protocol), hexAddr(s.Key.VIP), s.Scheduler)
		}
		if s.Flags&dataplane.FlagOnePacket != 0 {
			b.WriteString("ops ")
		}
		if s.Flags&dataplane.FlagPersistent != 0 {
			fmt.Fprintf(&b, "persistent %d %08X", int32(uint32(s.Timeout/time.Second)*hz), s.Netmask.Uint32())
		}
		b.WriteByte('\n')
		for _, r := range s.Reals {
			method := map[dataplane.Method]string{dataplane.Masquerade: "Masq", dataplane.Local: "Local",
				dataplane.Tunnel: "Tunnel", dataplane.Route: "Route"}[r.Method]
			fmt.Fprintf(&b, "  -> %s      %-7s %-6d %-10d %-10d\n", hexAddr(r.RIP), method, r.Weight, r.Active, r.Inactive)
		}
	}
	return b.String()
}

func protocolName(p dataplane.Protocol) string {
	switch p {
	case dataplane.TCP, dataplane.UDP, dataplane.SCTP:
		return strings.ToUpper(p.String())
	}
	return fmt.Sprintf("IP_%d", p)
}

func hexAddr(ap netip.AddrPort) string {
	if a := ap.Addr(); a.Is6() {
		return fmt.Sprintf("[%s]:%04X", a.StringExpanded(), ap.Port())
	}
	return fmt.Sprintf("%X:%04X", ap.Addr().AsSlice(), ap.Port())
}

// FuzzStats: both files of totals, and the status; the numbers that are
// understood are those printed.
func FuzzStats(f *testing.F) {
	seed(f, "net/ip_vs_stats")
	seed(f, "net/ip_vs_stats_percpu")
	seed(f, "net/ip_vs_status")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := parseStats(newLines("ip_vs_stats", strings.NewReader(text))); err == nil {
			c, r := s.Total, s.Rates
			again, err := parseStats(newLines("ip_vs_stats", strings.NewReader(fmt.Sprintf(
				"   Total Incoming Outgoing\n   Conns  Packets\n%8X %8X %8X %16X %16X\n\n Conns/s   Pkts/s\n%8X %8X %8X %16X %16X\n",
				c.Connections, c.InPackets, c.OutPackets, c.InBytes, c.OutBytes,
				r.Connections, r.InPackets, r.OutPackets, r.InBytes, r.OutBytes))))
			if err != nil || again != s {
				t.Errorf("%+v, %v after %+v", again, err, s)
			}
		}
		if cpus, err := parseStatsPerCPU(newLines("percpu", strings.NewReader(text))); err == nil && len(cpus) > strings.Count(text, "\n") {
			t.Errorf("%d CPUs in %q", len(cpus), text)
		}
		if s, err := parseStatus(newLines("status", strings.NewReader(text))); err == nil && !strings.Contains(text, fmt.Sprint(s.Connections)) {
			t.Errorf("%d connections in %q", s.Connections, text)
		}
	})
}

func TestReadErrorsAreTold(t *testing.T) {
	r := io.MultiReader(strings.NewReader(header), iotest.ErrReader(os.ErrDeadlineExceeded))
	if _, err := parseTable(newLines("ip_vs", r), 100); err == nil || !strings.Contains(err.Error(), "ip_vs: line 4") {
		t.Errorf("error %v", err)
	}
}

func BenchmarkTable(b *testing.B) {
	t := table{version: "1.2.1"}
	for i := range 1000 {
		s := dataplane.ServiceState{}
		s.Key = dataplane.AddrKey(dataplane.TCP, netip.AddrPortFrom(netip.MustParseAddr("10.1.0.100"), uint16(i)))
		s.Scheduler = "wlc"
		for j := range 10 {
			r := dataplane.RealState{}
			r.RIP = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(j)}), 80)
			s.Reals = append(s.Reals, r)
		}
		t.services = append(t.services, s)
	}
	text := print(&t, 100)
	b.Run("services=1000", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := parseTable(newLines("ip_vs", strings.NewReader(text)), 100); err != nil {
				b.Fatal(err)
			}
		}
	})
}
