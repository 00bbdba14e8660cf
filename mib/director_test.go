package mib

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"lvs/dataplane"
	"lvs/mib/smi"

	"github.com/google/go-cmp/cmp"
)

// figures have a different value everywhere.
func figures() Figures {
	return Figures{
		HostName: "lvs1", AgentVersion: "2.0", Started: noon.Add(-time.Hour), Interval: 1500 * time.Millisecond,
		Dataplane: Stale, DataplaneReason: "no answer", DataplaneSince: noon.Add(-time.Minute),
		Samples: 1<<32 + 1, SampleErrors: 2, LateTicks: 3, SkippedTicks: 4, Inconsistent: 5,
		Store: StoreFigures{State: StoreFailing, Bytes: 1 << 40, Limit: 1 << 41, Series: 1 << 33, Oldest: noon.AddDate(-1, 0, 0), Newest: noon,
			Commits: 6, CommitErrors: 7, LateCommits: 8},
		Notify: NotifyFigures{Enabled: true, Sent: 9, Dropped: 10, Coalesced: 11, Sequence: math.MaxUint32, Time: noon, Message: "it is so"},
	}
}

// A sheet collects what a walk of the LVS-DIRECTOR-MIB has to show, by object
// name and index.
type sheet struct {
	objects map[string]Object
	cells   map[string]smi.Value
}

// put notes values: numbers, strings, times, addresses and truths.
func (s *sheet) put(index string, values map[string]any) {
	for name, v := range values {
		o, ok := s.objects[name]
		if !ok {
			panic("no object " + name)
		}
		cell := smi.Value{Type: o.Type}
		switch v := v.(type) {
		case nil:
			continue // no instance
		case string:
			cell.Bytes = []byte(v)
		case bool:
			cell.Int = map[bool]uint64{true: 1, false: 2}[v]
		case time.Time:
			cell.Bytes = date(v)
		case netip.Addr:
			cell.Bytes = v.AsSlice()
		case uint64:
			switch cell.Int = v; o.Type {
			case smi.Counter32:
				cell.Int = uint64(uint32(v))
			case smi.Gauge32:
				cell.Int = min(v, math.MaxUint32)
			}
		default:
			panic(fmt.Sprintf("%s is a %T", name, v))
		}
		s.cells[fmt.Sprint(o.OID, ".", index)] = cell
	}
}

// date is a DateAndTime, made by hand.
func date(t time.Time) []byte {
	if t.IsZero() {
		return make([]byte, 8)
	}
	t = t.UTC()
	return []byte{byte(t.Year() / 256), byte(t.Year() % 256), byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()), byte(t.Second()), byte(t.Nanosecond() / 1e8), '+', 0, 0}
}

// ago is the hundredths of a second since t, and no instance for no time.
func ago(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return uint64(min(noon.Sub(t).Milliseconds()/10, math.MaxUint32))
}

func unless(unknown bool, v any) any {
	if unknown {
		return nil
	}
	return v
}

func num[N ~int | ~uint8 | ~uint16 | ~uint32 | ~uint64](n N) uint64 { return uint64(n) }

// putCounters notes fifteen columns; without rates, ten.
func (s *sheet) putCounters(index, prefix string, c dataplane.Counters, r *dataplane.Rates) {
	for name, n := range map[string]uint64{"Conns": c.Connections, "InPkts": c.InPackets, "OutPkts": c.OutPackets, "InBytes": c.InBytes, "OutBytes": c.OutBytes} {
		s.put(index, map[string]any{prefix + name: n, prefix + "HC" + name: n})
	}
	if r != nil {
		s.put(index, map[string]any{prefix + "ConnRate": r.Connections, prefix + "InPktRate": r.InPackets, prefix + "OutPktRate": r.OutPackets,
			prefix + "InByteRate": r.InBytes, prefix + "OutByteRate": r.OutBytes})
	}
}

func (s *sheet) putState(index, prefix string, status dataplane.Status, reason string, a *dataplane.Account) {
	discontinuity := a.FirstSeen
	if a.LastReset.After(discontinuity) {
		discontinuity = a.LastReset
	}
	s.put(index, map[string]any{
		prefix + "State": num(status) + 1, prefix + "Reason": reason, prefix + "LastChange": a.LastChange, prefix + "SinceChange": ago(a.LastChange),
		prefix + "StateChanges": num(a.Changes), prefix + "Failures": num(a.Failures), prefix + "Resets": a.Resets.Sum(),
		prefix + "FirstSeen": a.FirstSeen, prefix + "Discontinuity": discontinuity, prefix + "PeakConns": a.Peak,
	})
}

