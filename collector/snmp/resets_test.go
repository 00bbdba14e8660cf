package snmp

import (
	"fmt"
	"testing"

	"lvs/collector/snmp/snmptest"
	"lvs/dataplane"
	"lvs/internal/lab"
	"lvs/mib"
	"lvs/mib/smi"

	"github.com/google/go-cmp/cmp"
)

// restarted are figures with another number in every cell of lvsdAgentResetTable.
func restarted() mib.Figures {
	f := figures
	f.Resets = mib.ResetFigures{Director: dataplane.ResetCounts{1, 2, 3, 4}, Services: dataplane.ResetCounts{5, 6, 7, 8},
		Reals: dataplane.ResetCounts{9, 10, 11, 1<<32 - 1}}
	return f
}

var wantResets = &Resets{Director: dataplane.ResetCounts{1, 2, 3, 4}, Services: dataplane.ResetCounts{5, 6, 7, 8},
	Reals: dataplane.ResetCounts{9, 10, 11, 1<<32 - 1}}

func TestResetsAreTold(t *testing.T) {
	a := serve(t, mib.Build(whole(), restarted()))
	for _, version := range []int{1, 2} {
		p := poller(t, Config{Target: a.Addr(), Auth: Auth{Version: version}, Module: Director})
		if got := p.Stats().Resets; got != nil {
			t.Errorf("version %d: resets before the first snapshot: %v", version, got)
		}
		for range 2 {
			poll(t, p)
			if diff := cmp.Diff(wantResets, p.Stats().Resets); diff != "" {
				t.Errorf("version %d (-want +got):\n%s", version, diff)
			}
		}
		a.Serve(mib.Build(whole(), figures)) // the agent was started anew
		poll(t, p)
		if diff := cmp.Diff(&Resets{}, p.Stats().Resets); diff != "" {
			t.Errorf("version %d, after a start (-want +got):\n%s", version, diff)
		}
		a.Serve(mib.Build(whole(), restarted()))
	}
	p := poller(t, Config{Target: a.Addr()})
	if poll(t, p); p.Stats().Resets != nil {
		t.Error("the LVS-MIB tells of resets")
	}
}

func TestAgentsTellOfThemselves(t *testing.T) {
	f := restarted()
	f.SampleErrors, f.LateTicks, f.SkippedTicks, f.Inconsistent = 1<<32+1, 2, 3, 4
	f.Store = mib.StoreFigures{State: mib.StoreBehind, Bytes: 1 << 40, Limit: 1 << 41, CommitErrors: 5, LateCommits: 6}
	crowded := whole()
	crowded.Services[0].Number = 0 // it takes its real servers with it
	a := serve(t, mib.Build(crowded, f))
	p := poller(t, Config{Target: a.Addr(), Module: Director})
	want := &Agent{SampleErrors: 1, LateTicks: 2, SkippedTicks: 3, Inconsistent: 4, Unnumbered: uint32(1 + len(crowded.Services[0].Reals)),
		Store: &Store{Bytes: 1 << 40, Limit: 1 << 41, CommitErrors: 5, LateCommits: 6}}
	poll(t, p)
	if diff := cmp.Diff(want, p.Stats().Agent); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f.Store.State = mib.StoreRunning
	a.Serve(mib.Build(whole(), f))
	if poll(t, p); !p.Stats().Agent.Store.Running {
		t.Error("a store that runs does not")
	}
	f.Store.State = mib.StoreOff
	a.Serve(mib.Build(whole(), f))
	if poll(t, p); p.Stats().Agent.Store != nil {
		t.Errorf("without a store there is %+v", p.Stats().Agent.Store)
	}
	for what, other := range map[string]*Poller{
		"over SNMPv1":    poller(t, Config{Target: a.Addr(), Module: Director, Auth: Auth{Version: 1}}),
		"by the LVS-MIB": poller(t, Config{Target: a.Addr()}),
	} {
		if poll(t, other); other.Stats().Agent != nil {
			t.Errorf("%s an agent tells of itself: %+v", what, other.Stats().Agent)
		}
	}
}

// An agent from before there was a table of resets is read as ever; its upgrade, and
// its return, are noticed. It costs a request at most.
func TestAgentsWithoutResets(t *testing.T) {
	full := mib.Build(whole(), restarted())
	var old snmptest.Vars
	table := smi.MustParseOID("1.3.6.1.4.1.8225.4711.100.1.2.9")
	for name, v, ok := full.Next(nil, nil, true, nil); ok; name, v, ok = full.Next(nil, name, false, nil) {
		if !name.HasPrefix(table) {
			old = append(old, smi.VarBind{Name: name.Append(), Value: v})
		}
	}
	for _, version := range []int{1, 2} {
		a := serve(t, old)
		p := poller(t, Config{Target: a.Addr(), Auth: Auth{Version: version}, Module: Director})
		requests := map[bool]int64{}
		for _, upgraded := range []bool{false, true, false, false, true, true} {
			if a.Serve(old); upgraded {
				a.Serve(full)
			}
			before := a.Requests.Load()
			same(t, fmt.Sprint("version ", version, ", with a table: ", upgraded), without(recounted(whole(), version)), poll(t, p))
			requests[upgraded] = int64(a.Requests.Load() - before) // the last of each
			if got := p.Stats().Resets; (got != nil) != upgraded {
				t.Errorf("version %d: resets %v, and there is a table: %v", version, got, upgraded)
			}
		}
		if requests[false] > requests[true] {
			t.Errorf("version %d: %d requests without a table, %d with one", version, requests[false], requests[true])
		}
	}
}

func TestResetsThroughSNMPD(t *testing.T) {
	master := snmpdOf(t, mib.Build(whole(), restarted()))
	for _, auth := range []Auth{{Version: 1, Community: lab.Community}, {Version: 2, Community: lab.Community}, labUser} {
		p := poller(t, Config{Target: master.Addr, Auth: auth, Module: Director})
		poll(t, p)
		if diff := cmp.Diff(wantResets, p.Stats().Resets); diff != "" {
			t.Errorf("%v (-want +got):\n%s", auth, diff)
		}
	}
}
