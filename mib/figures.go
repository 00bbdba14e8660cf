package mib

import (
	"time"

	"lvs/dataplane"
)

// Figures are what the LVS-DIRECTOR-MIB shows beyond the snapshot. Where a string
// is empty or a time zero, it is not known and has no instance, but for the
// fields that say otherwise. The zero Figures are those of an agent without a
// store, whose dataplane runs and that sends no notifications.
type Figures struct {
	// HostName is the agent's host, AgentVersion the agent's own version and
	// Started when it was.
	HostName, AgentVersion string
	Started                time.Time
	// Interval is how much time is between two samples.
	Interval time.Duration

	// Dataplane is how it fares, for which Reason (empty where it is running) is
	// why, and Since when that began.
	Dataplane       DataplaneState
	DataplaneReason string
	DataplaneSince  time.Time

	// Samples were published, and SampleErrors could not be read instead; the
	// others are as in collector.Stats. Since Started.
	Samples, SampleErrors, LateTicks, SkippedTicks, Inconsistent uint64

	Resets ResetFigures
	Store  StoreFigures
	Notify NotifyFigures
}

// ResetFigures are how often the kernel's counters started anew since
// [Figures].Started, as the sampler saw it, by reason: its grand totals, and those
// of all services and of all real servers.
type ResetFigures struct {
	Director, Services, Reals dataplane.ResetCounts
}

// A DataplaneState is whether the table can be read.
type DataplaneState uint8

// The states of a dataplane.
const (
	Running     DataplaneState = iota
	Stale                      // the latest reading failed
	Unavailable                // it cannot be reached at all
)

// StoreFigures are how the store fares; the zero StoreFigures are "there is none".
type StoreFigures struct {
	State StoreState
	// Bytes is the size of its files, and Limit what they are held below; zero is
	// no limit.
	Bytes, Limit uint64
	// Series is how many accounts it remembers.
	Series uint64
	// Oldest and Newest are the times of rows, zero where there is none.
	Oldest, Newest time.Time
	// Commits were made, CommitErrors failed, and LateCommits were made after the
	// snapshot had been published.
	Commits, CommitErrors, LateCommits uint64
}

// A StoreState is how a store fares.
type StoreState uint8

// The states of a store.
const (
	StoreOff StoreState = iota
	StoreRunning
	StoreBehind  // slow
	StoreFailing // its last write failed
)

// NotifyFigures are how notifications fare: those of a [Watcher], Sequence, Time
// and Message of the latest, and of what sends them.
type NotifyFigures struct {
	Enabled                  bool
	Sent, Dropped, Coalesced uint64
	Sequence                 uint32
	Time                     time.Time
	Message                  string
}