// directorLines are what a walk of the LVS-DIRECTOR-MIB prints, told from the
// snapshot and the figures name by name.
func directorLines(snap *dataplane.Snapshot, f Figures) []string {
	s := sheet{objects: map[string]Object{}, cells: map[string]smi.Value{}}
	for _, o := range Objects() {
		s.objects[o.Name] = o
	}
	s.putAgent(f)
	s.putDirector(snap, f)
	for i := range snap.Services {
		s.putService(&snap.Services[i])
	}
	for _, h := range snap.Servers {
		octets := h.Addr.AsSlice()
		index := fmt.Sprint(len(octets)/8, ".", len(octets)) // 4 and 16 octets: types 0 and 2
		if len(octets) == 4 {
			index = "1.4"
		}
		for _, o := range octets {
			index += fmt.Sprint(".", o)
		}
		s.put(index, map[string]any{
			"lvsdServerAddressText": h.Addr.String(), "lvsdServerRealServers": num(h.Reals), "lvsdServerAvailable": num(h.Available),
			"lvsdServerWeightSum": h.Weight, "lvsdServerActiveConns": h.Active, "lvsdServerInactiveConns": h.Inactive,
			"lvsdServerPersistentConns": h.Persistent, "lvsdServerDiscontinuity": h.Since, "lvsdServerRepliesBypass": h.RepliesBypass,
		})
		rates := &h.Rates
		if !h.HasRates {
			rates = nil
		}
		s.putCounters(index, "lvsdServer", h.Total, rates)
	}
	cells := map[string]string{}
	for name, v := range s.cells {
		cells[name] = text(v)
	}
	return sortedLines(cells)
}

func (s *sheet) putAgent(f Figures) {
	n, st := f.Notify, f.Store
	off := st.State == StoreOff
	s.put("0", map[string]any{
		"lvsdHostName": unless(f.HostName == "", f.HostName), "lvsdDataplaneState": num(f.Dataplane) + 1, "lvsdDataplaneReason": f.DataplaneReason,
		"lvsdDataplaneLastChange": unless(f.DataplaneSince.IsZero(), f.DataplaneSince), "lvsdSampleInterval": unless(f.Interval == 0, uint64(f.Interval.Milliseconds())),
		"lvsdAgentVersion": unless(f.AgentVersion == "", f.AgentVersion), "lvsdAgentStartTime": unless(f.Started.IsZero(), f.Started),
		"lvsdAgentSamples": f.Samples, "lvsdAgentSampleErrors": f.SampleErrors, "lvsdAgentLateTicks": f.LateTicks,
		"lvsdAgentSkippedTicks": f.SkippedTicks, "lvsdAgentInconsistent": f.Inconsistent,
		"lvsdStoreState": map[StoreState]uint64{StoreRunning: 1, StoreBehind: 2, StoreFailing: 3, StoreOff: 4}[st.State],
		"lvsdStoreBytes": unless(off, st.Bytes), "lvsdStoreLimit": unless(off, st.Limit), "lvsdStoreSeries": unless(off, st.Series),
		"lvsdStoreOldest": unless(off, st.Oldest), "lvsdStoreNewest": unless(off, st.Newest), "lvsdStoreCommits": unless(off, st.Commits),
		"lvsdStoreCommitErrors": unless(off, st.CommitErrors), "lvsdStoreLateCommits": unless(off, st.LateCommits),
		"lvsdNotifyEnable": n.Enabled, "lvsdNotifySent": n.Sent, "lvsdNotifyDropped": n.Dropped, "lvsdNotifyCoalesced": n.Coalesced,
		"lvsdNotifySequence": num(n.Sequence), "lvsdNotifyTime": n.Time, "lvsdNotifyMessage": n.Message,
	})
}

