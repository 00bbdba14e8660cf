package prom

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"lvs/dataplane"
)

// Health is what the agent knows of itself, at one moment. Counters in it begin
// with the process. The zero Health is that of an agent that has not yet read
// anything.
type Health struct {
	// Version and Revision of the agent, as it was built.
	Version, Revision string
	// Up says that the latest reading of the kernel's table succeeded.
	Up bool
	// Interval between samples; zero leaves its series out.
	Interval time.Duration
	// SampleErrors counts failed readings by the stage that failed.
	SampleErrors map[string]uint64
	// DumpRetries counts tables read again because they changed meanwhile;
	// Inconsistent, those that still moved after the last try.
	DumpRetries, Inconsistent uint64
	// LateTicks began late; SkippedTicks were left out.
	LateTicks, SkippedTicks uint64
	// ClockSteps is how often the wall clock was set.
	ClockSteps uint64
	// Unnumbered is how many services and real servers have no row number now,
	// and therefore no row in SNMP and in the history.
	Unnumbered int
	// Resets counts how often the kernel's counters started anew. They are
	// cumulative: those of an object stay counted after it is removed.
	Resets Resets
	// Components says of each part of the agent whether it works now; those
	// that are switched off are not in it.
	Components map[string]bool
	// Sinks are the receivers of samples, by name.
	Sinks map[string]SinkHealth
	// Store is nil where nothing is stored.
	Store *StoreHealth
	// AgentX is nil where the subagent is off.
	AgentX *AgentXHealth
	// SNMP is nil where the agent in the box is off.
	SNMP *SNMPHealth
	// Notify are the targets of notifications, by name.
	Notify map[string]NotifyHealth
	// Config is nil where there is no configuration file.
	Config *ConfigHealth
	// Director is nil for an agent that only observes.
	Director *DirectorHealth
}

// A ResetScope says whose counters started anew.
type ResetScope uint8

// The scopes of resets.
const (
	DirectorResets ResetScope = iota
	ServiceResets
	RealResets
	numResetScopes
)

var resetScopeNames = [numResetScopes]string{"director", "service", "real"}

// Resets counts resets by scope and reason.
type Resets [numResetScopes][dataplane.NumResetReasons]uint64

// SinkHealth is what became of the samples handed to one sink.
type SinkHealth struct {
	Dropped uint64 // samples replaced by a newer one before the sink took them
	Errors  uint64 // samples the sink refused
}

// StoreHealth describes the store.
type StoreHealth struct {
	Bytes        int64  // size on disk
	Limit        uint64 // bytes it may grow to; 0 is unknown
	CommitErrors uint64 // rows that could not be written
	LateCommits  uint64 // rows that were not durable when they were shown
	Damaged      int    // records found damaged, and left out, when it was opened
	PutAside     bool   // a damaged file was put aside since the agent started
}

// AgentXHealth describes the SNMP subagent.
type AgentXHealth struct {
	Connected  bool   // a session with the master agent is open
	Reconnects uint64 // sessions opened after the first
	Malformed  uint64 // PDUs that made no sense
	Refused    uint64 // registrations the master refused as somebody else's
	Requests   map[AgentXRequest]uint64
}

// An AgentXRequest is a class of requests: the PDU's name and what it was
// answered with, such as "get" and "ok".
type AgentXRequest struct{ PDU, Result string }

// ConfigHealth describes the configuration file's latest reading.
type ConfigHealth struct {
	ReloadOK bool      // the latest reading was taken over
	LoadedAt time.Time // when a reading was last taken over
}

// DirectorHealth describes the running of the director by its configuration.
type DirectorHealth struct {
	// Drift is how many differences there are now between configuration and
	// table, by kind.
	Drift map[string]int
	// Changes and Failures count changes made to the table, and refused by it.
	Changes, Failures uint64
}

// NewDurations makes a histogram of how long something takes, for
// [Options.SampleDurations] and [Options.CommitDurations]: native for those who
// scrape protobuf, and in classic buckets from 1 ms to 10 s. It may be observed
// in seconds from many goroutines.
func NewDurations() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:                            "durations_seconds",
		Buckets:                         []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	})
}
