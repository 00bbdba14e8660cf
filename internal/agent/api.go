package agent

import (
	"encoding/json"
	"net/http"
	"time"

	"lvs/dataplane"
	"lvs/internal/director"
)

// apiVersion is the version of the documents under /api/v1. Fields are only
// ever added to a version.
const apiVersion = 1

// The types below are the document /api/v1/snapshot, described in the README.
// All counters are JSON integers of up to 64 bits: a reader that takes numbers
// for doubles rounds those beyond 2^53.
type (
	apiSnapshot struct {
		Version      int       `json:"version"`
		Tick         time.Time `json:"tick"`
		Time         time.Time `json:"time"`
		TookSeconds  float64   `json:"took_seconds"`
		Interval     float64   `json:"interval_seconds"`
		Stale        bool      `json:"stale"`
		Partial      bool      `json:"partial"`
		Inconsistent int       `json:"inconsistent"`
		// When the set of services or real servers, or a number or name, last
		// changed.
		ServicesChanged *time.Time   `json:"services_changed,omitempty"`
		RealsChanged    *time.Time   `json:"real_servers_changed,omitempty"`
		Director        apiDirector  `json:"director"`
		Services        []apiService `json:"services"`
		Servers         []apiServer  `json:"servers"`
		Removed         []apiRemoved `json:"removed"`
		// Agent is how the agent itself fares.
		Agent *apiAgent `json:"agent,omitempty"`
		// Run is how the running of services stands; absent when only observing.
		Run *director.Status `json:"run,omitempty"`
	}
	apiDirector struct {
		IPVSVersion   string            `json:"ipvs_version"`
		Epoch         string            `json:"epoch"`
		ConnTableSize uint32            `json:"connection_table_size"`
		Connections   *uint64           `json:"connections,omitempty"`
		Peak          *uint64           `json:"peak_connections,omitempty"`
		Timeouts      *apiTimeouts      `json:"timeouts_seconds,omitempty"`
		SyncDaemons   []apiDaemon       `json:"sync_daemons,omitzero"` // nil is unknown
		Sysctls       map[string]string `json:"sysctls,omitempty"`
		*apiAccount
	}
	apiTimeouts struct {
		TCP    int64 `json:"tcp"`
		TCPFin int64 `json:"tcp_fin"`
		UDP    int64 `json:"udp"`
	}
	apiDaemon struct {
		Role      string `json:"role"`
		Interface string `json:"interface"`
		SyncID    uint32 `json:"sync_id"`
	}
	// apiAccount is what service, real server and director have in common.
	apiAccount struct {
		Total       apiCounters       `json:"total"`
		Kernel      apiCounters       `json:"kernel"`
		Rates       *apiRates         `json:"rates,omitempty"`
		KernelRates apiRates          `json:"kernel_rates"`
		FirstSeen   time.Time         `json:"first_seen"`
		LastReset   *time.Time        `json:"last_reset,omitempty"`
		Resets      map[string]uint32 `json:"resets,omitempty"`
	}
	apiCounters struct {
		Connections uint64 `json:"connections"`
		InPackets   uint64 `json:"in_packets"`
		OutPackets  uint64 `json:"out_packets"`
		InBytes     uint64 `json:"in_bytes"`
		OutBytes    uint64 `json:"out_bytes"`
	}
	apiRates   apiCounters
	apiService struct {
		Key                string `json:"key"`
		Name               string `json:"name,omitempty"`
		Number             uint32 `json:"number"`
		Family             string `json:"family"`
		Protocol           string `json:"protocol,omitempty"`
		VIP                string `json:"vip,omitempty"`
		Port               uint16 `json:"port"`
		FWMark             uint32 `json:"fwmark,omitempty"`
		Scheduler          string `json:"scheduler"`
		Flags              string `json:"flags,omitempty"`
		PersistenceTimeout int64  `json:"persistence_timeout_seconds,omitempty"`
		Netmask            string `json:"persistence_netmask,omitempty"`
		PersistenceEngine  string `json:"persistence_engine,omitempty"`
		apiState
		Available int     `json:"available_real_servers"`
		Refused   *uint64 `json:"refused_connections,omitempty"` // nil is unknown
		*apiAccount
		Reals []apiReal `json:"real_servers"`
	}
	// apiState is what a service or real server does for new connections.
	apiState struct {
		State      string     `json:"state"`
		Reason     string     `json:"reason,omitempty"`
		LastChange *time.Time `json:"last_change,omitempty"`
		Changes    uint32     `json:"state_changes"`
		Failures   uint32     `json:"failures"`
		Peak       uint64     `json:"peak_connections"`
	}
	apiReal struct {
		Address        string  `json:"address"`
		Name           string  `json:"name,omitempty"`
		Number         uint32  `json:"number"`
		Method         string  `json:"forwarding_method"`
		TunnelType     string  `json:"tunnel_type,omitempty"`
		TunnelPort     uint16  `json:"tunnel_port,omitempty"`
		TunnelChecksum string  `json:"tunnel_checksum,omitempty"`
		Weight         uint32  `json:"weight"`
		UpperThreshold uint32  `json:"upper_threshold,omitempty"`
		LowerThreshold uint32  `json:"lower_threshold,omitempty"`
		Active         uint32  `json:"active_connections"`
		Inactive       uint32  `json:"inactive_connections"`
		Persistent     *uint32 `json:"persistent_connections,omitempty"`
		apiState
		*apiAccount
	}
	// apiServer is a host over all services it is in.
	apiServer struct {
		Address    string       `json:"address"`
		Reals      int          `json:"real_servers"`
		Available  int          `json:"available"`
		Weight     uint64       `json:"weight"`
		Active     uint64       `json:"active_connections"`
		Inactive   uint64       `json:"inactive_connections"`
		Persistent *uint64      `json:"persistent_connections,omitempty"`
		Total      *apiCounters `json:"total,omitempty"`
		Rates      *apiRates    `json:"rates,omitempty"`
		Since      time.Time    `json:"since"`
	}
	// apiRemoved is what is no longer in the table, as it was left.
	apiRemoved struct {
		Service  string       `json:"service"`
		Real     string       `json:"real,omitempty"` // none is the service itself
		Name     string       `json:"name,omitempty"`
		Number   uint32       `json:"number"`
		LastSeen time.Time    `json:"last_seen"`
		First    time.Time    `json:"first_seen"`
		Total    *apiCounters `json:"total,omitempty"`
		Changes  uint32       `json:"state_changes"`
		Failures uint32       `json:"failures"`
		Peak     uint64       `json:"peak_connections"`
	}
)