func (s *sheet) putDirector(snap *dataplane.Snapshot, f Figures) {
	d := &snap.Director
	var active, inactive, persistent, reals, available, empty uint64
	for i := range snap.Services {
		here := num(snap.Services[i].Available())
		if available += here; here == 0 {
			empty++
		}
		for _, r := range snap.Services[i].Reals {
			active, inactive, persistent, reals = active+num(r.Active), inactive+num(r.Inactive), persistent+num(r.Persistent), reals+1
		}
	}
	s.put("0", map[string]any{
		"lvsdIpvsVersion": d.Version, "lvsdSampleTime": snap.Time, "lvsdSampleDuration": uint64(snap.Took.Microseconds()),
		"lvsdServiceCount": num(len(snap.Services)), "lvsdServicesUnavailable": empty, "lvsdRealCount": reals, "lvsdRealsAvailable": available,
		"lvsdConnTableSize": num(d.ConnTableSize), "lvsdConnTableEntries": unless(!d.HasConnections, d.Connections), "lvsdConnTablePeak": unless(!d.HasConnections, d.Peak),
		"lvsdDirectorActiveConns": active, "lvsdDirectorInactiveConns": inactive, "lvsdDirectorPersistentConns": persistent,
		"lvsdTimeoutTcp": num(int(d.Timeouts.TCP.Seconds())), "lvsdTimeoutTcpFin": num(int(d.Timeouts.TCPFin.Seconds())), "lvsdTimeoutUdp": num(int(d.Timeouts.UDP.Seconds())),
		"lvsdAgentUnnumbered": uint64(0),
		"lvsdServiceRows":     num(len(snap.Services)), "lvsdServicesLastChange": unless(snap.ServicesChanged.IsZero(), snap.ServicesChanged),
		"lvsdServicesSinceChange": ago(snap.ServicesChanged), "lvsdServiceRowsVersion": unless(snap.ServicesChanged.IsZero(), uint64(snap.ServicesChanged.Unix())),
		"lvsdRealRows": reals, "lvsdServerRows": num(len(snap.Servers)),
	})
	for _, table := range []string{"Real", "Server"} {
		s.put("0", map[string]any{"lvsd" + table + "sLastChange": unless(snap.RealsChanged.IsZero(), snap.RealsChanged),
			"lvsd" + table + "sSinceChange": ago(snap.RealsChanged), "lvsd" + table + "RowsVersion": unless(snap.RealsChanged.IsZero(), uint64(snap.RealsChanged.Unix()))})
	}
	if d.HasStats {
		s.putCounters("0", "lvsdDirector", d.Total, &d.Rates)
		s.put("0", map[string]any{"lvsdDirectorFirstSeen": d.FirstSeen, "lvsdDirectorDiscontinuity": d.FirstSeen, "lvsdDirectorResets": d.Resets.Sum()})
	}
	daemons := map[string]dataplane.SyncDaemon{"Master": {}, "Backup": {}}
	for _, sd := range d.Daemons {
		daemons[map[dataplane.SyncRole]string{dataplane.Master: "Master", dataplane.Backup: "Backup"}[sd.Role]] = sd
	}
	for role, sd := range daemons {
		s.put("0", map[string]any{"lvsdSync" + role + "Running": sd.Role != 0, "lvsdSync" + role + "Interface": sd.Interface, "lvsdSync" + role + "Id": num(sd.SyncID)})
	}
}

func (s *sheet) putService(v *dataplane.ServiceState) {
	index := fmt.Sprint(v.Number)
	address, version := inet(v.Key.VIP.Addr())
	mask, ones := "", 0
	if v.Flags&dataplane.FlagPersistent != 0 {
		mask = v.Netmask.String()
		ones, _ = v.Netmask.PrefixLen()
	}
	active, inactive, persistent := v.Connections()
	s.put(index, map[string]any{
		"lvsdServiceAddressType": version, "lvsdServiceAddress": address, "lvsdServicePort": num(v.Key.VIP.Port()), "lvsdServiceAddressText": addrText(v.Key.VIP.Addr()),
		"lvsdServiceKey": v.Key.String(), "lvsdServiceName": admin(v.Name), "lvsdServiceLabel": admin(v.Label()), "lvsdServiceProtocol": num(v.Key.Protocol),
		"lvsdServiceFirewallMark": num(v.Key.FWMark), "lvsdServiceFamily": map[dataplane.Family]uint64{dataplane.INET: 1, dataplane.INET6: 2}[v.Key.Family],
		"lvsdServiceScheduler": v.Scheduler, "lvsdServiceFlags": v.Flags.String(), "lvsdServicePersistTimeout": num(int(v.Timeout.Seconds())),
		"lvsdServicePersistNetmask": mask, "lvsdServicePersistPrefixLength": num(ones), "lvsdServicePersistEngine": v.PersistenceEngine,
		"lvsdServiceRealServers": num(len(v.Reals)), "lvsdServiceAvailable": num(v.Available()), "lvsdServiceWeightSum": v.Weight(),
		"lvsdServiceActiveConns": active, "lvsdServiceInactiveConns": inactive, "lvsdServicePersistentConns": persistent,
		"lvsdServiceRefused": unless(!v.HasRefused, v.Refused), "lvsdServiceHCRefused": unless(!v.HasRefused, v.Refused),
	})
	rates := v.KernelRates
	if v.HasRates {
		rates = v.Rates
	}
	s.putCounters(index, "lvsdService", v.Total, &rates)
	s.putState(index, "lvsdService", v.Status(), v.Reason(), &v.Account)
	for i := range v.Reals {
		s.putReal(v, &v.Reals[i])
	}
}

