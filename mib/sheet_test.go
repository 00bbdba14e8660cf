package mib

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// figures have a different value everywhere.
func figures() Figures {
	return Figures{
		HostName: "lvs1", AgentVersion: "2.0", Started: noon.Add(-time.Hour), Interval: 1500 * time.Millisecond,
		Dataplane: Stale, DataplaneReason: "no answer", DataplaneSince: noon.Add(-time.Minute),
		Resets: ResetFigures{Director: dataplane.ResetCounts{1, 2, 3, 4}, Services: dataplane.ResetCounts{5, 6, 7, 8},
			Reals: dataplane.ResetCounts{9, 10, 11, math.MaxUint32}},
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
	for i, reason := range []dataplane.ResetReason{dataplane.Recreated, dataplane.Zeroed, dataplane.KernelRestart, dataplane.Wrap32} {
		s.put(fmt.Sprint(i+1), map[string]any{"lvsdAgentResetDirector": num(f.Resets.Director[reason]),
			"lvsdAgentResetServices": num(f.Resets.Services[reason]), "lvsdAgentResetReals": num(f.Resets.Reals[reason])})
	}
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
		"lvsdServicesSinceChange": ago(snap.ServicesChanged), "lvsdServiceRowsVersion": unless(snap.ServicesChanged.IsZero(), uint64(1<<32-1-snap.ServicesChanged.Unix())),
		"lvsdRealRows": reals, "lvsdServerRows": num(len(snap.Servers)),
	})
	for _, table := range []string{"Real", "Server"} {
		s.put("0", map[string]any{"lvsd" + table + "sLastChange": unless(snap.RealsChanged.IsZero(), snap.RealsChanged),
			"lvsd" + table + "sSinceChange": ago(snap.RealsChanged), "lvsd" + table + "RowsVersion": unless(snap.RealsChanged.IsZero(), uint64(1<<32-1-snap.RealsChanged.Unix()))})
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
