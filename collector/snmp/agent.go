package snmp

import (
	"context"
	"slices"
)

// An Agent is what a director's agent tells of itself; counts are since it was
// started, and begin again at 2^32. Source: lvsdAgent and lvsdStore of the
// LVS-DIRECTOR-MIB.
type Agent struct {
	// SampleErrors is how often the table could not be read; late ticks are readings
	// that began late, skipped ones were left out, and inconsistent are services whose
	// real servers still changed under the last try to read them.
	SampleErrors, LateTicks, SkippedTicks, Inconsistent uint64
	// Unnumbered are the services and real servers of the latest reading that have no
	// row, because no number was free, and are therefore not in the snapshot.
	Unnumbered uint32
	// Store is nil where nothing is stored.
	Store *Store
}

// A Store is how the store of a director's agent fares.
type Store struct {
	// Running says that it has all that was read.
	Running bool
	// Bytes is the size of its files, and Limit what they are held below; zero is no
	// limit.
	Bytes, Limit uint64
	// CommitErrors are readings that it could not write, LateCommits those that were
	// shown before they were durable.
	CommitErrors, LateCommits uint64
}

const (
	lvsdAgent             = lvsdObjects + ".2"
	lvsdAgentSampleErrors = 4
	lvsdAgentLateTicks    = 5
	lvsdAgentSkippedTicks = 6
	lvsdAgentInconsistent = 7
	lvsdAgentUnnumbered   = 8
	lvsdStore             = lvsdObjects + ".3"
	lvsdStoreState        = 1
	lvsdStoreBytes        = 2
	lvsdStoreLimit        = 3
	lvsdStoreCommitErrors = 8
	lvsdStoreLateCommits  = 9
	storeOff              = 4 // lvsdStoreState
)

// agentNames are all that is asked of the agent itself.
var agentNames = func() (names []string) {
	for _, sub := range []int{lvsdAgentSampleErrors, lvsdAgentLateTicks, lvsdAgentSkippedTicks, lvsdAgentInconsistent, lvsdAgentUnnumbered} {
		names = append(names, scalar(lvsdAgent, sub))
	}
	for _, sub := range []int{lvsdStoreState, lvsdStoreBytes, lvsdStoreLimit, lvsdStoreCommitErrors, lvsdStoreLateCommits} {
		names = append(names, scalar(lvsdStore, sub))
	}
	return slices.Concat(resetCells, names)
}()

// agent reads what the director's agent tells of itself, in one request. SNMPv1 has
// no Counter64, and tells of one name at a time that it is not there: of an agent
// that tells no resets, that alone is asked again, and nothing else of any.
func (p *Poller) agent(ctx context.Context) (*Resets, *Agent, error) {
	names := agentNames
	if p.cfg.Auth.Version == 1 {
		names = resetCells
		if p.stats.resets.Load() == nil {
			first, err := p.ask(ctx, names[:1])
			if err != nil || first[names[0]].kind != number {
				return nil, nil, err
			}
		}
	}
	set, err := p.ask(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	return set.resets(), set.agent(), nil
}

// agent is what scalars tell of it; nil where they do not.
func (s scalarSet) agent() *Agent {
	if s.of(lvsdAgent, lvsdAgentSampleErrors).kind != number {
		return nil
	}
	a := &Agent{
		SampleErrors: s.number(lvsdAgent, lvsdAgentSampleErrors), LateTicks: s.number(lvsdAgent, lvsdAgentLateTicks),
		SkippedTicks: s.number(lvsdAgent, lvsdAgentSkippedTicks), Inconsistent: s.number(lvsdAgent, lvsdAgentInconsistent),
		Unnumbered: uint32(s.number(lvsdAgent, lvsdAgentUnnumbered)),
	}
	if state := s.of(lvsdStore, lvsdStoreState); state.kind == number && state.num != storeOff {
		a.Store = &Store{
			Running: state.num == running, Bytes: s.number(lvsdStore, lvsdStoreBytes), Limit: s.number(lvsdStore, lvsdStoreLimit),
			CommitErrors: s.number(lvsdStore, lvsdStoreCommitErrors), LateCommits: s.number(lvsdStore, lvsdStoreLateCommits),
		}
	}
	return a
}