func (s *sheet) putReal(v *dataplane.ServiceState, r *dataplane.RealState) {
	index := fmt.Sprint(v.Number, ".", r.Number)
	address, version := inet(r.RIP.Addr())
	tunnel, flags, name, share := uint64(1), "", r.Name, uint64(0)
	if r.Method == dataplane.Tunnel {
		tunnel = map[dataplane.EncapType]uint64{dataplane.IPIP: 2, dataplane.GUE: 3, dataplane.GRE: 4, 9: 5}[r.Encap.Type]
		if r.Encap.Type != dataplane.IPIP {
			flags = r.Encap.Flags.String()
		}
	}
	if name == "" {
		name = r.RIP.String()
	}
	if sum := v.Weight(); sum > 0 {
		share = num(r.Weight) * 1000 / sum
	}
	s.put(index, map[string]any{
		"lvsdRealAddressType": version, "lvsdRealAddress": address, "lvsdRealPort": num(r.RIP.Port()), "lvsdRealAddressText": addrText(r.RIP.Addr()),
		"lvsdRealKey": v.Key.String() + " " + r.RIP.String(), "lvsdRealName": admin(r.Name), "lvsdRealLabel": admin(v.Label() + " " + name),
		"lvsdRealMethod": num(r.Method) + 1, "lvsdRealTunnelType": tunnel, "lvsdRealTunnelPort": num(r.Encap.Port), "lvsdRealTunnelFlags": flags,
		"lvsdRealWeight": num(r.Weight), "lvsdRealWeightShare": share, "lvsdRealUpperThreshold": num(r.UpperThreshold), "lvsdRealLowerThreshold": num(r.LowerThreshold),
		"lvsdRealActiveConns": num(r.Active), "lvsdRealInactiveConns": num(r.Inactive), "lvsdRealPersistentConns": num(r.Persistent),
	})
	rates := r.KernelRates
	if r.HasRates {
		rates = r.Rates
	}
	s.putCounters(index, "lvsdReal", r.Total, &rates)
	s.putState(index, "lvsdReal", r.Status(), r.Reason(), &r.Account)
}