// snapshotDocument is snap as /api/v1/snapshot shows it. What a partial snapshot
// does not know is left out; see package procfs.
func snapshotDocument(snap *dataplane.Snapshot, interval time.Duration, stale bool) *apiSnapshot {
	d := &snap.Director
	doc := &apiSnapshot{
		Version: apiVersion, Tick: snap.Tick.UTC(), Time: snap.Time.UTC(), TookSeconds: snap.Took.Seconds(),
		Interval: interval.Seconds(), Stale: stale, Partial: snap.Partial, Inconsistent: snap.Inconsistent,
		ServicesChanged: timeIf(snap.ServicesChanged), RealsChanged: timeIf(snap.RealsChanged),
		Director: apiDirector{
			IPVSVersion: d.Version, Epoch: d.Epoch, ConnTableSize: d.ConnTableSize, Sysctls: d.Sysctls,
		},
		Services: make([]apiService, len(snap.Services)), Servers: make([]apiServer, len(snap.Servers)),
		Removed: make([]apiRemoved, len(snap.Removed)),
	}
	if d.HasConnections {
		doc.Director.Connections, doc.Director.Peak = &d.Connections, &d.Peak
	}
	if d.HasStats {
		doc.Director.apiAccount = accountDocument(&d.Account, ratesIf(d.HasRates, &d.Rates), &d.KernelRates)
	}
	if !snap.Partial {
		doc.Director.Timeouts = &apiTimeouts{int64(d.Timeouts.TCP / time.Second), int64(d.Timeouts.TCPFin / time.Second), int64(d.Timeouts.UDP / time.Second)}
		doc.Director.SyncDaemons = make([]apiDaemon, len(d.Daemons))
		for i, daemon := range d.Daemons {
			doc.Director.SyncDaemons[i] = apiDaemon{daemon.Role.String(), daemon.Interface, daemon.SyncID}
		}
	}
	for i := range snap.Services {
		doc.Services[i] = serviceDocument(&snap.Services[i], snap.Partial)
	}
	for i := range snap.Servers {
		doc.Servers[i] = serverDocument(&snap.Servers[i], snap.Partial)
	}
	for i := range snap.Removed {
		doc.Removed[i] = removedDocument(&snap.Removed[i], snap.Partial)
	}
	return doc
}

