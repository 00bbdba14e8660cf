package snmp

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/internal/lab"
	"lvs/mib"
	"lvs/mib/agentx"
	"lvs/mib/smi"
)

// snmpd has a real snmpd answer from a snapshot.
func snmpd(t *testing.T, snap *dataplane.Snapshot) *lab.MasterAgent {
	t.Helper()
	return snmpdOf(t, mib.Build(snap, figures))
}

// snmpdOf has one answer from a tree.
func snmpdOf(t *testing.T, tree smi.Tree) *lab.MasterAgent {
	t.Helper()
	master := lab.SNMPD(t)
	subagent, err := agentx.New(agentx.Config{Address: master.Unix, Timeout: time.Minute, Registrations: []smi.OID{mib.Root()}}, tree)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { subagent.Run(t.Context()) })
	t.Cleanup(wg.Wait) // the test's context is done by then
	lab.Wait(t, "the subagent's answer through snmpd", func() bool {
		out, err := master.Ask("snmpget", "2c", []string{"-On"}, mib.Root().String()+".2.0")
		return err == nil && strings.Contains(out, "INTEGER")
	})
	return master
}

// labUser is the user of the lab's snmpd.
var labUser = Auth{Version: 3, Username: lab.User, SecurityLevel: "authPriv", AuthProtocol: "SHA", AuthPassword: lab.AuthPassword, PrivProtocol: "AES", PrivPassword: lab.PrivPassword}

// What is read through a real snmpd equals the snapshot that it answers from.
func TestSNMPDTellsTheSnapshot(t *testing.T) {
	snap := whole()
	lvs := director(5, 20) // all of which the LVS-MIB can tell
	masters := map[Module]*lab.MasterAgent{LVS: snmpd(t, lvs), Director: snmpd(t, snap)}
	for _, auth := range []Auth{{Version: 1, Community: lab.Community}, {Version: 2, Community: lab.Community}, labUser} {
		for module, master := range masters {
			p := poller(t, Config{Target: master.Addr, Auth: auth, Module: module, Servers: true})
			for range 2 {
				want := told(lvs, auth.Version)
				if module == Director {
					want = recounted(snap, auth.Version)
				}
				same(t, auth.String()+", module "+module.String(), want, poll(t, p))
			}
		}
	}
}

func TestWrongUsersAreRefused(t *testing.T) {
	master := snmpd(t, director(1, 1))
	for what, auth := range map[string]Auth{
		"user":          {Version: 3, Username: "nobody", SecurityLevel: "authPriv", AuthProtocol: "SHA", AuthPassword: lab.AuthPassword, PrivProtocol: "AES", PrivPassword: lab.PrivPassword},
		"auth password": {Version: 3, Username: lab.User, SecurityLevel: "authPriv", AuthProtocol: "SHA", AuthPassword: "wrong password", PrivProtocol: "AES", PrivPassword: lab.PrivPassword},
	} {
		_, err := poller(t, Config{Target: master.Addr, Auth: auth}).Snapshot(t.Context())
		if !errors.Is(err, ErrAccess) || Reason(err) != "access" {
			t.Errorf("wrong %s: %v", what, err)
		}
	}
	_, err := poller(t, Config{Target: master.Addr, Auth: Auth{Community: "wrong"}, Timeout: 50 * time.Millisecond, Retries: -1}).Snapshot(t.Context())
	if !errors.Is(err, ErrTimeout) {
		t.Errorf("wrong community: %v", err)
	}
}

// A subagent that is gone is an error, whatever snmpd makes of its table.
func TestATableThatGoesAway(t *testing.T) {
	master := snmpd(t, director(5, 20))
	p := poller(t, Config{Target: master.Addr, Auth: Auth{Community: lab.Community}})
	poll(t, p)
	master.Restart() // the subagent comes back after a moment
	for range 600 {
		snap, err := p.Snapshot(t.Context())
		if err == nil {
			want := told(director(5, 20), 2)
			want.Retries = snap.Retries // it may come back while it is read
			same(t, "after the restart", want, snap)
			return
		}
		if errors.Is(err, ErrAnswer) {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond) // a process of its own starts
	}
	t.Error("the table does not come back")
}
