package agent

import (
	"time"

	"lvs/mib"
)

// The types below are what /api/v1/snapshot tells beside the snapshot: how the
// agent itself fares. They are the figures that SNMP shows, of the same moment.
type (
	apiAgent struct {
		Version       string    `json:"version"`
		Host          string    `json:"host,omitempty"`
		Started       time.Time `json:"started"`
		Dataplane     string    `json:"dataplane"` // running, stale or unavailable
		Reason        string    `json:"dataplane_reason,omitempty"`
		Since         time.Time `json:"dataplane_since,omitzero"`
		Samples       uint64    `json:"samples"`
		SampleErrors  uint64    `json:"sample_errors"`
		LateTicks     uint64    `json:"late_ticks"`
		SkippedTicks  uint64    `json:"skipped_ticks"`
		Inconsistent  uint64    `json:"inconsistent_dumps"`
		Resets        apiResets `json:"resets"`
		Store         *apiStore `json:"store,omitempty"` // absent without one
		Notifications apiNotify `json:"notifications"`
	}
	// apiResets are by reason, those that did not happen left out.
	apiResets struct {
		Director map[string]uint32 `json:"director,omitempty"`
		Services map[string]uint32 `json:"services,omitempty"`
		Reals    map[string]uint32 `json:"real_servers,omitempty"`
	}
	apiStore struct {
		State        string    `json:"state"` // running, behind or failing
		Bytes        uint64    `json:"bytes"`
		Limit        uint64    `json:"limit_bytes,omitempty"`
		Series       uint64    `json:"series"`
		Oldest       time.Time `json:"oldest,omitzero"`
		Newest       time.Time `json:"newest,omitzero"`
		Commits      uint64    `json:"commits"`
		CommitErrors uint64    `json:"commit_errors"`
		LateCommits  uint64    `json:"late_commits"`
	}
	apiNotify struct {
		Enabled   bool      `json:"enabled"`
		Sent      uint64    `json:"sent"`
		Dropped   uint64    `json:"dropped"`
		Coalesced uint64    `json:"coalesced"`
		Sequence  uint32    `json:"sequence"`
		Time      time.Time `json:"time,omitzero"`
		Message   string    `json:"message,omitempty"`
	}
)

var (
	dataplaneStates = map[mib.DataplaneState]string{mib.Running: "running", mib.Stale: "stale", mib.Unavailable: "unavailable"}
	storeStates     = map[mib.StoreState]string{mib.StoreRunning: "running", mib.StoreBehind: "behind", mib.StoreFailing: "failing"}
)

// agentDocument is f as /api/v1/snapshot shows it.
func agentDocument(f mib.Figures) *apiAgent {
	doc := &apiAgent{
		Version: f.AgentVersion, Host: f.HostName, Started: f.Started.UTC(),
		Dataplane: dataplaneStates[f.Dataplane], Reason: f.DataplaneReason, Since: f.DataplaneSince.UTC(),
		Samples: f.Samples, SampleErrors: f.SampleErrors, LateTicks: f.LateTicks, SkippedTicks: f.SkippedTicks, Inconsistent: f.Inconsistent,
		Resets: apiResets{Director: resetsDocument(&f.Resets.Director), Services: resetsDocument(&f.Resets.Services), Reals: resetsDocument(&f.Resets.Reals)},
		Notifications: apiNotify{Enabled: f.Notify.Enabled, Sent: f.Notify.Sent, Dropped: f.Notify.Dropped, Coalesced: f.Notify.Coalesced,
			Sequence: f.Notify.Sequence, Time: f.Notify.Time.UTC(), Message: f.Notify.Message},
	}
	if s := f.Store; s.State != mib.StoreOff {
		doc.Store = &apiStore{State: storeStates[s.State], Bytes: s.Bytes, Limit: s.Limit, Series: s.Series,
			Oldest: s.Oldest.UTC(), Newest: s.Newest.UTC(), Commits: s.Commits, CommitErrors: s.CommitErrors, LateCommits: s.LateCommits}
	}
	return doc
}