func serviceDocument(s *dataplane.ServiceState, partial bool) apiService {
	doc := apiService{
		Key: s.Key.String(), Name: s.Name, Number: s.Number, Family: s.Key.Family.String(), FWMark: s.Key.FWMark,
		Scheduler: s.Scheduler, Flags: s.Flags.Configured().String(), PersistenceTimeout: int64(s.Timeout / time.Second),
		PersistenceEngine: s.PersistenceEngine, Reals: make([]apiReal, len(s.Reals)),
		apiState: stateDocument(s.Status(), s.Reason(), &s.Account), Available: s.Available(),
	}
	if s.HasRefused {
		doc.Refused = &s.Refused
	}
	if !s.Key.IsMark() {
		doc.Protocol, doc.VIP, doc.Port = s.Key.Protocol.String(), s.Key.VIP.Addr().String(), s.Key.VIP.Port()
	}
	if s.Flags&dataplane.FlagPersistent != 0 && !s.Netmask.IsFull() {
		doc.Netmask = s.Netmask.String()
	}
	if !partial {
		doc.apiAccount = accountDocument(&s.Account, ratesIf(s.HasRates, &s.Rates), &s.KernelRates)
	}
	for i := range s.Reals {
		doc.Reals[i] = realDocument(&s.Reals[i], partial)
	}
	return doc
}

func realDocument(r *dataplane.RealState, partial bool) apiReal {
	doc := apiReal{
		Address: r.RIP.String(), Name: r.Name, Number: r.Number, Method: r.Method.String(), Weight: r.Weight,
		UpperThreshold: r.UpperThreshold, LowerThreshold: r.LowerThreshold,
		Active: r.Active, Inactive: r.Inactive, apiState: stateDocument(r.Status(), r.Reason(), &r.Account),
	}
	if partial {
		return doc
	}
	doc.Persistent = &r.Persistent
	if r.Method == dataplane.Tunnel {
		doc.TunnelType, doc.TunnelPort, doc.TunnelChecksum = r.Encap.Type.String(), r.Encap.Port, r.Encap.Flags.String()
	}
	doc.apiAccount = accountDocument(&r.Account, ratesIf(r.HasRates, &r.Rates), &r.KernelRates)
	return doc
}

func serverDocument(s *dataplane.ServerState, partial bool) apiServer {
	doc := apiServer{
		Address: s.Addr.String(), Reals: s.Reals, Available: s.Available, Weight: s.Weight,
		Active: s.Active, Inactive: s.Inactive, Since: s.Since.UTC(),
	}
	if !partial {
		total := apiCounters(s.Total)
		doc.Persistent, doc.Total, doc.Rates = &s.Persistent, &total, (*apiRates)(ratesIf(s.HasRates, &s.Rates))
	}
	return doc
}

func removedDocument(r *dataplane.Removed, partial bool) apiRemoved {
	doc := apiRemoved{
		Service: r.Key.String(), Name: r.Name, Number: r.Number, LastSeen: r.LastSeen.UTC(), First: r.FirstSeen.UTC(),
		Changes: r.Changes, Failures: r.Failures, Peak: r.Peak,
	}
	if r.RIP.IsValid() {
		doc.Real = r.RIP.String()
	}
	if !partial {
		doc.Total = (*apiCounters)(&r.Total)
	}
	return doc
}

func stateDocument(status dataplane.Status, reason string, a *dataplane.Account) apiState {
	return apiState{
		State: status.String(), Reason: reason, LastChange: timeIf(a.LastChange),
		Changes: a.Changes, Failures: a.Failures, Peak: a.Peak,
	}
}

// accountDocument leaves out rates that are nil, as not known yet.
func accountDocument(a *dataplane.Account, rates, kernelRates *dataplane.Rates) *apiAccount {
	doc := &apiAccount{
		Total: apiCounters(a.Total), Kernel: apiCounters(a.Kernel), Rates: (*apiRates)(rates), KernelRates: apiRates(*kernelRates),
		FirstSeen: a.FirstSeen.UTC(), LastReset: timeIf(a.LastReset),
	}
	doc.Resets = resetsDocument(&a.Resets)
	return doc
}

// resetsDocument are resets by reason, those that did not happen left out; nil
// where none did.
func resetsDocument(counts *dataplane.ResetCounts) (by map[string]uint32) {
	for reason, n := range counts {
		if n > 0 {
			if by == nil {
				by = map[string]uint32{}
			}
			by[dataplane.ResetReason(reason).String()] = n
		}
	}
	return by
}

func ratesIf(known bool, r *dataplane.Rates) *dataplane.Rates {
	if !known {
		return nil
	}
	return r
}

func timeIf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// writeJSON answers with v, or with the error in writing it where nothing was
// sent yet.
func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(b, '\n')) // an error here is the client's going away
}
