package agent

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
)

var update = flag.Bool("update", false, "rewrite testdata")

var epoch = time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC)

// account is one with everything in it, beginning with n.
func account(number uint32, n uint64) dataplane.Account {
	return dataplane.Account{
		Number: number, Kernel: dataplane.Counters{Connections: n, InPackets: n + 1, OutPackets: n + 2, InBytes: n + 3, OutBytes: n + 4},
		Total:     dataplane.Counters{Connections: 2 * n, InPackets: 2*n + 1, OutPackets: 2*n + 2, InBytes: 2*n + 3, OutBytes: 2*n + 4},
		FirstSeen: epoch.Add(-time.Hour), LastReset: epoch.Add(-time.Minute), Resets: dataplane.ResetCounts{dataplane.Zeroed: 2, dataplane.Recreated: 1},
		Changes: 5, Failures: 2, Peak: n,
	}
}

// everyKind is a snapshot with every kind of service and real server.
func everyKind() *dataplane.Snapshot {
	real := func(number uint32, rip string, m dataplane.Method, weight, active uint32) dataplane.RealState {
		return dataplane.RealState{
			RealServer: dataplane.RealServer{RIP: netip.MustParseAddrPort(rip), Method: m, Weight: weight}, Active: active,
			Account: dataplane.Account{Number: number, FirstSeen: epoch},
		}
	}
	web := dataplane.ServiceState{Name: "web", Account: account(1, 100), HasRates: true, Rates: dataplane.Rates{Connections: 7, InBytes: 9}}
	web.Key, web.Scheduler = dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.10:443")), "wlc"
	web.Flags, web.Timeout, web.Netmask = dataplane.FlagHashed|dataplane.FlagPersistent, 5*time.Minute, dataplane.Mask4(0xffffff00)
	full := real(3, "10.0.0.1:443", dataplane.Masquerade, 10, 50)
	full.Name, full.UpperThreshold, full.LowerThreshold, full.Inactive, full.Persistent = "web1", 50, 40, 6, 7
	full.Account, full.LastChange, full.HasRates = account(3, math.MaxUint64/2-4), epoch.Add(-2*time.Minute), true
	full.KernelRates = dataplane.Rates{Connections: 1, InPackets: 2, OutPackets: 3, InBytes: 4, OutBytes: 5}
	web.LastChange, web.Refused, web.HasRefused = epoch.Add(-3*time.Minute), 11, true
	web.Reals = []dataplane.RealState{full, real(1, "10.0.0.2:443", dataplane.Route, 0, 0)}

	v6 := dataplane.ServiceState{Account: dataplane.Account{Number: 4, FirstSeen: epoch}}
	v6.Key, v6.Scheduler = dataplane.AddrKey(dataplane.SCTP, netip.MustParseAddrPort("[2001:db8::1]:2905")), "rr"
	tunnel := real(1, "10.0.0.3:2905", dataplane.Tunnel, 1, 0)
	tunnel.Encap = dataplane.Encap{Type: dataplane.GUE, Port: 6080, Flags: dataplane.EncapChecksum}
	v6.Reals = []dataplane.RealState{tunnel}

	mark := dataplane.ServiceState{Account: dataplane.Account{Number: 2, FirstSeen: epoch}}
	mark.Key, mark.Scheduler, mark.Flags, mark.PersistenceEngine = dataplane.MarkKey(dataplane.INET6, 257), "sh", dataplane.FlagOnePacket, "sip"

	return &dataplane.Snapshot{
		Tick: epoch, Time: epoch.Add(20 * time.Millisecond), Took: 15 * time.Millisecond, Inconsistent: 1,
		Director: dataplane.Director{
			Version: "1.2.1", ConnTableSize: 4096, Connections: 12, HasConnections: true, Epoch: "boot 1", HasStats: true,
			Timeouts: dataplane.Timeouts{TCP: 15 * time.Minute, TCPFin: 2 * time.Minute, UDP: 5 * time.Minute},
			Daemons:  []dataplane.SyncDaemon{{Role: dataplane.Master, Interface: "eth1", SyncID: 7}},
			Sysctls:  map[string]string{"conntrack": "0"}, Account: account(0, 1000),
		},
		Services:        []dataplane.ServiceState{web, v6, mark},
		ServicesChanged: epoch.Add(-time.Hour), RealsChanged: epoch.Add(-time.Minute),
		Servers: []dataplane.ServerState{
			{Addr: full.RIP.Addr(), Reals: 1, Available: 1, Weight: 10, Active: 50, Inactive: 6, Persistent: 7, Total: full.Total, Since: epoch.Add(-time.Hour),
				HasRates: true, Rates: dataplane.Rates{InPackets: 3}},
			{Addr: tunnel.RIP.Addr(), Reals: 1, Available: 1, Weight: 1, Since: epoch, RepliesBypass: true},
		},
		Removed: []dataplane.Removed{left(mark.Key, ""), left(web.Key, "10.0.0.9:443")},
	}
}

// left is an entry that went from the table, of a service or a real server.
func left(key dataplane.ServiceKey, rip string) dataplane.Removed {
	r := dataplane.Removed{Key: key, Account: account(8, 40)}
	r.LastSeen = epoch.Add(-time.Minute)
	if rip != "" {
		r.RIP, r.Name = netip.MustParseAddrPort(rip), "web9"
	}
	return r
}

func golden(t *testing.T, name string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s (-want +got)\n%s", name, cmp.Diff(string(want), string(got)))
	}
}

func TestSnapshotDocument(t *testing.T) {
	golden(t, "snapshot.json", snapshotDocument(everyKind(), 10*time.Second, false))
}

func TestPartialSnapshotsLeaveOutWhatIsUnknown(t *testing.T) {
	snap := everyKind()
	snap.Partial = true
	snap.Director.HasConnections, snap.Director.HasStats = false, false
	golden(t, "partial.json", snapshotDocument(snap, 10*time.Second, true))
}

func TestAnEmptyTableHasEmptyLists(t *testing.T) {
	golden(t, "empty.json", snapshotDocument(&dataplane.Snapshot{Tick: epoch, Time: epoch}, time.Second, false))
}

// Every field of the document is in the README, which describes it.
func TestTheSnapshotDocumentIsDescribed(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(readme), "\n## The snapshot as JSON\n")
	if !found {
		t.Fatal("README.md has no section on the document")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	text, err := bothDocuments()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"(\w+)":`).FindAllSubmatch(text, -1) {
		if field := string(m[1]); field != "conntrack" && !strings.Contains(section, "`"+field+"`") { // a sysctl's name is the kernel's
			t.Errorf("README.md does not say what %s is", field)
		}
	}
}

// bothDocuments are the parts of the document that goldens hold.
func bothDocuments() (all []byte, err error) {
	for _, name := range []string{"testdata/snapshot.json", "testdata/agent.json"} {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, b...)
	}
	return all, nil
}
