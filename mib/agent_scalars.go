package mib

import (
	"time"

	"lvs/mib/smi"
)

// agentScalars are lvsdAgent.
var agentScalars = append(always(
	textCol(1, "lvsdAgentVersion", func(v *view) string { return v.figures.AgentVersion }).
		when(func(v *view) bool { return v.figures.AgentVersion != "" }),
	dateCol(2, "lvsdAgentStartTime", func(v *view) time.Time { return v.figures.Started }).
		when(func(v *view) bool { return !v.figures.Started.IsZero() }),
	countCol(3, "lvsdAgentSamples", func(v *view) uint64 { return v.figures.Samples }),
	countCol(4, "lvsdAgentSampleErrors", func(v *view) uint64 { return v.figures.SampleErrors }),
	countCol(5, "lvsdAgentLateTicks", func(v *view) uint64 { return v.figures.LateTicks }),
	countCol(6, "lvsdAgentSkippedTicks", func(v *view) uint64 { return v.figures.SkippedTicks }),
	countCol(7, "lvsdAgentInconsistent", func(v *view) uint64 { return v.figures.Inconsistent }),
), gaugeCol(8, "lvsdAgentUnnumbered", func(v *view) uint64 { return uint64(v.omitted) }))

// storeNumbers are lvsdStoreState's, by state.
var storeNumbers = [...]uint64{StoreOff: 4, StoreRunning: 1, StoreBehind: 2, StoreFailing: 3}

// storeScalars are lvsdStore.
var storeScalars = append(
	always(numCol(1, "lvsdStoreState", smi.Integer, func(v *view) uint64 { return storeNumbers[v.figures.Store.State] })),
	always(whereStore(
		numCol(2, "lvsdStoreBytes", smi.Counter64, func(v *view) uint64 { return v.figures.Store.Bytes }),
		numCol(3, "lvsdStoreLimit", smi.Counter64, func(v *view) uint64 { return v.figures.Store.Limit }),
		gaugeCol(4, "lvsdStoreSeries", func(v *view) uint64 { return v.figures.Store.Series }),
		dateCol(5, "lvsdStoreOldest", func(v *view) time.Time { return v.figures.Store.Oldest }),
		dateCol(6, "lvsdStoreNewest", func(v *view) time.Time { return v.figures.Store.Newest }),
		countCol(7, "lvsdStoreCommits", func(v *view) uint64 { return v.figures.Store.Commits }),
		countCol(8, "lvsdStoreCommitErrors", func(v *view) uint64 { return v.figures.Store.CommitErrors }),
		countCol(9, "lvsdStoreLateCommits", func(v *view) uint64 { return v.figures.Store.LateCommits }),
	)...)...)

// whereStore are columns known where there is a store.
func whereStore(columns ...column[*view]) []column[*view] {
	for i := range columns {
		columns[i].known = func(v *view) bool { return v.figures.Store.State != StoreOff }
	}
	return columns
}

// notifyScalars are lvsdNotify.
var notifyScalars = always(
	numCol(1, "lvsdNotifyEnable", smi.Integer, func(v *view) uint64 { return truth(v.figures.Notify.Enabled) }),
	countCol(2, "lvsdNotifySent", func(v *view) uint64 { return v.figures.Notify.Sent }),
	countCol(3, "lvsdNotifyDropped", func(v *view) uint64 { return v.figures.Notify.Dropped }),
	countCol(4, "lvsdNotifyCoalesced", func(v *view) uint64 { return v.figures.Notify.Coalesced }),
	gaugeCol(5, "lvsdNotifySequence", func(v *view) uint64 { return uint64(v.figures.Notify.Sequence) }),
	dateCol(6, "lvsdNotifyTime", func(v *view) time.Time { return v.figures.Notify.Time }),
	textCol(7, "lvsdNotifyMessage", func(v *view) string { return v.figures.Notify.Message }),
)