func inet(a netip.Addr) (octets string, version uint64) {
	switch octets = string(a.AsSlice()); len(octets) {
	case 4:
		version = 1
	case 16:
		version = 2
	}
	return octets, version
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// admin is a text that may be in a message: whole characters, 255 octets at most.
func admin(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	for len(s) > 255 {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

func TestEveryCellOfTheDirectorMIBIsTheSnapshots(t *testing.T) {
	full := large(300)
	full.Director = edges().Director
	idle := edges()
	idle.Director.Daemons, idle.Director.HasStats, idle.Director.HasConnections, idle.Services, idle.Servers = nil, false, false, nil, nil
	idle.ServicesChanged, idle.RealsChanged = time.Time{}, time.Time{}
	for name, snap := range map[string]*dataplane.Snapshot{"edges": edges(), "large": full, "empty": idle} {
		for _, f := range []Figures{{}, figures()} {
			var got []string
			for _, l := range lines(walk(Build(snap, f))) {
				if strings.HasPrefix(l, fmt.Sprintf(".%v.100.", root)) {
					got = append(got, l)
				}
			}
			if diff := cmp.Diff(directorLines(snap, f), got); diff != "" {
				t.Errorf("%s (-snapshot +tree):\n%s", name, diff)
			}
		}
	}
}

// TestEveryObjectHasAnInstanceSomewhere keeps the comparison above from being one
// of nothing with nothing.
func TestEveryObjectHasAnInstanceSomewhere(t *testing.T) {
	missing := map[string]bool{}
	for _, o := range Objects() {
		missing[o.Name] = true
	}
	objects := Objects()
	for _, v := range walk(Build(edges(), figures())) {
		delete(missing, objectOf(objects, v.Name).Name)
	}
	for name := range missing {
		t.Errorf("%s has no instance", name)
	}
}

func TestBeforeTheFirstSampleThereAreFigures(t *testing.T) {
	var names []string
	objects := Objects()
	for _, v := range walk(Build(nil, figures())) {
		names = append(names, objectOf(objects, v.Name).Name)
	}
	want := "lvsdHostName lvsdDataplaneState lvsdDataplaneReason lvsdDataplaneLastChange lvsdSampleInterval " +
		"lvsdAgentVersion lvsdAgentStartTime lvsdAgentSamples lvsdAgentSampleErrors lvsdAgentLateTicks lvsdAgentSkippedTicks lvsdAgentInconsistent " +
		"lvsdStoreState lvsdStoreBytes lvsdStoreLimit lvsdStoreSeries lvsdStoreOldest lvsdStoreNewest lvsdStoreCommits lvsdStoreCommitErrors lvsdStoreLateCommits " +
		"lvsdNotifyEnable lvsdNotifySent lvsdNotifyDropped lvsdNotifyCoalesced lvsdNotifySequence lvsdNotifyTime lvsdNotifyMessage"
	if diff := cmp.Diff(strings.Fields(want), names); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

// TestWithIsATreeOfOtherFigures changes nothing else, and not the tree it is of.
func TestWithIsATreeOfOtherFigures(t *testing.T) {
	before := Build(edges(), Figures{})
	want := walk(Build(edges(), figures()))
	if diff := cmp.Diff(want, walk(before.With(figures()))); diff != "" {
		t.Errorf("with figures (-built +with):\n%s", diff)
	}
	if diff := cmp.Diff(walk(Build(edges(), Figures{})), walk(before)); diff != "" {
		t.Errorf("the tree itself (-before +after):\n%s", diff)
	}
	var none Tree
	if diff := cmp.Diff(walk(Build(nil, figures())), walk(none.With(figures()))); diff != "" {
		t.Errorf("the zero tree (-built +with):\n%s", diff)
	}
}

// TestPartialSnapshotsTellNoCounters: what an unprivileged agent does not see is
// absent, and not zero.
func TestPartialSnapshotsTellNoCounters(t *testing.T) {
	snap := edges()
	snap.Partial = true
	objects := Objects()
	for _, v := range walk(Build(snap, Figures{})) {
		o := objectOf(objects, v.Name)
		for _, word := range []string{"Pkts", "Bytes", "Rate", "Threshold", "PersistentConns", "Tunnel", "Engine", "lvsdSync"} {
			if o.Module == "LVS-DIRECTOR-MIB" && !strings.HasPrefix(o.Name, "lvsdDirector") && strings.Contains(o.Name, word) {
				t.Errorf("%s has an instance %v", o.Name, v.Name)
			}
		}
	}
}

// TestTextsFit: a text has at most 255 octets and ends with a whole character.
func TestTextsFit(t *testing.T) {
	for _, s := range []string{"", "a", strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("\u20ac", 100), "x" + strings.Repeat("\u00fc", 200), "\xff\xfe", strings.Repeat("\xff", 300)} {
		got := appendText([]byte("before"), s)
		if want := "before" + admin(s); string(got) != want {
			t.Errorf("%.20q… is %q, want %q", s, got, want)
		}
	}
}

// TestAnswersOfLongNames: hosts are found by names of different lengths, in parts
// and beyond what an octet holds.
func TestAnswersOfLongNames(t *testing.T) {
	x := serverRows(&view{Snapshot: edges()}).index
	if x.rows() < 5 || !slices.IsSortedFunc(x.long, smi.OID.Compare) {
		t.Fatalf("%d names: %v", x.rows(), x.long)
	}
	asked := slices.Clone(x.long)
	for _, name := range x.long {
		for i := range name {
			for _, sub := range []uint32{0, name[i] - 1, name[i] + 1, 256, math.MaxUint32} {
				changed := slices.Clone(name)
				changed[i] = sub
				asked = append(asked, changed, name[:i], name.Append(sub))
			}
		}
	}
	for _, name := range asked {
		for _, include := range []bool{false, true} {
			want, found := slices.BinarySearchFunc(x.long, name, smi.OID.Compare)
			if found && !include {
				want++
			}
			if got := x.from(name, include); got != want {
				t.Errorf("from(%v, %v) is %d, want %d", name, include, got, want)
			}
			if got, ok := x.row(name); ok != found || found && !slices.Equal(x.long[got], name) {
				t.Errorf("row(%v) is %d, %v", name, got, ok)
			}
		}
	}
}
